"""How far the error reaches at one training step: its size through time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Track, drawing
from rnnviz.plots.marks import gapped
from rnnviz.plots.panels import UNSEEN, axis, nothing
from rnnviz.plots.rails import Bands
from rnnviz.plots.theme import Styles
from rnnviz.plots.training import HEIGHT, MARGIN, kept
from rnnviz.plots.training_gradients import colour_range, finite, status_codes, words_of
from rnnviz.wording.figures import caption
from rnnviz.wording.lists import said_of

MOST_TRACKED = 240
"""Recorded steps that a scrub tells apart."""
DEEPEST = 30.0
"""Decades below the largest that the axis has at most, unless a rail stands below all lines."""
SYMBOLS = curves.SYMBOLS | {Status.ZERO: "square-open"}
"""That of a zero of which it is not known whether it is exact is its own."""


@FigureFunction
def profile_figure(
    courses: Sequence[Course], *, styles: Styles | None = None, height: int = HEIGHT
) -> Drawing:
    """log10 ‖∂L/∂s_t‖ through time at the last recorded training step, one line a model.

    What is not a number stands on a rail beside the axis: one of each model and status that a
    recorded step has. Trace k is model k, then come the rails: `profile_tracks` moves them all.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    data = [_line(course, known[course.label]) for course in courses]
    bands = _bands(courses, height)
    for course, status, level in _rails(courses, bands):
        data += _rail(course, known[course.label], status, level)
    if not courses:
        empty = {"height": height, **nothing(caption("no_model"))}
        return drawing([*data, UNSEEN], empty, "profile")
    title = "log<sub>10</sub> ‖∂L/∂s<sub>t</sub>‖"
    layout = {
        "height": height,
        "margin": MARGIN,
        "xaxis": axis(caption("time_step"), showgrid=False),
        "yaxis": axis(title, range=list(bands.y_range), **({"nticks": 5} | bands.ticks)),
        "shapes": bands.shapes(),
    }
    return drawing(data, layout, "profile")


def profile_tracks(courses: Sequence[Course], height: int = HEIGHT) -> tuple[Track, ...]:
    """What `profile_figure` of that height shows at each recorded training step."""
    rows = [_kept_rows(course) for course in courses]
    tracks = [
        Track(index, "y", course.curves.steps[keep], _numbers(_profiles(course)[keep]))
        for index, (course, keep) in enumerate(zip(courses, rows, strict=True))
    ]
    for course, status, level in _rails(courses, _bands(courses, height)):
        keep = _kept_rows(course)
        on = _on_rail(_profiles(course)[keep], status, level)
        words = np.where(np.isfinite(on).any(axis=1, keepdims=True), level, np.nan)
        for values in (on, words):
            tracks.append(Track(len(tracks), "y", course.curves.steps[keep], values))
    return tuple(tracks)


def _kept_rows(course: Course) -> Array:
    """Of the recorded training steps those that a scrub shows."""
    return kept(len(course.curves.steps), MOST_TRACKED)


def _profiles(course: Course) -> Array:
    """log10 ‖∂L/∂s_t‖, (n, T)."""
    return np.asarray(course.curves.log10_state, np.float64)[:, 1:]


def _numbers(values: Array) -> Array:
    """What has a place on the axis; NaN, a gap, elsewhere."""
    return np.where(np.isfinite(values), values, np.nan)


def _on_rail(values: Array, status: Status, level: float) -> Array:
    """The height of the rail where they have this status, NaN elsewhere."""
    return np.where(status_codes(values) == status, level, np.nan)


def _with(courses: Sequence[Course], side: Sequence[Status]) -> list[tuple[Course, Status]]:
    """Which models have which of the statuses at a recorded step."""
    return [
        (course, status)
        for course in courses
        for status in side
        if (status_codes(_profiles(course)) == status).any()
    ]


def _bands(courses: Sequence[Course], height: int) -> Bands:
    """The axis, with its rails."""
    floor, ceiling = (len(_with(courses, side)) for side in (curves.ON_FLOOR, curves.ON_CEILING))
    pixels = max(height - MARGIN["t"] - MARGIN["b"], 1)
    return Bands(_range(courses), floor, ceiling, pixels)


def _rails(courses: Sequence[Course], bands: Bands) -> Iterator[tuple[Course, Status, float]]:
    """Each rail: whose, of what, and its height."""
    for side in (curves.ON_FLOOR, curves.ON_CEILING):
        for slot, (course, status) in enumerate(_with(courses, side)):
            yield course, status, bands.level(status, slot)


def _line(course: Course, style: theme.Style) -> Piece:
    """The line of a model."""
    line = {"color": style.colour, "width": theme.LINE, "dash": style.dash}
    hover = f"{style.title}  10<sup>%{{y:.2f}}</sup><extra></extra>"
    y = gapped(_numbers(_profiles(course)[-1]))
    drawn = {"type": "scatter", "mode": "lines", "x0": 1, "dx": 1, "y": y}
    return {**drawn, "name": style.title, "line": line, "hovertemplate": hover}


def _rail(course: Course, style: theme.Style, status: Status, level: float) -> list[Piece]:
    """The steps of a model that have this status, and a word beside them as long as there are
    any."""
    y, words = _on_rail(_profiles(course)[-1], status, level), words_of(status)
    shared = {"type": "scatter", "x0": 1, "dx": 1, "name": f"{style.title} {curves.NAMES[status]}"}
    mark = {"symbol": SYMBOLS[status], "size": 5, "maxdisplayed": 24, "color": style.colour}
    look = {
        "line": {"color": style.colour, "width": theme.THIN},
        "marker": mark,
        "hovertemplate": f"{style.title}  {words}<extra></extra>",
    }
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    said = {"mode": "text", "text": [said_of(style.title, words)], "textfont": font}
    place = {"textposition": "top right", "hoverinfo": "skip", "cliponaxis": False}
    beside = gapped(np.array([level if np.isfinite(y).any() else np.nan]))
    return [
        {**shared, "mode": "lines+markers", "y": gapped(y), **look},
        {**shared, "y": beside, **said, **place},
    ]


def _range(courses: Sequence[Course]) -> tuple[float, float]:
    """Decades of the lines."""
    low, high = colour_range(courses)
    least = [finite(course.curves.log10_state).min(initial=0.0) for course in courses]
    deepest = -np.inf if _with(courses, curves.ON_FLOOR) else high - DEEPEST
    return max(min([low, *least]), deepest) - 0.5, high + 0.5
