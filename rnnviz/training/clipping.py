"""Gradient clipping, and norms of all gradients together that do not overflow on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import frexp, isfinite, sqrt

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import SAFE_SQUARES, Array

Arrays = dict[str, Array]


def global_norm(arrays: Mapping[str, Array]) -> float:
    """‖g‖ = √Σ g² over all entries of all arrays; inf beyond float64, NaN where one is NaN."""
    mantissa, exponent = _norm(arrays)
    with np.errstate(over="ignore"):
        return float(np.ldexp(mantissa, exponent))


def clip_by_norm(grads: Mapping[str, Array], limit: float) -> Arrays:
    """g ← g · min(1, c / ‖g‖) with the norm of all parameters together: the direction stays.

    Works for finite gradients of any size, even where ‖g‖ itself is beyond float64.
    Source: Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063.
    Raises ValueError if the limit is not positive, or a gradient is not finite.
    """
    limit = checks.number("clip_at", limit, np.finfo(float).tiny)
    mantissa, exponent = _norm(grads)
    if not isfinite(mantissa):
        bad = next(name for name, g in grads.items() if not np.isfinite(g).all())
        raise ValueError(f"grads must be finite to be clipped by their norm, {bad} is not")
    with np.errstate(over="ignore", under="ignore"):
        if np.ldexp(mantissa, exponent) <= limit:
            return dict(grads)
        return {n: np.ldexp(g, -exponent) * (limit / mantissa) for n, g in grads.items()}


def clip_by_value(grads: Mapping[str, Array], limit: float) -> Arrays:
    """g ← max(−c, min(c, g)), entry by entry: the direction may change.

    Raises ValueError if the limit is not positive.
    """
    limit = checks.number("clip_at", limit, np.finfo(float).tiny)
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}


def no_clip(grads: Mapping[str, Array], limit: float) -> Arrays:
    """g as it is."""
    return dict(grads)


def _norm(arrays: Mapping[str, Array]) -> tuple[float, int]:
    """(m, e) with norm m · 2**e and ½ <= m < 1; m is 0, inf or NaN where the norm is."""
    with np.errstate(all="ignore"):
        squares = _squares(arrays)
        if SAFE_SQUARES[0] < squares < SAFE_SQUARES[1]:
            return frexp(sqrt(squares))
        peak = float(np.max([np.abs(a).max() for a in arrays.values()]))
        if peak == 0 or not isfinite(peak):
            return peak, 0
        # 2^±1020 brings even subnormal numbers to where their squares are normal.
        shift = min(max(frexp(peak)[1], -1020), 1020)
        scaled = _squares({n: np.ldexp(a.astype(float), -shift) for n, a in arrays.items()})
        mantissa, exponent = frexp(sqrt(scaled))
        return mantissa, exponent + shift


def _squares(arrays: Mapping[str, Array]) -> float:
    flat = (a.ravel() for a in arrays.values())
    return float(sum(np.einsum("i,i->", a, a, dtype=np.float64) for a in flat))


CLIPS: dict[str, Callable[[Mapping[str, Array], float], Arrays]] = {
    "none": no_clip,
    "norm": clip_by_norm,
    "value": clip_by_value,
}
