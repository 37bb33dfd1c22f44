"""The true ‖∂c_T/∂c_t‖ split in two: what stays in the cell state all the way, and all the rest,
which leaves through h and the gates at least once (THEORY E10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.gates import log_memory_gate, rounds_to_zero
from rnnviz.analysis.jacobian.norms import log10_spectral_norm, normalise
from rnnviz.analysis.jacobian.sequence import (
    Progress,
    Steps,
    check_steps,
    linearize,
    through_gates,
    with_progress,
)
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.reachability import reached_from
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LN_10, LOG10_2, Array, Status, status_of
from rnnviz.core.trace import of_sequences

NORM_BLOCK = 32
"""Points whose norms are taken at once."""


@dataclass(frozen=True, eq=False)
class CarryPaths:
    """∂c_T/∂c_t of one sequence (∂h_T/∂h_t for a GRU) = carry + through; index t is step t.

    product: the textbook's factor, Π f of the largest unit (Π z for a GRU), at every step.
    carry: largest unit of the diagonal product of ∂c_t/∂c_{t−1} with h held: Π f, with peepholes
    Π (f + c σ′(a_f) p_f + g σ′(a_i) p_i), Π z for a GRU: the "constant error carousel".
    through: ‖·‖₂ of the rest. true: ‖·‖₂ of the sum; between |through − carry| and their sum.
    Points of these three that were not asked for are NOT_RECORDED.
    """

    label: str
    gate: str
    product: Curve
    carry: Curve
    through: Curve
    true: Curve


def carry_paths(
    record: Record,
    label: str,
    sequence: int = 0,
    every: int = 1,
    progress: Progress | None = None,
) -> CarryPaths | None:
    """The split at T, T − every, ... and 0; None for a cell without a memory gate.

    The two parts are carried side by side, so that each is right where the other is larger by any
    number of decades. Source: Hochreiter and Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735, who
    cut the second part; the split: derived for this project.
    Raises ValueError for wrong options and above the limits of `limits`.

    Examples
    --------
    >>> paths = analysis.carry_paths(lstm, "LSTM")
    >>> paths.true.log10.shape  # ‖∂c_20/∂c_t‖ at t = 0 to 20
    (21,)
    """
    gate = record.cell.MEMORY_GATE
    if gate is None:
        return None
    T = len(check_steps(record, None, sequence))
    step = checks.size("every", every)
    limits.check("The paths of the carry", limits.carry_cost(record.cell, T, record.batch_size))
    wanted = wanted_steps(T, step)
    log10 = np.full((3, T + 1), np.nan)
    with np.errstate(all="ignore"):
        pending: list[tuple[int, _Split]] = []
        for t, split in _backward(record, sequence, T, progress):
            if wanted[t]:
                pending.append((t, split))
            if pending and (len(pending) == NORM_BLOCK or t == 0):
                log10[:, [at for at, _ in pending]] = _norms([part for _, part in pending])
                pending = []
    kept, left, true = np.full(T + 1, _carries(record)), None, None
    through, whole = np.isneginf(log10[1:, :T])
    if through[: T - record.cell.HAS_CELL_STATE].any() or whole.any():  # in one step none leaves c
        reached = reaches_back(record, np.array([sequence]), T)
        left, true = (found[: T + 1, 0] for found in reached)
    curves = [Curve(values, status_of(values, reached))
              for values, reached in zip(log10, (kept, left, true), strict=True)]  # fmt: skip
    for curve in curves:
        curve.status[~wanted] = Status.NOT_RECORDED
    product = _product(log_memory_gate(record, gate)[:T, :, sequence])
    rounds = np.full(T + 1, rounds_to_zero(record.cell))
    return CarryPaths(label, gate, Curve(product, status_of(product, rounds)), *curves)


def _product(logs: Array) -> Array:
    """log10 of the largest unit's Π from t + 1 to T, at t = 0 .. T; (T+1,) of ln of the gates."""
    return np.append(np.cumsum(logs[::-1], axis=0)[::-1].max(axis=1), 0.0) / LN_10


def reaches_back(record: Record, chosen: Array, T: int) -> tuple[Array, Array]:
    """From which t = 0 .. T exact arithmetic lets the memory of these sequences reach that at T:
    through h and the gates, and in all. (T+1, n) of bool each."""
    some = of_sequences(record, chosen)
    last, none = np.zeros_like(some.h[1:]), np.zeros_like(some.h[1:])
    last[T - 1] = 1
    if some.c is None:
        true = np.any(reached_from(some, last).h, axis=1)
        weights = [some.params[name] for name in ("W_hh", "W_skip") if name in some.params]
        left = np.logical_and(true, any(W.any() for W in weights))
        left[T] = False
        return left, true
    found = reached_from(some, none, last)
    through = reached_from(some, found.h[1:].astype(last.dtype), none)
    assert found.carry is not None
    assert through.carry is not None
    return np.any(through.carry, axis=1), np.any(found.carry, axis=1)


