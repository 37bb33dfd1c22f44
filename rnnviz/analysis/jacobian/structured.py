"""The rows of J_t of a cell, for many steps at once.

In every cell but one, what a step sends back is elementwise but for one product with W_hhᵀ:
d_a = δ_h ∘ v_h + δ_c ∘ v_c for each gate, J_tᵀ v = W_hhᵀ d_a + diagonal parts. One backward step of
the cell with all v at 1 and no weights reads off every δ and diagonal, for all time steps at once.
So ∂h_t/∂h_{t−1} = Σ_gates diag(δ) W_hh + diagonal, and what reaches c_{t−1} is diagonal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from rnnviz.core import Record
from rnnviz.core.cell import Cell, Weights, named_rows
from rnnviz.core.numerics import Array

CHECKED = 64
"""Steps at most at which the factored form is checked."""
SAME = 1e-9
"""Largest relative difference between the factored form and the cell's own backward step."""


def time_as_batch(record: Record, steps: Array, sequence: int | Array) -> Record:
    """A float64 record of one step whose batch is the given steps (1 to T), of one sequence or
    each of its own (n,); what the cells' factors need of the past."""

    def cut(values: Array) -> Array:
        return np.ascontiguousarray(values[steps - 1, :, sequence].T[None], np.float64)

    return Record(
        cell=record.cell,
        params={name: value.astype(np.float64) for name, value in record.params.items()},
        x=cut(record.x),
        h=cut(record.h),
        c=None if record.c is None else cut(record.c),
        gate_values=cut(record.gate_values),
        saved=None if record.saved is None else cut(record.saved),
        remainders=None if record.remainders is None else cut(record.remainders),
    )


class BatchedVJP:
    """J_tᵀ v through h_{t−1} and c_{t−1} of n steps at once, by the cell's backward step; without
    a skip's way, which is made of the gates' gradients.

    kept: whether with what the memory gate keeps of h; False of a cell without a cell state alone.
    """

    def __init__(
        self, record: Record, steps: Array, sequence: int | Array = 0, kept: bool = True
    ) -> None:
        self._record = time_as_batch(record, steps, sequence)
        self._cell = cell = record.cell
        self.weights = cell.backward_weights(self._record.params)
        self.shape = (cell.hidden_size, len(steps))
        """(H, n): of gradients."""
        self._factors = np.empty((1, len(cell.D_GATE_ROWS) * cell.hidden_size, len(steps)))
        self._extra = np.empty((1, *self.shape))
        with np.errstate(all="ignore"):
            cell.local_derivatives(self._record, 0, 1, self._factors, self._extra)
        if not is_linear(cell):
            self._factors[..., ~_known(self._record)] = np.nan
        if not kept:  # the slopes are there: a backward step has no other use for the gate
            self._record = _shut(self._record)

    def back(
        self, v_h: Array, v_c: Array | None, weights: Weights | None = None
    ) -> tuple[Array, list[Array]]:
        """(d_a, [d_h, d_c]) from gradients of h_t and c_t, (H, n) each, c's only if there is one:
        those of the gates' pre-activations (·, n), in the order of D_GATE_ROWS, and of the states
        before. weights: others than the cell's own."""
        has_c = self._cell.HAS_CELL_STATE
        d_a, d_h, d_c = self._factors.copy(), np.empty(self.shape), np.empty(self.shape)
        (views,) = self._cell.backward_views(self._record, 0, d_a, self._extra)
        after_c = v_c.copy() if has_c and v_c is not None else None
        with np.errstate(all="ignore"):
            self._cell.backward_step(weights or self.weights, np.empty(self.shape), v_h, after_c,
                                     d_h, d_c if has_c else None, *views)  # fmt: skip
        return d_a[0], [d_h, d_c] if has_c else [d_h]


def is_linear(cell: Cell) -> bool:
    """Whether its steps are linear: slopes are 1 whatever the states."""
    return cell.SIMPLE and cell.activation_of(cell.CANDIDATE_GATE).name == "identity"


def _known(at_once: Record) -> Array:
    """(n,): of a record of one step, whether the states before it and its gates are finite. Slopes
    at others say nothing: an infinite sum of both signs may be that of either."""
    parts = (at_once.h, at_once.c, at_once.gate_values)
    finite = [np.isfinite(part[0]).all(axis=0) for part in parts if part is not None]
    return np.logical_and.reduce(finite)


