"""Per-step state Jacobians J_t = ∂s_t/∂s_{t−1} of any cell, and norms of matrices.

s = h, or s = (h, c) with h and c as independent coordinates (THEORY E9), so S = H or 2H.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.factored import rows_of
from rnnviz.analysis.spectral_norms import largest_singular_values
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LOG10_2

Array = np.ndarray

BLOCK = 16


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
    source = rows_of(record, checked, sequence)
    blocks = [source.rows(start, min(start + BLOCK, len(checked))).matrix()
              for start in range(0, len(checked), BLOCK)]  # fmt: skip
    return np.concatenate(blocks)


def singular_values(matrices: Array) -> Array:
    """Singular values of a stack (n, S, S), descending (n, S); NaN where a matrix is not finite."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    result = np.full(matrices.shape[:2], np.nan)
    result[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return result


def log10_spectral_norm(matrices: Array) -> Array:
    """log10 ‖M‖₂ of each matrix of a stack (n, R, C): −inf for zero, NaN if not finite."""
    scaled, exponent = normalise(matrices)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(largest_singular_values(scaled)) + exponent * LOG10_2


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
