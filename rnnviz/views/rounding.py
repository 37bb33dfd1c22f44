"""What rounding takes from the curves of Gradient flow, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.lost_digits import moved_by_rounding
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.slopes import (
    Saturation,
    saturation,
    slopes_rounded_to_zero,
)
from rnnviz.core.layers import Traces
from rnnviz.core.numerics import Status
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import fill, say, texts

VISIBLE = 0.05
"""Decades that can be seen."""


def lost_to_rounding(
    parts: Sequence[LayerTrace], true: Sequence[LayerTrace], flows: Sequence[GradientFlow]
) -> tuple[str, ...]:
    """Where a format makes derivatives 0 that are not: there the true gradient is drawn; and where
    digits are lost."""
    text, said = texts("gradient_flow"), list[str]()
    for part, exact, flow in zip(parts, true, flows, strict=True):
        found = saturation(part.trace) if part.trace.cell.SIMPLE else None
        zero = found is not None and slopes_rounded_to_zero(part.trace, exact.trace)[1:]
        if np.any(zero):
            count = {"count": np.sum(zero), "total": part.trace.longest}
            about = {"name": display_name(part.label), "format": str(part.trace.h.dtype)}
            said.append(fill(text["true_of_format"], **about, **count))
        elif found:
            said.append(sentences([saturation_words(part.label, found), text["saturated_curve"]]))
        if lost := _first_lost(flow):
            kind = "lost_digits_on" if flow.direction else "lost_digits"
            said.append(fill(text[kind], name=display_name(part.label), step=lost))
    return tuple(said)


def marked(flow: GradientFlow, layers: Traces, direction: int) -> GradientFlow:
    """With `Status.LOST` where rounding may have moved the curves by more than can be seen. layers:
    that of the flow and all above it, with true derivatives."""
    lost = _lost(layers, direction, flow.state.log10)
    if not lost.any():
        return flow
    state, h = _marked(flow.state, lost), _marked(flow.h, lost)
    c = None if flow.c is None else _marked(flow.c, lost)
    reached = Status.LOST if state.status[1] == Status.LOST else flow.reach_status
    return replace(flow, state=state, h=h, c=c, reach_status=reached)


def _marked(curve: Curve, lost: np.ndarray) -> Curve:
    status = np.where(lost & np.isfinite(curve.log10), Status.LOST, curve.status)
    return Curve(curve.log10, status.astype(np.int8))


def _lost(layers: Traces, direction: int, log10: np.ndarray) -> np.ndarray:
    """At which points of the curve, (T+1,) of bool."""
    if layers[0][direction].window:
        return np.zeros(len(log10), bool)
    return moved_by_rounding(layers, direction)[: len(log10)] > VISIBLE


def _first_lost(flow: GradientFlow) -> int | None:
    """The step from which on back digits are lost; None if nowhere."""
    steps = np.flatnonzero(flow.state.status[1:] == Status.LOST)
    return flow.real_step(int(steps[-1]) + 1) if len(steps) else None


def saturation_words(label: str, found: Saturation) -> str:
    """How many derivatives are 0 in the format alone, and what they are in truth."""
    name, count = display_name(label), {"zeros": f"{found.zeros:,}", "total": f"{found.total:,}"}
    if found.least is None or found.most is None:
        return say("gradient_flow", "saturated_gates", name=name, **count)
    least, most = (minus(f"10^{power:.1f}") for power in (found.least, found.most))
    return say("gradient_flow", "saturated", name=name, least=least, most=most, **count)