def _shut(record: Record) -> Record:
    """With a memory gate of 0."""
    cell, values = record.cell, record.gate_values.copy()
    assert cell.MEMORY_GATE is not None
    assert not cell.HAS_CELL_STATE
    named_rows(values, cell.GATE_ROWS)[cell.MEMORY_GATE][...] = 0
    return replace(record, gate_values=values)


class Rows(NamedTuple):
    """The rows P·H of J_t that belong to h_t and c_t (P = 1 without a cell state), for steps of
    the given shape: one axis of steps, then perhaps one of sequences.

    hidden (..., P·H, H): the columns of h_{t−1}. carried (..., P·H, 1): the columns of c_{t−1}, a
    diagonal of each part; None without a cell state. skip (..., P·H, H): those of h_{t−d}, or None.
    """

    hidden: Array
    carried: Array | None
    skip: Array | None

    def by_step(self) -> list[Rows]:
        """Those of each step, along the first axis."""
        none = [None] * len(self.hidden)
        carried, skip = (none if v is None else list(v) for v in (self.carried, self.skip))
        return [Rows(*parts) for parts in zip(self.hidden, carried, skip, strict=True)]

    def matrix(self) -> Array:
        """∂(h_t, c_t)/∂(h_{t−1}, c_{t−1}), (..., P·H, P·H)."""
        if self.carried is None:
            return self.hidden.copy()
        own, H = self.hidden.shape[-2:]
        row = np.arange(own)
        result = np.zeros((*self.hidden.shape[:-1], own))
        result[..., :H] = self.hidden
        result[..., row, H + row % H] = self.carried[..., 0]
        return result


