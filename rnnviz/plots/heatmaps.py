"""Matrices as pictures, unit × time, on one colour scale for all models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots.curves import status_words
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    axes_of,
    axes_suffix,
    colour_scale,
    nothing,
    panel_title,
    placed,
    row_places,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.figures import caption
from rnnviz.wording.lists import listed, said_of, text_width
from rnnviz.wording.numbers import minus

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow

MOST_STEPS = 300
SPECIAL_COLOURS = {
    Status.ZERO: theme.EXACT_ZERO,
    Status.ROUNDED: theme.ROUNDED_ZERO,
    Status.ABOVE: theme.INFINITE,
    Status.NAN: theme.NOT_A_NUMBER,
    Status.NOT_RECORDED: "rgba(128,136,144,0.15)",
}
HEIGHT = 140
MARGIN = {"l": 54, "r": 98, "t": 24, "b": 24}
GAP = 22.0
TICK_ROOM = 40
"""Pixels for a tick's number and the gap beside it."""
TICK_GAP = 0.2
"""Share of the colour bar that two of its numbers are apart at least."""
CELLS = 19_200
"""Cells a figure sends at most, over all its panels."""
WIDE = 7.3
"""Pixels a small character is wide, on average."""
SECOND_LINE = 20
CROWDED = 4
"""From so many panels on a title has two short lines."""
EMPTY: Piece = {"type": "scatter", "x": [1], "y": [1], "opacity": 0, "hoverinfo": "skip"}


@dataclass(frozen=True)
class Cells:
    """A unit × step matrix, thinned to what a screen shows.

    values (units, steps): NaN where there is no number; special, of the same shape: there a
    Status, elsewhere −1. units_each, steps_each: how many of the matrix's own one cell stands for;
    kept: which of these steps' values it shows, a key of `KEEP`.
    """

    values: Array
    special: Array
    units_each: int
    steps_each: int
    kept: str = "largest"

    @property
    def first_step(self) -> float:
        return 1 + (self.steps_each - 1) / 2

    @property
    def found(self) -> list[Status]:
        """The kinds of cells without a number."""
        return [Status(int(code)) for code in np.unique(self.special) if code >= 0]


