"""Every unit's gradient as a picture, unit × time, on one colour scale for all models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, theme
from rnnviz.plots.cells import (
    CELLS,
    SPECIAL_COLOURS,
    Cells,
    magnitude_scale,
    panel_traces,
    thinned,
)
from rnnviz.plots.curves import status_words
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    UNSEEN,
    axes_of,
    axes_suffix,
    nothing,
    panel_title,
    placed,
    row_places,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import text_width
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow

HEIGHT = 140
MARGIN = {"l": 54, "r": 98, "t": 24, "b": 24}
GAP = 22.0
TICK_ROOM = 40
"""Pixels for a tick's number and the gap beside it."""
WIDE = 7.3
"""Pixels a small character is wide, on average."""
SECOND_LINE = 20
CROWDED = 4
"""From so many panels on a title has two short lines."""


@FigureFunction
def unit_heatmaps(
    flows: Sequence[GradientFlow],
    *,
    y_range: tuple[float, float] = (-26.0, 4.0),
    styles: Styles | None = None,
) -> Drawing:
    """log10 |∂L/∂h| of every unit at steps 1..T, one panel a model, one colour scale for all.

    The reference is the one of `flow_figure`: each model's own ‖∂L/∂s_T‖, so a colour means here
    what a height means there. Units keep their order. What lies outside `y_range` takes the
    colour of its end; a cell without a number takes a colour that is not on the scale. Beyond
    `CELLS` in all, every n-th unit and the largest value of each few steps are drawn.

    Examples
    --------
    >>> flows = [analysis.gradient_flow(trace, label) for label, trace in traces.items()]
    >>> [trace.type for trace in plots.unit_heatmaps(flows).data]
    ['heatmap', 'heatmap', 'heatmap']
    """
    known = theme.styles_for([flow.label for flow in flows], styles)
    budget = CELLS // max(len(flows), 1)
    cells = [_cells(flow, budget) for flow in flows]
    data: list[Piece] = []
    for index, (flow, part) in enumerate(zip(flows, cells, strict=True)):
        rows = {**axes_of(axes_suffix(index)), "y0": 1, "dy": part.units_each}
        scale = {"coloraxis": "coloraxis"}
        data += panel_traces(part, rows, known[flow.label].title, "10<sup>%{z:.1f}</sup>", scale)
    layout = _layout(flows, cells, known)
    layout["coloraxis"] = magnitude_scale(y_range)
    if not flows:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_model"))}, "units")
    return drawing(data, layout, "units")


def _cells(flow: GradientFlow, budget: int) -> Cells:
    reference = curves.relative(flow.state).reference
    order = slice(None, 0, -1) if flow.direction else slice(1, None)
    log10 = np.asarray(flow.units, dtype=np.float64)[:, order]
    status = np.asarray(flow.units_status)[:, order]
    finite = np.isfinite(log10) & (status <= Status.ABOVE)
    values = np.where(finite, log10 - reference, np.nan)
    return thinned(values, np.where(finite, -1, status), budget)


def _layout(flows: Sequence[GradientFlow], cells: Sequence[Cells], styles: Styles) -> Piece:
    count = max(len(flows), 1)
    width = theme.WIDTH - MARGIN["l"] - MARGIN["r"]
    alike = len({(len(part.special), part.units_each) for part in cells}) < 2
    gap = GAP if alike else MARGIN["l"]
    panel = (width - gap * (count - 1)) / count
    places = row_places(count, gap / width)
    lines = 2 if count >= CROWDED and any(styles[flow.label].small for flow in flows) else 1
    margin = {**MARGIN, "t": MARGIN["t"] + (lines - 1) * SECOND_LINE}
    layout: dict[str, Any] = {"height": HEIGHT, "margin": margin}
    layout["annotations"] = [scale_title("log<sub>10</sub>|∂L/∂h|", MARGIN["r"])]
    ticks = min(6, max(3, int(panel // TICK_ROOM)))
    for index, (flow, part) in enumerate(zip(flows, cells, strict=True)):
        x, y = _ticks(part.special.shape[1], ticks), _y_axis(part, index == 0 or not alike)
        layout |= placed(x, y, axes_suffix(index), places[index])
        room = panel if index + 1 < count else panel - 24
        title = _title if count < CROWDED else _short_title
        layout["annotations"].append(title(styles[flow.label], part, places[index][0], room))
    return layout


def _ticks(cells: int, count: int) -> Piece:
    small = {"tickfont": {"size": theme.SMALL_SIZE}, "showgrid": False, "ticklen": 3}
    return {**small, **({"dtick": 1} if cells < count else {"nticks": count})}


def _y_axis(cells: Cells, own: bool) -> Piece:
    """own: whether it has numbers of its own, not those of the first panel."""
    ticks = _ticks(cells.special.shape[0], 4)
    if not own:
        return {**ticks, "showticklabels": False, "ticks": ""}
    rows = caption("unit")
    if cells.units_each > 1:
        rows = caption("one_unit_in", count=cells.units_each)
    title = {"text": rows, "font": {"size": theme.SMALL_SIZE}, "standoff": 2}
    return {**ticks, "title": title}


def _title(style: theme.Style, cells: Cells, start: float, room: float) -> Piece:
    """The model's name, and what its cells without a number are, as long as there is room."""
    name, detail = style.name, style.small
    marks = [(SPECIAL_COLOURS[s], status_words(s), curves.SIGNS[s]) for s in cells.found]
    left = room - 11 * text_width(name) - 6
    words = sum(WIDE * (text_width(word) + 3) for _, word, _ in marks)
    short = words > left - WIDE * min(text_width(detail), 12)
    notes = [
        f"<span style='color:{c}'>■</span> {sign if short else word}" for c, word, sign in marks
    ]
    left -= sum(WIDE * (text_width(sign if short else word) + 3) for _, word, sign in marks)
    detail = theme.short(detail, max(int(left / WIDE), 1)) if detail else ""
    small = "  ".join([part for part in (detail, *notes) if part])
    text = f"<b>{name}</b>  <span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start)


def _short_title(style: theme.Style, cells: Cells, start: float, room: float) -> Piece:
    """The same for a narrow panel: the name and signs, what sets the model apart below it."""
    signs = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span>" for s in cells.found]
    text = " ".join([f"<b>{style.name}</b>", *signs])
    if style.small:
        small = theme.short(style.small, int((room + GAP) / WIDE))
        text += f"<br><span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start, align="left")
