""" "Stable gradients mean easy learning": one linear unit whose gradients never explode (E16).

h_t = λ h_{t−1} + x_t, x of variance 1 and correlation ρ^|d|, 0 <= λ < 1: ∂h_T/∂h_t = λ^(T−t) <= 1.
Yet how much h moves with λ itself, E (∂h/∂λ)², grows like (1 − λ²)^−3 as λ goes to 1.
Source: Zucchet and Orvieto 2024, arXiv:2405.21064.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks

LAMBDAS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
CORRELATIONS = (0.0, 0.5, 0.9)
SEQUENCES = 1000
SETTLE = 14.0
"""Time constants 1/(1 − λ) that a run lasts."""


@dataclass(frozen=True)
class Sensitivity:
    """Of one unit: memory is λ, correlation ρ of the inputs.

    state, weight: E h² and E (∂h/∂λ)² in closed form; sampled_state, sampled_weight: over
    `SEQUENCES` random sequences. steps: how long they were.
    """

    memory: float
    correlation: float
    steps: int
    state: float
    weight: float
    sampled_state: float
    sampled_weight: float


@dataclass(frozen=True)
class StabilityVerdict:
    """units measured; low, high: the smallest memory from ½ on and the largest, of uncorrelated
    input; ratio: how much more h moves with λ at the largest, sampled; relative: the same of
    E (∂h/∂λ)² / E h²; error: the largest relative difference between samples and closed form, of
    both. largest_gradient: of all ∂h_T/∂h_t."""

    units: int
    low: float
    high: float
    ratio: float
    relative: float
    error: float
    largest_gradient: float


def state_power(memory: float, correlation: float) -> float:
    """E h² = (1 + ρλ) / ((1 − λρ)(1 − λ²))."""
    m, r = _checked(memory, correlation)
    return (1 + r * m) / ((1 - m * r) * (1 - m * m))


def weight_sensitivity(memory: float, correlation: float) -> float:
    """E (∂h/∂λ)² = [(1 + λ²)(1 − λ²ρ²) + 2(1 − λ²)λρ] / [(1 − λ²)³(1 − λρ)²].

    Raises ValueError outside 0 <= λ < 1 or |ρ| <= 1.
    """
    m, r = _checked(memory, correlation)
    top = (1 + m * m) * (1 - (m * r) ** 2) + 2 * (1 - m * m) * m * r
    return top / ((1 - m * m) ** 3 * (1 - m * r) ** 2)


def sensitivity(seed: int, number: int, sequences: int = SEQUENCES) -> Sensitivity:
    """Draw `number` of a seed: memories in turn, for each correlation.

    Raises ValueError for a number that there is not.
    """
    if checks.size("number", number, 0) >= len(LAMBDAS) * len(CORRELATIONS):
        raise ValueError(f"number must be below {len(LAMBDAS) * len(CORRELATIONS)}, got {number}")
    memory, correlation = LAMBDAS[number % len(LAMBDAS)], CORRELATIONS[number // len(LAMBDAS)]
    rng = np.random.default_rng([checks.size("seed", seed, 0), 4, number])
    slowest = max(memory, correlation)
    steps = int(np.ceil(SETTLE / (1 - slowest)))
    x, h, slope = rng.standard_normal(sequences), np.zeros(sequences), np.zeros(sequences)
    fresh = np.sqrt(1 - correlation**2)
    for _ in range(steps):
        x = correlation * x + fresh * rng.standard_normal(sequences)
        slope = memory * slope + h
        h = memory * h + x
    return Sensitivity(memory, correlation, steps, state_power(memory, correlation),
                       weight_sensitivity(memory, correlation), float(np.mean(h * h)),
                       float(np.mean(slope * slope)))  # fmt: skip


def stability_verdict(found: Sequence[Sensitivity]) -> StabilityVerdict:
    """Raises ValueError without a unit of memory ½ or more and uncorrelated input."""
    plain = sorted((s for s in found if s.correlation == 0 and s.memory >= 0.5),
                   key=lambda s: s.memory)  # fmt: skip
    first, last = checks.some("found", plain)[0], plain[-1]
    ratio = last.sampled_weight / first.sampled_weight
    ratios = [(s.sampled_weight / s.weight, s.sampled_state / s.state) for s in found]
    return StabilityVerdict(
        units=len(found),
        low=first.memory,
        high=last.memory,
        ratio=ratio,
        relative=ratio / (last.sampled_state / first.sampled_state),
        error=float(np.abs(np.array(ratios) - 1).max()),
        largest_gradient=max(1.0, *(s.memory for s in found)),
    )


def _checked(memory: float, correlation: float) -> tuple[float, float]:
    return (
        checks.number("memory", memory, 0, np.nextafter(1, 0)),
        checks.number("correlation", correlation, -1, 1),
    )
