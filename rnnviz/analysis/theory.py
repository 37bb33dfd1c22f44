"""What theory predicts, in closed form: to lay beside what a run measured.

g is the gain: W_hh of H × H entries N(0, g²/H). Rates are natural logarithms per step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

SPACING, WIDTH = 0.05, 12.0
"""Of the trapezoidal rule, in units of the narrower of the Gaussian and tanh, and how many
standard deviations it covers. The error of the rule falls exponentially: below 1e-14 here."""

LARGE = 1e150
"""A gain from which on tanh is a sign, and whose square is a number."""


@dataclass(frozen=True)
class MeanField:
    """A wide tanh network with random weights, h_t = tanh(W h_{t−1} + input).

    q: variance of a unit's pre-activation once it has settled. sech4: E sech⁴ of it. chi: χ, what
    one step back multiplies E‖∂L/∂h‖² with. lyapunov: λ₁ = ½ ln χ.
    """

    gain: float
    input_variance: float
    q: float
    sech4: float

    @property
    def chi(self) -> float:
        return self.gain * self.gain * self.sech4

    @property
    def lyapunov(self) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log(self.gain) + 0.5 * np.log(self.sech4))


def mean_field(gain: float, input_variance: float = 0.0) -> MeanField:
    """q = g² E tanh²(√q z) + s², the stable solution; χ = g² E sech⁴(√q z), z ~ N(0, 1).

    s² is the variance that the input (W_xh x_t + b_h) gives a pre-activation, fresh at each step.
    Exact as H → ∞; at finite H measured λ₁ is a little lower (by up to 0.01 at H = 300).
    Discrete time: the network in continuous time has the same critical g, another λ₁.
    Source: Sompolinsky, Crisanti, Sommers 1988, Phys. Rev. Lett. 61, 259; discrete time: Molgedey,
    Schuchhardt, Schuster 1992, Phys. Rev. Lett. 69, 3717; Poole et al. 2016, arXiv:1606.05340.
    Raises ValueError if gain or input_variance is negative or not finite.
    """
    g = checks.number("gain", gain, 0)
    s2 = checks.number("input_variance", input_variance, 0)
    if g > LARGE:  # q grows with g², E sech⁴ falls with √q
        found = mean_field(LARGE, s2 * (LARGE / g) ** 2)
        return MeanField(g, s2, found.q * (g / LARGE) * (g / LARGE), found.sech4 * LARGE / g)
    q = g * g + s2
    for _ in range(200):  # Newton from above: the right side is concave in q, it cannot overshoot
        mean_tanh2, slope, _ = _moments(q)
        excess = g * g * mean_tanh2 + s2 - q
        step = excess / (g * g * slope - 1) if g * g * slope != 1 else 0.0
        smaller = max(q - step, s2)
        if not smaller < q:
            break
        q = smaller
        if q < 1e-14 and s2 == 0:
            q = 0.0
            break
    return MeanField(g, s2, q, _moments(q)[2])


def _moments(q: float) -> tuple[float, float, float]:
    """(E tanh², d/dq E tanh², E sech⁴) of √q z, z ~ N(0, 1).

    The slope is ½ E (tanh²)″ = E(3 sech⁴ − 2 sech²) (Stein). Large q: in terms of a = √q z, on
    which tanh varies, and E tanh² = 1 − E sech².
    """
    if q == 0:
        return 0.0, 1.0, 1.0
    root = np.sqrt(q)
    unit = max(1.0, float(root))
    # From |√q z| = 25 on sech² is below rounding.
    ends = round(min(WIDTH * unit, max(25.0, WIDTH)) / SPACING)
    z = np.arange(-ends, ends + 1) * (SPACING / unit)
    weight = np.exp(-0.5 * z * z) * (SPACING / unit) / np.sqrt(2 * np.pi)
    a = root * z
    sech2 = 1 / np.cosh(np.clip(a, -300, 300)) ** 2
    mean_tanh2 = weight @ np.tanh(a) ** 2 if unit == 1 else 1 - weight @ sech2
    sech4 = weight @ sech2**2
    return float(mean_tanh2), float(3 * sech4 - 2 * (weight @ sech2)), float(sech4)


def circular_law_radius(gain: float) -> float:
    """The eigenvalues of a wide Gaussian W fill a disc of this radius evenly: g itself.

    Source: Girko 1985, Theory Probab. Appl. 29, 694; Tao and Vu 2010, Ann. Probab. 38, 2023.
    """
    return checks.number("gain", gain, 0)


def quarter_circle_density(sigma: Array, gain: float) -> Array:
    """Density of the singular values of a wide Gaussian W: √(4g² − σ²) / (π g²) on [0, 2g].

    E (σ/g)^{2k} is the k-th Catalan number. Source: Marchenko and Pastur 1967, Math. USSR Sbornik
    1, 457, for square matrices.
    """
    with np.errstate(all="ignore"):
        u = np.asarray(sigma, float) / gain
        return np.where(u >= 0, np.sqrt(np.clip(4 - u * u, 0, None)), 0) / (np.pi * gain)


def quarter_circle_quantile(share: Array, gain: float) -> Array:
    """The σ below which this share of the singular values lies: σ = 2g sin θ, where
    share = (2θ + sin 2θ)/π. Source: the integral of `quarter_circle_density`."""
    theta = np.linspace(0, np.pi / 2, 4001)
    share_below = (2 * theta + np.sin(2 * theta)) / np.pi
    with np.errstate(over="ignore"):
        return gain * (2 * np.sin(np.interp(share, share_below, theta)))


def power_norm_log10(k: Array, gain: float) -> Array:
    """log10 of ‖Wᵏ‖₂ of a wide Gaussian W: gᵏ √((k+1)^{k+1} / kᵏ), about gᵏ √(e (k+1)).

    Its k-th root falls from 2g at k = 1 to g: why σ_max = 2g is not the rate. Source: Fuss-Catalan
    law, Alexeev, Götze, Tikhomirov 2010, Lith. Math. J. 50, 121. 0 at k = 0.
    """
    k = np.asarray(k, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (k + 1) * np.log10(k + 1) - np.where(k > 0, k * np.log10(k), 0)
        return np.where(k > 0, k * np.log10(gain) + 0.5 * ratio, 0.0)


def gradient_bound_log10(k: Array, sigma_max: float, lipschitz: float = 1.0) -> Array:
    """log10 of (γ σ_max)ᵏ, which ‖∂h_t/∂h_{t−k}‖₂ of an RNN never exceeds.

    Below 1 per step it guarantees vanishing; above it permits explosion, nothing more.
    Source: Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, with the 2-norm of W_hh.
    """
    k = np.asarray(k, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(k > 0, k * np.log10(lipschitz * sigma_max), 0.0)


def half_life(bias: Array) -> Array:
    """ln 2 / −ln f steps, f = σ(b): after how many half is kept. Source: cᵗ = fᵗ c₀."""
    return np.log(2) * e_fold(bias)


def e_fold(bias: Array) -> Array:
    """−1/ln f steps, f = σ(b)."""
    with np.errstate(divide="ignore"):
        return 1 / np.logaddexp(0.0, -np.asarray(bias, float))
