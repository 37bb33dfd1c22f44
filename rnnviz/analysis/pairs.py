"""Which loss speaks to which step: ‖∂L_s/∂h_k‖ for every loss step s and source step k <= s.

A loss at every step refills the total gradient and hides what has vanished; here each loss is
followed by itself, all of them in one backward pass: a column of gradients for each, which joins
at step s. Source: RNNbow, Cashman et al. 2018, IEEE CG&A 38(6), arXiv:1907.12545.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobians import normalise
from rnnviz.analysis.linear import Steps, linearize
from rnnviz.analysis.reachability import reachable
from rnnviz.core import RNN, Trace, checks
from rnnviz.core.numerics import (
    LOG10_2,
    SAFE_SQUARES,
    Status,
    log10_norm,
    log10_rms,
    status_of,
)

Array = np.ndarray

ORDINARY = 100.0
"""Decades around 1 in which columns are left as they are."""


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """Gradients of the losses L_s with respect to the states at the steps k, 0 the initial state.

    losses (n,): the steps s at which any error enters. h, state (n, T+1): log10 of ‖∂L_s/∂h_k‖₂ and
    ‖∂L_s/∂s_k‖₂ (h and c independent), RMS over the sequences that have step s; h_status,
    state_status likewise, NOT_RECORDED for k > s.
    cancellation (T+1,): ‖Σ_s v_s‖ / Σ_s ‖v_s‖ of v_s = ∂L_s/∂h_k, from 0 (the losses cancel) to 1
    (they agree); NaN where nothing arrives. checksum (T+1,): ‖Σ_s v_s − ∂L/∂h_k‖ / Σ_s ‖v_s‖
    against the gradient that the trace holds; rounding only.
    """

    label: str
    losses: Array
    h: Array
    state: Array
    h_status: Array
    state_status: Array
    cancellation: Array
    checksum: Array

    @property
    def worst_checksum(self) -> float:
        """NaN if nothing arrives anywhere."""
        finite = self.checksum[np.isfinite(self.checksum)]
        return float(finite.max()) if finite.size else float("nan")


def pair_matrix(
    trace: Trace, label: str, sequences: Sequence[int] | None = None, scale: float = 1.0
) -> PairMatrix:
    """‖∂L_s/∂h_k‖ from the direct gradients of `trace`, for the given sequences (all if None).

    scale multiplies every gradient, as in `gradient_flow`. THEORY C2.
    Raises ValueError for a sequence that the trace does not have, a scale that is not positive,
    and above the limits of `limits`.
    """
    chosen = _chosen(trace, sequences)
    shift = float(np.log10(checks.number("scale", scale, np.finfo(float).tiny)))
    direct = trace.d_h_direct[:, :, chosen]
    losses = np.flatnonzero(direct.any(axis=(1, 2))) + 1
    cost = limits.pairs_cost(trace.cell, trace.seq_len, len(losses), len(chosen))
    limits.check("The pair matrix", cost, "fewer sequences or a shorter one")
    with np.errstate(all="ignore"):
        one = [_one_sequence(trace, int(b), losses) for b in chosen]
        h, state, total, error = (_root_sum_square(v) for v in zip(*one, strict=True))
        apart = _log10_sum(h)
        having = (trace.present[losses - 1][:, chosen].sum(axis=1).clip(1))[:, None]
        mean = shift - 0.5 * np.log10(having)
    before = np.arange(h.shape[1]) <= losses[:, None]
    has_zero = bool(np.isneginf(h[before]).any())
    open_h, open_state = _open(trace, chosen, losses) if has_zero else (None, None)
    (h, h_status), (state, state_status) = (
        _curve(h + mean, losses, open_h), _curve(state + mean, losses, open_state)
    )  # fmt: skip
    with np.errstate(all="ignore"):
        cancellation, checksum = 10 ** (total - apart), 10 ** (error - apart)
    return PairMatrix(label, losses, h, state, h_status, state_status, cancellation, checksum)


def _chosen(trace: Trace, sequences: Sequence[int] | None) -> Array:
    given = range(trace.batch_size) if sequences is None else sequences
    chosen = np.array([checks.size("sequences", b, 0) for b in given], int)
    if not chosen.size or chosen.max() >= trace.batch_size:
        raise ValueError(f"sequences must be from 0 to {trace.batch_size - 1}, got {list(given)}")
    return chosen


def _one_sequence(trace: Trace, b: int, losses: Array) -> tuple[Array, Array, Array, Array]:
    """log10 of h, state (n, T+1), of ‖Σ_s v_s‖ and of its distance to the trace's (T+1,)."""
    n, T, H = len(losses), trace.seq_len, trace.cell.hidden_size
    h, state = np.full((2, n, T + 1), -np.inf)
    sums, sums_log2 = np.zeros((2, H, T + 1)), np.zeros(T + 1, np.int64)
    columns = _Columns(trace, b, linearize(trace, b))
    for k in range(trace.steps_of(b), -1, -1):
        if k and trace.d_h_direct[k - 1, :, b].any():
            columns.join(k, int(np.searchsorted(losses, k)))
        if columns.rows:
            h[columns.rows, k], state[columns.rows, k] = columns.norms()
            sums[0, :, k], sums_log2[k] = columns.sum()
            sums[1, :, k] = sums[0, :, k] - np.ldexp(
                trace.d_h[k, :, b], trace.d_log2[k, b] - sums_log2[k]
            )
            if k:
                columns.back(k - 1)
    total, error = log10_norm(sums, 1, sums_log2)
    return h, state, total, error


