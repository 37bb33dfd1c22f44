"""The gradients of many losses carried back side by side, for the pair matrix."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.jacobian.norms import normalise
from rnnviz.analysis.jacobian.sequence import JacobianSequence
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.core import Cell, Trace
from rnnviz.core.numerics import LN_10, LOG10_2, Array, log10_norm, log10_rms

LOW, HIGH = 1e-200, 1e200
"""Squares of norms between which columns are left as they are."""
GROUP_ELEMENTS = 1 << 18
"""Of the columns that are followed together: they nearly stay in the cache."""
ENTRIES = 1024
"""Steps of all sequences that are linearized together."""
LEAST = np.iinfo(np.int64).min


def together(cell: Cell, losses: int, sequences: int) -> int:
    """How many sequences are followed together."""
    return min(sequences, max(1, GROUP_ELEMENTS // (state_size(cell) * max(1, losses))))


class Columns:
    """The gradients of the losses that have joined so far, the last loss first; the true ones are
    values · 2**log2. Norms are kept as squares and decades to add, logarithms taken at the end."""

    def __init__(self, trace: Trace, chosen: Array, losses: Array) -> None:
        cell, T, n, B = trace.cell, trace.seq_len, len(losses), len(chosen)
        self._trace, self._chosen, self._joining = trace, chosen, list(losses)
        self._H, self._states = cell.hidden_size, cell.hidden_size * (1 + cell.HAS_CELL_STATE)
        self._lengths = None if trace.lengths is None else trace.lengths[chosen]
        self._values, self._spare = np.zeros((2, B, state_size(cell), n))
        self._m, self._log2 = 0, np.zeros((B, n), np.int64)
        self._squares = np.zeros((1 + cell.HAS_CELL_STATE, B, T + 1, n))
        self._shift: Array | None = None
        self._ones = np.ones((n, 1))
        self._sums = np.zeros((T + 1, B, cell.hidden_size, 1))
        self._sums_log2 = np.zeros((T + 1, B), np.int64)

    def join(self, s: int) -> None:
        if not self._joining or s != self._joining[-1]:
            return
        self._joining.pop()
        column = self._values[:, :, self._m]
        column[...] = 0
        column[:, : self._H] = self._trace.d_h_direct[s - 1, :, self._chosen]
        if self._trace.direct_log2 is not None:
            log2 = self._trace.direct_log2[s - 1, :, self._chosen]
            top = np.where(column[:, : self._H], log2, LEAST).max(axis=1)
            top[top == LEAST] = 0
            column[:, : self._H] = np.ldexp(column[:, : self._H], log2 - top[:, None])
            self._log2[:, self._m] = top
            self._shifts()
        if self._trace.d_c_direct is not None:
            of_c = self._trace.d_c_direct[s - 1, :, self._chosen].astype(np.float64)
            column[:, self._H : self._states] = np.ldexp(of_c, -self._log2[:, self._m, None])
        if self._lengths is not None:
            column[self._lengths < s] = 0
        self._m += 1

    def vjp(self, steps: JacobianSequence, index: int, k: int) -> None:
        """From step k to k − 1."""
        m = self._m
        steps.vjp(index, self._values[:, :, :m], self._spare[:, :, :m])
        self._values, self._spare = self._spare, self._values
        if self._lengths is not None:
            self._values[self._lengths < k, :, :m] = 0

    def measure(self, k: int) -> None:
        """Keep norms and sums at step k; bring columns back to where their squares are safe."""
        values, squares = self._values[:, :, : self._m], self._squares[:, :, k, : self._m]
        if not self._m:
            return
        _squares(values[:, : self._H], squares[0])
        if len(squares) > 1:
            _squares(values[:, self._H : self._states], squares[1])
            squares[1] += squares[0]
        if not (squares.min() > LOW and squares.max() < HIGH):
            self._with_care(k, values, squares)
        weights: Array = self._ones[: self._m]
        if self._shift is not None:
            self._shift[:, :, k, : self._m] += self._log2[:, : self._m] * LOG10_2
            weights = self._weights(k)
        np.matmul(values[:, : self._H], weights, out=self._sums[k])

    def _with_care(self, k: int, values: Array, squares: Array) -> None:
        rows, log2 = values.transpose(0, 2, 1), self._log2[:, : self._m]
        edge = ~((squares > LOW) & (squares < HIGH)).all(axis=0)
        edge &= values.any(axis=1)
        scaled, extra = normalise(rows[edge][:, :, None])
        rows[edge] = scaled[:, :, 0]
        log2[edge] += extra
        for i, states in enumerate((self._H, self._states)[: len(squares)]):
            log10 = log10_norm(scaled[:, :states, 0], 1)
            some = ~np.isneginf(log10)
            squares[i][edge] = some
            self._shifts()[i, :, k, : self._m][edge] = np.where(some, log10, 0)

    def _shifts(self) -> Array:
        """Decades to add to the norms, made when there are any."""
        if self._shift is None:
            self._shift = np.zeros_like(self._squares)
        return self._shift

    def _weights(self, k: int) -> Array:
        """Of the columns in their sum (B, m, 1), which is in units of the largest's 2**log2."""
        log2, counts = self._log2[:, : self._m], self._squares[-1, :, k, : self._m] != 0
        top = np.where(counts, log2, LEAST).max(axis=1)
        top[top == LEAST] = 0
        self._sums_log2[k] = top
        return np.ldexp(1.0, np.where(counts, log2 - top[:, None], 0))[:, :, None]

    def _distances(self) -> Array:
        """log10 of ‖Σ_s v_s‖ and of its distance to the trace's gradient, (2, T+1, B)."""
        sums, log2 = self._sums[..., 0], self._sums_log2
        d_h, d_log2 = (v[..., self._chosen] for v in (self._trace.d_h, self._trace.d_log2))
        # In float64: at the sums' scale float32 would make it zero.
        d_h = d_h.transpose(0, 2, 1).astype(np.float64, copy=False)
        d_log2 = d_log2.transpose(0, 2, 1) - log2[:, :, None]
        error = sums - (np.ldexp(d_h, d_log2) if d_log2.any() else d_h)
        return log10_norm(np.stack([sums, error]), 3, log2[None, :, :, None])

    def log10(self) -> list[Array]:
        """Of h and of the state, (n, T+1), rows in the order of the losses; (T+1,) of the sums, of
        their distances, and of the lengths of each sequence's own losses one after the other."""
        if self._shift is None:
            norms = 0.5 * np.log10(self._squares.sum(axis=1))
            apart = np.log10(np.sqrt(self._squares[0]).sum(axis=2))
        else:
            every = 0.5 * np.log10(self._squares) + self._shift
            norms, apart = _root_sum_square(every, 1), _log10_sum(every[0])
        by_loss = norms.transpose(0, 2, 1)[:, ::-1]
        sums = _root_sum_square(self._distances(), 2)
        return [by_loss[0], by_loss[-1], *sums, _root_sum_square(apart, 0)]


def _log10_sum(log10_values: Array) -> Array:
    """log10 of the sum over the last axis."""
    return np.logaddexp.reduce(log10_values * LN_10, axis=-1) / LN_10


def _squares(columns: Array, out: Array) -> None:
    np.einsum("bij,bij->bj", columns, columns, out=out)


def _root_sum_square(log10_values: Array, axis: int) -> Array:
    return log10_rms(log10_values, axis) + 0.5 * np.log10(log10_values.shape[axis])
