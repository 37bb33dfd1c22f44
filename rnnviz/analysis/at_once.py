"""Chosen steps of chosen sequences as the batch of one step, for the cell's own backward step."""

from __future__ import annotations

import numpy as np

from rnnviz.core import Record
from rnnviz.core.cell import Weights

Array = np.ndarray


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
    )


class BatchedVJP:
    """J_tᵀ v through h_{t−1} and c_{t−1} of n steps at once, by the cell's backward step; without
    a skip's way, which is made of the gates' gradients."""

    def __init__(self, record: Record, steps: Array, sequence: int | Array = 0) -> None:
        self._record = time_as_batch(record, steps, sequence)
        self._cell = cell = record.cell
        self.weights = cell.backward_weights(self._record.params)
        self.shape = (cell.hidden_size, len(steps))
        """(H, n): of gradients."""
        self._factors = np.empty((1, len(cell.D_GATE_ROWS) * cell.hidden_size, len(steps)))
        self._extra = np.empty((1, *self.shape))
        with np.errstate(all="ignore"):
            cell.local_derivatives(self._record, 0, 1, self._factors, self._extra)

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
