"""What training does to the network itself: its recurrent weights and its gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Track, drawing
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
)
from rnnviz.plots.theme import Styles
from rnnviz.plots.training import HEIGHT, HUGE, LARGE, POWERS, WIDE, span, step_axis, step_line
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import caption

MARGIN = {"l": 58, "r": 24, "t": 24, "b": 42}
GAP, NUMBERED_GAP = 0.05, 0.08
"""Between panels, and where each has numbers of its own."""
MOST_LINES = 5
"""Singular values drawn of each model, the largest and the smallest among them."""


@dataclass(frozen=True, eq=False)
class GateCourse:
    """One gate of one model at some training steps, for one sequence.

    steps (n,): training steps; values (n, H, T): the gate after its nonlinearity, of one unit in
    `units_each` and one time step in `steps_each`, the first ones among them.
    """

    label: str
    gate: str
    steps: Array
    values: Array
    units_each: int = 1
    steps_each: int = 1

    @property
    def signed(self) -> bool:
        """Whether it is a state or a candidate, which a gate (0 to 1) cannot be."""
        return bool(np.any((self.values < 0) | (self.values > 1)))

    @property
    def bound(self) -> float:
        """The largest value at any of the training steps, at least 1."""
        finite = np.abs(self.values[np.isfinite(self.values)])
        return min(float(finite.max(initial=1.0)), HUGE)


@FigureFunction
def spectrum_figure(
    courses: Sequence[Course], *, styles: Styles | None = None, height: int = HEIGHT
) -> Drawing:
    """Singular values of the followed block of W_hh (solid) and its spectral radius (dashed) over
    training, one panel a model, on one scale; the dotted line is 1."""
    known = theme.styles_for([course.label for course in courses], styles)
    shown = [course for course in courses if _recorded(course).any()]
    if not shown:
        text = caption("no_spectrum_yet")
        return drawing([UNSEEN], {"height": height, **nothing(text)}, "spectra-course")
    layout: Piece = {"height": height, "margin": MARGIN, "annotations": [], "shapes": []}
    top = max(float(np.nanmax(course.curves.singular_values)) for course in shown)
    layout["margin"] = MARGIN | {"l": WIDE if top >= LARGE else MARGIN["l"]}
    data: list[Piece] = []
    for index, (course, place) in enumerate(zip(shown, row_places(len(shown), GAP), strict=True)):
        suffix = axes_suffix(index)
        data += _spectrum_lines(course, known[course.label], suffix)
        layout |= _panel_axes(
            suffix, place, {**step_axis(span(courses)), "nticks": 4}, caption("of_w_hh")
        )
        layout[f"yaxis{suffix}"] |= {"range": [0, 1.08 * max(top, 1.0)], **POWERS}
        layout["shapes"].append(rule((0, 1), (1, 1), xref=f"x{suffix} domain", yref=f"y{suffix}"))
        layout["annotations"].append(_title(known[course.label], "", place[0]))
    return drawing(data, layout, "spectra-course")


@FigureFunction
def gate_course_figure(
    gates: Sequence[GateCourse], *, styles: Styles | None = None, height: int = HEIGHT
) -> Drawing:
    """A gate of each model at its last checkpoint: unit × time, 0 to 1 (a state −1 to 1, or as
    far as the largest goes).

    Trace k is model k, so that `gate_tracks` can move it.
    """
    known = theme.styles_for([each.label for each in gates], styles)
    if not gates:
        return drawing(
            [UNSEEN], {"height": height, **nothing(caption("no_gates_yet"))}, "gate-course"
        )
    bound = max((each.bound for each in gates if each.signed), default=1.0)
    layout: Piece = {"height": height, "margin": {**MARGIN, "r": _bar_room(bound)}}
    layout["annotations"] = []
    data: list[Piece] = []
    alike = len({(each.values.shape[1], each.units_each) for each in gates}) == 1
    places = row_places(len(gates), GAP if alike else NUMBERED_GAP)
    for index, (each, place) in enumerate(zip(gates, places, strict=True)):
        suffix = axes_suffix(index)
        scale = "coloraxis2" if each.signed else "coloraxis"
        data.append(_gate_panel(each, known[each.label].title, suffix, scale))
        place = (*place[:4], place[4] or not alike, place[5])
        layout |= _panel_axes(suffix, place, _time_axis(each), _rows(each))
        layout[f"yaxis{suffix}"] |= {"autorange": "reversed", "showgrid": False}
        layout[f"yaxis{suffix}"] |= counted(each.units_each * each.values.shape[1], 4)
        layout["annotations"].append(_title(known[each.label], each.gate, place[0]))
    layout["coloraxis"] = colour_scale(theme.SEQUENTIAL, [0.0, 0.5, 1.0])
    layout["coloraxis2"] = _state_scale(bound)
    both = {each.signed for each in gates} == {True, False}
    for name, at in (("coloraxis", 0.78), ("coloraxis2", 0.22)) if both else ():
        layout[name]["colorbar"] |= {"len": 0.44, "y": at}
    return drawing(data, layout, "gate-course")


def _rows(gate: GateCourse) -> str:
    return caption("unit" if gate.units_each == 1 else "one_unit_in", count=gate.units_each)


def _time_axis(gate: GateCourse) -> Piece:
    steps = gate.steps_each * gate.values.shape[2]
    return axis(caption("time_step"), showgrid=False, **counted(steps, 4))


def _bar_room(bound: float) -> int:
    """Pixels right of the maps: steady while training plays and the bound grows."""
    return 64 if bound == 1 else 74 if bound < 1000 else 106


def _state_scale(bound: float) -> Piece:
    """Of states, as far as the largest of all checkpoints."""
    ticks = [-bound, 0.0, bound]
    return colour_scale(list(theme.DIVERGING), ticks, [general(tick, 3) for tick in ticks])


def gate_tracks(gates: Sequence[GateCourse]) -> tuple[Track, ...]:
    """What `gate_course_figure` shows at each checkpoint."""
    return tuple(Track(i, "z", np.asarray(g.steps), g.values) for i, g in enumerate(gates))


def _recorded(course: Course) -> Array:
    return np.isfinite(course.curves.singular_values).any(axis=1)


def _spectrum_lines(course: Course, style: theme.Style, suffix: str) -> list[Piece]:
    rows = _recorded(course)
    steps, values = course.curves.steps[rows], np.asarray(course.curves.singular_values)[rows]
    count = values.shape[1]
    ranks = np.unique(np.linspace(0, count - 1, min(count, MOST_LINES)).astype(int))
    where = axes_of(suffix)
    pieces = []
    for rank in ranks:
        wide = theme.LINE if rank == 0 else 1
        hover = caption("singular_value_of", model=style.title, rank=rank + 1, count=count)
        line = {"color": style.colour, "width": wide}
        name = f"{style.title} σ {rank + 1}"
        pieces.append({**step_line(steps, values[:, rank], name, hover, line), **where})
    line = {"color": style.colour, "width": 2, "dash": "dash"}
    hover = caption("radius_hover", model=style.title)
    name = caption("name_radius", model=style.title)
    radius = np.asarray(course.curves.spectral_radius)[rows]
    return [*pieces, {**step_line(steps, radius, name, hover, line), **where}]


def _gate_panel(gate: GateCourse, name: str, suffix: str, scale: str) -> Piece:
    hover = caption("gate_hover", gate=f"{name} {gate.gate}")
    return {
        "type": "heatmap",
        "name": f"{name} {gate.gate}",
        "x0": 1,
        "dx": gate.steps_each,
        "y0": 1,
        "dy": gate.units_each,
        "z": np.clip(gate.values[-1], -HUGE, HUGE).astype(np.float32),
        "coloraxis": scale,
        **axes_of(suffix),
        "hovertemplate": f"{hover}<extra></extra>",
    }


def _panel_axes(suffix: str, place: Place, x: Piece, y_title: str) -> Piece:
    small = {"tickfont": {"size": theme.SMALL_SIZE}}
    y: Piece = axis(y_title, nticks=4) if place[4] else {"showticklabels": False, "ticks": ""}
    return placed({**x, **small}, {**y, **small}, suffix, place)


def _title(style: theme.Style, more: str, start: float) -> Piece:
    return panel_title(f"<b>{style.title} {more}".rstrip() + "</b>", style.colour, start)
