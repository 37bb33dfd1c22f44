"""How far the error reaches while a network learns: gradient norm over training and time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Track, drawing
from rnnviz.plots.heatmaps import Cells, layers
from rnnviz.plots.marks import gapped, rule
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    colour_scale,
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
    kept,
    level_words,
    log10,
    span,
    step_axis,
    step_line,
)
from rnnviz.wording.figures import caption
from rnnviz.wording.numbers import minus

MAP_MARGIN = {"l": 58, "r": 84, "t": 24, "b": 42}
GAP = 0.025
QUANTITY = "log<sub>10</sub>‖∂L/∂s<sub>t</sub>‖"
COLUMNS, ROWS = 120, 50
"""Cells of a heatmap at most: training steps, time steps."""
DECADES = 12
"""Decades below the largest gradient that the colours tell apart."""
APART = 6
"""Decades at most by which one model's gradients push another's down the scale."""
MOST_TRACKED = 240
"""Recorded steps that a scrub tells apart in the profile."""


@FigureFunction
def state_heatmaps(
    courses: Sequence[Course],
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
    most_columns: int = COLUMNS,
) -> Drawing:
    """log10 ‖∂L/∂s_t‖ over training step (x) and time step t (y), one panel a model, one scale.

    The top row is the last time step, where the loss is; a bright bottom row is error that has
    reached the first one. A cell stands for the largest of the few time steps it covers.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    if not courses:
        return drawing([UNSEEN], {"height": height, **nothing(caption("no_model"))}, "state-maps")
    layout: Piece = {"height": height, "margin": MAP_MARGIN}
    layout["annotations"] = [scale_title(QUANTITY, MAP_MARGIN["r"])]
    layout["coloraxis"] = _scale(_colour_range(courses))
    data: list[Piece] = []
    places = row_places(len(courses), GAP)
    for index, (course, place) in enumerate(zip(courses, places, strict=True)):
        suffix = axes_suffix(index)
        data += _panel(course, suffix, known[course.label].title, span(courses), most_columns)
        layout |= _axes(suffix, place, span(courses), len(courses))
        layout["annotations"].append(_title(known[course.label], place))
    return drawing(data, layout, "state-maps")


def _panel(course: Course, suffix: str, name: str, end: float, most: int) -> list[Piece]:
    cells, dx, dy = _cells(course, end, most)
    where: Piece = {"x0": 0, "dx": dx, "y0": 1 + (dy - 1) / 2, "dy": dy}
    where |= axes_of(suffix)
    pieces = layers(cells, where, name, "", {"coloraxis": "coloraxis"})
    hover = caption("maps_hover", model=name)
    if "hoverongaps" in pieces[-1]:
        pieces[-1]["hovertemplate"] = f"{hover}<extra></extra>"
    return pieces


