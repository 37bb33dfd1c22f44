"""First-order optimizers as pure functions, in PyTorch's conventions and with its defaults.

    update(params, grads, moments, learning_rate) -> (params, moments)

`params` and `grads` have the same keys and shapes; θ is one parameter, g its gradient. `moments`
is what the optimizer remembers: one flat dict, empty before the first step, with arrays under
names such as "v.0.forward.W_hh". Nothing given is changed; what is returned is fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnnviz.core.numerics import Array

Arrays = dict[str, Array]
Optimizer = Callable[[Mapping[str, Array], Mapping[str, Array], Mapping[str, Array], float],
                     tuple[Arrays, Arrays]]  # fmt: skip

MOMENTUM = 0.9
RMSPROP_DECAY = 0.99
ADAM_DECAYS = (0.9, 0.999)
EPSILON = 1e-8
ADAGRAD_EPSILON = 1e-10


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
