"""What rounding takes from the curves of Gradient flow, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.slopes import (
    SATURATES,
    Saturation,
    lost_decades,
    saturation,
    slopes_rounded_to_zero,
)
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import fill, say, texts

VISIBLE = 0.05
"""Decades that can be seen."""


def lost_to_rounding(
    parts: Sequence[LayerTrace], true: Sequence[LayerTrace], flows: Sequence[GradientFlow]
) -> tuple[str, ...]:
    """Where a format makes derivatives 0 that are not: there the true gradient is drawn, or, where
    float64 has lost it too, the curve leaves it out; and where float64 has lost digits."""
    text, said = texts("gradient_flow"), list[str]()
    for part, exact, flow in zip(parts, true, flows, strict=True):
        found = saturation(part.trace) if part.trace.cell.SIMPLE else None
        zero = found is not None and slopes_rounded_to_zero(part.trace, exact.trace)[1:]
        if np.any(zero):
            count = {"count": np.sum(zero), "total": part.trace.seq_len}
            said.append(fill(text["true_of_float32"], name=display_name(part.label), **count))
        elif found and part.trace.h.dtype == np.float64:
            said.append(f"{saturation_words(part.label, found)} {text['saturated_curve']}")
        if lost := _lost_digits(exact, flow):
            said.append(fill(text["lost_digits"], name=display_name(part.label), step=lost))
    return tuple(said)


def _lost_digits(part: LayerTrace, flow: GradientFlow) -> int | None:
    """The step from which on back the curve may be off by more than a line is wide; None if it is
    not."""
    cell = part.trace.cell
    smooth = cell.activation_of(cell.CANDIDATE_GATE).name in SATURATES
    if part.trace.window or not (cell.SIMPLE and smooth):
        return None
    lost = lost_decades(part.trace, flow.state.log10)[1:] > VISIBLE
    return flow.real_step(int(np.flatnonzero(lost)[-1]) + 1) if lost.any() else None


def saturation_words(label: str, found: Saturation) -> str:
    """How many derivatives are 0 in the format alone, and what they are in truth."""
    name, count = display_name(label), {"zeros": f"{found.zeros:,}", "total": f"{found.total:,}"}
    if found.least is None or found.most is None:
        return say("gradient_flow", "saturated_gates", name=name, **count)
    least, most = (minus(f"10^{power:.1f}") for power in (found.least, found.most))
    return say("gradient_flow", "saturated", name=name, least=least, most=most, **count)
