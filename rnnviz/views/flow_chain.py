"""One model unrolled above the curves of Gradient flow: what is left of its error at each step, and
what the step that brought it there did to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.step_factors import StepFactors
from rnnviz.core import Cell, Trace
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots import step_factors as plots
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import counted
from rnnviz.wording.remarks import refusal_words
from rnnviz.wording.texts import say, texts

NONE = "none"
"""Stands in a list of models for no chain."""
HIGH = 47
"""Pixels that it takes on the page, with the gap below it."""
NODES = 120
"""Of longer runs a node is a few steps."""
SECONDS = 0.25
"""What splitting the steps may take unasked, by the estimate of `limits`."""
DIGITS = 4
MARKS = {
    Status.ZERO: "zero",
    Status.ROUNDED: "rounded",
    Status.BELOW: "below",
    Status.ABOVE: "above",
    Status.NAN: "nan",
    Status.NOT_RECORDED: "not_recorded",
    Status.LOST: "lost",
}
"""What is to be said of a node that is not simply a number."""
INFINITE = "infinite"
"""And of one above all that float64 holds, whose logarithm is infinite, too."""
LATER, UNASKED = "later", "unasked"
Number = float | None
Split = Callable[[LayerTrace], StepFactors]


@dataclass(frozen=True, eq=False)
class Chain:
    """label: of the layer; each: steps of a node. steps (n,): the input's step of each node, in the
    order in which the layer reads; the error comes to the last one first. decades (n,): log10 of
    its size relative to where it begins; marks (n,): a value of `MARKS`, `INFINITE`, or "". start:
    the node at which it begins. change (n − 1,): decades of the step to a node from the next one,
    the mean where a node is several; parts: name -> the factors of the same steps in decades, or
    the shares of its paths. refilled (n − 1,): at how many of these steps nothing passes and all
    error has just entered, so that there are no factors; 0 beside shares. missing: "" or why there
    are no parts: `LATER`, when a knob rests; `UNASKED`, where they take long. refusal: the sentence
    that stands in place of all of it."""

    label: str
    style: theme.Style
    each: int
    steps: tuple[int, ...] = ()
    decades: tuple[Number, ...] = ()
    marks: tuple[str, ...] = ()
    start: int = 0
    change: tuple[Number, ...] = ()
    kind: str = ""
    names: tuple[str, ...] = ()
    parts: Mapping[str, tuple[Number, ...]] | None = None
    refilled: tuple[int, ...] = ()
    missing: str = ""
    refusal: str = ""

    def data(self, decades: tuple[float, float]) -> dict[str, Any]:
        """What a browser draws it from. decades: those of the curves' axis, which it shares."""
        parts = (self.parts or {}).items()
        return {
            "title": display_name(self.label),
            "colour": self.style.colour,
            "each": self.each,
            "steps": self.steps,
            "decades": self.decades,
            "marks": self.marks,
            "start": self.start,
            "change": self.change,
            "kind": self.kind,
            "parts": [
                {"name": said, "key": key, "colour": theme.PARTS[key], "values": values}
                for said, (key, values) in zip(self.names, parts, strict=True)
            ],
            "refilled": self.refilled,
            "missing": self.missing,
            "refusal": self.refusal,
            "range": decades,
        }


def chosen(labels: Sequence[str], wanted: str) -> str:
    """The model whose chain is shown: the first where another one is gone; "" for none."""
    return "" if wanted == NONE else wanted if wanted in labels else next(iter(labels), "")


def one_way(cell: Cell) -> bool:
    """Whether all error of a step goes through W_hh behind one nonlinearity: then its factors cost
    no more than a norm, and a page may have them at every move."""
    return cell.SIMPLE and not cell.other_ways


