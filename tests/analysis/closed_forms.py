"""Closed forms beside `rnnviz.analysis.theory` that tests alone compare with."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.theory import mean_field
from rnnviz.core import checks

Array = np.ndarray


def critical_gain(input_variance: float) -> float:
    """The g at which χ = 1: below it error vanishes on its way back, above it explodes (chaos).

    1 without input; input suppresses chaos and moves it up. Source: as `mean_field`; Molgedey et
    al. 1992. Raises ValueError for a negative variance.
    """
    s2 = checks.number("input_variance", input_variance, 0)
    if s2 == 0:
        return 1.0
    low, high = 1.0, 2.0
    while mean_field(high, s2).chi < 1:
        low, high = high, 2 * high
    while high - low > 4e-16 * high and low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if mean_field(middle, s2).chi < 1 else (low, middle)
    return 0.5 * (low + high)


def circular_law_share(radius: Array, gain: float) -> Array:
    """The share of eigenvalues with |λ| <= radius, (r/g)² up to 1. Source: as above."""
    return np.minimum(np.asarray(radius, float) / gain, 1.0) ** 2


def largest_singular_value(gain: float, hidden_size: int) -> float:
    """E σ_max of a Gaussian W of finite size, 2g as H → ∞.

    g √((μ − 1.2065 s)/H), μ = (√(H−1) + √H)², s = (√(H−1) + √H)(1/√(H−1) + 1/√H)^⅓; −1.2065 is the
    mean of the Tracy-Widom law. Source: Johnstone 2001, Ann. Statist. 29, 295. Needs H >= 2.
    """
    n = checks.size("hidden_size", hidden_size, 2)
    below, own = np.sqrt(n - 1), np.sqrt(n)
    spread = (below + own) * (1 / below + 1 / own) ** (1 / 3)
    return float(gain * np.sqrt(((below + own) ** 2 - 1.2065 * spread) / n))


def memory_time(bias: Array) -> Array:
    """1/(1 − f) = 1 + e^b steps of a gate that stays at f = σ(b). Source: Tallec and Ollivier 2018,
    arXiv:1804.11188."""
    with np.errstate(over="ignore"):
        return 1 + np.exp(np.asarray(bias, float))


def chrono_bias_density(bias: Array, t_max: int) -> Array:
    """Density of the bias b = ln u, u ~ U(1, T_max − 1): e^b / (T_max − 2) on [0, ln(T_max − 1)].

    1/(1 − f) is then uniform on [2, T_max]: in the time scale, not in its logarithm.
    Source: Tallec and Ollivier 2018, arXiv:1804.11188, eq. 16. Raises ValueError if T_max < 3.
    """
    checks.size("t_max", t_max, 3)
    b = np.asarray(bias, float)
    return np.where((b >= 0) & (b <= np.log(t_max - 1)), np.exp(b), 0) / (t_max - 2)