class Source(Protocol):
    """Source of the step Jacobians J_t, a block of steps at a time."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def rows(self, start: int, stop: int) -> Rows:
        """Those of the steps start to stop − 1."""


class StructuredJacobian:
    """Rows of the given steps (1 to T): shape (n,) of one sequence, (n, B) of several.

    is_structured: whether the cell's own backward step agrees in a random direction. It does not
    for a GRU with the reset before the product, whose W_hh acts twice in a step. kept: as in
    `BatchedVJP`.
    """

    def __init__(
        self, record: Record, steps: Array, sequence: int | Array = 0, kept: bool = True
    ) -> None:
        self._cell, H = record.cell, record.cell.hidden_size
        steps, of = np.broadcast_arrays(*_entries(steps, sequence))
        self.shape = steps.shape
        at_once = BatchedVJP(record, steps.ravel(), of.ravel(), kept)
        none = at_once.weights._replace(hidden=np.zeros_like(at_once.weights.hidden))
        one, zero = np.ones(at_once.shape), np.zeros(at_once.shape)
        parts = [at_once.back(one, zero, none)]
        if record.cell.HAS_CELL_STATE:
            parts.append(at_once.back(zero, one, none))
        self._delta = [d_a.reshape(-1, H, *self.shape) for d_a, _ in parts]
        self._diagonal = [[d.reshape(H, *self.shape) for d in direct] for _, direct in parts]
        # W_hh and W_skip by the unit that they act on: (H, gates, H).
        self._hidden = _by_unit(at_once.weights.hidden)
        skip = at_once.weights.skip
        self._skip = None if skip is None else _by_unit(skip)
        few = slice(None, None, -(-steps.size // CHECKED))
        asked = BatchedVJP(record, steps.ravel()[few], of.ravel()[few], kept)
        some = [(d_a[:, few], [d[:, few] for d in direct]) for d_a, direct in parts]
        self.is_structured = _agrees(self._cell, asked, some)

    def rows(self, start: int, stop: int) -> Rows:
        H, some = self._cell.hidden_size, slice(start, stop)
        h = [part[0][:, some] for part in self._diagonal]
        hidden = self._weighted(self._cell.h_rows, self._hidden, some)
        unit = np.arange(H)
        for p, diagonal in enumerate(h):
            if diagonal.any():
                hidden[..., p * H + unit, unit] += np.moveaxis(diagonal, 0, -1)
        carried = None
        if self._cell.HAS_CELL_STATE:
            parts = np.concatenate([part[1][:, some] for part in self._diagonal])
            carried = np.ascontiguousarray(np.moveaxis(parts, 0, -1))[..., None]
        skip = None if self._skip is None else self._weighted(self._cell.x_rows, self._skip, some)
        return Rows(hidden, carried, skip)

    def _weighted(self, rows: slice, W: Array, some: slice) -> Array:
        """Σ over gates of diag(δ) W, (..., P·H, H)."""
        H, gates = W.shape[:2]
        shape = (some.stop - some.start, *self.shape[1:])
        result = np.empty((int(np.prod(shape)), len(self._delta) * H, H))
        start = (rows.start or 0) // H
        for p, delta in enumerate(self._delta):
            of_steps = delta[start : start + gates, :, some].reshape(gates, H, -1)
            to = result[:, p * H : (p + 1) * H]
            if gates == 1:
                np.multiply(of_steps[0].T[:, :, None], W[:, 0], out=to)
            else:
                np.matmul(of_steps.transpose(1, 2, 0), W, out=to.transpose(1, 0, 2))
        return result.reshape(*shape, -1, H)


class DenseJacobian:
    """Rows of a cell without a cell state that does not factor, from backward steps with each row
    of the identity."""

    def __init__(
        self, record: Record, steps: Array, sequence: int | Array = 0, kept: bool = True
    ) -> None:
        assert not record.cell.HAS_CELL_STATE
        self._record, self._kept = record, kept
        self._steps, self._of = np.broadcast_arrays(*_entries(steps, sequence))
        self.shape = self._steps.shape

    def rows(self, start: int, stop: int) -> Rows:
        H, cell = self._record.cell.hidden_size, self._record.cell
        steps, of = (v[start:stop].ravel() for v in (self._steps, self._of))
        at_once = BatchedVJP(self._record, np.repeat(steps, H), np.repeat(of, H), self._kept)
        d_a, (d_h,) = at_once.back(np.tile(np.eye(H), len(steps)), None)
        shape = (stop - start, *self.shape[1:], H, H)
        hidden, skip = d_h.T.reshape(shape), at_once.weights.skip
        of_skip = None if skip is None else (skip @ d_a[cell.x_rows]).T.reshape(shape)
        return Rows(hidden, None, of_skip)


def rows_of(record: Record, steps: Array, sequence: int | Array = 0, kept: bool = True) -> Source:
    """`StructuredJacobian` where the cell is of that form, else `DenseJacobian`."""
    structured = StructuredJacobian(record, steps, sequence, kept)
    return structured if structured.is_structured else DenseJacobian(record, steps, sequence, kept)


def state_size(cell: Cell) -> int:
    """S of the whole state."""
    return cell.hidden_size * (1 + cell.HAS_CELL_STATE + max(0, cell.skip - 1))


def _entries(steps: Array, sequence: int | Array) -> tuple[Array, Array]:
    of = np.asarray(sequence)
    return (steps[:, None] if of.ndim else steps), of


def _by_unit(transposed: Array) -> Array:
    """(H, G·H) -> (H, G, H): W[i, g] is the row of unit i in gate g."""
    H = len(transposed)
    return np.ascontiguousarray(transposed.T.reshape(-1, H, H).transpose(1, 0, 2))


def _agrees(cell: Cell, at_once: BatchedVJP, parts: list[tuple[Array, list[Array]]]) -> bool:
    """Whether the sum over `parts` is what the cell's backward step gives in a random direction;
    steps at which anything is not finite say nothing."""
    v = np.random.default_rng(0).standard_normal((2, *at_once.shape))
    of_gates, true = at_once.back(v[0], v[1])
    with np.errstate(all="ignore"):
        d_a = np.zeros_like(of_gates)
        found = [np.zeros_like(v[0]) for _ in true]
        for values, (delta, direct) in zip(v, parts, strict=False):
            d_a += delta * np.tile(values, (len(cell.D_GATE_ROWS), 1))
            for total, diagonal in zip(found, direct, strict=True):
                total += diagonal * values
        of_hidden = d_a[cell.h_rows]
        if len(of_hidden) != at_once.weights.hidden.shape[1]:
            return False
        found[0] += at_once.weights.hidden @ of_hidden
        pairs = [*zip(found, true, strict=True), (d_a, of_gates)]
        return not any((np.abs(a - b) > SAME * np.abs(b).max(axis=0)).any() for a, b in pairs)
