"""What the memory of each sequence of a batch keeps from its first step to its last: the textbook's
product of gates, and the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.carry import CarryPaths, memory_rows, reaches_back
from rnnviz.analysis.gates import log_memory_gate, rounds_to_zero
from rnnviz.analysis.jacobian.norms import log10_spectral_norm, normalise
from rnnviz.analysis.jacobian.sequence import side_by_side
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LN_10, LOG10_2, Array, status_of


@dataclass(frozen=True, eq=False)
class BatchCarry:
    """Of several sequences of one length, log10 (n,) each; numbers: which these are, from 0.

    product: Π f (Π z for a GRU) over all steps, of the unit that keeps most. true: ‖∂c_T/∂c_0‖₂
    (‖∂h_T/∂h_0‖₂ for a GRU), h_0 held: the change of c_0 that is kept best. product_status,
    true_status: `Status` of each. batch_size: how many sequences there are in all.
    """

    label: str
    gate: str
    numbers: Array
    product: Array
    true: Array
    batch_size: int
    product_status: Array
    true_status: Array

    @property
    def sequences(self) -> int:
        return len(self.true)


def batch_carry(record: Record, label: str, most: int) -> BatchCarry | None:
    """Of the first `most` sequences that are as long as the first one; None for a cell without a
    memory gate. `carry_paths` says more of a single one.

    Raises ValueError for `most` below 1.

    Examples
    --------
    >>> found = analysis.batch_carry(lstm, "LSTM", most=2)
    >>> found.true.shape, found.sequences  # log10 ‖∂c_20/∂c_0‖ of each
    ((2,), 2)
    """
    gate, T = record.cell.MEMORY_GATE, record.steps_of(0)
    if gate is None:
        return None
    long = np.array([record.steps_of(b) == T for b in range(record.batch_size)])
    chosen = np.flatnonzero(long)[: checks.size("most", most)]
    with np.errstate(all="ignore"):
        logs = log_memory_gate(record, gate)[:T][:, :, chosen]
        product = logs.sum(axis=0).max(axis=0) / LN_10
        true = _true(record, chosen, T)
    rounds = np.full(len(chosen), rounds_to_zero(record.cell))
    left = reaches_back(record, chosen, T)[1][0] if np.isneginf(true).any() else None
    status = status_of(product, rounds), status_of(true, left)
    return BatchCarry(label, gate, chosen, product, true, record.batch_size, *status)


def only_first(paths: CarryPaths, batch_size: int) -> BatchCarry:
    """What `paths` say of the first sequence of so many."""
    product, true = paths.product, paths.true
    return BatchCarry(paths.label, paths.gate, np.zeros(1, int), product.log10[:1], true.log10[:1],
                      batch_size, product.status[:1], true.status[:1])  # fmt: skip


def _true(record: Record, chosen: Array, T: int) -> Array:
    """All directions of c_T back to c_0, of all sequences side by side."""
    steps, H = side_by_side(record, chosen, 0, T), record.cell.hidden_size
    memory = memory_rows(record)
    columns, log2 = np.zeros((len(chosen), steps.size, H)), np.zeros(len(chosen), int)
    columns[:, memory] = np.eye(H)
    for k in reversed(range(T)):
        columns, extra = normalise(steps.vjp(k, columns))
        log2 += extra
    return log10_spectral_norm(columns[:, memory]) + log2 * LOG10_2
