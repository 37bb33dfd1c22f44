"""Where numbers stop being ordinary ones, in words."""

from __future__ import annotations

from rnnviz.analysis.trouble import Trouble, Troubles
from rnnviz.core.numerics import Status
from rnnviz.core.places import NotFinite
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import say

KINDS = {
    Status.ZERO: "zero",
    Status.ROUNDED: "rounded",
    Status.BELOW: "below",
    Status.ABOVE: "above",
    Status.NAN: "nan",
}


def trouble_words(found: Troubles) -> str:
    """What came in first, then what became of it; nothing ("") where there is no trouble."""
    exploded = dict((*found.forward, *found.below))
    return sentences(
        [
            *(_not_finite(label, place) for label, place in found.given),
            *(_at("overflow", label, step) for label, step in found.forward),
            *(_at("below_explodes", label, step) for label, step in found.below),
            *(_backward(one, one.label in exploded) for one in found.backward),
        ]
    )


def _at(name: str, label: str, step: int) -> str:
    return say("verdicts", name, model=display_name(label), step=step)


def _backward(one: Trouble, exploded: bool) -> str:
    kind = f"trouble_{KINDS[one.status]}"
    kind = f"{kind}_exploded" if exploded and one.status == Status.NAN else kind
    where = "steps_on" if one.direction else "steps_back"
    where = where if one.steps == one.total else f"some_{where}"
    count, total = f"{one.steps:,}", f"{one.total:,}"
    said = say("verdicts", where, step=one.step, count=count, total=total)
    return say("verdicts", kind, model=display_name(one.label), where=said)


def _not_finite(label: str, place: NotFinite) -> str:
    """NaN or infinity that came in, by its place."""
    name, what = display_name(label), minus(place.kind.replace("inf", "∞"))
    if place.name != "x":
        values = {"parameter": place.name, "what": what, "where": place.where}
        return say("verdicts", "bad_parameter", model=name, **values)
    step, feature, sequence = (i + 1 for i in place.index)
    at = {"step": step, "feature": feature, "sequence": sequence}
    return say("verdicts", "bad_input", model=name, what=what, **at)
