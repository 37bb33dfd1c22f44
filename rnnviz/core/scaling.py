"""Gradients beyond the range of their dtype: a power of two for each step and sequence."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def _limit(dtype: np.dtype) -> int:
    """Exponents up to which products with ordinary factors stay in range: 2^±512 in float64."""
    return np.finfo(dtype).maxexp // 2


def _exponents(*arrays: Array | None) -> tuple[Array, Array]:
    """(exponent of the largest entry of each column, whether it is a finite number but zero)."""
    peak = np.max([np.abs(a).max(axis=-2) for a in arrays if a is not None], axis=0)
    usable = np.isfinite(peak) & (peak > 0)
    return np.frexp(np.where(usable, peak, 1.0))[1].astype(np.int64), usable


def needs_scaling(d_h: Array, d_c: Array | None) -> bool:
    """Whether any gradient comes near the edge of its dtype, or vanished altogether.

    Looks at every fourth step, the first one included: between two looks a gradient would have
    to shrink by 2^128 a step to be missed.
    """
    if np.iscomplexobj(d_h):
        return False
    peak = np.abs(d_h[::4]).max(axis=1)
    if d_c is not None:
        np.maximum(peak, np.abs(d_c[::4]).max(axis=1), out=peak)
    largest = np.ldexp(1.0, _limit(d_h.dtype))
    return not bool(((peak > 1 / largest) & (peak < largest)).all())


class Scaler:
    """Keeps d_h[t], d_c[t] in range: their true values are d · 2**log2[t]."""

    def __init__(self, dtype: np.dtype, steps: int, batch_size: int) -> None:
        self.log2 = np.zeros((steps, batch_size), np.int64)
        self._limit = _limit(dtype)

    def add(self, t: int, d_h: Array, d_c: Array | None, direct: Array | None) -> None:
        """Add the direct gradient to d_h and choose log2[t]; d_h and d_c come in units of
        2**log2[t+1]. The exponent is 0 wherever the dtype holds the true value safely."""
        carried = self.log2[t + 1]
        exponent, usable = _exponents(d_h, d_c)
        total = np.where(usable, exponent + carried, np.iinfo(np.int64).min)
        if direct is not None:
            own, present = _exponents(direct)
            total = np.maximum(total, np.where(present, own, np.iinfo(np.int64).min))
        out_of_range = (np.abs(total) > self._limit) & (total > np.iinfo(np.int64).min)
        self.log2[t] = np.where(out_of_range, total, 0)
        for d in (d_h, d_c):
            if d is not None:
                np.ldexp(d, carried - self.log2[t], out=d)
        if direct is not None:
            d_h += np.ldexp(direct, -self.log2[t])