def wanted_steps(seq_len: int, every: int) -> Array:
    """Which of the indices 0 to T are looked at: T, T − every, ... and 0."""
    wanted = np.zeros(seq_len + 1, bool)
    wanted[::-1][::every] = True
    wanted[0] = True
    return wanted


def memory_rows(record: Record) -> slice:
    """Where the state has what the memory gate keeps: c, or h without a cell state."""
    first = record.cell.hidden_size if record.cell.HAS_CELL_STATE else 0
    return slice(first, first + record.cell.hidden_size)


def _carries(record: Record) -> bool:
    """Whether the carry is nowhere 0 in truth: by a smooth memory gate, or a smooth gate that sees
    c."""
    cell, smooth = record.cell, record.cell.activation_of(record.cell.MEMORY_GATE or "")
    seen = smooth.name == "logistic" and bool({"p_i", "p_f"} & set(record.params))
    return rounds_to_zero(cell) or seen


@dataclass(frozen=True, eq=False)
class _Split:
    """∂c_T/∂c_tᵀ = diag(carry) · 2**carry_log2 + through · 2**through_log2; (H,) and (H, H)."""

    carry: Array
    carry_log2: int
    through: Array
    through_log2: int


def _backward(
    record: Record, sequence: int, T: int, progress: Progress | None
) -> Iterator[tuple[int, _Split]]:
    """(t, the split at t) for t = T .. 0."""
    steps, H = linearize(record, sequence), record.cell.hidden_size
    gates = steps if record.cell.HAS_CELL_STATE else through_gates(record, sequence)
    told = with_progress(steps, progress)
    memory, unit = memory_rows(record), np.zeros((steps.size, 1))
    unit[memory] = 1
    carry, carry_log2 = np.ones(H), 0
    rest, rest_log2 = np.zeros((steps.size, H)), 0
    yield T, _Split(carry, 0, rest[memory], 0)
    for k in reversed(range(T)):
        kept = _kept(record, sequence, steps, k, memory, unit)
        straight = np.zeros_like(rest)
        straight[memory] = np.diag(carry)
        left, rest = gates.vjp(k, straight), told.vjp(k, rest)
        carry = carry * kept
        if record.cell.HAS_CELL_STATE:
            left[memory] = 0  # c has no other way to itself in a step
        top = max(carry_log2 if left.any() else rest_log2, rest_log2 if rest.any() else carry_log2)
        total = np.ldexp(left, carry_log2 - top) + np.ldexp(rest, rest_log2 - top)
        rest, extra = normalise(total)
        rest_log2 = top + int(extra)
        scaled, extra = normalise(carry[:, None])
        carry, carry_log2 = scaled[:, 0], carry_log2 + int(extra)
        yield k, _Split(carry, carry_log2, rest[memory], rest_log2)


def _kept(record: Record, sequence: int, steps: Steps, k: int, memory: slice, unit: Array) -> Array:
    """∂c_t/∂c_{t−1} with h held (H,); z of a GRU."""
    if record.cell.HAS_CELL_STATE:
        return steps.vjp(k, unit)[memory, 0]
    assert record.cell.MEMORY_GATE is not None
    return record.gates[record.cell.MEMORY_GATE][k, :, sequence].astype(np.float64)


def _norms(splits: list[_Split]) -> Array:
    """log10 of carry, through and the sum of each, (3, n)."""
    carry = np.array([np.log10(np.abs(s.carry).max()) + s.carry_log2 * LOG10_2 for s in splits])
    through_log2 = np.array([s.through_log2 for s in splits])
    through = log10_spectral_norm(np.array([s.through for s in splits])) + through_log2 * LOG10_2
    tops = np.array([s.carry_log2 if not s.through.any() else max(s.carry_log2, s.through_log2)
                     for s in splits])  # fmt: skip
    sums = [np.diag(np.ldexp(s.carry, s.carry_log2 - top))
            + np.ldexp(s.through, s.through_log2 - top)
            for s, top in zip(splits, tops, strict=True)]  # fmt: skip
    return np.stack([carry, through, log10_spectral_norm(np.array(sums)) + tops * LOG10_2])
