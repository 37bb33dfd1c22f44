"""What the gradient curve is made of: total beside direct, h and c apart. Used by `gradients`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import on_paper
from rnnviz.plots.panels import (
    UNSEEN,
    axes_of,
    axes_suffix,
    axis,
    nothing,
    panel_title,
    placed,
    row_places,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.figures import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow

HEIGHT = 320
MARGIN = {"l": 62, "r": 18, "t": 52, "b": 48}
GAP = 0.03
LINES = {
    "state": ("∂L/∂s", "solid", theme.LINE),
    "h": ("∂L/∂h", "dash", 2.0),
    "c": ("∂L/∂c", "dot", 2.0),
    "direct": ("direct ∂⁺L/∂h", "dashdot", 2.0),
}
"""Of each quantity its name, dash and width. `direct` is grey, the others in the model's colour."""


@FigureFunction
def flow_detail_figure(
    flows: Sequence[GradientFlow],
    *,
    y_range: tuple[float, float] = (-26.0, 4.0),
    styles: Styles | None = None,
) -> Drawing:
    """log10 of ‖∂L/∂s_t‖, ‖∂L/∂h_t‖, ‖∂L/∂c_t‖ and of the direct ‖∂⁺L/∂h_t‖, one panel a model.

    All four are relative to the model's own ‖∂L/∂s_T‖, on one y axis. Where the total lies far
    above the direct line, the error came from later steps; a total kept up by the direct line is
    refilled, not carried. What is no number runs along the floor or the ceiling.

    Examples
    --------
    >>> flows = [analysis.gradient_flow(trace, label) for label, trace in traces.items()]
    >>> type(plots.flow_detail_figure(flows)).__name__
    'Figure'
    """
    known = theme.styles_for([flow.label for flow in flows], styles)
    layout: Piece = {"height": HEIGHT, "margin": MARGIN}
    if not flows:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_model"))}, "flow-detail")
    data: list[Piece] = []
    titles: list[Piece] = []
    for index, (flow, place) in enumerate(zip(flows, row_places(len(flows), GAP), strict=True)):
        suffix = axes_suffix(index)
        axes = axes_of(suffix)
        data += [{**piece, **axes} for piece in _lines(flow, known[flow.label], y_range)]
        titles.append(_title(known[flow.label], place[0], len(flows)))
        layout |= placed(_x_axis(flow), _y_axis(y_range, suffix), suffix, place)
    above = {"xanchor": "left", "yanchor": "bottom", "yshift": 26}
    key = on_paper(caption("detail_key"), 0, 1, font={"size": theme.NOTE_SIZE}, **above)
    layout["annotations"] = [key, *titles]
    return drawing(data, layout, "flow-detail")


def _lines(flow: GradientFlow, style: theme.Style, y_range: tuple[float, float]) -> list[Piece]:
    reference = curves.relative(flow.state).reference
    pieces: list[Piece] = []
    slots = dict.fromkeys((*curves.ON_FLOOR, *curves.ON_CEILING), 0)
    for quantity, (name, dash, width) in LINES.items():
        curve = getattr(flow, quantity)
        if curve is None:
            continue
        colour = theme.GREY if quantity == "direct" else style.colour
        look = replace(style, name=name, detail="", where="", dash=dash, colour=colour)
        line = curves.relative(curve, reference, flow.direction == 1)
        pieces += curves.lines(line, look, width)
        for status in [s for s in slots if (line.special == s).any()]:
            level = _level(status, sum(slots.values()), y_range)
            slots[status] += 1
            pieces += curves.rail(line, status, level, look)
    return pieces


def _level(status: Status, slot: int, y_range: tuple[float, float]) -> float:
    low, high = y_range
    share = (high - low) * (0.025 + 0.04 * slot)
    return low + share if status in curves.ON_FLOOR else high - share


def _title(style: theme.Style, start: float, count: int) -> Piece:
    text = f"<b>{style.name}</b>"
    if style.small:
        small = theme.plain(style.small, 120 // count)
        text += f" <span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start, size=theme.AXIS_SIZE)


def _x_axis(flow: GradientFlow) -> Piece:
    last = len(flow.state.log10) - 1
    pad = 0.5 if last == 1 else 0.012 * (last - 1)
    return axis(
        caption("time_step"), range=[max(1 - pad, 0.5), last + pad], showgrid=False, nticks=6
    )


def _y_axis(y_range: tuple[float, float], suffix: str) -> Piece:
    shared: Piece = {"range": list(y_range)}
    if not suffix:
        return axis("log<sub>10</sub>, ‖∂L/∂s<sub>T</sub>‖ = 0", **shared)
    return {**shared, "matches": "y", "showticklabels": False, "ticks": ""}
