"""Norms that do not overflow or underflow, and what may be said of a number at the edge.

np.linalg.norm squares first: it returns inf from entries of 1e154 on and 0 from 1e-162 down.
Everything here carries magnitudes as log10 and says with a `Status` what a point is.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

Array = np.ndarray
"""Of any number of dimensions; docstrings say which, such as (T, H, B)."""

LOG10_2 = float(np.log10(2.0))
LOG10_MAX = float(np.log10(np.finfo(np.float64).max))
LOG10_TINY = float(np.log10(np.finfo(np.float64).tiny))
LN_10 = float(np.log(10.0))
LOG_100 = float(np.log(100.0))

LOWEST = np.iinfo(np.int64).min // 2
"""The exponent of zero: below any other, with room to subtract."""

# Sums of squares in here are accurate: no square overflowed, what underflowed is negligible.
SAFE_SQUARES = (1e-280, 1e280)


class Status(IntEnum):
    """What a recorded magnitude is. Zero, underflow, overflow, NaN and "not recorded" are five
    different things and must look different on a chart."""

    FINITE = 0
    ZERO = 1
    """Zero in exact arithmetic: a dead ReLU, the end of a delay line."""
    ROUNDED = 2
    """Zero only because a factor was rounded to zero, such as 1 − tanh² at |a| > 19, or no digit of
    it is left beside what it was summed or decomposed with."""
    BELOW = 3
    """Its log10 is known, but float64 would store a subnormal or zero (below 10^−307.7)."""
    ABOVE = 4
    """float64 would store infinity (above 10^308.3); the log10 is known or itself infinite."""
    NAN = 5
    NOT_RECORDED = 6
    LOST = 7
    """A number of which rounding has left few digits: all ways to it lead through units that are
    nearly saturated."""


def largest_finite(values: Array) -> float:
    """The largest of the finite values, NaN if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else float("nan")


def entry_exponents(values: Array, log2: Array | int = 0) -> Array:
    """Of each entry of values · 2**log2, as `np.frexp` counts; `LOWEST` where it is zero."""
    return np.where(values != 0, np.frexp(values)[1] + np.asarray(log2, np.int64), LOWEST)


def log10_norm(values: Array, axis: int = 0, log2: Array | int = 0) -> Array:
    """log10 ‖values · 2**log2‖₂ along `axis`, right where the squares are not.

    Zero gives −inf, an infinite entry +inf, NaN gives NaN. `log2` (integers) broadcasts against
    the values.
    """
    exponents = np.asarray(log2)
    if not exponents.any():
        return _log10_norm(values, axis)
    if not exponents.ndim:
        return _log10_norm(values, axis) + exponents * LOG10_2
    if exponents.shape[axis] > 1:
        top = entry_exponents(values, exponents).max(axis=axis, keepdims=True)
        top[top == LOWEST] = 0
        with np.errstate(all="ignore"):
            values, exponents = np.ldexp(np.asarray(values, np.float64), exponents - top), top
    return _log10_norm(values, axis) + exponents.squeeze(axis) * LOG10_2


def _log10_norm(values: Array, axis: int) -> Array:
    magnitude = np.abs(values) if np.iscomplexobj(values) else np.asarray(values)
    axes = list(range(magnitude.ndim))
    kept = [i for i in axes if i != axis % magnitude.ndim]
    with np.errstate(all="ignore"):
        squares = np.array(np.einsum(magnitude, axes, magnitude, axes, kept, dtype=np.float64))
        result = np.array(0.5 * np.log10(squares))
        edge = ~((squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1]))
        if edge.any():
            result[edge] = _log10_norm_of_rows(np.moveaxis(magnitude, axis, -1)[edge])
        return result


def _log10_norm_of_rows(rows: Array) -> Array:
    """log10 of the norm of each row (n, F), scaled by a power of two before it is squared."""
    peak = np.maximum(rows.max(axis=1), -rows.min(axis=1)).astype(np.float64)
    usable = np.isfinite(peak) & (peak > 0)
    # 2^±1020 brings even subnormal numbers to where their squares are normal.
    exponent = np.where(usable, np.frexp(np.where(usable, peak, 1.0))[1], 0).clip(-1020, 1020)
    scaled = rows * np.ldexp(1.0, -exponent)[:, None]
    return 0.5 * np.log10(np.einsum("nf,nf->n", scaled, scaled)) + exponent * LOG10_2


def log_abs_det(matrices: Array) -> Array:
    """ln |det| of one (S, S) or a stack (n, S, S); NaN where one is not finite."""
    matrices = matrices.astype(np.float64)
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    return np.where(finite, np.linalg.slogdet(matrices)[1], np.nan)


def log10_hypot(a: Array, b: Array) -> Array:
    """log10 √(x² + y²), given a = log10 x and b = log10 y."""
    with np.errstate(invalid="ignore"):
        return np.logaddexp(a * LOG_100, b * LOG_100) / LOG_100


def log10_rms(log10_values: Array, axis: int = -1) -> Array:
    """log10 √mean(v²) along `axis`, given log10 v: an RMS that cannot overflow."""
    peak = np.max(log10_values, axis=axis)
    shift = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore", under="ignore", over="ignore", invalid="ignore"):
        ratio = 10.0 ** (2 * (log10_values - np.expand_dims(shift, axis)))
        return shift + 0.5 * np.log10(np.mean(ratio, axis=axis))


def status_of(log10_values: Array, reachable: Array | None = None) -> Array:
    """The `Status` of each magnitude, as int8, given its log10.

    `reachable` says where exact arithmetic would give something other than zero: a zero there
    was made by rounding. Without it every zero counts as exact.
    """
    status = np.full(np.shape(log10_values), Status.FINITE, np.int8)
    status[log10_values < LOG10_TINY] = Status.BELOW
    status[log10_values > LOG10_MAX] = Status.ABOVE
    zero = np.isneginf(log10_values)
    status[zero] = Status.ZERO
    if reachable is not None:
        status[zero & reachable] = Status.ROUNDED
    status[np.isnan(log10_values)] = Status.NAN
    return status
