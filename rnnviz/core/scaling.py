"""Gradients beyond the range of their dtype: a power of two for each step and sequence."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnviz.core.numerics import Array

Scaled = tuple[Array, Array | int]
"""An array (H, B), and the exponents (B,) of its columns."""

LOWEST = np.iinfo(np.int64).min


def _limit(dtype: np.dtype) -> int:
    """Exponents up to which products with ordinary factors stay in range: 2^±512 in float64,
    2^±96 in float32."""
    return np.finfo(dtype).maxexp * (2 if dtype.itemsize > 4 else 3) // 4


def _exponents(*arrays: Array | None) -> tuple[Array, Array]:
    """(exponent of the largest entry of each column, whether it is a finite number but zero)."""
    peak = np.max([np.abs(a).max(axis=-2) for a in arrays if a is not None], axis=0)
    usable = np.isfinite(peak) & (peak > 0)
    return np.frexp(np.where(usable, peak, 1.0))[1].astype(np.int64), usable


def needs_scaling(d_h: Array, d_c: Array | None, direct: Array) -> bool:
    """Whether any gradient comes near the edge of its dtype, or vanished altogether.

    Looks at every step in float32, at every fourth in float64, the first one included: between
    two looks a gradient would have to shrink by 2^128 a step to be missed. After a sequence's
    last direct gradient (padding, a loss that is not asked at the end) there is nothing to vanish.
    """
    if np.iscomplexobj(d_h):
        return False
    looks = slice(None, None, 4 if d_h.dtype.itemsize > 4 else 1)
    peak = np.abs(d_h[looks]).max(axis=1)
    if d_c is not None:
        np.maximum(peak, np.abs(d_c[looks]).max(axis=1), out=peak)
    largest = np.ldexp(1.0, _limit(d_h.dtype))
    safe = (peak > 1 / largest) & (peak < largest)
    return not bool(safe.all() or (safe | _after_the_last(direct)[looks]).all())


def _after_the_last(direct: Array) -> Array:
    """(T+1, B): whether no direct gradient reaches the state of this index or a later one."""
    present = (direct != 0).any(axis=1)
    later = np.logical_or.accumulate(present[::-1])[::-1]
    return ~np.concatenate([present.any(axis=0, keepdims=True), later])


class Scaler:
    """Keeps d_h[t], d_c[t] in range: their true values are d · 2**log2[t]."""

    def __init__(self, dtype: np.dtype, steps: int, batch_size: int) -> None:
        self.log2 = np.zeros((steps, batch_size), np.int64)
        self._limit = _limit(dtype)

    def start(
        self, d_h: Array, d_c: Array | None, direct: Scaled, direct_of_c: Array | None = None
    ) -> None:
        """Choose log2[T] for a last state that its direct gradients alone reach."""
        for d in (d_h, d_c):
            if d is not None:
                d[...] = 0
        self._set(len(self.log2) - 1, self.log2[-1], d_h, d_c, [direct], direct_of_c)

    def add(
        self,
        t: int,
        d_h: Array,
        d_c: Array | None,
        addends: Iterable[Scaled],
        direct_of_c: Array | None = None,
    ) -> None:
        """Add what else reaches h[t] to d_h, and c[t]'s direct gradient to d_c, and choose log2[t];
        d_h and d_c come in units of 2**log2[t+1]. The exponent is 0 wherever the dtype holds the
        true value safely."""
        self._set(t, self.log2[t + 1], d_h, d_c, list(addends), direct_of_c)

    def _set(
        self,
        t: int,
        carried: Array,
        d_h: Array,
        d_c: Array | None,
        addends: list[Scaled],
        direct_of_c: Array | None,
    ) -> None:
        exponent, usable = _exponents(d_h, d_c)
        total = np.where(usable, exponent + carried, LOWEST)
        of_c: list[Scaled] = [] if direct_of_c is None else [(direct_of_c, 0)]
        for values, log2 in addends + of_c:
            own, present = _exponents(values)
            total = np.maximum(total, np.where(present, own + log2, LOWEST))
        out_of_range = (np.abs(total) > self._limit) & (total > LOWEST)
        chosen = np.where(out_of_range, total, 0)
        for d in (d_h, d_c):
            if d is not None:
                np.ldexp(d, carried - chosen, out=d)
        for values, log2 in addends:
            d_h += np.ldexp(values, log2 - chosen)
        if d_c is not None and direct_of_c is not None:
            d_c += np.ldexp(direct_of_c, -chosen)
        self.log2[t] = chosen


def add_scaled(
    a: list[Array], a_log2: Array, b: list[Array], b_log2: Array
) -> tuple[list[Array], Array]:
    """a · 2**a_log2 + b · 2**b_log2 and the exponents of the sums.

    a, b: lists of arrays (n, F, B) that share their exponents (n, B). An exponent of a sum is the
    larger one of the two that are not zero altogether.
    """
    if not (a_log2.any() or b_log2.any()):
        return [x + y for x, y in zip(a, b, strict=True)], a_log2
    top = np.maximum(_log2_of_nonzero(a, a_log2), _log2_of_nonzero(b, b_log2))
    top[top == LOWEST] = 0
    shift_a, shift_b = ((log2 - top)[:, None] for log2 in (a_log2, b_log2))
    pairs = zip(a, b, strict=True)
    return [np.ldexp(x, shift_a) + np.ldexp(y, shift_b) for x, y in pairs], top


def _log2_of_nonzero(arrays: list[Array], log2: Array) -> Array:
    alive = np.any([(values != 0).any(axis=1) for values in arrays], axis=0)
    return np.where(alive, log2, LOWEST)
