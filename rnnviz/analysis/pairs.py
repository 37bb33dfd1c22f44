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
from rnnviz.analysis.factored import state_size
from rnnviz.analysis.jacobians import normalise
from rnnviz.analysis.linear import Progress, Steps, linearize, watched
from rnnviz.analysis.reachability import reachable
from rnnviz.core import RNN, Trace, checks
from rnnviz.core.numerics import (
    LOG10_2,
    Status,
    log10_norm,
    log10_rms,
    status_of,
)

Array = np.ndarray

LOW, HIGH = 1e-200, 1e200
"""Squares of norms between which columns are left as they are."""


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
    trace: Trace,
    label: str,
    sequences: Sequence[int] | None = None,
    scale: float = 1.0,
    progress: Progress | None = None,
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
        one = []
        for i, b in enumerate(chosen.tolist()):
            share = i / len(chosen), (i + 1) / len(chosen)
            steps = watched(linearize(trace, b), progress, *share)
            one.append(_one_sequence(trace, b, losses, steps))
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


def _one_sequence(
    trace: Trace, b: int, losses: Array, steps: Steps
) -> tuple[Array, Array, Array, Array]:
    """log10 of h, state (n, T+1), of ‖Σ_s v_s‖ and of its distance to the trace's (T+1,)."""
    T, H, own = trace.seq_len, trace.cell.hidden_size, losses[losses <= trace.steps_of(b)]
    columns = _Columns(trace, b, own)
    sums, sums_log2 = np.zeros((2, H, T + 1)), np.zeros(T + 1, np.int64)
    for k in range(int(own.max(initial=-1)), -1, -1):
        columns.join(k)
        columns.measure(k)
        sums[0, :, k], sums_log2[k] = columns.sum()
        d_h, log2 = trace.d_h[k, :, b], int(trace.d_log2[k, b] - sums_log2[k])
        sums[1, :, k] = sums[0, :, k] - (np.ldexp(d_h, log2) if log2 else d_h)
        if k:
            columns.values = steps.pull(k - 1, columns.values)
    total, error = log10_norm(sums, 1, sums_log2)
    none = np.full((len(losses) - len(own), T + 1), -np.inf)
    h, state = (np.concatenate([found, none]) for found in columns.log10())
    return h, state, total, error


class _Columns:
    """The gradients of the losses that have joined so far, the last loss first; the true ones are
    values · 2**log2. Norms are kept as squares and decades to add, logarithms taken at the end."""

    def __init__(self, trace: Trace, b: int, losses: Array) -> None:
        cell, n = trace.cell, len(losses)
        self._H, self._states = cell.hidden_size, cell.hidden_size * (1 + cell.HAS_CELL_STATE)
        self._direct, self._joining = trace.d_h_direct[:, :, b], list(losses)
        exponents = trace.direct_log2
        self._direct_log2 = None if exponents is None else exponents[:, b]
        self.values, self._log2 = np.empty((state_size(cell), 0)), np.zeros(n, np.int64)
        self._squares = np.zeros((2, trace.seq_len + 1, n))
        self._shift = np.zeros_like(self._squares)

    def join(self, s: int) -> None:
        if not self._joining or s != self._joining[-1]:
            return
        self._joining.pop()
        m = self.values.shape[1]
        values = np.zeros((len(self.values), m + 1))
        values[:, :m] = self.values
        values[: self._H, m] = self._direct[s - 1]
        self.values = values
        if self._direct_log2 is not None:
            self._log2[m] = self._direct_log2[s - 1]

    def measure(self, k: int) -> None:
        """Keep the norms at step k; bring the columns back to where their squares are safe."""
        m = self.values.shape[1]
        h, c = self.values[: self._H], self.values[self._H : self._states]
        squares = self._squares[:, k, :m]
        np.einsum("ij,ij->j", h, h, out=squares[0])
        squares[1] = squares[0]
        if len(c):
            squares[1] += np.einsum("ij,ij->j", c, c)
        self._shift[:, k, :m] = self._log2[:m] * LOG10_2
        if not (squares.min() > LOW and squares.max() < HIGH):
            self._measure_with_care(k, m)

    def _measure_with_care(self, k: int, m: int) -> None:
        scaled, extra = normalise(self.values.T[:, :, None])
        self.values = np.ascontiguousarray(scaled[:, :, 0].T)
        self._log2[:m] += extra
        for i, rows in enumerate((self._H, self._states)):
            log10 = log10_norm(self.values[:rows])
            some = ~np.isneginf(log10)
            self._squares[i, k, :m] = some
            self._shift[i, k, :m] = np.where(some, log10 + self._log2[:m] * LOG10_2, 0)

    def sum(self) -> tuple[Array, int]:
        """The sum over columns (H,) in units of 2**log2."""
        log2 = self._log2[: self.values.shape[1]]
        if not log2.any():
            return self.values[: self._H].sum(axis=1), 0
        top = int(log2.max())
        return self.values[: self._H] @ np.ldexp(1.0, log2 - top), top

    def log10(self) -> Array:
        """Of h and of the state, (2, n, T+1), rows in the order of the losses."""
        return (0.5 * np.log10(self._squares) + self._shift).transpose(0, 2, 1)[:, ::-1]


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
