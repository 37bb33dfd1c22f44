"""Steps of a cell as W_hh between diagonal matrices: J_t u and J_tᵀ v without forming J_t.

In every cell but one, what a step sends back is elementwise but for one product with W_hhᵀ:
d_a = δ_h ∘ v_h + δ_c ∘ v_c for each gate, J_tᵀ v = W_hhᵀ d_a + diagonal parts. One backward step of
the cell with all v at 1 and no weights reads off every δ and diagonal, for all time steps at once
(they stand in for a batch). Then Jᵀ v is one product, and J u the same product transposed.
"""

from __future__ import annotations

import numpy as np

from rnnviz.core import Record
from rnnviz.core.cell import Cell, Weights

Array = np.ndarray

SAME = 1e-9
"""Largest relative difference between the factored form and the cell's own backward step."""


class Factored:
    """The given steps (1 to T) of one sequence; see `linear.Steps`.

    holds: whether the cell's own backward step agrees in a random direction. It does not for a
    GRU with the reset before the product, whose W_hh acts twice in a step.
    """

    def __init__(self, record: Record, steps: Array, sequence: int = 0) -> None:
        cell = self._cell = record.cell
        self._size = state_size(cell)
        at_once = _AtOnce(record, steps, sequence)
        self._w: Weights = at_once.weights
        H, n = cell.hidden_size, len(steps)
        one, zero = np.ones((H, n)), np.zeros((H, n))
        parts = [at_once.read(one, zero)]
        if cell.HAS_CELL_STATE:
            parts.append(at_once.read(zero, one))
        # Step first, a last axis of 1: one step's are contiguous and broadcast over columns.
        self._delta = [_by_step(d_a).reshape(n, -1, H, 1) for d_a, _ in parts]
        self._diagonal = [[_by_step(d)[..., None] for d in direct] for _, direct in parts]
        states = range(len(parts))
        self._direct = [(p, q) for p in states for q in states if self._diagonal[p][q].any()]
        self.holds = at_once.agrees(parts)

    def __len__(self) -> int:
        return len(self._delta[0])

    @property
    def size(self) -> int:
        return self._size

    def pull(self, k: int, columns: Array) -> Array:
        """J_kᵀ v of each column (S, m)."""
        v, m, states = self._split(columns), columns.shape[1], len(self._delta)
        d_a = self._delta[0][k] * v[0]
        for p in range(1, states):
            d_a += self._delta[p][k] * v[p]
        d_a = d_a.reshape(-1, m)
        result = np.empty((self._size, m))
        parts = self._split(result)
        np.dot(self._w.hidden, d_a[self._cell.h_rows], out=parts[0])
        for part in parts[1:states]:
            part[...] = 0
        for p, q in self._direct:
            parts[q] += self._diagonal[p][q][k] * v[p]
        if self._w.skip is not None:
            pull_older(v[states:], np.dot(self._w.skip, d_a[self._cell.x_rows]), parts, states)
        return result

    def push(self, k: int, columns: Array) -> Array:
        """J_k u of each column (S, m)."""
        u, m, states = self._split(columns), columns.shape[1], len(self._delta)
        H, rows = self._cell.hidden_size, len(self._cell.D_SLABS) * self._cell.hidden_size
        a = np.zeros((rows, m))
        np.dot(self._w.hidden.T, u[0], out=a[self._cell.h_rows])
        if self._w.skip is not None:
            a[self._cell.x_rows] += self._w.skip.T @ u[-1]
        result = np.empty((self._size, m))
        parts = self._split(result)
        for p in range(states):
            np.sum(self._delta[p][k] * a.reshape(-1, H, m), axis=0, out=parts[p])
        for p, q in self._direct:
            parts[p] += self._diagonal[p][q][k] * u[q]
        for part, older in zip(parts[states:], [u[0], *u[states:-1]], strict=False):
            part[...] = older
        return result

    def matrix(self, k: int) -> Array:
        """J_k itself, (S, S)."""
        H, states, i = self._cell.hidden_size, len(self._delta), np.arange(self._cell.hidden_size)
        result = np.zeros((self._size, self._size))
        for p in range(states):
            rows, delta = result[p * H : (p + 1) * H], self._delta[p][k].reshape(-1, 1)
            rows[:, :H] = _scaled(delta[self._cell.h_rows], self._w.hidden)
            for q in (q for of, q in self._direct if of == p):
                rows[i, q * H + i] += self._diagonal[p][q][k, :, 0]
            if self._w.skip is not None:
                rows[:, -H:] += _scaled(delta[self._cell.x_rows], self._w.skip)
        if self._w.skip is not None:
            result[states * H : (states + 1) * H, :H] = np.eye(H)
            older = np.arange((states + 1) * H, self._size)
            result[older, older - H] = 1
        return result

    def _split(self, columns: Array) -> list[Array]:
        """h, c, and the older states, (H, m) each."""
        H = self._cell.hidden_size
        return [columns[i : i + H] for i in range(0, self._size, H)]


