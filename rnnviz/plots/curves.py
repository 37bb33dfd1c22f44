"""One gradient curve as plotly pieces: what is a number is a line, what is none is a rail that
says what it is. Used by `gradients`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import LOG10_MAX, LOG10_TINY, Array, Status
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import gapped
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.rates import Curve

Steps = Array | Sequence[float | None]

NAMES = {
    Status.ZERO: "zero",
    Status.ROUNDED: "rounded",
    Status.ABOVE: "infinite",
    Status.NAN: "nan",
    Status.NOT_RECORDED: "not_recorded",
}
SIGNS = {
    Status.ZERO: "= 0",
    Status.ROUNDED: "≈ 0",
    Status.ABOVE: "∞",
    Status.NAN: "NaN",
    Status.NOT_RECORDED: "—",
}
SYMBOLS = {
    Status.ZERO: "circle-open",
    Status.ROUNDED: "triangle-down-open",
    Status.ABOVE: "triangle-up",
    Status.NAN: "x",
}
RAIL_DASH = {Status.ROUNDED: "dot", Status.NAN: "dash"}
LOST_MARKS = {"symbol": "diamond-open", "size": 8, "maxdisplayed": 24}
ON_FLOOR = (Status.ZERO, Status.ROUNDED)
ON_CEILING = (Status.ABOVE, Status.NAN)
MOST_MARKERS = 40


@dataclass(frozen=True)
class Relative:
    """A curve over steps 1..T in decades relative to its own value at step T.

    values (T,): NaN where there is no number. status (T,): of the value as recorded.
    reference: log10 at `reference_step`, the last step that has a number; step 0 if none has.
    Of a layer that reads from the end (`backward`) "last" is the input's first step, and values
    and status stand in the order of the input.
    reach: the decades that are left at the end, where that is not the value there: of sequences of
    different lengths, counted from their own ends.
    """

    values: Array
    status: Array
    reference: float
    reference_step: int
    backward: bool = False
    reach: float | None = None

    @property
    def left(self) -> float:
        """Decades that are left of the error at the end; NaN where there is no number."""
        return float(self.values[self.end]) if self.reach is None else self.reach

    @property
    def start(self) -> int:
        """The step at which the error enters."""
        return 1 if self.backward else self.seq_len

    @cached_property
    def end(self) -> int:
        """Index of the step that the error comes to last."""
        return -1 if self.backward else 0

    @property
    def seq_len(self) -> int:
        return len(self.values)

    @cached_property
    def finite(self) -> Array:
        return np.isfinite(self.values)

    @cached_property
    def special(self) -> Array:
        """Status of the steps that have no number, −1 where there is one."""
        return np.where(self.finite, -1, self.status)


def relative(curve: Curve, reference: float | None = None, backward: bool = False) -> Relative:
    """The curve without its initial state, relative to its last step or to a given log10."""
    log10 = np.asarray(curve.log10, dtype=np.float64)[1:]
    status = np.asarray(curve.status)[1:]
    known = (status <= Status.ABOVE) | (status == Status.LOST)
    finite = np.isfinite(log10) & known
    steps = np.flatnonzero(finite)
    last = int(steps[-1]) if len(steps) else -1
    if reference is None:
        reference = float(log10[last]) if len(steps) else 0.0
    values = np.where(finite, log10, np.nan) - reference
    if backward:
        step = len(values) - last if len(steps) else 0
        return Relative(values[::-1], status[::-1], reference, step, True)
    return Relative(values, status, reference, last + 1)


def runs(mask: Array) -> list[tuple[int, int]]:
    """First and last step (from 1 on, inclusive) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(a) + 1, int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def line(curve: Relative, name: str, **options: object) -> Piece:
    """The numbers of a curve, gaps where there are none."""
    hover = f"{name}  10<sup>%{{y:.2f}}</sup><extra></extra>"
    values = gapped(curve.values)
    return {
        "type": "scatter",
        "mode": "lines",
        "x0": 1,
        "dx": 1,
        "y": values,
        "name": name,
        "hovertemplate": hover,
        "connectgaps": False,
        "cliponaxis": True,
        **options,
    }


