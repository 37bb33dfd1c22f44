"""Verdicts in plain Markdown. The numbers come from `analysis.verdicts`, the templates are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.analysis.gates import Memory
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.rates import Rate
from rnnviz.analysis.spectra import Spectrum, Stretch
from rnnviz.analysis.verdicts import Reach, Verdict, memory_verdict, reach_verdict, rule_verdict
from rnnviz.core.numerics import Status
from rnnviz.core.places import NotFinite
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import factor, fraction, magnitude, minus, plain, steps


def say(verdict: Verdict) -> str:
    """The sentence of a verdict, in Markdown."""
    return TEMPLATES[verdict.kind](verdict.fields)


def gradient_words(
    flows: Sequence[GradientFlow],
    spectra: Mapping[str, Spectrum | Stretch],
    memories: Sequence[Memory] = (),
) -> tuple[str, ...]:
    """The lines over the gradient-flow figure: what reaches step 1, then one about the cause.

    spectra: label -> the spectrum of W_hh, for RNNs; the first flow that has one is judged by the
    rule of thumb. Without any the second line tells how long the memory gates keep. Where new
    error enters on the way, it says instead what that means for the curve.
    """
    first = say(reach_verdict(flows))
    judged = [flow for flow in flows if flow.label in spectra]
    if judged:
        return first, say(rule_verdict(judged[0], spectra[judged[0].label]))
    if any(flow.refilled for flow in flows):
        return first, REFILLED
    return (first, say(memory_verdict(memories))) if memories else (first,)


def _pace(rate: Rate) -> str:
    """(×0.57 a step, halves every 1.2 steps); the time only where it is a step or more."""
    count = rate.halving_steps
    if count is None or count < 0.95:
        return f" ({factor(rate.factor_per_step)} a step)"
    verb = "halves" if rate.verdict == "vanishes" else "doubles"
    every = "step" if steps(count) == "1 step" else steps(count)
    return f" ({factor(rate.factor_per_step)} a step, {verb} every {every})"


def _reach(fields: Mapping[str, Any]) -> str:
    models: tuple[Reach, ...] = fields["models"]
    if fields["refilled"]:
        return _total(models, fields["from_step"], fields.get("to_step", 1))
    detailed = {m.label for m in models if m.kind == "rnn"} or {models[0].label}
    parts: list[str] = []
    for model in models:
        name = f"**{fraction(model.log10, model.status)}**"
        if not parts:
            name += f" reaches step {fields.get('to_step', 1)}"
        known = model.label in detailed and model.rate is not None and np.isfinite(model.log10)
        pace = _pace(model.rate) if known and model.rate is not None else ""
        parts.append(f"{name} in the {display_name(model.label)}{pace}")
    return f"Of the error at step {fields['from_step']}, {_list(parts, models)}."


def _total(models: Sequence[Reach], start: int, end: int) -> str:
    """What may be said where every step adds error of its own."""
    parts = [f"**{fraction(m.log10, m.status)}** in the {display_name(m.label)}" for m in models]
    return (
        f"New error enters on the way. The **total** error at step {end} is, of that at step "
        f"{start}, {_list(parts, models)}."
    )


def _list(parts: Sequence[str], models: Sequence[Reach]) -> str:
    has_comma = any("," in display_name(model.label) for model in models)
    return ("; " if has_comma and len(parts) > 1 else ", ").join(parts)


REFILLED = "New error enters on the way: a level curve is **no proof of memory**."
DOES = {"vanishes": "vanishes", "explodes": "explodes", "level": "stays level"}


def _rule(fields: Mapping[str, Any]) -> str:
    sigma, threshold = fields["sigma_max"], fields["threshold"]
    text = (
        f"Largest singular value of the {display_name(fields['label'])}'s W_hh: **{plain(sigma)}**"
    )
    text += "." if threshold == 1 else f" (the threshold is 1/γ = {threshold:g})."
    if fields["refilled"]:
        return f"{text} {REFILLED}"
    if fields["says"] is None or fields["does"] is None:
        return text
    judged = "right" if fields["right"] else "wrong"
    says, does = DOES[fields["says"]], DOES[fields["does"]]
    return f"{text} The rule of thumb says it {says}; it {does}: **rule {judged}**."


def _memory(fields: Mapping[str, Any]) -> str:
    parts = [f"**{steps(half)}** in the {display_name(name)}" for name, _, half in fields["models"]]
    has_comma = any("," in display_name(name) for name, _, _ in fields["models"])
    listed = ("; " if has_comma else ", ").join(parts)
    return f"The gates of a median unit keep half of its memory for {listed}."


ENDS = {Status.ZERO: ", then exactly zero", Status.ROUNDED: ", then rounded to zero"}
SLOPES = {"tanh": "tanh′", "relu": "ReLU′", "logistic": "σ′"}


def _spectrum(fields: Mapping[str, Any]) -> str:
    gated = fields["gate"] != "a"
    block = f"W_h{fields['gate']}" if gated else "W_hh"
    text = (
        f"The {display_name(fields['label'])}'s {block} can stretch at most "
        f"**{factor(fields['sigma_max'])}** in one step and settles to **{factor(fields['rho'])}**."
    )
    if fields["refilled"]:
        return f"{text} {REFILLED}"
    if fields["measured"] is None:
        return text
    end = ENDS.get(fields["reach_status"], "")
    text += f" Measured on this run: **{factor(fields['measured'])}** a step{end}."
    if gated or fields["rest"] is None:
        return text
    slope = SLOPES.get(fields["slope_name"])
    named = [name for name in (slope, *fields.get("also", ())) if name is not None]
    cause = f"{', '.join(named)} and its alignment" if named else "alignment"
    return f"{text} The rest, **{factor(fields['rest'])}**, is {cause}."


MEMORY_GATES = {"f": ("forget", "c"), "z": ("update", "h")}


def _gates(fields: Mapping[str, Any]) -> str:
    gate, state = MEMORY_GATES.get(fields["gate"], (fields["gate"], "s"))
    true, status = fields["true_log10"], fields["true_status"]
    truth = "0 (rounded to zero)" if status == Status.ROUNDED else magnitude(true)
    ratio = fields["ratio_log10"]
    name = display_name(fields["label"])
    owner = f"The median unit of the {name}," if "," in name else f"The median {name} unit"
    return (
        f"{owner} keeps half its memory for **{steps(fields['half_life'])}**; "
        f"**{100 * fields['share_beyond']:.0f} %** of units outlast the {fields['seq_len']}-step "
        f"gap. Product of {gate} gates **{magnitude(fields['product_log10'])}**; the true "
        f"∂{state}_T/∂{state}_0 is **{truth}**"
        + ("." if ratio is None else f": {magnitude(ratio)} times the product.")
    )


TROUBLE = {
    Status.ZERO: "is exactly zero",
    Status.ROUNDED: "was rounded to zero",
    Status.BELOW: "is below 10^−308, where float64 alone would lose it,",
    Status.ABOVE: "is above 10^308, where float64 alone would store infinity,",
    Status.NAN: "is not a number (NaN)",
}


def _trouble(fields: Mapping[str, Any]) -> str:
    """Nothing ("") where there is no trouble."""
    given = [_not_finite(label, place) for label, place in fields.get("given", ())]
    forward = [
        f"The states of the {display_name(label)} overflow at step {step} on the way forward."
        for label, step in fields["forward"]
    ]
    backward = [
        f"The error in the {display_name(label)} {TROUBLE[status]} from step {step} back."
        for label, step, status in fields["models"]
    ]
    return " ".join(given + forward + backward)


def _not_finite(label: str, place: NotFinite) -> str:
    """NaN or infinity that came in, by its place."""
    what = "a NaN" if place.kind == "NaN" else minus(place.kind.replace("inf", "∞"))
    if place.name != "x":
        return f"{place.name} of the {display_name(label)} has {what} at {place.where}."
    t, feature, sequence = place.index
    return (f"The input of the {display_name(label)} has {what} at step {t + 1}, feature "
            f"{feature + 1}, sequence {sequence + 1}.")  # fmt: skip


TEMPLATES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "reach": _reach,
    "rule": _rule,
    "memory": _memory,
    "spectrum": _spectrum,
    "gates": _gates,
    "trouble": _trouble,
}
