"""Networks whose gradients are known in closed form."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.core import LSTM, RNN, Trace, bptt

Array = np.ndarray


def last_step(T: int, H: int, B: int = 1, value: float | Array = 1.0) -> Array:
    """A direct gradient that enters at the last step alone, (T, H, B)."""
    direct = np.zeros((T, H, B))
    direct[-1] = value
    return direct


def simple(
    W_hh: Array, direct: Array, activation: str = "identity", h0: Array | None = None
) -> Trace:
    """An RNN with given recurrent weights and no input."""
    T, H, B = direct.shape
    params = {"W_xh": np.zeros((H, 1)), "W_hh": W_hh, "b_h": np.zeros(H)}
    return bptt(RNN(1, H, activation), params, np.zeros((T, 1, B)), direct, h0)


def quiet_lstm(T: int, H: int, forget_bias: float | Array, recurrent: float = 0.0) -> Trace:
    """An LSTM without input, W_hh zero unless `recurrent` scales a random draw: f is constant."""
    rng = np.random.default_rng(1)
    cell = LSTM(1, H)
    b_h = np.zeros(4 * H)
    b_h[H : 2 * H] = forget_bias
    W_hh = recurrent * rng.standard_normal((4 * H, H))
    params = {"W_xh": np.zeros((4 * H, 1)), "W_hh": W_hh, "b_h": b_h}
    return bptt(cell, params, np.zeros((T, 1, 1)), last_step(T, H))


def nine_and_five(error: float = 1.0) -> GradientFlow:
    """Sequences of 9 and 5 steps, 0.8 a step, with an error of 1 at the last step of the longer one
    and another at that of the shorter."""
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), 0.8), "b_h": np.zeros(1)}
    direct = np.zeros((9, 1, 2))
    direct[8, 0, 0], direct[4, 0, 1] = 1, error
    trace = bptt(RNN(1, 1, "identity"), params, np.zeros((9, 1, 2)), direct,
                 lengths=np.array([9, 5]))  # fmt: skip
    return gradient_flow(trace, "rnn")


def exact_log10_norms(W_hh: Array, T: int) -> list[float]:
    """log10 ‖(Wᵀ)^(T−t) 1‖ for t = 0 .. T in exact rational arithmetic."""
    W = [[Fraction(w) for w in row] for row in W_hh.tolist()]
    v, norms = [Fraction(1)] * len(W), []
    for _ in range(T + 1):
        square = sum(x * x for x in v)
        norms.append((math.log10(square.numerator) - math.log10(square.denominator)) / 2)
        v = [sum(W[i][j] * v[i] for i in range(len(W))) for j in range(len(W))]
    return norms[::-1]


def exact_log_stretches(W: Array) -> list[float]:
    """ln |R_ii| of Q R = W in exact rational arithmetic: R^T R = W^T W by elimination."""
    columns = [[Fraction(w) for w in column] for column in W.T.tolist()]
    gram = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in columns] for x in columns]
    found: list[float] = []
    for i, row in enumerate(gram):
        found.append((math.log(row[i].numerator) - math.log(row[i].denominator)) / 2)
        for j in range(i + 1, len(gram)):
            gram[j] = [a - gram[j][i] / row[i] * b for a, b in zip(gram[j], row, strict=True)]
    return found
