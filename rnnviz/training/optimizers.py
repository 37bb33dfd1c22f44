"""From gradients to an update: clipping, and first-order optimizers as pure functions, in PyTorch's
conventions and with its defaults.

    update(params, grads, moments, learning_rate) -> (params, moments)

`params` and `grads` have the same keys and shapes; θ is one parameter, g its gradient. `moments`
is what the optimizer remembers: one flat dict, empty before the first step, with arrays under
names such as "v.0.forward.W_hh". Nothing given is changed; what is returned is fresh. Norms of all
gradients together do not overflow on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import frexp, isfinite, sqrt

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import SAFE_SQUARES, Array

Arrays = dict[str, Array]
Optimizer = Callable[[Mapping[str, Array], Mapping[str, Array], Mapping[str, Array], float],
                     tuple[Arrays, Arrays]]  # fmt: skip

MOMENTUM = 0.9
RMSPROP_DECAY = 0.99
ADAM_DECAYS = (0.9, 0.999)
EPSILON = 1e-8
ADAGRAD_EPSILON = 1e-10


def global_norm(arrays: Mapping[str, Array]) -> float:
    """‖g‖ = √Σ g² over all entries of all arrays; inf beyond float64, NaN where one is NaN.

    Examples
    --------
    >>> float(global_norm({"W": np.array([3.0]), "b": np.array([4.0])}))
    5.0
    """
    mantissa, exponent = _norm(arrays)
    with np.errstate(over="ignore"):
        return float(np.ldexp(mantissa, exponent))


def clip_by_norm(grads: Mapping[str, Array], limit: float) -> Arrays:
    """g ← g · min(1, c / ‖g‖) with the norm of all parameters together: the direction stays.

    Works for finite gradients of any size, even where ‖g‖ itself is beyond float64.
    Source: Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063.
    Raises ValueError if the limit is not positive, or a gradient is not finite.

    Examples
    --------
    >>> clip_by_norm({"b": np.array([3.0, 4.0])}, 1.0)
    {'b': array([0.6, 0.8])}
    """
    limit = checks.number("clip_at", limit, checks.ABOVE_0)
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

    Examples
    --------
    >>> clip_by_value({"b": np.array([3.0, 0.5])}, 1.0)
    {'b': array([1. , 0.5])}
    """
    limit = checks.number("clip_at", limit, checks.ABOVE_0)
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}


def no_clip(grads: Mapping[str, Array], limit: float) -> Arrays:
    """g as it is."""
    return dict(grads)


def _norm(arrays: Mapping[str, Array]) -> tuple[float, int]:
    """(m, e) with norm m · 2**e and ½ <= m < 1; m is 0, inf or NaN where the norm is."""
    with np.errstate(all="ignore"):
        squares = _sum_of_squares(arrays)
        if SAFE_SQUARES[0] < squares < SAFE_SQUARES[1]:
            return frexp(sqrt(squares))
        peak = float(np.max([np.abs(a).max() for a in arrays.values()]))
        if peak == 0 or not isfinite(peak):
            return peak, 0
        # 2^±1020 brings even subnormal numbers to where their squares are normal.
        shift = min(max(frexp(peak)[1], -1020), 1020)
        scaled = _sum_of_squares({n: np.ldexp(a.astype(float), -shift) for n, a in arrays.items()})
        mantissa, exponent = frexp(sqrt(scaled))
        return mantissa, exponent + shift


def _sum_of_squares(arrays: Mapping[str, Array]) -> float:
    flat = (a.ravel() for a in arrays.values())
    return float(sum(np.einsum("i,i->", a, a, dtype=np.float64) for a in flat))


CLIPS: dict[str, Callable[[Mapping[str, Array], float], Arrays]] = {
    "none": no_clip,
    "norm": clip_by_norm,
    "value": clip_by_value,
}


def sgd(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    moments: Mapping[str, Array],
    learning_rate: float,
) -> tuple[Arrays, Arrays]:
    """θ ← θ − η g. Source: Robbins and Monro 1951, doi 10.1214/aoms/1177729586."""
    return _step(params, grads, learning_rate), {}


def momentum(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    moments: Mapping[str, Array],
    learning_rate: float,
) -> tuple[Arrays, Arrays]:
    """b ← 0.9 b + g, θ ← θ − η b. Source: Polyak 1964, doi 10.1016/0041-5553(64)90137-5."""
    b = {n: MOMENTUM * _moment(moments, "b", n, p) + grads[n] for n, p in params.items()}
    return _step(params, b, learning_rate), _named("b", b)


def rmsprop(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    moments: Mapping[str, Array],
    learning_rate: float,
) -> tuple[Arrays, Arrays]:
    """v ← 0.99 v + 0.01 g², θ ← θ − η g / (√v + 10⁻⁸).

    Source: Tieleman and Hinton 2012, COURSERA lecture 6.5.
    """
    v = _means(moments, "v", _squares(grads), RMSPROP_DECAY)
    return _step(params, _over_root(grads, v, EPSILON), learning_rate), _named("v", v)


def adagrad(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    moments: Mapping[str, Array],
    learning_rate: float,
) -> tuple[Arrays, Arrays]:
    """v ← v + g², θ ← θ − η g / (√v + 10⁻¹⁰).

    Source: Duchi, Hazan, Singer 2011, JMLR 12, 2121-2159.
    """
    v = {n: _moment(moments, "v", n, g) + g**2 for n, g in grads.items()}
    return _step(params, _over_root(grads, v, ADAGRAD_EPSILON), learning_rate), _named("v", v)


def adam(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    moments: Mapping[str, Array],
    learning_rate: float,
) -> tuple[Arrays, Arrays]:
    """m ← 0.9 m + 0.1 g, v ← 0.999 v + 0.001 g²,
    θ ← θ − η (m / (1 − 0.9ⁿ)) / (√(v / (1 − 0.999ⁿ)) + 10⁻⁸) at the n-th step.

    Source: Kingma and Ba 2015, arXiv:1412.6980.
    """
    count = int(moments.get("count", 0)) + 1
    first, second = ADAM_DECAYS
    m = _means(moments, "m", grads, first)
    v = _means(moments, "v", _squares(grads), second)
    rate, root = learning_rate / (1 - first**count), (1 - second**count) ** 0.5
    after = _step(params, _over_root(m, v, EPSILON, root), rate)
    return after, {"count": np.array(count), **_named("m", m), **_named("v", v)}


def _step(params: Mapping[str, Array], directions: Mapping[str, Array], rate: float) -> Arrays:
    return {name: p - rate * directions[name] for name, p in params.items()}


def _over_root(top: Mapping[str, Array], v: Arrays, epsilon: float, root: float = 1.0) -> Arrays:
    """top / (√v / root + ε)."""
    return {n: value / (np.sqrt(v[n]) / root + epsilon) for n, value in top.items()}


def _means(
    moments: Mapping[str, Array], kind: str, new: Mapping[str, Array], decay: float
) -> Arrays:
    """decay · before + (1 − decay) · new."""
    return {
        n: decay * _moment(moments, kind, n, value) + (1 - decay) * value
        for n, value in new.items()
    }


def _squares(grads: Mapping[str, Array]) -> Arrays:
    return {n: g**2 for n, g in grads.items()}


def _moment(moments: Mapping[str, Array], kind: str, name: str, like: Array) -> Array:
    return moments.get(f"{kind}.{name}", np.zeros_like(like))


def _named(kind: str, arrays: Arrays) -> Arrays:
    return {f"{kind}.{name}": value for name, value in arrays.items()}


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": sgd,
    "momentum": momentum,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adam": adam,
}
