"""How far the error reaches while a network learns: its size over training and time, and that of
the whole gradient, before and after it is clipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots.cells import SPECIAL_COLOURS, Cells, panel_traces, specials
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Range, drawing
from rnnviz.plots.heatmaps import WIDE
from rnnviz.plots.marks import rule
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    colour_scale,
    counted,
    nothing,
    panel_title,
    placed,
    row_places,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.plots.training import (
    HEIGHT,
    MARGIN,
    level_words,
    log10,
    span,
    step_axis,
    step_line,
)
from rnnviz.wording.lists import text_width
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import caption

MAP_MARGIN = {"l": 58, "r": 84, "t": 24, "b": 42}
GAP = 0.025
QUANTITY = "log<sub>10</sub>‖∂L/∂s<sub>t</sub>‖"
COLUMNS, ROWS = 120, 50
"""Cells of a heatmap at most: training steps, time steps."""
DECADES = 12
"""Decades below the largest gradient that the colours tell apart."""
APART = 6
"""Decades at most by which one model's gradients push another's down the scale."""
LEFT, SIGN = 22, 9
"""Pixels left of an axis but for its numbers, and that a sign of these is wide."""
PANELS, BOLD = 820, 9.5
"""Pixels of a row of panels, and that a bold character is wide, on average."""
SIGNS = curves.SIGNS | {Status.ZERO: "0"}


@FigureFunction
def state_heatmaps(
    courses: Sequence[Course],
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
    most_columns: int = COLUMNS,
) -> Drawing:
    """log10 ‖∂L/∂s_t‖ over training step (x) and time step t (y), one panel a model, one scale.

    The top row is the last time step, the bottom row the first. A cell stands for the largest of
    the few time steps it covers. Zeros have a colour of their own; a record does not tell exact
    ones from rounded ones.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    if not courses:
        return drawing([UNSEEN], {"height": height, **nothing(caption("no_model"))}, "state-maps")
    layout: Piece = {"height": height, "margin": MAP_MARGIN}
    layout["annotations"] = [scale_title(QUANTITY, MAP_MARGIN["r"])]
    layout["coloraxis"] = _scale(courses)
    data: list[Piece] = []
    places = row_places(len(courses), GAP)
    for index, (course, place) in enumerate(zip(courses, places, strict=True)):
        suffix, style = axes_suffix(index), known[course.label]
        cells, dx, dy = _cells(course, span(courses), most_columns)
        data += _panel(cells, dx, dy, suffix, style.title)
        layout |= _axes(suffix, place, course, span(courses), len(courses))
        layout["annotations"].append(_title(style, place, cells.found))
    return drawing(data, layout, "state-maps")


def _panel(cells: Cells, dx: float, dy: float, suffix: str, name: str) -> list[Piece]:
    where: Piece = {"x0": 0, "dx": dx, "y0": 1 + (dy - 1) / 2, "dy": dy}
    where |= axes_of(suffix)
    pieces = panel_traces(cells, where, name, "", {"coloraxis": "coloraxis"}, words=words_of)
    hover = caption("maps_hover", model=name)
    if "hoverongaps" in pieces[-1]:
        pieces[-1]["hovertemplate"] = f"{hover}<extra></extra>"
    return pieces


def status_codes(log10_values: Array) -> Array:
    """The status of what is not a number, −1 of all others. −inf is zero."""
    return np.where(np.isneginf(log10_values), Status.ZERO, specials(log10_values))


def words_of(status: Status) -> str:
    """What a cell without a number is called."""
    if status == Status.ZERO:
        return caption("status_zero_or_rounded")
    return curves.status_words(status)


