"""Rails beside an axis of decades, for what has no place on it: exact zero and what was rounded to
zero in a band below the least number, infinity and NaN in one above the greatest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import note
from rnnviz.wording.lists import apart, said_of
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import caption

Drawn = list[tuple[theme.Style, curves.Relative]]
HIGH = 24
"""Pixels of a rail with its words."""
MOST = 0.5
"""Share of a figure's height that rails may take."""
TICKS = 7
UNDER, BEYOND = 1 + max(Status), 2 + max(Status)
"""In place of a status: a number below the axis, and one above it."""
FLOOR, CEILING = (UNDER, *curves.ON_FLOOR), (BEYOND, *curves.ON_CEILING)
"""What stands on rails below and above, nearest to the numbers first."""
SHADE = "rgba(128,136,144,0.12)"


@dataclass(frozen=True)
class Bands:
    """numbers: the decades (low, high) of what is a number. floor, ceiling: rails below and above.
    high: pixels of a rail, in a figure of `pixels`, where there is room."""

    numbers: tuple[float, float]
    floor: int
    ceiling: int
    pixels: float
    high: float = HIGH

    @property
    def step(self) -> float:
        """The decades of a rail."""
        low, high = self.numbers
        count = self.floor + self.ceiling
        each = min(self.high, MOST * self.pixels / max(count, 1))
        return (high - low) / (self.pixels - each * count) * each

    @property
    def y_range(self) -> tuple[float, float]:
        """The axis, bands included."""
        low, high = self.numbers
        return low - self.floor * self.step, high + self.ceiling * self.step

    def level(self, status: int, slot: int) -> float:
        """The height of a rail, the `slot`th on its side, with room for its words above it."""
        low, high = self.numbers
        if status in FLOOR:
            return low - (slot + 0.75) * self.step
        return high + (slot + 0.25) * self.step

    @property
    def ticks(self) -> Piece:
        """Of an axis: none in the bands. Its own choice where there are no bands."""
        if not self.floor + self.ceiling:
            return {}
        low, high = self.numbers
        least = (high - low) / TICKS
        base = 10.0 ** np.floor(np.log10(least))
        every = next(base * k for k in (1, 2, 5, 10) if base * k >= least)
        values = np.arange(np.ceil(low / every), np.floor(high / every) + 1) * every + 0.0  # no −0
        return {"tickvals": values.tolist(), "ticktext": [minus(f"{v:g}") for v in values]}

    def shapes(self, x: str = "x") -> list[Piece]:
        """The bands, shaded, behind a plot with this x axis."""
        (low, high), (least, most) = self.numbers, self.y_range
        edges = [(least, low)] * (self.floor > 0) + [(high, most)] * (self.ceiling > 0)
        look = {"fillcolor": SHADE, "line": {"width": 0}, "layer": "below"}
        place = {"type": "rect", "xref": f"{x} domain", "yref": x.replace("x", "y")}
        return [{**place, "x0": 0, "x1": 1, "y0": a, "y1": b, **look} for a, b in edges]


class Rails(NamedTuple):
    """Rails with their words, and the height at which each curve without a number at its end ends,
    by its place among the drawn."""

    bands: Bands
    pieces: list[Piece]
    words: list[Piece]
    ends: dict[int, float]


def all_rails(drawn: Drawn, numbers: tuple[float, float], pixels: float) -> Rails:
    """The rails of these curves in a plot so many pixels high."""
    sides = [tracks(drawn, statuses) for statuses in (curves.ON_FLOOR, curves.ON_CEILING)]
    bands = Bands(numbers, len(sides[0]), len(sides[1]), pixels)
    found = Rails(bands, [], [], {})
    for side in sides:
        for slot, (index, status) in enumerate(side):
            (style, curve), level = drawn[index], bands.level(status, slot)
            found.pieces.extend(curves.rail(curve, status, level, style))
            found.words.append(_words(style, curve, status, level))
            if curve.special[curve.end] == status:
                found.ends[index] = level
    return found


def tracks(drawn: Drawn, statuses: Sequence[Status]) -> list[tuple[int, Status]]:
    """The place of each curve that has one of the statuses, and which."""
    return [
        (index, status)
        for index, (_, curve) in enumerate(drawn)
        for status in statuses
        if (curve.special == status).any()
    ]


def _words(style: theme.Style, curve: curves.Relative, status: Status, level: float) -> Piece:
    said = [curves.status_words(status), curves.where(curve, status)]
    text = said_of(style.title, caption("status_where", status=said[0], where=said[1]))
    if curve.reference_step and curve.reference_step != curve.start:
        text = apart([text, caption("relative_to", step=curve.reference_step)])
    start = int(np.flatnonzero(curve.special == status)[0]) + 1
    left = start < 0.6 * curve.seq_len
    return note(
        text,
        start if left else curve.seq_len,
        level,
        xanchor="left" if left else "right",
        yanchor="bottom",
        yshift=1,
        font={"size": theme.NOTE_SIZE, "color": style.colour},
    )
