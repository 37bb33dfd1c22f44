"""What the gradient curve is made of: total beside direct, h and c apart. Used by `gradients`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import on_paper
from rnnviz.plots.panels import (
    UNSEEN,
    axes_of,
    axes_suffix,
    axis,
    counted,
    nothing,
    panel_title,
    placed,
    row_places,
)
from rnnviz.plots.rails import Bands, Drawn, tracks
from rnnviz.plots.theme import Styles
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow

HEIGHT = 320
MARGIN = {"l": 62, "r": 18, "t": 52, "b": 48}
GAP = 0.03
RAIL = 12
"""Pixels of a rail, which has no words here."""
LINES = {
    "state": ("∂L/∂s", "solid"),
    "h": ("∂L/∂h", "dash"),
    "c": ("∂L/∂c", "dot"),
    "direct": ("", "dashdot"),
}
"""Of each quantity its name, unless that is words, and dash. `direct` is grey, the others in the
model's colour."""
PART = 2.0
"""Width of all but the total."""


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
    refilled, not carried. What is no number runs on rails below or above the numbers.

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
    panels = [_drawn(flow, known[flow.label]) for flow in flows]
    bands = _bands(panels, y_range)
    shapes: list[Piece] = []
    for index, (flow, place) in enumerate(zip(flows, row_places(len(flows), GAP), strict=True)):
        suffix = axes_suffix(index)
        axes = axes_of(suffix)
        data += [{**piece, **axes} for piece in _lines(panels[index], bands)]
        titles.append(_title(known[flow.label], place[0], len(flows)))
        shapes += bands.shapes(axes["xaxis"])
        layout |= placed(_x_axis(flow), _y_axis(bands, suffix), suffix, place)
    above = {"xanchor": "left", "yanchor": "bottom", "yshift": 26}
    key = on_paper(caption("detail_key"), 0, 1, font={"size": theme.NOTE_SIZE}, **above)
    layout |= {"annotations": [*titles, key], "shapes": shapes}
    return drawing(data, layout, "flow-detail")


def _drawn(flow: GradientFlow, style: theme.Style) -> list[tuple[theme.Style, curves.Relative]]:
    """A line for each quantity that the model has, relative to its own error at the last step."""
    reference, found = curves.relative(flow.state).reference, []
    for quantity, (name, dash) in LINES.items():
        if (curve := getattr(flow, quantity)) is not None:
            colour = theme.GREY if quantity == "direct" else style.colour
            own = name or caption("name_direct")
            look = replace(style, name=own, detail="", where="", dash=dash, colour=colour)
            found.append((look, curves.relative(curve, reference, flow.direction == 1)))
    return found


def _bands(panels: Sequence[Drawn], y_range: tuple[float, float]) -> Bands:
    """Room for the most rails of any panel, as all share one axis."""
    floor, ceiling = (
        max(len(tracks(drawn, statuses)) for drawn in panels)
        for statuses in (curves.ON_FLOOR, curves.ON_CEILING)
    )
    return Bands(y_range, floor, ceiling, HEIGHT - MARGIN["t"] - MARGIN["b"], RAIL)


def _lines(drawn: Drawn, bands: Bands) -> list[Piece]:
    pieces = []
    for style, line in drawn:
        pieces += curves.lines(line, style, theme.LINE if style.dash == "solid" else PART)
    for statuses in (curves.ON_FLOOR, curves.ON_CEILING):
        for slot, (index, status) in enumerate(tracks(drawn, statuses)):
            style, line = drawn[index]
            pieces += curves.rail(line, status, bands.level(status, slot), style)
    return pieces


def _title(style: theme.Style, start: float, count: int) -> Piece:
    text = f"<b>{style.name}</b>"
    if style.small:
        small = theme.short(style.small, 120 // count)
        text += f" <span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start, size=theme.AXIS_SIZE)


def _x_axis(flow: GradientFlow) -> Piece:
    last = len(flow.state.log10) - 1
    pad = 0.5 if last == 1 else 0.012 * (last - 1)
    return axis(
        caption("time_step"),
        range=[max(1 - pad, 0.5), last + pad],
        showgrid=False,
        **counted(last, 6),
    )


def _y_axis(bands: Bands, suffix: str) -> Piece:
    shared: Piece = {"range": list(bands.y_range), **bands.ticks}
    if not suffix:
        return axis("log<sub>10</sub>, ‖∂L/∂s<sub>T</sub>‖ = 0", **shared)
    return {**shared, "matches": "y", "showticklabels": False, "ticks": ""}
