"""Lyapunov exponents: what a step multiplies each direction of the state with, on average, as ln.

Over a recorded run they are finite-time exponents; `long_run` gives those of the network itself.
Source: Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15, 9-30; for RNNs: Engelken, Wolf,
Abbott 2023, Phys. Rev. Research 5, 043044. Post-activation convention: s = h, or (h, c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.norms import Determinants, log_determinants
from rnnviz.analysis.jacobian.qr import QRPass, qr_pass
from rnnviz.analysis.jacobian.sequence import Progress, Steps, check_range, linearize, with_progress
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.lags import finite_time_exponent
from rnnviz.core import Cell, Record, checks, forward
from rnnviz.core.numerics import Array, Status

Drive = Callable[[int, int], Array]
"""(start, stop) -> x (stop − start, D, 1) of those steps."""

DIRECTIONS = ("forward", "backward")
BLOCK = 100


@dataclass(frozen=True, eq=False)
class LyapunovSpectrum:
    """The Lyapunov exponents of one model, in nats (natural log) per step.

    exponents (m,), descending; −inf for a direction that some step sent to zero. status (m,), int8
    of `Status`: FINITE; ZERO where J_t is singular; ROUNDED where it is not but float64 cannot
    tell (a direction 30 to 36 nats below the largest in one step, or φ′ rounded to zero); NAN
    where a state was not finite.
    steps: how many were averaged. direction: "forward" (J Q) or "backward" (Jᵀ Q, where gradients
    live): the same numbers in the long run, other vectors.
    determinant: the mean of ln |det J_t|, which all S exponents add up to; NaN if m < S.
    largest: λ₁. Of a recorded run ln ‖∂s_T/∂s_0‖₂ / T, which is never below exponents[0] but for
    rounding, and does not depend on where vectors start; NaN if m < S. Of a network that runs on
    exponents[0].
    """

    label: str
    exponents: Array
    status: Array
    steps: int
    direction: str
    determinant: float
    largest: float

    @property
    def residual(self) -> float:
        """|Σ exponents − mean ln |det J_t|| (E8, E9); 0 if both are −inf, NaN if not all exponents
        were asked for or rounding took one of them."""
        total = float(self.exponents.sum())
        if np.isneginf(total) and np.isfinite(self.determinant):
            return np.nan if (self.status == Status.ROUNDED).any() else np.inf
        return 0.0 if total == self.determinant else abs(total - self.determinant)


def lyapunov_spectrum(
    record: Record,
    label: str,
    sequence: int = 0,
    direction: str = "backward",
    count: int | None = None,
    progress: Progress | None = None,
) -> LyapunovSpectrum:
    """Finite-time exponents of a recorded run: (1/T) Σ ln |R_ii| of Q R = J_t Q over its T steps.

    count: the largest ones only; all S unless given. The vectors start as columns of the identity:
    each exponent depends on that, by up to ln(its stretch in the best direction) / T, their sum
    never does, nor does `largest`.
    Raises ValueError for wrong options and above the limits of `limits`.

    Examples
    --------
    >>> spectrum = analysis.lyapunov_spectrum(rnn, "RNN")
    >>> spectrum.exponents.shape, bool(spectrum.residual < 1e-9)
    ((8,), True)
    """
    checks.choice("direction", direction, DIRECTIONS)
    _, steps = check_range(record, sequence, 0, None)
    m = _count(record.cell, count)
    cost = limits.exponents_cost(record.cell, steps, record.batch_size, m)
    limits.check("The Lyapunov spectrum", cost, ADVICE)
    start = np.eye(state_size(record.cell), m)
    linear = linearize(record, sequence)
    done = qr_pass(with_progress(linear, progress, 0, 0.5), start, direction == "backward")
    total = _Total(m)
    total.add(done, steps, _determinants(record, sequence, linear, done, m))
    found = total.spectrum(label, direction, m == len(start))
    if m < len(start):
        return replace(found, largest=np.nan)
    second = progress and (lambda share: progress(0.5 + 0.5 * share))
    return replace(found, largest=finite_time_exponent(record, sequence, second)[0])


ADVICE = "a shorter sequence, fewer units, or only the largest exponents (count)"


def long_run(
    cell: Cell,
    params: dict[str, Any],
    steps: int,
    label: str,
    *,
    drive: Drive | None = None,
    discard: int = 100,
    count: int | None = None,
    h0: Any = None,
    c0: Any = None,
    seed: int = 0,
) -> Iterator[LyapunovSpectrum]:
    """Exponents of a network that runs on, driven or free: the estimate after every BLOCK steps,
    the last one after all of them. Forward in time; memory does not grow with `steps`.

    drive: the input of the steps from start to stop, x (stop − start, D, 1); zeros unless given.
    discard: steps at first in which the state settles and the vectors turn into place.
    h0, c0 (H, 1): the first state, standard normal from `seed` unless given (a free network
    without biases stays at 0).
    Raises ValueError for wrong options, shapes, and above the limits of `limits`.

    Examples
    --------
    >>> *_, last = analysis.long_run(rnn.cell, rnn.params, 500, "RNN", count=2)
    >>> last.exponents.shape, last.steps
    ((2,), 500)
    """
    m, size = _count(cell, count), state_size(cell)
    discard = checks.size("discard", discard, 0)
    cost = limits.spectrum_cost(cell, BLOCK, m)
    blocks = (checks.size("steps", steps) + discard) / BLOCK
    advice = "fewer steps or only the largest exponents (count)"
    limits.check("The Lyapunov spectrum", cost.times(blocks), advice)
    return _run_on(cell, params, _cuts(discard, steps), label, drive, m, size,
                   _first_state(cell, h0, c0, seed))  # fmt: skip


def _run_on(
    cell: Cell,
    params: dict[str, Any],
    cuts: list[tuple[int, int, bool]],
    label: str,
    drive: Drive | None,
    m: int,
    size: int,
    states: dict[str, Any],
) -> Iterator[LyapunovSpectrum]:
    total, frame = _Total(m), np.eye(size, m)
    for start, stop, counts in cuts:
        zeros = np.zeros((stop - start, cell.input_size, 1))
        record = forward(cell, params, zeros if drive is None else drive(start, stop), **states)
        linear = linearize(record)
        done = qr_pass(linear, frame)
        frame, determinants = done.frame, _determinants(record, 0, linear, done, m)
        if counts:
            total.add(done, stop - start, determinants)
            yield total.spectrum(label, "forward", m == size)
        else:
            total.lose(done, determinants)
        states = _last_state(record)


def _cuts(discard: int, steps: int) -> list[tuple[int, int, bool]]:
    """(start, stop, whether they are averaged) of the blocks."""
    first = [(a, min(a + BLOCK, discard), False) for a in range(0, discard, BLOCK)]
    end = discard + steps
    return first + [(a, min(a + BLOCK, end), True) for a in range(discard, end, BLOCK)]


def _first_state(cell: Cell, h0: Any, c0: Any, seed: int) -> dict[str, Any]:
    rng, H = np.random.default_rng(seed), cell.hidden_size
    h = rng.standard_normal((cell.skip, H, 1) if cell.skip else (H, 1)) if h0 is None else h0
    if not cell.HAS_CELL_STATE:
        return {"h0": h, "c0": c0}
    return {"h0": h, "c0": rng.standard_normal((H, 1)) if c0 is None else c0}


def _last_state(record: Record) -> dict[str, Array]:
    h, d = record.h, record.cell.skip
    if record.h_before is not None:
        h = np.concatenate([record.h_before, h])
    states = {"h0": h[-d:] if d else h[-1]}
    return states if record.c is None else {**states, "c0": record.c[-1]}


def _determinants(
    record: Record, sequence: int, linear: Steps, done: QRPass, m: int
) -> Determinants | None:
    """ln |det J_t| of every step; None where the result does not use it."""
    if m < state_size(record.cell) and not (done.dead_at >= 0).any():
        return None
    return log_determinants(record, sequence, linear=linear)


def _count(cell: Cell, count: int | None) -> int:
    size = state_size(cell)
    return size if count is None else min(checks.size("count", count), size)


class _Total:
    """Logarithms and determinants of the steps so far."""

    def __init__(self, m: int) -> None:
        self._logs, self._status = np.zeros(m), np.full(m, Status.FINITE, np.int8)
        self._living, self._steps, self._determinant = np.arange(m), 0, 0.0

    def add(self, done: QRPass, steps: int, determinants: Determinants | None) -> None:
        self._logs[self._living] += done.logs
        self._steps += steps
        self._determinant += np.nan if determinants is None else float(determinants.logs.sum())
        self.lose(done, determinants)

    def lose(self, done: QRPass, determinants: Determinants | None = None) -> None:
        """Take out the directions that died. They are exactly zero if some step is singular."""
        dead = done.dead_at >= 0
        zero = determinants is not None and bool(determinants.singular.any())
        self._logs[self._living[dead]] = -np.inf
        self._status[self._living[dead]] = Status.ZERO if zero else Status.ROUNDED
        self._living = self._living[~dead]

    def spectrum(self, label: str, direction: str, whole: bool) -> LyapunovSpectrum:
        exponents = self._logs / self._steps
        status = np.where(np.isnan(exponents), Status.NAN, self._status).astype(np.int8)
        order = np.argsort(-exponents, kind="stable")
        determinant = self._determinant / self._steps if whole else np.nan
        return LyapunovSpectrum(label, exponents[order], status[order], self._steps, direction,
                                determinant, float(exponents[order[0]]))  # fmt: skip
