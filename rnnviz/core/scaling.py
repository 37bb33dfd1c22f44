"""Numbers beyond the range of their dtype: arrays with a power of two for each entry.

`Scaled` arrays are linear algebra's: what is done to them is done by the very functions that act
on plain arrays, to all entries of about one size at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rnnviz.core.numerics import LOWEST, Array, entry_exponents

Scaled = tuple[Array, Array | int]
"""An array (..., F, B) and integers that broadcast to it: the true values are array · 2**log2."""

BAND = 400
"""Entries within 2^BAND of each other go through a step together. In float64 that leaves factors
from 2^-822 to 2^823 beside the smallest and the largest of them."""


EXACT = 1000
"""Powers of two up to this exponent are factors that round nothing."""
HIGHEST = -LOWEST


def _limit(dtype: np.dtype) -> int:
    """Exponents up to which products with ordinary factors stay in range: 2^±512 in float64,
    2^±96 in float32."""
    return np.finfo(dtype).maxexp * (2 if dtype.itemsize > 4 else 3) // 4


def needs_scaling(d_h: Array, d_c: Array | None, direct: Array) -> bool:
    """Whether any entry comes near the edge of its dtype, or is zero.

    Looks at every step in float32, at every fourth in float64, the first one included: between
    two looks a gradient would have to shrink by 2^128 a step to be missed. After a sequence's
    last direct gradient (padding, a loss that is not asked at the end) there is nothing to vanish.
    """
    if np.iscomplexobj(d_h):
        return False
    wide = d_h.dtype.itemsize > 4
    looks = slice(None, None, 4 if wide else 1)
    least, most = np.ldexp(1.0, -512 if wide else -112), np.ldexp(1.0, _limit(d_h.dtype))
    sizes = [np.abs(gradient[looks]) for gradient in (d_h, d_c) if gradient is not None]
    if all(size.min() > least and size.max() < most for size in sizes):
        return False
    inside = [(s.min(axis=1) > least) & (s.max(axis=1) < most) for s in sizes]
    return not bool((np.all(inside, axis=0) | _after_the_last(direct)[looks]).all())


def _after_the_last(direct: Array) -> Array:
    """(T+1, B): whether no direct gradient reaches the state of this index or a later one."""
    present = (direct != 0).any(axis=1)
    later = np.logical_or.accumulate(present[::-1])[::-1]
    return ~np.concatenate([present.any(axis=0, keepdims=True), later])


def by_bands(linear: Callable[..., Sequence[Array]], *given: Scaled) -> list[Scaled]:
    """linear(*arrays), a linear function to arrays (..., F', B), of scaled arrays.

    It is called with the largest entries of each column (all arrays') alone, then with the next
    smaller ones: no entry is lost beside another. Mostly one call serves all.
    """
    top, low = _ranges(given)
    if (low > top - BAND).all():
        shift = np.where(top > LOWEST, BAND // 2 - top, 0)
        return [(v, -shift) for v in linear(*(_times(v, log2 + shift) for v, log2 in given))]
    exponents = [entry_exponents(*one) for one in given]
    parts: list[tuple[Sequence[Array], Array]] = []
    while any((e > LOWEST).any() for e in exponents):
        top = np.max([e.max(axis=-2, keepdims=True) for e in exponents], axis=0)
        shift = np.where(top > LOWEST, BAND // 2 - top, 0)
        inside = [e > np.maximum(top - BAND, LOWEST) for e in exponents]
        arrays = [
            np.where(some, _times(v, log2 + shift), 0.0)
            for some, (v, log2) in zip(inside, given, strict=True)
        ]
        parts.append((linear(*arrays), -shift))
        exponents = [np.where(some, LOWEST, e) for some, e in zip(inside, exponents, strict=True)]
    return [total([(values[k], log2) for values, log2 in parts]) for k in range(len(parts[0][0]))]


def total(terms: Sequence[Scaled]) -> Scaled:
    """The sum, each entry in units of its own largest term, or all of them near together."""
    terms = [term for term in terms if term[0].any()] or terms[:1]
    if len(terms) == 1:
        return terms[0]
    top, low = _ranges(terms)
    if not (low > top - BAND).all():
        top = np.max([entry_exponents(*term) for term in terms], axis=0)
    top = np.where(top == LOWEST, 0, top)
    return np.sum([_times(v, log2 - top) for v, log2 in terms], axis=0), top


def fitted(dtype: np.dtype, *given: Scaled) -> list[tuple[Array, Array]]:
    """The same numbers in a dtype, with exponents that are 0 wherever the dtype holds them safely.

    Each column (all arrays') has one exponent (..., 1, B), unless its entries are too far apart
    for that: then exponents (..., F, B).
    """
    limit = _limit(dtype)
    top, low = _ranges(given)
    shared = np.where((top > LOWEST) & ((top > limit) | (low < -limit)), top, 0)
    apart = low < shared - limit
    chosen: list[Array] = [shared] * len(given)
    if apart.any():
        exponents = [entry_exponents(*one) for one in given]
        chosen = [np.where(apart & (e > LOWEST), e, shared * ~apart) for e in exponents]
    return [
        (_times(v, log2 - own).astype(dtype, copy=False), own)
        for (v, log2), own in zip(given, chosen, strict=True)
    ]


def _ranges(given: Sequence[Scaled]) -> tuple[Array, Array]:
    """Exponents (..., 1, B) of the largest and of the smallest entry but zero of all arrays;
    `LOWEST` and `HIGHEST` without one."""
    tops, lows = [], []
    for values, log2 in given:
        if np.ndim(log2) and np.shape(log2)[-2] > 1:
            e = entry_exponents(values, log2)
            tops.append(e.max(axis=-2, keepdims=True))
            lows.append(np.where(e == LOWEST, HIGHEST, e).min(axis=-2, keepdims=True))
            continue
        size = np.abs(values)
        tops.append(entry_exponents(size.max(axis=-2, keepdims=True), log2))
        least = size.min(axis=-2, keepdims=True)
        if not least.all():
            least = np.where(size == 0, np.inf, size).min(axis=-2, keepdims=True)
        lows.append(np.where(np.isinf(least), HIGHEST, entry_exponents(least, log2)))
    return np.max(tops, axis=0), np.min(lows, axis=0)


def _times(values: Array, log2: Array) -> Array:
    """values · 2**log2 in float64."""
    if log2.size < values.size and np.abs(log2).max(initial=0) <= EXACT:
        return values * np.ldexp(1.0, log2)
    return np.ldexp(values.astype(np.float64, copy=False), log2)


def add_scaled(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    """a + b in the dtype of a."""
    if not (a[1].any() or b[1].any()):
        return a[0] + b[0], a[1]
    (found,) = fitted(a[0].dtype, total([a, b]))
    return found


def rows_of(log2: Array, rows: slice) -> Array:
    """The exponents of some rows of an array."""
    return log2 if log2.shape[-2] == 1 else log2[..., rows, :]
