"""Where an implementation of one's own differs, in one sentence."""

from __future__ import annotations

from rnnviz.analysis.comparison import FORWARD, Comparison, Difference
from rnnviz.wording.numbers import general

CALLED = {
    "gates": "the value of a gate",
    "h": "h",
    "c": "c",
    "d_h": "∂L/∂h",
    "d_c": "∂L/∂c",
    "d_x": "∂L/∂x",
    "d_gates": "∂L/∂(pre-activation)",
}


def comparison_words(comparison: Comparison) -> str:
    """What differs first and by how much, and how much else does."""
    first, names = comparison.first, ", ".join(comparison.compared)
    if first is None:
        return f"Nothing differs by more than {general(comparison.rtol, 2)} of itself: {names}."
    others = len(comparison.differences) - 1
    more = f" {others} more differ after it." if others else ""
    return f"{_first(first)}{more}"


def _first(d: Difference) -> str:
    what = CALLED.get(d.name, f"∂L/∂{d.name}")
    gate = f", gate {d.gate}" * bool(d.gate)
    where = ""
    if d.step is not None:
        where = f", step {d.step}" + (", the first on the way back" * (d.name not in FORWARD))
    at = ", ".join(str(i) for i in d.index)
    size = (
        "where it should be 0"
        if d.relative == float("inf")
        else f"{general(100 * d.relative, 3)} %"
    )
    return (f"First to differ: {what}{gate}{where}: by {size}; most at [{at}], "
            f"{general(d.theirs)} for {general(d.ours)}.")  # fmt: skip
