"""Four networks on which σ_max or ρ says one thing and the error does another (THEORY A0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.spectra import power_norms_log10
from rnnviz.core import checks
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.core.numerics import Array, status_of

ROUNDING = 1e-9
"""Spectral radii below this share of σ_max are zero."""
EXAMPLES = ("nilpotent", "gaussian", "saturated", "zero_radius")


@dataclass(frozen=True, eq=False)
class Counterexample:
    """One network. sigma_max, rho: of its W_hh, γ = 1. steps (n,): k = 0, 1, ...; log10 (n,) of
    ‖∂h_{t+k}/∂h_t‖₂, −inf for exactly zero; status (n,).
    """

    name: str
    sigma_max: float
    rho: float
    steps: Array
    log10: Array
    status: Array

    @property
    def promised(self) -> Array:
        """log10 σ_max^k (n,): what "σ_max decides" expects."""
        return self.steps * np.log10(self.sigma_max)

    @property
    def rate(self) -> float:
        """Factor a step over the second half of the steps that have a number; 0 where in the end
        nothing is left."""
        if np.isneginf(self.log10[-1]):
            return 0.0
        half = len(self.steps) // 2
        return float(10.0 ** ((self.log10[-1] - self.log10[half]) / (len(self.steps) - 1 - half)))


def counterexample(name: str) -> Counterexample:
    """One of `EXAMPLES`.

    nilpotent: W = [[0, 10], [0, 0]], linear; W² = 0. gaussian: N(0, 0.6²/200), linear.
    saturated: W = 2 I with tanh, which settles at 0.9575, where its slope is small.
    zero_radius: W = [[8, 8], [−8, −8]] with tanh, held at its fixed point (0, ½): ρ(W) = 0, yet
    K = D W has K² = 2K. Source: the condition with ρ in Pascanu, Mikolov, Bengio 2013,
    arXiv:1211.5063, which it refutes. Raises ValueError for another name.
    """
    checks.choice("name", name, EXAMPLES)
    return {
        "nilpotent": _nilpotent,
        "gaussian": _gaussian,
        "saturated": _saturated,
        "zero_radius": _zero_radius,
    }[name]()


def _nilpotent() -> Counterexample:
    return _powers("nilpotent", np.array([[0.0, 10.0], [0.0, 0.0]]), np.ones(2), 6)


def _gaussian() -> Counterexample:
    # The stream of W_hh in the first layer of an experiment with seed 0.
    stream = np.random.default_rng([0, 0, 0]).spawn(2)[1].spawn(5)[1].spawn(1)[0]
    W = 0.6 * INITIALIZERS["gaussian"](stream, 200)
    return _powers("gaussian", W, np.ones(200), 20)


def _saturated() -> Counterexample:
    h = 0.9
    for _ in range(100):
        h = float(np.tanh(2 * h))
    return _powers("saturated", 2 * np.eye(2), np.full(2, (1 - h) * (1 + h)), 20)


def _zero_radius() -> Counterexample:
    """At the fixed point in exact arithmetic: in float64 a run drifts off it as 2^l."""
    h = np.array([0.0, 0.5])
    return _powers("zero_radius", np.array([[8.0, 8.0], [-8.0, -8.0]]), (1 - h) * (1 + h), 20)


def _powers(name: str, W: Array, slope: Array, last: int) -> Counterexample:
    """Norms of (D W)^k, D = diag(slope): the states stay where they are, so all Jacobians are the
    same."""
    sigma_max = float(np.linalg.svd(W, compute_uv=False)[0])
    rho = float(np.abs(np.linalg.eigvals(W)).max())
    k = np.arange(last + 1)
    log10 = np.append(0.0, k[1:] * power_norms_log10(slope[:, None] * W, k[1:]))
    return Counterexample(
        name=name,
        sigma_max=sigma_max,
        rho=rho if rho > ROUNDING * sigma_max else 0.0,
        steps=k,
        log10=log10,
        status=status_of(log10),
    )