def _cells(course: Course, end: float, most: int) -> tuple[Cells, float, int]:
    """The recorded steps on an even grid of training steps, times pooled to their largest; and
    how many training and time steps a cell covers."""
    steps = np.asarray(course.curves.steps)
    values = np.asarray(course.curves.log10_state, np.float64)[:, 1:]
    dx = max(1.0, end / most)
    grid = np.arange(0, course.last_step + dx / 2, dx)
    rows = np.clip(np.searchsorted(steps, grid, side="right") - 1, 0, len(steps) - 1)
    picture = values[rows].T
    special = np.full(picture.shape, -1)
    special[np.isneginf(picture)] = Status.ZERO
    special[np.isnan(picture)] = Status.NAN
    dy = -(-len(picture) // ROWS)
    starts = np.arange(0, len(picture), dy)
    peak = np.maximum.reduceat(np.where(special >= 0, -np.inf, picture), starts, axis=0)
    codes = np.maximum.reduceat(special, starts, axis=0)
    empty = np.isneginf(peak)
    peak = np.where(empty, np.nan, np.minimum(peak, 400.0))
    return Cells(peak, np.where(empty, codes, -1), dy, 1), float(dx), int(dy)


def _colour_range(courses: Sequence[Course]) -> tuple[float, float]:
    peaks = [_finite(course.curves.log10_state).max(initial=-np.inf) for course in courses]
    known = [peak for peak in peaks if np.isfinite(peak)] or [0.0]
    top = float(np.ceil(min(max(known), min(known) + APART))) + 0.0  # no −0
    return top - DECADES, top


def _finite(values: Array) -> Array:
    clean = np.asarray(values, np.float64)
    return clean[np.isfinite(clean)]


def _scale(limits: tuple[float, float]) -> Piece:
    low, high = limits
    ticks = [low, (low + high) / 2, high]
    texts = [minus(f"{tick:+.0f}").replace("+", "") for tick in ticks]
    return colour_scale(theme.SEQUENTIAL, ticks, ["≤ " + texts[0], *texts[1:]])


def _axes(suffix: str, place: Place, end: float, panels: int) -> Piece:
    ticks = {"nticks": max(3, 8 // panels), "tickfont": {"size": theme.SMALL_SIZE}}
    y: Piece = {"showgrid": False, "nticks": 4, "ticklen": 3}
    y["tickfont"] = {"size": theme.SMALL_SIZE}
    y |= (
        axis(caption("time_step"), nticks=4, showgrid=False)
        if place[4]
        else {"showticklabels": False}
    )
    return placed({**step_axis(end), **ticks}, y, suffix, place)


def _title(style: theme.Style, place: Place) -> Piece:
    room = int((place[1] - place[0] - 0.03) * 820 / 9.5)
    text = f"<b>{theme.plain(style.title, max(room, 6))}</b>"
    return panel_title(text, style.colour, place[0])


@FigureFunction
def profile_figure(
    courses: Sequence[Course], *, styles: Styles | None = None, height: int = HEIGHT
) -> Drawing:
    """log10 ‖∂L/∂s_t‖ through time at the last recorded training step, one line a model.

    Trace k is model k, so that `profile_tracks` can move it; the range holds every step's line.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    data: list[Piece] = []
    for course in courses:
        style, values = known[course.label], _profiles(course)[-1]
        line = {"color": style.colour, "width": theme.LINE, "dash": style.dash}
        hover = f"{style.title}  10<sup>%{{y:.2f}}</sup><extra></extra>"
        drawn = {"type": "scatter", "mode": "lines", "x0": 1, "dx": 1, "y": gapped(values)}
        data.append({**drawn, "name": style.title, "line": line, "hovertemplate": hover})
    low, high = _profile_range(courses)
    if not any(len(_finite(_profiles(course)[-1])) for course in courses):
        empty = {"height": height, **nothing(caption("no_step"))}
        return drawing([*data, UNSEEN], empty, "profile")
    layout = {
        "height": height,
        "margin": MARGIN,
        "xaxis": axis(caption("time_step"), showgrid=False),
        "yaxis": axis("log<sub>10</sub> ‖∂L/∂s<sub>t</sub>‖", range=[low, high], nticks=5),
    }
    return drawing(data, layout, "profile")


def profile_tracks(courses: Sequence[Course]) -> tuple[Track, ...]:
    """What `profile_figure` shows at each recorded training step."""
    tracks = []
    for index, course in enumerate(courses):
        keep = kept(len(course.curves.steps), MOST_TRACKED)
        floor = _profile_range(courses)[0] - 1
        values = np.maximum(_profiles(course)[keep], floor)
        tracks.append(Track(index, "y", np.asarray(course.curves.steps)[keep], values))
    return tuple(tracks)


def _profiles(course: Course) -> Array:
    """(n, T): what is no number is NaN, a gap; an exact zero lies under the floor."""
    values = np.asarray(course.curves.log10_state, np.float64)[:, 1:]
    return np.where(np.isneginf(values), -1e6, np.where(np.isfinite(values), values, np.nan))


def _profile_range(courses: Sequence[Course]) -> tuple[float, float]:
    low, high = _colour_range(courses)
    least = [_finite(course.curves.log10_state).min(initial=0.0) for course in courses]
    return max(min([low, *least]), high - 30.0) - 0.5, high + 0.5


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
            data.append(step_line(steps, before, f"{style.title}", hover, thick))
            continue
        data.append(step_line(steps, before, f"{style.title} before", hover, thin))
        after_hover = caption("after_clipping", model=style.title)
        data.append(step_line(steps, after, style.title, after_hover, thick))
    layout: Piece = {
        "height": height,
        "margin": MARGIN,
        "xaxis": step_axis(span(courses)),
        "yaxis": axis("log<sub>10</sub> ‖∂L/∂θ‖", nticks=5),
        "annotations": [],
    }
    if limit is not None and limit > 0:
        level = float(np.log10(limit))
        layout["shapes"] = [rule((0, 1), (level, level), xref="x domain")]
        layout["annotations"].append(level_words(caption("clipped_at", limit=f"{limit:g}"), level))
    return drawing(data or [UNSEEN], layout, "norms")
