"""Where an implementation of one's own differs, in one sentence."""

from __future__ import annotations

import math

from rnnviz.analysis.comparison import FORWARD, Comparison, Difference
from rnnviz.wording.lists import names as listed
from rnnviz.wording.lists import sentences
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import say, texts


def comparison_words(comparison: Comparison) -> str:
    """What differs first and by how much, and how much else does."""
    first, names = comparison.first, listed(comparison.compared)
    if first is None:
        return say("comparison", "nothing", limit=general(comparison.rtol, 2), names=names)
    others = len(comparison.differences) - 1
    more = [say("comparison", "more", count=others)] if others else []
    return sentences([_first(first), *more])


def _first(d: Difference) -> str:
    key = "first" if math.isfinite(d.relative) else "first_value"
    return say(
        "comparison",
        key,
        what=_place(d),
        percent=general(100 * d.relative, 3),
        index=", ".join(map(str, d.index)),
        theirs=general(d.theirs),
        ours=general(d.ours),
    )


def _place(d: Difference) -> str:
    """Which array, gate and step."""
    name = d.name.removeprefix("d_")
    what = name if d.name in ("h", "c") else say("comparison", "gradient", name=name)
    if d.name in ("gates", "d_gates"):
        what = texts("comparison")[d.name]
    if d.gate:
        what = say("comparison", "gate", what=what, gate=d.gate)
    if d.step is None:
        return what
    way = "step" if d.name in FORWARD else "step_back"
    return say("comparison", way, what=what, step=d.step)
