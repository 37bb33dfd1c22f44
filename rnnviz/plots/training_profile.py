"""How far the error reaches at one training step: its size through time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Range, Track, drawing
from rnnviz.plots.marks import gapped
from rnnviz.plots.panels import UNSEEN, axis, counted, nothing
from rnnviz.plots.rails import BEYOND, CEILING, FLOOR, UNDER, Bands
from rnnviz.plots.theme import Styles
from rnnviz.plots.training import HEIGHT, MARGIN, kept
from rnnviz.plots.training_gradients import DECADES, finite, status_codes, words_of
from rnnviz.wording.lists import said_of
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import caption

MOST_TRACKED = 240
"""Recorded steps that a scrub tells apart."""
FAR = 30.0
"""Decades that the axis has at most above, and below, the usual largest gradient of the model that
has the smallest."""
WIDE = 70
"""Pixels beside the axis where its numbers have three digits."""
SYMBOLS = curves.SYMBOLS | {
    Status.ZERO: "square-open",
    UNDER: "triangle-down-open",
    BEYOND: "triangle-up-open",
}
"""That of a zero of which it is not known whether it is exact is its own."""
NAMES = curves.NAMES | {UNDER: "under", BEYOND: "beyond"}


@FigureFunction
def profile_figure(
    courses: Sequence[Course], *, styles: Styles | None = None, height: int = HEIGHT
) -> Drawing:
    """log10 ‖∂L/∂s_t‖ through time at the last recorded training step, one line a model.

    What is not a number, or has no place on the axis, stands on a rail beside it: one of each model
    and status that a recorded step has. Trace k is model k, then come the rails: `profile_tracks`
    moves them all.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    bands = _bands(courses, height)
    data = [_line(course, known[course.label], bands) for course in courses]
    for course, status, level in _rails(courses, bands):
        data += _rail(course, known[course.label], status, level, bands)
    if not courses:
        empty = {"height": height, **nothing(caption("no_model"))}
        return drawing([*data, UNSEEN], empty, "profile")
    title = "log<sub>10</sub> ‖∂L/∂s<sub>t</sub>‖"
    steps = max(_profiles(course).shape[1] for course in courses)
    layout = {
        "height": height,
        "margin": MARGIN | {"l": WIDE if max(map(abs, bands.y_range)) >= 100 else MARGIN["l"]},
        "xaxis": axis(caption("time_step"), showgrid=False, **counted(steps)),
        "yaxis": axis(title, range=list(bands.y_range), **({"nticks": 5} | bands.ticks)),
        "shapes": bands.shapes(),
    }
    return drawing(data, layout, "profile")


def profile_tracks(courses: Sequence[Course], height: int = HEIGHT) -> tuple[Track, ...]:
    """What `profile_figure` of that height shows at each recorded training step."""
    rows, bands = [_kept_rows(course) for course in courses], _bands(courses, height)
    tracks = [
        Track(index, "y", course.curves.steps[keep], _numbers(_profiles(course)[keep], bands))
        for index, (course, keep) in enumerate(zip(courses, rows, strict=True))
    ]
    for course, status, level in _rails(courses, bands):
        keep = _kept_rows(course)
        on = _on_rail(_profiles(course)[keep], status, level, bands)
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


def _numbers(values: Array, bands: Bands) -> Array:
    """What has a place on the axis; NaN, a gap, elsewhere."""
    return np.where(_codes(values, bands.numbers) < 0, values, np.nan)


def _on_rail(values: Array, status: int, level: float, bands: Bands) -> Array:
    """The height of the rail where they have this status, NaN elsewhere."""
    return np.where(_codes(values, bands.numbers) == status, level, np.nan)


def _codes(values: Array, numbers: Range) -> Array:
    """The status of what has no place on an axis of these numbers, −1 of all others."""
    finite_ = np.isfinite(values)
    small, large = finite_ & (values < numbers[0]), finite_ & (values > numbers[1])
    return np.select([small, large], [UNDER, BEYOND], status_codes(values))


