"""Singular values and norms of many matrices at once, far beyond the range of float64 too; and
ln |det J_t|, what all Lyapunov exponents of a step must add up to (THEORY E8, E9).

The largest singular value comes with a proof that it is the largest.

MᵀM is squared until its trace is all but one eigenvalue's: in float32, for only a direction comes
of it, and a bound on the second eigenvalue. Two passes with M in float64 refine the direction; its
Rayleigh quotient is then right to the square of the residual. Matrices for which either is not
good enough (two values that lie close together) are left to LAPACK.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobian.sequence import Steps, check_range, linearize
from rnnviz.analysis.reachability import generic
from rnnviz.core import Record
from rnnviz.core.numerics import LOG10_2, Array, log_abs_det

SHARE = 0.7
"""Of the trace, that one eigenvalue must have."""
SQUARINGS, ROUNDS, PASSES = 7, 16, 2
ERROR = 1e-12
"""Relative error of σ² at most."""
BLOCK_BYTES = 1 << 20
"""Of matrices that are decomposed together."""


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


def largest_singular_values(matrices: Array) -> Array:
    """‖M‖₂ of each matrix of a stack (n, R, C), float64, whose squares neither over- nor underflow.

    With λ the Rayleigh quotient of v, r = ‖MᵀM v − λ v‖ / λ and λ₂ <= ρ λ the true eigenvalue is
    between λ and λ (1 + r² / (1 − ρ)). Source: Temple 1928 and Kato 1949; see Parlett, The
    Symmetric Eigenvalue Problem, 10.2. NaN where a matrix is not finite.
    """
    if matrices.shape[1] < matrices.shape[2]:
        matrices = matrices.transpose(0, 2, 1)
    with np.errstate(all="ignore"):
        size = np.sqrt(np.einsum("nij,nij->n", matrices, matrices))
        usable = np.isfinite(size) & (size > 0)
        result = np.where(size == 0, 0.0, np.nan)
        if usable.any():
            some = slice(None) if usable.all() else usable
            result[some] = size[some] * _of_scaled(matrices[some], 1 / size[some, None, None])
    return result


def _of_scaled(M: Array, scale: Array) -> Array:
    """‖M · scale‖₂ of matrices whose Frobenius norms become 1."""
    v, ratio = _dominant(np.multiply(M, scale, dtype=np.float32, casting="same_kind"))
    transposed, square = M.transpose(0, 2, 1), scale**2
    v = v.astype(np.float64)
    for _ in range(PASSES):
        v = v / _norm(v)
        previous, v = v, transposed @ (M @ v)
        v *= square
    value = (previous * v).sum(axis=1, keepdims=True)
    residual = _norm(v - value * previous) / value
    result = np.sqrt(value[:, 0, 0])
    unsure = ~(residual[:, 0, 0] ** 2 < ERROR * (1 - ratio))
    if unsure.any():
        left = M[unsure] * scale[unsure]
        result[unsure] = np.sqrt(np.linalg.eigvalsh(left.transpose(0, 2, 1) @ left)[:, -1])
    return result


def _dominant(M: Array) -> tuple[Array, Array]:
    """(v (n, C, 1), bound on λ₂ / λ₁) of MᵀM, 1 where v is not known to belong to λ₁.

    In a power with trace 1 the eigenvalues are shares, and Σ share² <= the largest share.
    """
    n, _, C = M.shape
    v, ratio, active = np.ones((n, C, 1), np.float32), np.ones(n), np.arange(n)
    power = M.transpose(0, 2, 1) @ M
    for squarings in range(SQUARINGS + 1):
        power /= np.einsum("nii->n", power)[:, None, None]
        share = np.einsum("nij,nij->n", power, power)
        done = share > SHARE
        if done.any():
            some = slice(None) if done.all() else done
            v[active[some]], found = _column(power[some])
            bound = (1 - np.minimum(share[some], 0.9999)) / share[some]
            sure = found > SHARE
            ratio[active[some]] = np.where(sure, bound.astype(float) ** (0.5**squarings), 1)
            active, power = active[~done], power[~done]
        if not active.size or squarings == SQUARINGS:
            break
        power = power.transpose(0, 2, 1) @ power  # symmetric: half of the work
    return v, ratio


def _column(power: Array) -> tuple[Array, Array]:
    """(v, vᵀ power v) after ROUNDS from the column with the largest diagonal entry."""
    best = np.diagonal(power, axis1=1, axis2=2).argmax(axis=1)
    v = power[np.arange(len(power)), :, best][:, :, None]
    for _ in range(ROUNDS):
        v = power @ v
    v = v / _norm(v)
    return v, (v * (power @ v)).sum(axis=(1, 2))


def _norm(columns: Array) -> Array:
    return np.sqrt(np.einsum("nij,nij->n", columns, columns))[:, None, None]


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
    (`Steps.compact`), from `linear` if these steps are there already. A zero of theirs is exact
    where J_t stays singular with every smooth slope away from 0.
    Raises ValueError for a range that the record does not have.

    Examples
    --------
    >>> analysis.log_determinants(rnn).logs.shape  # ln |det J_t| of 20 steps
    (20,)
    """
    start, stop = check_range(record, sequence, start, stop)
    with np.errstate(all="ignore"):
        if closed := record.cell.log_determinants(record, slice(start, stop), sequence):
            return Determinants(*closed)
        logs = _by_lu(linear or linearize(record, sequence, start, stop))
        singular = np.isneginf(logs)
        if singular.any():
            singular &= np.isneginf(_by_lu(linearize(generic(record, start, stop), sequence)))
        return Determinants(logs, singular)


def _by_lu(linear: Steps) -> Array:
    logs, n = [], max(1, BLOCK_BYTES // linear.compact(0).nbytes)
    for first in range(0, len(linear), n):
        some = range(first, min(first + n, len(linear)))
        logs.append(log_abs_det(np.stack([linear.compact(k) for k in some])))
    return np.concatenate(logs)
