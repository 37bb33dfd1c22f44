"""What the popular sentences come to on the draws made so far: numbers alone, `claims_words` says
them. Every verdict follows its data: it is tested with data that would turn it round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rnnviz.analysis.claims_carry import CLOSE, CarryDraw
from rnnviz.analysis.claims_clipping import ClippedRun
from rnnviz.analysis.claims_growth import PREDICTORS, Draw, Score, score, sign
from rnnviz.analysis.claims_reduction import SAME, Reduction
from rnnviz.analysis.claims_stability import Sensitivity
from rnnviz.analysis.claims_truncation import GOOD, Agreement

T = TypeVar("T")

WINDOW = 20
"""Steps of the truncation that is judged."""
FADES = -0.1
"""Decades a step back below which an error is gone within a window: nothing is left to miss."""


@dataclass(frozen=True)
class GrowthVerdict:
    """The rule "σ_max > 1 explodes, < 1 vanishes". draws: judged; wrong: by the rule word for
    word. below, vanished: draws with γσ_max < 1, and those of them that vanished; above, exploded:
    with γσ_max > 1. scores: of each predictor."""

    draws: int
    wrong: int
    below: int
    vanished: int
    above: int
    exploded: int
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class ReductionVerdict:
    """draws; differ: those whose states are other than the tanh RNN's. apart: the smallest and
    the largest difference; twice, linear_output, gru: the largest differences of those that
    should be the same."""

    draws: int
    differ: int
    apart: tuple[float, float]
    twice: float
    linear_output: float
    gru: float


@dataclass(frozen=True)
class CarryVerdict:
    """draws; astray: those whose truth is more than a factor of 2 from Π f. medians: (forget bias,
    log10 Π f, log10 truth) over the whole sequence. grew: draws in which the truth grew although
    Π f shrank."""

    draws: int
    astray: int
    grew: int
    medians: tuple[tuple[float, float, float], ...]


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


@dataclass(frozen=True)
class TruncationVerdict:
    """Random networks at window `WINDOW`: good of draws point as the full gradient does;
    fading, fading_good: those whose error is gone within a window; lasting, lasting_good: the
    others. wrong_up_to: the longest window with the wrong sign in influence balancing, 0 if
    none. own: (label, cosine) of the visitor's models."""

    draws: int
    good: int
    fading: int
    fading_good: int
    lasting: int
    lasting_good: int
    wrong_up_to: int
    own: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class StabilityVerdict:
    """units measured; low, high: the smallest memory from ½ on and the largest, of uncorrelated
    input; ratio: how much more h moves with λ at the largest, sampled; relative: the same of
    E (∂h/∂λ)² / E h²; error: the largest relative
    difference between samples and closed form. largest_gradient: of all ∂h_T/∂h_t."""

    units: int
    low: float
    high: float
    ratio: float
    relative: float
    error: float
    largest_gradient: float


def growth_verdict(found: Sequence[Draw]) -> GrowthVerdict:
    """Draws whose growth is no number do not count."""
    known = [d for d in found if not np.isnan(d.growth)]
    wrong = sum(sign(float(np.log10(d.sigma_max))) != d.outcome for d in known)
    below = [d.outcome for d in known if sign(d.sigma) < 0]
    above = [d.outcome for d in known if sign(d.sigma) > 0]
    scores = tuple(score(found, predictor) for predictor in PREDICTORS)
    return GrowthVerdict(len(known), wrong, len(below), below.count(-1), len(above),
                         above.count(1), scores)  # fmt: skip


def reduction_verdict(found: Sequence[Reduction]) -> ReductionVerdict:
    """Raises ValueError without draws."""
    once = [r.once for r in _some(found)]
    return ReductionVerdict(
        draws=len(found),
        differ=sum(difference > SAME for difference in once),
        apart=(min(once), max(once)),
        twice=max(r.twice for r in found),
        linear_output=max(r.linear_output for r in found),
        gru=max(r.gru for r in found),
    )


def carry_verdict(found: Sequence[CarryDraw]) -> CarryVerdict:
    """Raises ValueError without draws."""
    biases = sorted({d.forget_bias for d in _some(found)})
    medians = []
    for bias in biases:
        ends = [(d.highway[0], d.true[0]) for d in found if d.forget_bias == bias]
        highway, true = np.median(np.array(ends), axis=0)
        medians.append((bias, float(highway), float(true)))
    astray = sum(not abs(d.apart) <= CLOSE for d in found)
    grew = sum(bool(d.true[0] > 0 > d.highway[0]) for d in found)
    return CarryVerdict(len(found), astray, grew, tuple(medians))


def clipping_verdict(found: Sequence[ClippedRun]) -> ClippingVerdict:
    """Raises ValueError without runs."""
    exploding = [run for run in _some(found) if run.case == "exploding"]
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


def truncation_verdict(found: Sequence[Agreement], wrong_up_to: int = 0) -> TruncationVerdict:
    """A cosine that is no number counts as not good."""
    drawn = [a for a in found if not a.label]
    fading = [a.at(WINDOW) > GOOD for a in drawn if a.growth < FADES]
    lasting = [a.at(WINDOW) > GOOD for a in drawn if not a.growth < FADES]
    own = tuple((a.label, a.at(WINDOW)) for a in found if a.label)
    return TruncationVerdict(len(drawn), sum(fading) + sum(lasting), len(fading), sum(fading),
                             len(lasting), sum(lasting), wrong_up_to, own)  # fmt: skip


def stability_verdict(found: Sequence[Sensitivity]) -> StabilityVerdict:
    """Raises ValueError without a unit of memory ½ or more and uncorrelated input."""
    plain = sorted((s for s in found if s.correlation == 0 and s.memory >= 0.5),
                   key=lambda s: s.memory)  # fmt: skip
    first, last = _some(plain)[0], plain[-1]
    ratio = last.sampled_weight / first.sampled_weight
    errors = [abs(s.sampled_weight / s.weight - 1) for s in found]
    return StabilityVerdict(
        units=len(found),
        low=first.memory,
        high=last.memory,
        ratio=ratio,
        relative=ratio / (last.sampled_state / first.sampled_state),
        error=max(errors),
        largest_gradient=max(1.0, *(s.memory for s in found)),
    )


def _some(found: Sequence[T]) -> Sequence[T]:
    if not found:
        raise ValueError("found must hold at least one result, got none")
    return found