def _cells(course: Course, end: float, most: int) -> tuple[Cells, float, int]:
    """The recorded steps on an even grid of training steps, times pooled to their largest; and
    how many training and time steps a cell covers."""
    steps = np.asarray(course.curves.steps)
    values = np.asarray(course.curves.log10_state, np.float64)[:, 1:]
    dx = max(1.0, end / most)
    grid = np.arange(0, course.last_step + dx / 2, dx)
    rows = np.clip(np.searchsorted(steps, grid, side="right") - 1, 0, len(steps) - 1)
    picture = values[rows].T
    special = status_codes(picture)
    dy = -(-len(picture) // ROWS)
    starts = np.arange(0, len(picture), dy)
    peak = np.maximum.reduceat(np.where(special >= 0, -np.inf, picture), starts, axis=0)
    codes = np.maximum.reduceat(special, starts, axis=0)
    empty = np.isneginf(peak)
    peak = np.where(empty, np.nan, peak)
    return Cells(peak, np.where(empty, codes, -1), dy, 1), float(dx), int(dy)


def _scale(courses: Sequence[Course]) -> Piece:
    """The colours of the decades that are told apart: `DECADES` below the largest gradient of the
    models, or, where that is far above another's, below what has the last colour with it."""
    peaks = [finite(course.curves.log10_state).max(initial=-np.inf) for course in courses]
    known = [peak for peak in peaks if np.isfinite(peak)] or [0.0]
    high = float(np.ceil(min(max(known), min(known) + APART))) + 0.0  # no −0
    ticks = [high - DECADES, high - DECADES / 2, high]
    low, middle, top = (minus(f"{tick:.0f}") for tick in ticks)
    top = f"≥ {top}" if max(known) > high else top
    return colour_scale(theme.SEQUENTIAL, ticks, [f"≤ {low}", middle, top])


def finite(values: Array) -> Array:
    """The numbers among them."""
    clean = np.asarray(values, np.float64)
    return clean[np.isfinite(clean)]


def _axes(suffix: str, place: Place, course: Course, end: float, panels: int) -> Piece:
    small = {"tickfont": {"size": theme.SMALL_SIZE}}
    rows = counted(np.shape(course.curves.log10_state)[1] - 1, 4)
    y: Piece = {"showgrid": False, "ticklen": 3, **small, **rows}
    y |= axis(caption("time_step")) if place[4] else {"showticklabels": False}
    x = {**step_axis(end), "nticks": max(3, 8 // panels), **small}
    return placed(x, y, suffix, place)


def _title(style: theme.Style, place: Place, found: Sequence[Status]) -> Piece:
    """The model's name, and what its cells without a number are: a sign where there is no room."""
    room = (place[1] - place[0] - 0.03) * PANELS
    said = {status: words_of(status) for status in found}
    if BOLD * text_width(style.title) + _wide(said.values()) > room:
        said = {status: SIGNS[status] for status in found}
    name = theme.short(style.title, max(int((room - _wide(said.values())) / BOLD), 6))
    marks = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span> {w}" for s, w in said.items()]
    small = f"  <span style='font-size:{theme.SMALL_SIZE}px'>{'  '.join(marks)}</span>"
    return panel_title(f"<b>{name}</b>{small * bool(marks)}", style.colour, place[0])


def _wide(words: Iterable[str]) -> float:
    """Pixels of small words beside each other, each behind a gap and a mark."""
    return WIDE * sum(text_width(word) + 4 for word in words)


@FigureFunction
def norm_figure(
    courses: Sequence[Course],
    limit: float | None = None,
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """log10 of the gradient's norm over all parameters: thin before clipping, thick after it.

    limit : where it is clipped, a dotted line; None if it is not.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    data: list[Piece] = []
    for course in courses:
        style, steps = known[course.label], course.curves.steps
        before, after = (log10(v) for v in (course.curves.norm_before, course.curves.norm_after))
        thin = {"color": style.colour, "width": theme.THIN}
        hover = caption("before_clipping", model=style.title)
        thick = {"color": style.colour, "width": theme.LINE, "dash": style.dash}
        if limit is None:
            hover = f"{style.title} 10<sup>%{{y:.2f}}</sup>"
            data.append(step_line(steps, before, style.title, hover, thick))
            continue
        name = caption("name_before", model=style.title)
        data.append(step_line(steps, before, name, hover, thin))
        after_hover = caption("after_clipping", model=style.title)
        data.append(step_line(steps, after, style.title, after_hover, thick))
    level = np.nan if limit is None else float(log10(np.asarray(limit)))
    low, high = _norm_range([*(piece["y"] for piece in data), [level]])
    longest = max(len(f"{end:.1f}") for end in (low, high))
    layout: Piece = {
        "height": height,
        "margin": MARGIN | {"l": max(MARGIN["l"], LEFT + SIGN * longest)},
        "xaxis": step_axis(span(courses)),
        "yaxis": axis("log<sub>10</sub> ‖∂L/∂θ‖", nticks=5, range=[low, high]),
        "annotations": [],
    }
    if np.isfinite(level):
        layout["shapes"] = [rule((0, 1), (level, level), xref="x domain")]
        layout["annotations"].append(level_words(caption("clipped_at", limit=f"{limit:g}"), level))
    return drawing(data or [UNSEEN], layout, "norms")


def _norm_range(decades: Iterable[Sequence[float | None]]) -> Range:
    """What holds all of them, of a decade at least: less would make much of next to nothing."""
    found = np.concatenate([np.asarray(some, float) for some in decades])
    found = found[np.isfinite(found)]
    low, high = (found.min(), found.max()) if found.size else (0.0, 0.0)
    half = max(0.5, 0.55 * (high - low))
    return (low + high) / 2 - half, (low + high) / 2 + half
