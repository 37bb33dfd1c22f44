"""Directions sent through many steps (JVP, VJP), the dot test, and ‖∂s_t/∂s_k‖₂ without forming it.

At every step a column is brought back to size 1 by a power of two, so nothing over- or underflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobian.norms import normalise
from rnnviz.analysis.jacobian.sequence import Steps, check_steps, linearize
from rnnviz.analysis.jacobian.structured import BatchedVJP
from rnnviz.analysis.selfcheck.places import Places
from rnnviz.analysis.selfcheck.steps import jvp
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LOG10_2, largest_finite

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Direction:
    """Columns (S, m) after many steps; their true size is columns · 2**log2, log2 (m,)."""

    columns: Array
    log2: Array


@dataclass(frozen=True, eq=False)
class DotTest:
    """|⟨J_t u, v⟩ − ⟨u, J_tᵀ v⟩| / (‖J_t u‖ ‖v‖) of one sequence, errors (n,), for random u and v.

    J_t u comes from the cell's forward step alone (a complex step), J_tᵀ v from its backward step:
    two pieces of code that share no line. Where saturated units made J_t zero by rounding the two
    differ, and the test says so.
    """

    label: str
    steps: Array
    errors: Array

    @property
    def worst(self) -> float:
        """NaN if no step could be tested."""
        return largest_finite(self.errors)


@dataclass(frozen=True, eq=False)
class LargestStretch:
    """σ_max of ∂s_stop/∂s_start by power iteration, from below.

    log10: of σ = ‖Φ v‖, never above the truth. residual: ‖ΦᵀΦ v − σ² v‖ / σ²; some singular value
    of Φ is within residual · σ / 2 of σ, and if it is the largest one σ is right to residual².
    right (S,): v. iterations: passes forward and back.
    """

    label: str
    start: int
    stop: int
    log10: float
    residual: float
    iterations: int
    right: Array


def jvp_through(steps: Steps, columns: Array) -> Direction:
    """∂s_stop/∂s_start u of each column u (S, m), forward in time (JVP)."""
    return _through(steps.jvp, range(len(steps)), columns)


def vjp_through(steps: Steps, columns: Array) -> Direction:
    """(∂s_stop/∂s_start)ᵀ v of each column v (S, m), back in time (VJP)."""
    return _through(steps.vjp, reversed(range(len(steps))), columns)


def _through(
    step: Callable[[int, Array], Array], order: Iterable[int], columns: Array
) -> Direction:
    log2 = np.zeros(columns.shape[1], np.int64)
    with np.errstate(all="ignore"):
        for k in order:
            columns, extra = _each_near_one(step(k, columns))
            log2 += extra
    return Direction(columns, log2)


def _each_near_one(columns: Array) -> tuple[Array, Array]:
    scaled, exponent = normalise(columns.T[:, :, None])
    return np.ascontiguousarray(scaled[:, :, 0].T), exponent


def dot_test(record: Record, label: str, sequence: int = 0, seed: int = 0) -> DotTest:
    """E19 at every step of one sequence. Raises ValueError for a sequence that there is not."""
    steps = check_steps(record, None, sequence)
    H, n, has_c = record.cell.hidden_size, len(steps), record.cell.HAS_CELL_STATE
    u, v = np.random.default_rng(seed).standard_normal((2, H * (1 + has_c), n))
    after = jvp(record, Places(steps, np.full(n, sequence)), u)
    before = np.concatenate(BatchedVJP(record, steps, sequence).back(v[:H], v[H:])[1])
    with np.errstate(all="ignore"):
        difference = np.abs((after * v).sum(axis=0) - (u * before).sum(axis=0))
        size = np.linalg.norm(after, axis=0) * np.linalg.norm(v, axis=0)
        return DotTest(label, steps, np.where(difference == 0, 0.0, difference / size))


def largest_stretch(
    record: Record,
    label: str,
    sequence: int = 0,
    start: int = 0,
    stop: int | None = None,
    tolerance: float = 1e-7,
    most: int = 200,
) -> LargestStretch:
    """σ_max(∂s_stop/∂s_start): v <- ΦᵀΦ v forward and back through the steps, no matrix formed,
    until the residual is below `tolerance` or `most` passes are done. THEORY C4.

    σ_max is −inf in log10 where Φ v = 0, NaN where a state is not finite.
    Raises ValueError for a range that the record does not have or a tolerance below 0.
    """
    checks.number("tolerance", tolerance, 0)
    steps = linearize(record, sequence, start, stop)
    v = np.random.default_rng(0).standard_normal((steps.size, 1))
    v, log10, residual, done = v / np.linalg.norm(v), np.nan, np.nan, 0
    for done in range(1, checks.size("most", most) + 1):  # noqa: B007
        there = jvp_through(steps, v)
        sigma = float(np.linalg.norm(there.columns))
        with np.errstate(divide="ignore", invalid="ignore"):
            log10 = float(np.log10(sigma) + there.log2[0] * LOG10_2)
        if not (np.isfinite(sigma) and sigma > 0):
            residual = 0.0 if sigma == 0 else np.nan
            break
        back = vjp_through(steps, there.columns / sigma)
        w = back.columns * np.ldexp(1.0, int(back.log2[0] - there.log2[0])) / sigma
        residual = float(np.linalg.norm(w - v))
        if residual <= tolerance:
            break
        v = w / np.linalg.norm(w)
    return LargestStretch(label, start, start + len(steps), log10, residual, done, v[:, 0])
