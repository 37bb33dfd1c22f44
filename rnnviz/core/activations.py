"""Activation functions: each value beside its derivative.

The derivative is written in terms of the value y = φ(a), because the value is what a trace
records. It is exact for that y: 1 − y² is computed as (1 − y)(1 + y), which loses no digits
where y is close to ±1. It still is 0.0 where the value itself was rounded to ±1 (tanh from
|a| ≈ 19 on); see `numerics.Status` for how such zeros are reported. Of a itself the slope is
right as far as float64 goes, if what y leaves of ±1 is worked out apart: `remainder`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array


@dataclass(frozen=True)
class Activation:
    """φ and its derivative.

    value(a, out) writes φ(a) to `out` (which may be `a`); slope(y, out) writes φ′(a), given
    y = φ(a). lipschitz is γ = max |φ′|: σ_max(W_hh) < 1/γ guarantees vanishing gradients.
    name: as settings call it; latex: as equations do.
    """

    value: Callable[[Array, Array], None]
    slope: Callable[[Array, Array], None]
    lipschitz: float
    name: str = ""
    latex: str = r"\varphi"
    remainder: Callable[[Array], Array] | None = None
    """1 − |φ(a)| of a, with all digits where φ(a) is rounded to ±1; None where φ has no such
    ends."""
    kinks: tuple[float, ...] = ()
    """The a at which φ has no derivative."""


def tanh_slope(y: Array, out: Array) -> None:
    """Write 1 − y² to `out` (not `y` itself), without cancellation near y = ±1."""
    np.subtract(1, y, out=out)
    out += out * y


def logistic_slope(y: Array, out: Array) -> None:
    """Write y (1 − y) to `out` (not `y` itself)."""
    np.subtract(1, y, out=out)
    out *= y


def slope_at(activation: Activation, y: Array, remainder: Array | None, out: Array) -> None:
    """Write φ′ to `out` (not `y` itself): from y alone, or from y and its remainder 1 − |y|."""
    if remainder is None or activation.remainder is None:
        activation.slope(y, out)
        return
    np.abs(y, out)
    if activation.name == "tanh":
        out += 1
    out *= remainder


def difference(x: Array, y: Array, remainder: Array | None, out: Array) -> None:
    """Write x − y to `out`; where the remainder of y is given, without what rounding took from a y
    near ±1."""
    np.subtract(x, y, out)
    if remainder is not None:
        end = np.sign(y)
        np.copyto(out, (x - end) + end * remainder, where=np.abs(y) > 0.5)


def _tanh_remainder(a: Array) -> Array:
    return 2 * _logistic_remainder(2 * np.abs(a))


def _logistic_remainder(a: Array) -> Array:
    result = a.copy()
    logistic_of_negated(result)
    return result


def exponential(a: Array) -> None:
    """Write e^a over a. Of a complex a both parts would be infinite beyond the range of float64,
    and 1/(1 + e^a) NaN instead of 0: the real part of a is held where that is 10^−304."""
    if a.dtype.kind == "c":
        np.minimum(a.real, HIGHEST_COMPLEX, out=a.real)
    np.exp(a, a)


def logistic_of_negated(a: Array) -> None:
    """Write 1/(1 + e^a) over a."""
    exponential(a)
    np.add(a, ONE[a.dtype.char], a)
    np.reciprocal(a, a)


def _logistic(a: Array, out: Array) -> None:
    np.negative(a, out=out)
    exponential(out)
    out += 1
    np.reciprocal(out, out=out)


def _relu(a: Array, out: Array) -> None:
    if a.dtype.kind == "c":
        np.multiply(a, a.real > 0, out=out)  # np.maximum would compare imaginary parts at the kink
    else:
        np.maximum(a, 0, out=out)  # unlike a product, 0 at −inf


def _relu_slope(y: Array, out: Array) -> None:
    np.sign(y.real, out=out)  # y >= 0, and NaN stays NaN


def _identity(a: Array, out: Array) -> None:
    np.copyto(out, a)


def _one(y: Array, out: Array) -> None:
    out[...] = 1


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, tanh_slope, 1.0, "tanh", r"\tanh", _tanh_remainder),
    "relu": Activation(_relu, _relu_slope, 1.0, "relu", r"\mathrm{ReLU}", kinks=(0.0,)),
    "logistic": Activation(
        _logistic, logistic_slope, 0.25, "logistic", r"\sigma", _logistic_remainder
    ),
    "identity": Activation(_identity, _one, 1.0, "identity", r"\mathrm{id}"),
}


def _hard_sigmoid(a: Array, out: Array) -> None:
    np.multiply(a, 0.2, out=out)
    out += 0.5
    if a.dtype.kind == "c":
        np.multiply(out, (out.real > 0) & (out.real < 1), out=out, where=~(out.real >= 1))
        np.copyto(out, 1, where=out.real >= 1)
    else:
        np.clip(out, 0, 1, out=out)


def _hard_sigmoid_slope(y: Array, out: Array) -> None:
    np.multiply(0.2, (y.real > 0) & (y.real < 1), out=out)
    np.copyto(out, np.nan, where=np.isnan(y.real))


GATE_ACTIVATIONS: dict[str, Activation] = {
    "logistic": ACTIVATIONS["logistic"],
    "hard_sigmoid": Activation(
        _hard_sigmoid, _hard_sigmoid_slope, 0.2, "hard_sigmoid", r"\mathrm{hs}", kinks=(-2.5, 2.5)
    ),
}
"""Of the gates of an LSTM. hard_sigmoid: max(0, min(1, 0.2 a + 0.5)), as Keras had it before 3."""


HIGHEST_COMPLEX = 700.0
# 0-d arrays of each dtype: NumPy converts a Python scalar anew at every call.
ONE = {np.dtype(kind).char: np.ones((), kind) for kind in (np.float32, np.float64, np.complex128)}
