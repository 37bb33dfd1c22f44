"""The popular sentences, and what the draws made of them, in words.

Every sentence with a number in it is made from a verdict of `rnnviz.claims`; the verdict decides
what may be said, so other draws can turn it round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnnviz.claims.clipping import ClippedRun, ClippingVerdict, clipping_verdict
from rnnviz.claims.growth import Draw, GrowthVerdict, growth_verdict
from rnnviz.claims.highway import STEPS, CarryDraw, carry_verdict
from rnnviz.claims.reduction import CEILING, SAME, Reduction, reduction_verdict
from rnnviz.claims.stability import Sensitivity, stability_verdict
from rnnviz.claims.truncation import FADES, WINDOW, Agreement, TruncationVerdict, truncation_verdict
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import fraction, magnitude, minus, significant

SENTENCES = {
    "sigma": "σₘₐₓ > 1 explodes, σₘₐₓ < 1 vanishes",
    "reduction": "f = 0, i = 1, o = 1 makes an LSTM an RNN",
    "highway": "The cell state is a highway",
    "clipping": "Clipping cures vanishing",
    "truncation": "Truncated BPTT is a good approximation",
    "stability": "Stable gradients mean easy learning",
}
TONES = ("false", "half", "true", "open")
FEW, MOST = 0.1, 0.95
"""Shares of counterexamples from which on a sentence is false, and of examples from which on it is
true."""


@dataclass(frozen=True)
class Said:
    """short: the verdict in a few words, beside the sentence; tone: which of `TONES` it has.
    lines: the answer in Markdown."""

    short: str
    tone: str
    lines: tuple[str, ...]


MEASURING = Said("measuring …", "open", ("Measuring …",))
WAITING = Said("waiting its turn", "open", ("Waiting its turn.",))


def growth_words(found: Sequence[Draw]) -> Said:
    """ "σₘₐₓ > 1 explodes, σₘₐₓ < 1 vanishes"."""
    v = growth_verdict(found)
    if not v.draws:
        return MEASURING
    if not v.wrong:
        line = " ".join(["Right in every draw.", *_halves(v)])
        return Said(f"right in all {v.draws} draws", "true", (line,))
    wrong, others = f"{v.wrong} of {v.draws}", len(found) - v.draws
    less = f" ({others} more have no number)" if others else ""
    line = f"Word for word it is wrong in **{wrong}** draws{less}. {' '.join(_halves(v))}"
    tone = "false" if v.wrong >= FEW * v.draws else "half"
    return Said(f"false in {wrong} draws", tone, (line,))


def _halves(v: GrowthVerdict) -> Iterator[str]:
    """What was seen below 1/γ, and above."""
    if v.below:
        law = ": that half is a law." if v.vanished == v.below else "."
        yield f"With σₘₐₓ below 1/γ the error vanished in **{v.vanished} of {v.below}**{law}"
    if v.above:
        only = "." if v.exploded == v.above else ": σₘₐₓ > 1 allows explosion, nothing more."
        yield f"Above, it exploded in **{v.exploded} of {v.above}**{only}"


def reduction_words(found: Sequence[Reduction]) -> Said:
    """ "f = 0, i = 1, o = 1 makes an LSTM an RNN"."""
    if not found:
        return MEASURING
    v = reduction_verdict(found)
    if not v.differ:
        line = f"The states were the tanh RNN's in all {v.draws} draws."
        return Said(f"true in all {v.draws} draws", "true", (line,))
    low, high = (significant(x) for x in v.apart)
    first = (
        f"With the gates at exactly 0, 1, 1 the LSTM's states differ from the tanh RNN's by "
        f"**{low} to {high}**: it squashes twice, h = tanh(tanh(a)), and never passes "
        f"tanh 1 = {CEILING:.2f}."
    )
    others = (
        f"From that network it differs by {small(v.twice)}. Without the tanh at its output it is "
        f"the tanh RNN, to {small(v.linear_output)}; so is a GRU with z = 0, r = 1, to "
        f"{small(v.gru)}."
    )
    short = f"false in {v.differ} of {v.draws} draws"
    return Said(short, "false" if v.differ >= FEW * v.draws else "half", (first, others))


def carry_words(found: Sequence[CarryDraw]) -> Said:
    """ "The cell state is a highway"."""
    if not found:
        return MEASURING
    v = carry_verdict(found)
    parts = [
        f"with b_f = {bias:g} Π f promises **{fraction(highway)}**, **{fraction(true)}** arrives"
        for bias, highway, true in (v.medians[0], v.medians[-1])[: len(v.medians)]
    ]
    lines = [f"Of the error {STEPS} steps back, in the median: " + "; ".join(parts) + "."]
    if v.grew:
        lines.append(
            f"In {v.grew} of {v.draws} draws the error grew although every factor f was below 1: "
            "it also travels through h and the gates."
        )
    share = v.astray / v.draws
    if share <= FEW:
        return Said(f"true in {v.draws - v.astray} of {v.draws} draws", "true", tuple(lines))
    tone = "half" if share < MOST else "false"
    return Said(f"not the only road in {v.astray} of {v.draws}", tone, tuple(lines))


def clipping_words(found: Sequence[ClippedRun]) -> Said:
    """ "Clipping cures vanishing"."""
    if not found:
        return MEASURING
    v = clipping_verdict(found)
    lines = [_clipped(v)]
    if v.exploding_runs:
        lines.append(
            f"What it is for is explosion: with it the loss ended lower in {v.helped} of "
            f"{v.exploding_runs} exploding runs. Clipping entry by entry, to no greater length, "
            f"would turn them: cosine down to {v.least_by_value:.2f}."
        )
    updates = v.exploding_updates + v.vanishing_updates
    if v.lengthened:
        return Said(f"{v.lengthened} of {updates} gradients got longer", "half", tuple(lines))
    return Said(f"false: 0 of {updates} gradients got longer", "false", tuple(lines))


def _clipped(v: ClippingVerdict) -> str:
    clipped = v.exploding_clipped + v.vanishing_clipped
    first = (
        f"Of {v.exploding_updates + v.vanishing_updates} gradients clipping shortened "
        f"**{clipped}**, lengthened **{v.lengthened}** and turned **{v.turned}**"
    )
    if not v.vanishing_updates:
        return first + "."
    before, after = v.vanishing_slope
    still = "still " if abs(after - before) < 0.005 else ""
    changes = f"{still}{'falls' if after < 0 else 'grows'} by {abs(after):.2f} decades a step back"
    return (
        f"{first}. In the vanishing runs it touched **{v.vanishing_clipped} of "
        f"{v.vanishing_updates}**: their gradient {changes}."
    )


def truncation_words(found: Sequence[Agreement], wrong_up_to: int = 0) -> Said:
    """ "Truncated BPTT is a good approximation"."""
    v = truncation_verdict(found, wrong_up_to)
    if not v.draws:
        return MEASURING
    lines = [_agreeing(v)]
    if wrong_up_to:
        lines.append(
            f"In influence balancing it has the wrong sign for every window up to K = "
            f"{wrong_up_to}: training walks away from the answer."
        )
    if own := [f"{display_name(name)}: {_cosine(cosine)}" for name, cosine in v.own]:
        lines.append(f"Cosine of your models at K = {WINDOW}: " + "; ".join(own) + ".")
    share = v.good / v.draws
    wrong = v.draws - v.good
    if share >= MOST:
        return Said(f"held in {v.good} of {v.draws} draws", "half" if wrong_up_to else "true",
                    tuple(lines))  # fmt: skip
    tone = "half" if share >= 0.5 else "false"
    return Said(f"false in {wrong} of {v.draws} draws", tone, tuple(lines))


def _cosine(value: float) -> str:
    return minus(f"{value:.2f}") if math.isfinite(value) else "not measured"


def _agreeing(v: TruncationVerdict) -> str:
    fades = minus(f"{-FADES:g}")
    parts = []
    if v.fading:
        parts.append(
            f"Where the error fades fast (over {fades} decades a step), {WINDOW} steps gave the "
            f"full gradient's direction in **{v.fading_good} of {v.fading}** draws"
        )
    if v.lasting:
        where = "where it lasts" if parts else f"With {WINDOW} steps, where the error lasts"
        parts.append(f"{where}, in **{v.lasting_good} of {v.lasting}**")
    end = "."
    if v.fading_good == v.fading and v.lasting_good < v.lasting and parts[1:]:
        end = ": it is good where there is nothing to learn from the past."
    return "; ".join(parts) + end


def stability_words(found: Sequence[Sensitivity]) -> Said:
    """ "Stable gradients mean easy learning"."""
    if len([s for s in found if s.correlation == 0 and s.memory >= 0.5]) < 2:
        return MEASURING
    v = stability_verdict(found)
    ratio = f"×{significant(v.ratio)}"
    first = (
        f"No gradient ∂h_T/∂h_t is ever above {v.largest_gradient:g}, yet the same small change of "
        f"the weight moves h **{ratio}** as much (mean square) at λ = {v.high:g} as at "
        f"λ = {v.low:g}, ×{significant(v.relative)} relative to h itself."
    )
    checked = f"Samples and closed form differ by at most {percent(v.error)}."
    if v.ratio < 10:
        return Said(f"true here: only {ratio}", "true", (first, checked))
    return Said(f"false: {ratio} from λ = {v.low:g} to {v.high:g}", "false", (first, checked))


def percent(share: float) -> str:
    """34 %; "under 1 %" and "over 99 %" instead of a rounded 0 or 100."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def small(difference: float) -> str:
    """A difference that rounding may have made: 0, 10^−16 (rounding), 0.3."""
    if difference == 0:
        return "0"
    text = magnitude(math.log10(difference))
    return f"{text} (rounding)" if difference <= SAME else text
