"""Per-step state Jacobians J_t = ∂s_t/∂s_{t−1} of any cell, through its own backward step.

s = h, or s = (h, c) with h and c as independent coordinates (THEORY E9), so S = H or 2H.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.core import Record, checks
from rnnviz.core.numerics import LOG10_2

Array = np.ndarray
State = tuple[Array, Array | None]


class StepsBack:
    """J_tᵀ of one sequence for the given steps (1 to T), applied to any number of columns: the way
    through h_{t−1} and c_{t−1}, without a skip's (see `state_jacobians`)."""

    def __init__(self, record: Record, steps: Array, sequence: int = 0) -> None:
        self.steps = steps
        self._record = _one_sequence(record, steps, sequence)
        self._cell = record.cell
        self._weights = self._cell.backward_weights(self._record.params)
        H, n = self._cell.hidden_size, len(steps)
        self._factors = np.empty((n, len(self._cell.D_SLABS) * H, 1))
        self._extra = np.empty((n, H, 1))
        with np.errstate(all="ignore"):
            self._cell.factors(self._record, 0, n, self._factors, self._extra)

    def apply(self, k: int, d_h: Array, d_c: Array | None) -> State:
        """(d_h, d_c) after step `steps[k]` -> before it; each (H, columns)."""
        return self.apply_with_gates(k, d_h, d_c)[0]

    def apply_with_gates(self, k: int, d_h: Array, d_c: Array | None) -> tuple[State, Array]:
        """The same beside the gradients of the gates' pre-activations, (·, columns) in the order
        of the cell's D_SLABS: what W_skip sends back is made of them."""
        columns = d_h.shape[1]
        d_a = np.repeat(self._factors[k : k + 1], columns, axis=2)
        views = next(iter(self._cell.backward_views(self._record, k, d_a, self._extra[k : k + 1])))
        after_c = None if d_c is None else d_c.copy()
        before = np.empty_like(d_h), None if d_c is None else np.empty_like(d_c)
        with np.errstate(all="ignore"):
            scratch = np.empty_like(d_h)
            self._cell.backward_step(self._weights, scratch, d_h, after_c, *before, *views)
        return before, d_a[0]


def state_jacobians(record: Record, steps: Sequence[int] | None = None, sequence: int = 0) -> Array:
    """J_t = ∂s_t/∂s_{t−1} for each t in `steps` (all of 1 to T unless given), (n, S, S).

    Rows are s_t, columns s_{t−1}, h before c. The state is what follows the nonlinearity:
    J_t = diag(φ′(a_t)) W_hh for an RNN. float64 whatever the record's dtype.
    Of a cell with a skip of d steps this is lag 1 alone: h_{t−d} counts as given. Such a cell's
    whole state is (h_t, ..., h_{t−d+1}), and a product of these J_t leaves out every path that
    takes a skip; the gradients of a `Trace` hold them all.
    Raises ValueError for a step or sequence that the record does not have.
    """
    checked = check_steps(record, steps, sequence)
    back, H = StepsBack(record, checked, sequence), record.cell.hidden_size
    size = 2 * H if record.cell.HAS_CELL_STATE else H
    identity = np.eye(size)
    d_c = identity[H:] if record.cell.HAS_CELL_STATE else None
    result = np.empty((len(checked), size, size))
    for k in range(len(checked)):
        before_h, before_c = back.apply(k, identity[:H], d_c)
        result[k, :, :H] = before_h.T
        if before_c is not None:
            result[k, :, H:] = before_c.T
    return result


def singular_values(matrices: Array) -> Array:
    """Singular values of a stack (n, S, S), descending (n, S); NaN where a matrix is not finite."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    result = np.full(matrices.shape[:2], np.nan)
    result[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return result


def log10_spectral_norm(matrices: Array) -> Array:
    """log10 ‖M‖₂ of each matrix of a stack (n, R, C): −inf for zero, NaN if not finite.

    From the largest eigenvalue of MᵀM after scaling by a power of two: twice as fast as singular
    values, and as exact for the largest.
    """
    scaled, exponent = normalise(matrices)
    finite = np.isfinite(scaled).all(axis=(1, 2))
    squared = np.full(len(matrices), np.nan)
    some = scaled[finite]
    if some.size:
        squared[finite] = np.linalg.eigvalsh(some.transpose(0, 2, 1) @ some)[:, -1]
    squared[finite & ~scaled.any(axis=(1, 2))] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return 0.5 * np.log10(squared) + exponent * LOG10_2


def normalise(matrices: Array) -> tuple[Array, Array]:
    """(M · 2**−e, e): each matrix of a stack (..., R, C) with its largest entry near 1."""
    peak = np.maximum(matrices.max(axis=(-2, -1)), -matrices.min(axis=(-2, -1)))
    usable = np.isfinite(peak) & (peak > 0)
    # 2^±1020 is the largest exact factor that serves subnormal and huge entries alike.
    exponent = np.where(usable, np.frexp(np.where(usable, peak, 1.0))[1], 0).clip(-1020, 1020)
    with np.errstate(under="ignore", invalid="ignore"):
        return matrices * np.ldexp(1.0, -exponent)[..., None, None], exponent


def check_steps(record: Record, steps: Sequence[int] | None, sequence: int) -> Array:
    """The steps as an array, all of the sequence's (1 to T without padding) if None. Raises
    ValueError for one out of range."""
    if not 0 <= checks.size("sequence", sequence, 0) < record.batch_size:
        raise ValueError(f"sequence must be from 0 to {record.batch_size - 1}, got {sequence}")
    last = record.steps_of(sequence)
    if steps is None:
        return np.arange(1, last + 1)
    given = np.asarray([checks.size("steps", t) for t in steps], dtype=int)
    if given.size == 0 or given.max() > last:
        raise ValueError(f"steps must be from 1 to {last}, got {list(steps)}")
    return given


def _one_sequence(record: Record, steps: Array, sequence: int) -> Record:
    """A float64 record of one sequence that holds the given steps alone.

    h[k] and c[k] are the states before step steps[k]; what the cells' factors need of the past.
    """
    one = slice(sequence, sequence + 1)

    def cut(values: Array) -> Array:
        return values[steps - 1, :, one].astype(np.float64)

    return Record(
        cell=record.cell,
        params={name: value.astype(np.float64) for name, value in record.params.items()},
        x=cut(record.x),
        h=cut(record.h),
        c=None if record.c is None else cut(record.c),
        gate_values=cut(record.gate_values),
        memo=None if record.memo is None else cut(record.memo),
    )