def chain(
    parts: Sequence[LayerTrace],
    flows: Sequence[GradientFlow],
    styles: Mapping[str, theme.Style],
    model: str,
    split: Split,
    made: Collection[str] = (),
    moving: bool = False,
) -> Chain | None:
    """That of a model's layer in front; of the first one where the model has none there. split:
    what splits the steps of a layer; made: labels of those whose steps are split already; moving: a
    knob does, so that costly ones wait."""
    if not parts:
        return None
    at = next((k for k, part in enumerate(parts) if part.model == model), 0)
    part, flow = parts[at], flows[at]
    style, each = styles[part.label], plots.bar_steps(flow.seq_len, NODES)
    if flow.window:
        name, window = display_name(part.label), counted(flow.window, "steps")
        said = say("gradient_flow", "why_truncated", name=name, window=window)
        return Chain(part.label, style, each, refusal=said)
    missing = "" if part.label in made else _missing(part.trace, moving)
    try:
        found = None if missing else split(part)
    except ValueError as refusal:
        said = refusal_words(part.label, refusal)
        return Chain(part.label, style, each, refusal=said)
    return _of(flow, style, each, found, missing)


def _missing(trace: Trace, moving: bool) -> str:
    if one_way(trace.cell):
        return ""
    cost = limits.paths_cost(trace.cell, trace.seq_len, trace.batch_size)
    return LATER if moving else UNASKED if cost.seconds > SECONDS else ""


def _of(
    flow: GradientFlow, style: theme.Style, each: int, split: StepFactors | None, missing: str
) -> Chain:
    curve, T = curves.relative(flow.state), flow.seq_len
    starts = np.arange(1, T, each)
    ends = np.append(starts, T)  # own steps of the nodes
    stacked = {} if split is None else plots.stacked(split)
    found = {name: values[:T] for name, values in stacked.items() if _drawn(values)}
    by_factors = split is not None and not split.shares
    refilled = split.refilled[:T] if split is not None and by_factors else np.zeros(T, bool)
    return Chain(
        label=flow.label,
        style=style,
        each=each,
        steps=tuple(flow.real_step(ends).tolist()),
        decades=_numbers(curve.values[ends - 1]),
        marks=_marks(curve.status[ends - 1], curve.values[ends - 1]),
        start=int(np.searchsorted(ends, flow.reach_from)),
        change=_means(_change(flow), starts),
        kind="" if split is None else "shares" if split.shares else "factors",
        names=() if split is None else tuple(plots.part_name(split, name) for name in found),
        parts={name: _means(values, starts) for name, values in found.items()},
        refilled=tuple(np.add.reduceat(refilled, starts, dtype=int).tolist()) if T > 1 else (),
        missing=missing,
    )


def _marks(status: Array, values: Array) -> tuple[str, ...]:
    found = (MARKS.get(Status(each), "") for each in status)
    pairs = zip(found, np.isfinite(values), strict=True)
    return tuple(INFINITE if m == "above" and not known else m for m, known in pairs)


def _change(flow: GradientFlow) -> Array:
    """Decades of each step from t to t − 1, (T,); NaN where no error is, or no number."""
    log10 = np.asarray(flow.state.log10, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        change = log10[:-1] - log10[1:]
    change[flow.reach_from :] = np.nan
    change[~np.isfinite(log10[1:])] = np.nan
    return np.asarray(change)


def _drawn(values: Array) -> bool:
    """Whether there is a bar of it anywhere, as in the panels."""
    return bool(np.nan_to_num(values[1:]).any())


def _means(values: Array, starts: Array) -> tuple[Number, ...]:
    return _numbers(plots.means(values, starts)) if len(starts) else ()


def _numbers(values: Array) -> tuple[Number, ...]:
    """None where there is none: JSON has no NaN."""
    rounded = np.round(np.asarray(values, dtype=np.float64), DIGITS).tolist()
    return tuple(value if isfinite(value) else None for value in rounded)


def words() -> dict[str, str]:
    """What the browser fills its numbers into, in the language that is spoken."""
    return {**texts("flow_chain"), "sentences": texts("lists")["sentences"]}


def hint(each: int) -> str:
    """How to read it, where no step is chosen."""
    nodes = say("flow_chain", "each", count=each) if each > 1 else ""
    return sentences((texts("flow_chain")["hint"], nodes))
