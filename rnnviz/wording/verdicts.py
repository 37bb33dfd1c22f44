"""Verdicts in plain Markdown. The numbers come from `analysis.verdicts`, the templates are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.analysis.gates import Memory
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.spectra import Stretch
from rnnviz.analysis.step_factors import StepFactors
from rnnviz.analysis.verdicts import (
    Verdict,
    memory_verdict,
    reach_verdict,
    rule_verdict,
)
from rnnviz.core.numerics import Status
from rnnviz.wording.lists import clauses, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import (
    counted,
    factor,
    magnitude,
    near_one,
    percent,
    plain,
    steps,
)
from rnnviz.wording.reaches import reach_words
from rnnviz.wording.texts import say as say_of
from rnnviz.wording.texts import texts


def say(verdict: Verdict) -> str:
    """The sentence of a verdict, in Markdown."""
    return TEMPLATES[verdict.kind](verdict.fields)


def _say(name: str, **values: object) -> str:
    return say_of("verdicts", name, **values)


def gradient_words(
    flows: Sequence[GradientFlow],
    spectra: Mapping[str, Stretch],
    memories: Sequence[Memory] = (),
    splits: Mapping[str, StepFactors] = {},
    growths: Mapping[str, float] = {},
) -> tuple[str, ...]:
    """The lines over the gradient-flow figure: what reaches step 1, then one about the cause.

    spectra: label -> how far W_hh can stretch, for RNNs; the first flow that has one is judged by
    the rule of thumb, and its steps in `splits` tell why. growths: of those whose states have
    exploded, `linear_growth`. Without any the second line tells how
    long the memory gates keep. Where new error enters on the way, it says instead what that means
    for the curve. Of truncated gradients it is said that they are.
    """
    cut = [_truncated(flow) for flow in flows if flow.window]
    whole = [flow for flow in flows if not flow.window]
    return (*(_of_whole(whole, spectra, memories, splits, growths) if whole else ()), *cut)


def _truncated(flow: GradientFlow) -> str:
    name, window = display_name(flow.label), counted(flow.window, "steps")
    return _say("truncated", model=name, window=window, end=flow.real_step(1))


def _of_whole(
    flows: Sequence[GradientFlow],
    spectra: Mapping[str, Stretch],
    memories: Sequence[Memory],
    splits: Mapping[str, StepFactors],
    growths: Mapping[str, float],
) -> tuple[str, ...]:
    first = say(reach_verdict(flows, growths))
    judged = [flow for flow in flows if flow.label in spectra]
    if judged:
        label = judged[0].label
        rule = rule_verdict(judged[0], spectra[label], splits.get(label), growths.get(label))
        return first, say(rule)
    if any(flow.refilled for flow in flows):
        return first, texts("verdicts")["refilled"]
    return (first, say(memory_verdict(memories))) if memories else (first,)


def _rule(fields: Mapping[str, Any]) -> str:
    """The judgement, and why it went as it did."""
    why = fields.get("why")
    if why is None:
        return _judged(fields)
    phi = SLOPES.get(fields["slope_name"])
    said = {part: factor(value) for part, value in why.items()}
    return sentences([_judged(fields), _say("why" if phi else "why_linear", phi=phi, **said)])


def _judged(fields: Mapping[str, Any]) -> str:
    kind = "rule" if fields["threshold"] == 1 else "rule_threshold"
    text = _say(
        "rule_leaky" if fields["leaky"] else kind,
        model=display_name(fields["label"]),
        sigma=plain(fields["sigma_max"]),
        threshold=f"{fields['threshold']:g}",
    )
    if fields["refilled"]:
        return sentences([text, texts("verdicts")["refilled"]])
    if fields["says"] is None or fields["does"] is None:
        return text
    if fields["needs"] is not None:
        return sentences([text, *_too_slow(fields)])
    if fields["right"] is None:
        return text
    judged = "rule_right" if fields["right"] else "rule_wrong"
    says, does = (texts("verdicts")[f"does_{fields[name]}"] for name in ("says", "does"))
    side, threshold = texts("verdicts")[f"side_{fields['says']}"], f"{fields['threshold']:g}"
    said = _say(judged, side=side, threshold=threshold, says=says, does=does)
    return sentences([text, said])


def _too_slow(fields: Mapping[str, Any]) -> tuple[str, str]:
    """What the rule says, and why it cannot be seen here; of which sequence that is."""
    vanishes = "slow_must_vanish" if fields["must"] else "slow_vanishes"
    if fields["must"] and fields["leaky"]:
        vanishes = "slow_must_vanish_leaky"
    span = fields["span"]
    said = _say(
        vanishes if fields["says"] == "vanishes" else "slow_explodes",
        factor=f"×{near_one(fields['factor'])}",
        span=counted(span, "steps"),
        needs=f"{fields['needs']:,.0f}",
    )
    return said, texts("verdicts")["slow_shortest"] * fields["shortest"]


def _memory(fields: Mapping[str, Any]) -> str:
    parts = [
        _say("memory_of", steps=steps(half), model=display_name(name))
        for name, _, half in fields["models"]
    ]
    named = [display_name(name) for name, _, _ in fields["models"]]
    return _say("memory", models=clauses(parts, named))


ENDS = {Status.ZERO: "end_zero", Status.ROUNDED: "end_rounded"}
SLOPES = {"tanh": "tanh′", "relu": "ReLU′", "logistic": "σ′"}


def _spectrum(fields: Mapping[str, Any]) -> str:
    gated = fields["gate"] != "a"
    block = f"W_h{fields['gate']}" if gated else "W_hh"
    text = _say(
        "spectrum_step" if fields["whole_step"] else "spectrum",
        model=display_name(fields["label"]),
        block=block,
        sigma=factor(fields["sigma_max"]),
        rho=factor(fields["rho"]),
    )
    if fields["refilled"]:
        return sentences([text, texts("verdicts")["refilled"]])
    if fields["measured"] is None:
        return text
    end = ENDS.get(fields["reach_status"])
    measured = _say(
        "measured", measured=factor(fields["measured"]), end=texts("verdicts")[end] if end else ""
    )
    text = sentences([text, measured])
    if gated or fields["rest"] is None:
        return text
    return sentences([text, _rest(fields)])


def _rest(fields: Mapping[str, Any]) -> str:
    """What is between the spectral radius and what was measured; nothing where there is nothing
    else that it could be of."""
    slope, rest = SLOPES.get(fields["slope_name"]), factor(fields["rest"])
    stretches = texts("verdicts")["a_step"] if fields["whole_step"] else "W_hh"
    if fields["alike"]:
        return _say("rest_slope", rest=rest, cause=slope, stretches=stretches) if slope else ""
    return _say("rest_of" if slope else "rest", rest=rest, cause=slope, stretches=stretches)


STATES = {"f": "c", "z": "h"}
"""What the memory gate keeps."""


def _gates(fields: Mapping[str, Any]) -> str:
    """Half-life in one paragraph; what is kept in all, by the gates and in truth, in another."""
    gate, name = fields["gate"], display_name(fields["label"])
    gates, state = texts("verdicts").get(f"gate_{gate}", gate), STATES.get(gate, "s")
    kept = _say(
        "gates_kept_named" if "," in name else "gates_kept",
        model=name,
        gate=gates,
        steps=steps(fields["half_life"]),
        share=percent(fields["share_beyond"]),
        seq_len=fields["seq_len"],
    )
    left = _say(
        "gates_left",
        span=counted(fields["steps"], "steps"),
        sequences=_sequences(fields["sequences"], fields["batch_size"]),
        gate=gates,
        product=_kept(fields["product_log10"], fields["product_status"]),
        derivative=f"∂{state}_T/∂{state}_0",
        truth=_kept(fields["true_log10"], fields["true_status"]),
        range=_range(*fields["true_range"]) if fields["sequences"] > 1 else "",
    )
    return f"{kept}\n{left}"


def _kept(log10: float, status: Status) -> str:
    return texts("verdicts")["rounded_to_zero"] if status == Status.ROUNDED else magnitude(log10)


def _sequences(count: int, batch_size: int) -> str:
    if count == 1:
        return _say("first_sequence" if batch_size > 1 else "only_sequence", all=batch_size)
    some = "median_of_all" if count == batch_size else "median_of_some"
    return _say(some, count=count, all=batch_size)


def _range(least: float, most: float) -> str:
    """Nothing where one of the two is no size."""
    if not np.isfinite([least, most]).all():
        return ""
    return _say("range", least=magnitude(least), most=magnitude(most))


TEMPLATES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "reach": reach_words,
    "rule": _rule,
    "memory": _memory,
    "spectrum": _spectrum,
    "gates": _gates,
}