class _Columns:
    """The gradients of the losses that have joined so far; the true ones are · 2**log2."""

    def __init__(self, trace: Trace, b: int, steps: Steps) -> None:
        self.rows: list[int] = []
        self._trace, self._b, self._steps = trace, b, steps
        self._H = trace.cell.hidden_size
        self._states = self._H * (1 + trace.cell.HAS_CELL_STATE)
        self._values, self._log2 = np.empty((steps.size, 0)), np.empty(0, np.int64)

    def join(self, s: int, row: int) -> None:
        exponents = self._trace.direct_log2
        column = np.zeros((self._steps.size, 1))
        column[: self._H, 0] = self._trace.d_h_direct[s - 1, :, self._b]
        self._values = np.concatenate([self._values, column], axis=1)
        self._log2 = np.append(self._log2, 0 if exponents is None else exponents[s - 1, self._b])
        self.rows.append(row)

    def back(self, k: int) -> None:
        self._values = self._steps.pull(k, self._values)

    def norms(self) -> tuple[Array, Array]:
        """log10 of each column's h and of its whole state."""
        state = _log10_norms(self._values[: self._states])
        if (np.abs(state[np.isfinite(state)]) > ORDINARY).any():
            scaled, extra = normalise(self._values.T[:, :, None])
            self._values = np.ascontiguousarray(scaled[:, :, 0].T)
            self._log2 = self._log2 + extra
            state = state - extra * LOG10_2
        alone = self._states == self._H
        h = state if alone else _log10_norms(self._values[: self._H])
        shift = self._log2 * LOG10_2
        return h + shift, state + shift

    def sum(self) -> tuple[Array, int]:
        """The sum over columns (H,) in units of 2**log2."""
        top = int(self._log2.max())
        return self._values[: self._H] @ np.ldexp(1.0, self._log2 - top), top


def _log10_norms(columns: Array) -> Array:
    """`log10_norm` of columns, quick where no square is near the edge."""
    squares = np.einsum("ij,ij->j", columns, columns)
    if squares.min() > SAFE_SQUARES[0] and squares.max() < SAFE_SQUARES[1]:
        return 0.5 * np.log10(squares)
    return log10_norm(columns)


def _root_sum_square(log10_values: Iterable[Array]) -> Array:
    stack = np.stack(list(log10_values), axis=-1)
    return log10_rms(stack) + 0.5 * np.log10(stack.shape[-1])


def _log10_sum(log10_values: Array) -> Array:
    """log10 of the sum over the first axis."""
    if not len(log10_values):
        return np.full(log10_values.shape[1:], -np.inf)
    return np.logaddexp.reduce(log10_values * np.log(10)) / np.log(10)


def _curve(values: Array, losses: Array, open_: Array | None) -> tuple[Array, Array]:
    """(values, status), NOT_RECORDED after each loss."""
    after = np.arange(values.shape[1]) > losses[:, None]
    status = status_of(values, open_)
    status[after] = Status.NOT_RECORDED
    return np.where(after, np.nan, values), status


def _open(trace: Trace, chosen: Array, losses: Array) -> tuple[Array | None, Array | None]:
    """Where exact arithmetic lets L_s reach h_k and s_k, (n, T+1) each. Of slopes that are 0 or 1
    none is ever rounded to zero: None. Others are never zero: only the lag decides, and the last
    loss tells for all."""
    if isinstance(trace.cell, RNN) and trace.cell.activation in ("relu", "identity"):
        return None, None
    last = np.zeros_like(trace.d_h_direct)
    last[losses[-1] - 1] = trace.d_h_direct[losses[-1] - 1]
    found = reachable(replace(trace, d_h_direct=last))
    h = np.any(found.h[:, :, chosen], axis=(1, 2))
    more = found.carry
    state = h if more is None else h | np.any(more[:, :, chosen], axis=(1, 2))
    lag = (losses[:, None] - np.arange(len(h))).clip(0)
    return h[losses[-1] - lag], state[losses[-1] - lag]
