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
from rnnviz.wording.lists import apart, said_of, sentence, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import fraction, general, magnitude, minus, percent, significant
from rnnviz.wording.texts import say

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


def measuring() -> Said:
    """Where nothing is known yet."""
    return Said(_say("measuring_short"), "open", (_say("measuring"),))


def waiting() -> Said:
    """Where other claims are measured first."""
    return Said(_say("waiting_short"), "open", (_say("waiting"),))


def _say(name: str, **values: object) -> str:
    return say("claims", name, **values)


def growth_words(found: Sequence[Draw]) -> Said:
    """ "σₘₐₓ > 1 explodes, σₘₐₓ < 1 vanishes"."""
    v = growth_verdict(found)
    if not v.draws:
        return measuring()
    if not v.wrong:
        line = sentences([_say("growth_right"), *_halves(v)])
        return Said(_say("right_all", draws=v.draws), "true", (line,))
    others, of = len(found) - v.draws, {"wrong": v.wrong, "draws": v.draws}
    wrong = _say("growth_wrong_less" if others else "growth_wrong", **of, others=others)
    tone = "false" if v.wrong >= FEW * v.draws else "half"
    return Said(_say("false_draws", **of), tone, (sentences([wrong, *_halves(v)]),))


def _halves(v: GrowthVerdict) -> Iterator[str]:
    """What was seen below 1/γ, and above."""
    if v.below:
        law = "_law" * (v.vanished == v.below)
        yield _say(f"growth_below{law}", vanished=v.vanished, below=v.below)
    if v.above:
        only = "_only" * (v.exploded != v.above)
        yield _say(f"growth_above{only}", exploded=v.exploded, above=v.above,
                   rest=v.above - v.exploded)  # fmt: skip


def reduction_words(found: Sequence[Reduction]) -> Said:
    """ "f = 0, i = 1, o = 1 makes an LSTM an RNN"."""
    if not found:
        return measuring()
    v = reduction_verdict(found)
    if not v.differ:
        line = _say("reduction_same", draws=v.draws)
        return Said(_say("true_all", draws=v.draws), "true", (line,))
    low, high = (significant(x) for x in v.apart)
    first = _say("reduction_differ", low=low, high=high, ceiling=f"{CEILING:.2f}")
    others = _say(
        "reduction_others", twice=small(v.twice), linear=small(v.linear_output), gru=small(v.gru)
    )
    short = _say("false_draws", wrong=v.differ, draws=v.draws)
    return Said(short, "false" if v.differ >= FEW * v.draws else "half", (first, others))


def carry_words(found: Sequence[CarryDraw]) -> Said:
    """ "The cell state is a highway"."""
    if not found:
        return measuring()
    v = carry_verdict(found)
    parts = [
        _say("carry_of", bias=general(bias), promised=fraction(highway), arrives=fraction(true))
        for bias, highway, true in (v.medians[0], v.medians[-1])[: len(v.medians)]
    ]
    lines = [_say("carry", steps=STEPS, parts=apart(parts))]
    if v.grew:
        lines.append(_say("carry_grew", grew=v.grew, draws=v.draws))
    share = v.astray / v.draws
    if share <= FEW:
        short = _say("true_draws", right=v.draws - v.astray, draws=v.draws)
        return Said(short, "true", tuple(lines))
    tone = "half" if share < MOST else "false"
    return Said(_say("carry_short", astray=v.astray, draws=v.draws), tone, tuple(lines))


def clipping_words(found: Sequence[ClippedRun]) -> Said:
    """ "Clipping cures vanishing"."""
    if not found:
        return measuring()
    v = clipping_verdict(found)
    lines = [_clipped(v)]
    if v.exploding_runs:
        runs = {"helped": v.helped, "runs": v.exploding_runs}
        lines.append(_say("clipping_helped", **runs, cosine=minus(f"{v.least_by_value:.2f}")))
    updates = v.exploding_updates + v.vanishing_updates
    if v.lengthened:
        short = _say("clipping_longer", longer=v.lengthened, updates=updates)
        return Said(short, "half", tuple(lines))
    return Said(_say("clipping_false", updates=updates), "false", tuple(lines))


def _clipped(v: ClippingVerdict) -> str:
    first = _say(
        "clipping_all",
        updates=v.exploding_updates + v.vanishing_updates,
        clipped=v.exploding_clipped + v.vanishing_clipped,
        longer=v.lengthened,
        turned=v.turned,
    )
    if not v.vanishing_updates:
        return first
    before, after = v.vanishing_slope
    still = "_still" * (abs(after - before) < 0.005)
    changes = _say(f"falls{still}" if after < 0 else f"grows{still}", decades=f"{abs(after):.2f}")
    touched = {"touched": v.vanishing_clipped, "of": v.vanishing_updates}
    return sentences([first, _say("clipping_vanishing", **touched, changes=changes)])


def truncation_words(found: Sequence[Agreement], wrong_up_to: int = 0) -> Said:
    """ "Truncated BPTT is a good approximation"."""
    v = truncation_verdict(found)
    if not v.draws:
        return measuring()
    lines = [_agreeing(v)]
    if wrong_up_to:
        lines.append(_say("truncation_sign", last=wrong_up_to))
    if own := [said_of(display_name(name), _cosine(cosine)) for name, cosine in v.own]:
        lines.append(_say("truncation_own", window=WINDOW, cosines=apart(own)))
    share = v.good / v.draws
    if share >= MOST:
        short = _say("held_draws", right=v.good, draws=v.draws)
        return Said(short, "half" if wrong_up_to else "true", tuple(lines))
    short = _say("false_draws", wrong=v.draws - v.good, draws=v.draws)
    return Said(short, "half" if share >= 0.5 else "false", tuple(lines))


def _cosine(value: float) -> str:
    return minus(f"{value:.2f}") if math.isfinite(value) else _say("not_measured")


def _agreeing(v: TruncationVerdict) -> str:
    parts = []
    if v.fading:
        fast = {"decades": minus(f"{-FADES:g}"), "window": WINDOW}
        parts.append(_say("truncation_fades", **fast, good=v.fading_good, of=v.fading))
    if v.lasting:
        where = "truncation_lasts_too" if parts else "truncation_lasts"
        parts.append(_say(where, window=WINDOW, good=v.lasting_good, of=v.lasting))
    if v.fading_good == v.fading and v.lasting_good < v.lasting and parts[1:]:
        rarely = v.lasting_good <= FEW * v.lasting
        return _say("truncation_nothing" if rarely else "truncation_less", said=apart(parts))
    return sentence(apart(parts))


def stability_words(found: Sequence[Sensitivity]) -> Said:
    """ "Stable gradients mean easy learning"."""
    if len([s for s in found if s.correlation == 0 and s.memory >= 0.5]) < 2:
        return measuring()
    v = stability_verdict(found)
    ratio = f"×{significant(v.ratio)}"
    between = {"low": f"{v.low:g}", "high": f"{v.high:g}"}
    lines = (
        _say(
            "stability",
            **between,
            largest=f"{v.largest_gradient:g}",
            ratio=ratio,
            relative=f"×{significant(v.relative)}",
        ),
        _say("stability_checked", error=percent(v.error)),
    )
    if v.ratio < 10:
        return Said(_say("stability_true", ratio=ratio), "true", lines)
    return Said(_say("stability_false", **between, ratio=ratio), "false", lines)


def small(difference: float) -> str:
    """A difference that rounding may have made: 0, 10^−16 (rounding), 0.3."""
    if difference == 0:
        return "0"
    text = magnitude(math.log10(difference))
    return _say("rounding", number=text) if difference <= SAME else text