def steps_each(steps: int) -> int:
    """How many steps a column of a picture stands for."""
    return -(-steps // MOST_STEPS)


def column_words(steps: int, kept: str = "largest") -> str:
    """What one column of a picture is, as a part of a sentence."""
    each = steps_each(steps)
    return caption("column") if each == 1 else caption(f"columns_{kept}", count=each)


def _largest(values: Array, starts: Array) -> Array:
    return np.fmax.reduceat(values, starts, axis=1)


def _smallest(values: Array, starts: Array) -> Array:
    return np.fmin.reduceat(values, starts, axis=1)


def _furthest(values: Array, starts: Array) -> Array:
    high, low = _largest(values, starts), _smallest(values, starts)
    return np.where(-low > high, low, high)


KEEP = {"largest": _largest, "smallest": _smallest, "furthest": _furthest}
"""What a cell keeps of several steps: the extreme that matters. Of magnitudes the largest, of what
a memory gate keeps the smallest, of signed values the one that is furthest from 0."""


def specials(values: Array) -> Array:
    """What each value is that is no number, −1 where it is one."""
    infinite = np.where(np.isinf(values), Status.ABOVE, -1)
    return np.where(np.isnan(values), Status.NAN, infinite)


def thinned(values: Array, special: Array, budget: int, kept: str = "largest") -> Cells:
    """At most about `budget` cells: every n-th unit, one of each few steps as `KEEP` says."""
    units, steps = values.shape
    across = steps_each(steps)
    down = -(-units * -(-steps // across) // budget)
    if across == down == 1:
        return Cells(values, special, 1, 1)
    starts = np.arange(0, steps, across)
    shown = KEEP[kept](values[::down], starts)
    codes = np.maximum.reduceat(special[::down], starts, axis=1)
    empty = ~np.isfinite(shown)
    shown = np.where(empty, np.nan, shown)
    return Cells(shown, np.where(empty, codes, -1), down, across, kept)


def layers(
    cells: Cells,
    where: Piece,
    name: str,
    hover: str,
    colours: Piece,
    digits: int = 1,
    row: str | None = None,
    column: str | None = None,
    words: Callable[[Status], str] = status_words,
) -> list[Piece]:
    """The traces of a panel. `where` says axes and rows (`y`, or `y0` and `dy`), `hover` how to
    write z, `row` what a row is, `column` what a column is (a time step unless given), `colours`
    the scale, `words` what a kind of cell without a number is called. Values are rounded to the
    decimal digits that `hover` shows: their bytes pack well, and what is read is the value, rounded
    once."""
    across = cells.steps_each
    grid = {"type": "heatmap", "name": name, "x0": cells.first_step, "dx": across, **where}
    backdrop = _backdrop(cells, grid, name, words)
    if np.isnan(cells.values).all():
        return backdrop
    name = f"{name}, {row or caption('unit_hover')}"
    step = caption("step_hover")
    if across > 1:
        step = caption(f"cell_{cells.kept}", count=across)
    text = said_of(listed([name, column or step]), hover) + "<extra></extra>"
    z = _packed(cells.values, digits)
    return [*backdrop, {**grid, "z": z, "hoverongaps": False, "hovertemplate": text, **colours}]


def _packed(values: Array, digits: int) -> Array:
    """Rounded to decimal digits in float32; as they are where float32 could not hold them."""
    if np.nanmax(np.abs(values)) > np.finfo(np.float32).max / 10**digits:
        return values
    return np.round(values, digits).astype(np.float32)


def _backdrop(cells: Cells, grid: Piece, name: str, words: Callable[[Status], str]) -> list[Piece]:
    """What the cells without a number are, seen through the gaps that their NaN leaves in the
    panel above. One wide cell, or one a row, if they are of one kind and all gaps are theirs."""
    found = cells.found
    if not found:
        return []
    word = words(found[0]) if len(found) == 1 else caption("see_title")
    limits = {"zmin": -0.5, "zmax": len(Status) - 0.5}
    colours = {"colorscale": _codes(), "showscale": False, **limits}
    hover = {"hovertemplate": said_of(name, word) + "<extra></extra>"}
    blank = np.isnan(cells.values) & (cells.special < 0)
    if len(found) == 1 and not blank.any():
        rows, columns = cells.special.shape
        wide = {**grid, "x0": grid["x0"] + grid["dx"] * (columns - 1) / 2}
        wide |= {"dx": grid["dx"] * columns, **colours, **hover}
        if "y" in grid:  # named rows: a cell cannot span them
            return [{**wide, "z": np.full((rows, 1), found[0], np.int8)}]
        high = {"y0": grid["y0"] + grid["dy"] * (rows - 1) / 2, "dy": grid["dy"] * rows}
        return [{**wide, **high, "z": np.array([[found[0]]], np.int8)}]
    return [{**grid, "z": cells.special.astype(np.int8), **colours, **hover}]


def _codes() -> list[tuple[float, str]]:
    """A scale of plain steps: code k of `Status` has the colour of SPECIAL_COLOURS[k]."""
    steps = []
    for code in Status:
        colour = SPECIAL_COLOURS.get(code, "rgba(0,0,0,0)")
        steps += [(code / len(Status), colour), ((code + 1) / len(Status), colour)]
    return steps


@FigureFunction
def unit_heatmaps(
    flows: Sequence[GradientFlow],
    *,
    y_range: tuple[float, float] = (-26.0, 4.0),
    styles: Styles | None = None,
    most_cells: int = CELLS,
) -> Drawing:
    """log10 |∂L/∂h| of every unit at steps 1..T, one panel a model, one colour scale for all.

    The reference is the one of `flow_figure`: each model's own ‖∂L/∂s_T‖, so a colour means here
    what a height means there. Units keep their order. What lies outside `y_range` takes the
    colour of its end; a cell without a number takes a colour that is not on the scale. Beyond
    `most_cells` in all, every n-th unit and the largest value of each few steps are drawn.

    Examples
    --------
    >>> flows = [analysis.gradient_flow(trace, label) for label, trace in traces.items()]
    >>> [trace.type for trace in plots.unit_heatmaps(flows).data]
    ['heatmap', 'heatmap', 'heatmap']
    """
    known = theme.styles_for([flow.label for flow in flows], styles)
    budget = most_cells // max(len(flows), 1)
    cells = [_cells(flow, budget) for flow in flows]
    data: list[Piece] = []
    for index, (flow, part) in enumerate(zip(flows, cells, strict=True)):
        rows = {**axes_of(axes_suffix(index)), "y0": 1, "dy": part.units_each}
        scale = {"coloraxis": "coloraxis"}
        data += layers(part, rows, known[flow.label].title, "10<sup>%{z:.1f}</sup>", scale)
    layout = _layout(flows, cells, known)
    layout["coloraxis"] = magnitude_scale(y_range)
    if not flows:
        return drawing([EMPTY], {**layout, **nothing(caption("no_model"))}, "units")
    return drawing(data, layout, "units")


def _cells(flow: GradientFlow, budget: int) -> Cells:
    reference = curves.relative(flow.state).reference
    order = slice(None, 0, -1) if flow.direction else slice(1, None)
    log10 = np.asarray(flow.units, dtype=np.float64)[:, order]
    status = np.asarray(flow.units_status)[:, order]
    finite = np.isfinite(log10) & (status <= Status.ABOVE)
    values = np.where(finite, log10 - reference, np.nan)
    return thinned(values, np.where(finite, -1, status), budget)


def magnitude_scale(limits: tuple[float, float]) -> Piece:
    """The colour axis of decades from one to another; the lower end stands for all below."""
    low, high = limits
    half = [low / 2] if low < 0 else []
    ticks = _apart([low, *([0.0] if low < 0 < high else []), high, *half, (low + high) / 2])
    texts = [minus(f"{tick:.0f}") for tick in ticks]
    texts[0] = "≤ " + texts[0]
    return {**colour_scale(theme.SEQUENTIAL, ticks, texts), "cmin": low, "cmax": high}


def _apart(ticks: Sequence[float]) -> list[float]:
    """Those of the ticks, the first ones first, that are far enough from those before them."""
    kept: list[float] = []
    least = TICK_GAP * (max(ticks) - min(ticks))
    for tick in ticks:
        if all(abs(tick - other) >= least for other in kept):
            kept.append(tick)
    return sorted(kept)


def _layout(flows: Sequence[GradientFlow], cells: Sequence[Cells], styles: Styles) -> Piece:
    count = max(len(flows), 1)
    width = theme.WIDTH - MARGIN["l"] - MARGIN["r"]
    panel = (width - GAP * (count - 1)) / count
    places = row_places(count, GAP / width)
    lines = 2 if count >= CROWDED and any(styles[flow.label].small for flow in flows) else 1
    margin = {**MARGIN, "t": MARGIN["t"] + (lines - 1) * SECOND_LINE}
    layout: dict[str, Any] = {"height": HEIGHT, "margin": margin}
    layout["annotations"] = [scale_title("log<sub>10</sub>|∂L/∂h|", MARGIN["r"])]
    ticks = min(6, max(3, int(panel // TICK_ROOM)))
    for index, (flow, part) in enumerate(zip(flows, cells, strict=True)):
        x, y = _ticks(part.special.shape[1], ticks), _y_axis(part, index == 0)
        layout |= placed(x, y, axes_suffix(index), places[index])
        room = panel if index + 1 < count else panel - 24
        title = _title if count < CROWDED else _short_title
        layout["annotations"].append(title(styles[flow.label], part, places[index][0], room))
    return layout


def _ticks(cells: int, count: int) -> Piece:
    small = {"tickfont": {"size": theme.SMALL_SIZE}, "showgrid": False, "ticklen": 3}
    return {**small, **({"dtick": 1} if cells < count else {"nticks": count})}


def _y_axis(cells: Cells, first: bool) -> Piece:
    ticks = _ticks(cells.special.shape[0], 4)
    if not first:
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
    left = room - 11 * len(name) - 6
    words = sum(WIDE * (text_width(word) + 3) for _, word, _ in marks)
    short = words > left - WIDE * min(text_width(detail), 12)
    notes = [
        f"<span style='color:{c}'>■</span> {sign if short else word}" for c, word, sign in marks
    ]
    left -= sum(WIDE * (text_width(sign if short else word) + 3) for _, word, sign in marks)
    detail = theme.plain(detail, max(int(left / WIDE), 1)) if detail else ""
    small = "  ".join([part for part in (detail, *notes) if part])
    text = f"<b>{name}</b>  <span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start)


def _short_title(style: theme.Style, cells: Cells, start: float, room: float) -> Piece:
    """The same for a narrow panel: the name and signs, what sets the model apart below it."""
    signs = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span>" for s in cells.found]
    text = " ".join([f"<b>{style.name}</b>", *signs])
    if style.small:
        small = theme.plain(style.small, int((room + GAP) / WIDE))
        text += f"<br><span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, start, align="left")