def _with(courses: Sequence[Course], side: Sequence[int], of: Range) -> list[tuple[Course, int]]:
    """Which models have which of the statuses at a recorded step, on an axis of these numbers."""
    return [
        (course, status)
        for course in courses
        for status in side
        if (_codes(_profiles(course), of) == status).any()
    ]


def _bands(courses: Sequence[Course], height: int) -> Bands:
    """The axis, with its rails."""
    numbers = _range(courses)
    floor, ceiling = (len(_with(courses, side, numbers)) for side in (FLOOR, CEILING))
    pixels = max(height - MARGIN["t"] - MARGIN["b"], 1)
    return Bands(numbers, floor, ceiling, pixels)


def _rails(courses: Sequence[Course], bands: Bands) -> Iterator[tuple[Course, int, float]]:
    """Each rail: whose, of what, and its height."""
    for side in (FLOOR, CEILING):
        for slot, (course, status) in enumerate(_with(courses, side, bands.numbers)):
            yield course, status, bands.level(status, slot)


def _line(course: Course, style: theme.Style, bands: Bands) -> Piece:
    """The line of a model."""
    line = {"color": style.colour, "width": theme.LINE, "dash": style.dash}
    hover = f"{style.title}  10<sup>%{{y:.2f}}</sup><extra></extra>"
    y = gapped(_numbers(_profiles(course)[-1], bands))
    drawn = {"type": "scatter", "mode": "lines", "x0": 1, "dx": 1, "y": y}
    return {**drawn, "name": style.title, "line": line, "hovertemplate": hover}


def _rail(
    course: Course, style: theme.Style, status: int, level: float, bands: Bands
) -> list[Piece]:
    """The steps of a model that have this status, and a word beside them as long as there are
    any."""
    y, words = _on_rail(_profiles(course)[-1], status, level, bands), _words(status, bands)
    name = caption(f"name_{NAMES[status]}", model=style.title)
    shared = {"type": "scatter", "x0": 1, "dx": 1, "name": name}
    mark = {"symbol": SYMBOLS[status], "size": 5, "maxdisplayed": 24, "color": style.colour}
    look = {
        "line": {"color": style.colour, "width": theme.THIN},
        "marker": mark,
        "hovertemplate": f"{style.title}  {words}<extra></extra>",
        "meta": {"says": words},
    }
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    said = {"mode": "text", "text": [said_of(style.title, words)], "textfont": font}
    place = {"textposition": "top right", "hoverinfo": "skip", "cliponaxis": False}
    beside = gapped(np.array([level if np.isfinite(y).any() else np.nan]))
    return [
        {**shared, "mode": "lines+markers", "y": gapped(y), **look},
        {**shared, "y": beside, **said, **place},
    ]


def _words(status: int, bands: Bands) -> str:
    if status in (UNDER, BEYOND):
        name, end = ("under_axis", 0) if status == UNDER else ("beyond_axis", 1)
        return caption(name, decades=minus(f"{bands.numbers[end]:g}"))
    return words_of(Status(status))


def _range(courses: Sequence[Course]) -> Range:
    """Decades of the lines. A few steps that blow up do not make lines of all the others flat."""
    known = [values for each in courses if finite(values := _profiles(each)).size]
    usual = min(map(_usual_peak, known), default=0.0)
    largest = max((finite(values).max() for values in known), default=0.0)
    least = min((finite(values).min() for values in known), default=0.0)
    high = float(np.ceil(min(largest, usual + FAR)))
    low = float(np.floor(max(least, usual - FAR)))
    return min(high - DECADES, low) - 0.5, high + 0.5


def _usual_peak(values: Array) -> float:
    """Half of the recorded steps have a largest number above it, half of them one below."""
    peaks = np.where(np.isfinite(values), values, -np.inf).max(axis=1)
    return float(np.median(finite(peaks)))