def state_size(cell: Cell) -> int:
    """S of the whole state."""
    return cell.hidden_size * (1 + cell.HAS_CELL_STATE + max(0, cell.skip - 1))


def pull_older(older: list[Array], of_skip: Array, parts: list[Array], states: int) -> None:
    """A skip's part of Jᵀ: `older` are the gradients of h_{t−1}, ..., h_{t−d+1}, of_skip that of
    h_{t−d}. The first is added to h's part, the rest becomes the gradients of the older states."""
    parts[0] += older[0]
    for part, values in zip(parts[states:], [*older[1:], of_skip], strict=True):
        part[...] = values


def _scaled(delta: Array, transposed: Array) -> Array:
    """Σ over gates of diag(δ) W, (H, H): δ (G·H, 1), Wᵀ (H, G·H)."""
    H = len(transposed)
    products = delta * transposed.T
    return products if len(products) == H else products.reshape(-1, H, H).sum(axis=0)


class _AtOnce:
    """All steps as the batch of one step, to ask the cell's own backward step about them."""

    def __init__(self, record: Record, steps: Array, sequence: int) -> None:
        self._record = time_as_batch(record, steps, sequence)
        self._cell = cell = record.cell
        self.weights = cell.backward_weights(self._record.params)
        self._none = self.weights._replace(hidden=np.zeros_like(self.weights.hidden))
        shape = (1, cell.hidden_size, len(steps))
        self._factors = np.empty((1, len(cell.D_SLABS) * shape[1], shape[2]))
        self._extra = np.empty(shape)
        with np.errstate(all="ignore"):
            cell.factors(self._record, 0, 1, self._factors, self._extra)

    def read(self, v_h: Array, v_c: Array) -> tuple[Array, list[Array]]:
        """(d_a, what reaches h and c other than through W_hh) of gradients (H, n)."""
        return self._step(self._none, v_h, v_c)

    def agrees(self, parts: list[tuple[Array, list[Array]]]) -> bool:
        """Whether the sum over `parts` is what the cell's backward step gives in a random
        direction; steps at which anything is not finite say nothing."""
        v = np.random.default_rng(0).standard_normal((2, *self._extra.shape[1:]))
        of_gates, true = self._step(self.weights, v[0], v[1])
        with np.errstate(all="ignore"):
            d_a = np.zeros_like(of_gates)
            found = [np.zeros_like(v[0]) for _ in true]
            for values, (delta, direct) in zip(v, parts, strict=False):
                d_a += delta * np.tile(values, (len(self._cell.D_SLABS), 1))
                for total, diagonal in zip(found, direct, strict=True):
                    total += diagonal * values
            of_hidden = d_a[self._cell.h_rows]
            if len(of_hidden) != self.weights.hidden.shape[1]:
                return False
            found[0] += self.weights.hidden @ of_hidden
            pairs = [*zip(found, true, strict=True), (d_a, of_gates)]
            return not any((np.abs(a - b) > SAME * np.abs(b).max(axis=0)).any() for a, b in pairs)

    def _step(self, w: Weights, v_h: Array, v_c: Array) -> tuple[Array, list[Array]]:
        has_c = self._cell.HAS_CELL_STATE
        d_a, d_h, d_c = self._factors.copy(), np.empty_like(v_h), np.empty_like(v_h)
        (views,) = self._cell.backward_views(self._record, 0, d_a, self._extra)
        with np.errstate(all="ignore"):
            self._cell.backward_step(w, np.empty_like(v_h), v_h, v_c.copy() if has_c else None,
                                     d_h, d_c if has_c else None, *views)  # fmt: skip
        return d_a[0], [d_h, d_c] if has_c else [d_h]


def time_as_batch(record: Record, steps: Array, sequence: int) -> Record:
    """A float64 record of one step whose batch is the given steps of one sequence."""

    def cut(values: Array) -> Array:
        return np.ascontiguousarray(values[steps - 1, :, sequence].T[None], np.float64)

    return Record(
        cell=record.cell,
        params={name: value.astype(np.float64) for name, value in record.params.items()},
        x=cut(record.x),
        h=cut(record.h),
        c=None if record.c is None else cut(record.c),
        gate_values=cut(record.gate_values),
        memo=None if record.memo is None else cut(record.memo),
    )


def _by_step(values: Array) -> Array:
    """(F, n) -> (n, F)."""
    return np.ascontiguousarray(values.T)
