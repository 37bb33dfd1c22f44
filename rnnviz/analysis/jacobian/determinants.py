"""ln |det J_t|: what all Lyapunov exponents of a step must add up to (THEORY E8, E9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobian.sequence import Steps, check_range, linearize
from rnnviz.core import Record
from rnnviz.core.numerics import Array, log_abs_det

BLOCK_BYTES = 1 << 20
"""Of matrices that are decomposed together."""


@dataclass(frozen=True, eq=False)
class Determinants:
    """logs (n,): ln |det J_t|, −inf where it is zero. singular (n,): whether it is zero in exact
    arithmetic too (singular weights, a dead ReLU), not by rounding alone (1 − tanh² at |a| > 19).
    """

    logs: Array
    singular: Array


def log_determinants(
    record: Record,
    sequence: int = 0,
    start: int = 0,
    stop: int | None = None,
    linear: Steps | None = None,
) -> Determinants:
    """ln |det ∂s_t/∂s_{t−1}| of the steps from s_start to s_stop.

    From the values of the gates where the cell has a closed form (`Cell.log_determinants`: RNN and
    LSTM); others (GRU, leaky units, skips) by LU of J_t, or of the part of it that decides
    (`Steps.compact`), from `linear` if these steps are there already.
    Raises ValueError for a range that the record does not have.
    """
    start, stop = check_range(record, sequence, start, stop)
    with np.errstate(all="ignore"):
        if closed := record.cell.log_determinants(record, slice(start, stop), sequence):
            return Determinants(*closed)
        logs = _by_lu(linear or linearize(record, sequence, start, stop))
        return Determinants(logs, np.isneginf(logs))


def _by_lu(linear: Steps) -> Array:
    logs, n = [], max(1, BLOCK_BYTES // linear.compact(0).nbytes)
    for first in range(0, len(linear), n):
        some = range(first, min(first + n, len(linear)))
        logs.append(log_abs_det(np.stack([linear.compact(k) for k in some])))
    return np.concatenate(logs)
