""" "Clipping cures vanishing": what clipping does to gradients of training runs (THEORY E17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import Trace, checks
from rnnviz.core.numerics import Array, log10_norm

SHORTER = 1e-12
"""Relative change of length below which a gradient is as it was: rounding."""


@dataclass(frozen=True, eq=False)
class ClippedRun:
    """A training run whose gradients were clipped, update by update; n updates.

    case: "exploding" or "vanishing" set-up. limit: c. before, after (n,): ‖g‖ of the whole
    gradient. cosine (n,): between the two. by_value (n,): the cosine if every entry were cut at
    ±c/√(entries) instead. profile_before, profile_after (T,): log10 of what each time step adds to
    ∂L/∂W_hh, ‖d_a_t h_{t−1}ᵀ‖_F, at the update that was clipped most. loss, loss_free (n,): with
    clipping, and of the same run without.
    """

    number: int
    case: str
    limit: float
    before: Array
    after: Array
    cosine: Array
    by_value: Array
    profile_before: Array
    profile_after: Array
    loss: Array
    loss_free: Array

    @property
    def clipped(self) -> int:
        """Updates whose gradient was shortened."""
        return int((self.after < self.before * (1 - SHORTER)).sum())

    @property
    def lengthened(self) -> int:
        """Updates whose gradient came out longer."""
        return int((self.after > self.before * (1 + SHORTER)).sum())

    @property
    def slopes(self) -> tuple[float, float]:
        """Decades a step back of the profile, before and after; NaN with fewer than two points."""
        return _slope(self.profile_before), _slope(self.profile_after)


@dataclass(frozen=True)
class ClippingVerdict:
    """Updates of the exploding and of the vanishing runs, and how many were clipped; lengthened,
    turned: of all. vanishing_slope: median decades a step back of the vanishing runs' profiles,
    before and after. exploding_runs, helped: runs that exploded, and those of them whose loss over
    the last third was lower with clipping. least_by_value: the smallest cosine that clipping
    entry by entry would leave."""

    runs: int
    exploding_updates: int
    exploding_clipped: int
    vanishing_updates: int
    vanishing_clipped: int
    lengthened: int
    turned: int
    vanishing_slope: tuple[float, float]
    exploding_runs: int
    helped: int
    least_by_value: float


def time_profile(trace: Trace, scale: float = 1.0) -> Array:
    """log10 of scale · ‖d_a_t h_{t−1}ᵀ‖_F of a simple RNN, RMS over the batch, (T,): what step t
    adds to ∂L/∂W_hh for each sequence. −inf where the state before it is zero."""
    with np.errstate(divide="ignore"):
        d_a = log10_norm(trace.d_gate_values, axis=1, log2=trace.d_gate_log2)
        h = log10_norm(trace.h[:-1], axis=1)
        sizes = d_a + h
        peak = np.where(np.isfinite(sizes.max(axis=1)), sizes.max(axis=1), 0.0)
        mean = np.mean(10.0 ** (2 * (sizes - peak[:, None])), axis=1)
        return peak + 0.5 * np.log10(mean) + np.log10(scale)


def entry_limit(limit: float, grads: Mapping[str, Array]) -> float:
    """c / √(entries): clipping by value there allows no longer gradient than clipping at c."""
    return limit / float(np.sqrt(sum(g.size for g in grads.values())))


def clipping_verdict(found: Sequence[ClippedRun]) -> ClippingVerdict:
    """Raises ValueError without runs."""
    exploding = [run for run in checks.some("found", found) if run.case == "exploding"]
    vanishing = [run for run in found if run.case == "vanishing"]
    slopes = np.array([run.slopes for run in vanishing] or [(np.nan, np.nan)])
    before, after = np.median(slopes, axis=0)
    return ClippingVerdict(
        runs=len(found),
        exploding_updates=sum(len(run.before) for run in exploding),
        exploding_clipped=sum(run.clipped for run in exploding),
        vanishing_updates=sum(len(run.before) for run in vanishing),
        vanishing_clipped=sum(run.clipped for run in vanishing),
        lengthened=sum(run.lengthened for run in found),
        turned=sum(int((run.cosine < 1 - 1e-9).sum()) for run in found),
        vanishing_slope=(float(before), float(after)),
        exploding_runs=len(exploding),
        helped=sum(_last_third(run.loss) < _last_third(run.loss_free) for run in exploding),
        least_by_value=float(np.nanmin(np.concatenate([run.by_value for run in found]))),
    )


def _last_third(losses: np.ndarray) -> float:
    return float(np.mean(losses[-max(1, len(losses) // 3) :]))


def _slope(profile: Array) -> float:
    steps = np.flatnonzero(np.isfinite(profile))
    if len(steps) < 2:
        return float("nan")
    return -float(np.polyfit(steps, profile[steps], 1)[0])
