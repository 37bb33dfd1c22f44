"""Results of claims that are made up, to turn verdicts round."""

from __future__ import annotations

import numpy as np

from rnnviz.claims.clipping import ClippedRun
from rnnviz.claims.growth import Draw
from rnnviz.claims.highway import CarryDraw
from rnnviz.claims.reduction import BIASES, Reduction
from rnnviz.claims.stability import Sensitivity
from rnnviz.claims.truncation import WINDOWS, Agreement
from rnnviz.core.numerics import Status


def drawn(sigma: float, growth: float, gamma: float = 1.0, **changes: object) -> Draw:
    """A draw with σ_max = 10^sigma / γ and this growth."""
    fields = {
        "number": 0,
        "network_seed": 0,
        "init": "gaussian",
        "activation": "tanh",
        "gain": 1.0,
        "input_scale": 1.0,
        "hidden_size": 4,
        "sigma_max": 10.0**sigma / gamma,
        "lipschitz": gamma,
        "sigma": sigma,
        "rho": sigma - 0.1,
        "lyapunov": growth,
        "mean_field": growth,
        "growth": growth,
        "status": Status.ZERO if np.isneginf(growth) else Status.FINITE,
    }
    return Draw(**{**fields, **changes})  # type: ignore[arg-type]


def reduced(once: float, twice: float = 0.0) -> Reduction:
    """A draw whose LSTM is `once` away from the tanh RNN."""
    by_bias = np.stack([np.full(len(BIASES), max(once, 1e-16)), *[10.0 ** -np.array(BIASES)] * 2])
    states = np.linspace(-0.9, 0.9, 50)
    return Reduction(0, 1.0, twice, once, 0.0, 0.0, by_bias, 0.7, states, np.tanh(states))


def carried(highway: float, true: float, bias: float = 1.0) -> CarryDraw:
    """A draw that ends at these decades."""
    share = np.linspace(1, 0, 51)
    return CarryDraw(0, bias, highway * share, true * share)


def clipped(before: list[float], after: list[float], **changes: object) -> ClippedRun:
    """A run whose gradients have these lengths before and after."""
    n, profile = len(before), np.linspace(-3, 0, 10)
    fields = {
        "number": 0,
        "case": "exploding",
        "limit": 1.0,
        "before": np.array(before),
        "after": np.array(after),
        "cosine": np.ones(n),
        "by_value": np.full(n, 0.5),
        "profile_before": profile,
        "profile_after": profile - 1,
        "loss": np.ones(n),
        "loss_free": np.full(n, 2.0),
    }
    return ClippedRun(**{**fields, **changes})  # type: ignore[arg-type]


def agreeing(cosine: float, growth: float = -0.2, label: str = "", kind: str = "rnn") -> Agreement:
    """A network whose truncated gradients all have this cosine."""
    windows = np.array(WINDOWS)
    return Agreement(0, kind, "last", windows, np.full(len(WINDOWS), cosine), growth, label)


def moved(memory: float, weight: float, state: float = 1.0) -> Sensitivity:
    """A unit with these mean squares, sampled without error."""
    return Sensitivity(memory, 0.0, 100, state, weight, state, weight)