def lines(curve: Relative, style: theme.Style, width: float | None = None) -> list[Piece]:
    """The curve: thick where float64 holds the value, thin and dotted beyond, thin with
    diamonds where its digits are lost, a dot where one step stands alone."""
    lost = curve.finite & (curve.status == Status.LOST)
    beyond = curve.finite & (curve.status != Status.FINITE) & ~lost
    thick = style.width if width is None else width
    colour = {"color": style.colour, "width": thick, "dash": style.dash}
    pieces = [line(_keep(curve, ~(beyond | lost)), style.title, line=colour)]
    if beyond.any():
        thin = {"color": style.colour, "width": theme.THIN, "dash": "dot"}
        name = caption("beyond_float64", model=style.title)
        pieces.append(line(_keep(curve, beyond), name, line=thin))
    if lost.any():
        name = caption("digits_lost", model=style.title)
        thin = {"color": style.colour, "width": theme.THIN}
        marks = {"mode": "lines+markers", "marker": LOST_MARKS | {"color": style.colour}}
        pieces.append(line(_keep(curve, lost), name, line=thin, **marks))
    alone = [a for a, b in runs(curve.finite) if a == b]
    if alone:
        pieces.append(_dots(curve, alone, style))
    return pieces


def _keep(curve: Relative, mask: Array) -> Relative:
    values = np.where(mask, curve.values, np.nan)
    return replace(curve, values=values)


def _dots(curve: Relative, steps: Sequence[int], style: theme.Style) -> Piece:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.array(steps, np.int32),
        "y": curve.values[np.array(steps) - 1].astype(np.float32),
        "name": caption("name_single_steps", model=style.title),
        "marker": {"color": style.colour, "size": 9},
        "hoverinfo": "skip",
    }


def rail(curve: Relative, status: Status, level: float, style: theme.Style) -> list[Piece]:
    """All steps of one status as a line at a fixed height, and a symbol at the ends of each run."""
    stretches = runs(curve.special == status)
    ends = sorted({step for stretch in stretches for step in stretch})
    if len(ends) > MOST_MARKERS:
        ends = [ends[0], ends[-1]]
    shared = {"type": "scatter", "name": caption(f"name_{NAMES[status]}", model=style.title)}
    width = {"color": style.colour, "width": theme.THIN, "dash": RAIL_DASH.get(status, "solid")}
    x, y = _along(stretches, level)
    hover = f"{style.title}  {status_words(status)}<extra></extra>"
    drawn = {"mode": "lines", "x": x, "y": y, "line": width}
    marker = {
        "symbol": SYMBOLS[status],
        "size": 11,
        "color": style.colour,
        "line": {"width": 2, "color": style.colour},
    }
    marked = {"mode": "markers", "x": ends, "y": [round(level, 3)] * len(ends), "marker": marker}
    return [
        {**shared, **drawn, "hovertemplate": hover, "meta": {"says": status_words(status)}},
        {**shared, **marked, "hoverinfo": "skip", "cliponaxis": False},
    ]


def _along(stretches: Sequence[tuple[int, int]], level: float) -> tuple[Steps, Steps]:
    """x and y of all steps of the runs at one height, with a gap between runs."""
    if len(stretches) == 1:
        x = np.arange(stretches[0][0], stretches[0][1] + 1, dtype=np.int32)
        return x, np.full(len(x), level, np.float32)
    steps: list[int | None] = []
    for first, last in stretches:
        steps += [*range(first, last + 1), None]
    return steps[:-1], [None if step is None else round(level, 3) for step in steps[:-1]]


def status_words(status: Status) -> str:
    """What is said of steps that have no place on the axis."""
    return caption(f"status_{NAMES[status]}")


def where(curve: Relative, status: Status) -> str:
    """In words: which steps have this status."""
    stretches = runs(curve.special == status)
    if len(stretches) > 1:
        count = sum(b - a + 1 for a, b in stretches)
        return caption("at_steps", count=count, total=curve.seq_len)
    first, last = stretches[0]
    if first == last:
        return caption("at_step", step=first)
    if curve.backward and first > 1 and last == curve.seq_len:
        return caption("from_step_on", step=first)
    if not curve.backward and first == 1 and last < curve.seq_len:
        return caption("from_step_back", step=last)
    return caption("at_steps_between", first=first, last=last)


def end_sign(curve: Relative) -> str:
    """What the curve has come to, for the label at its end."""
    if curve.finite[curve.end]:
        end = curve.left
        if curve.status[curve.end] == Status.LOST:
            return f"≈{signed(end, 0)}"
        return signed(end, 1 if abs(end) < 1000 else 0)
    status = curve.status[curve.end]
    return SIGNS[Status(int(status))] if status in SIGNS else "—"


def float64_ends(curve: Relative) -> list[float]:
    """Where, in the curve's decades, float64 ends; only on the side that the curve crosses."""
    crossed = []
    if (curve.finite & (curve.status == Status.BELOW)).any():
        crossed.append(LOG10_TINY - curve.reference)
    if (curve.finite & (curve.status == Status.ABOVE)).any():
        crossed.append(LOG10_MAX - curve.reference)
    return crossed
