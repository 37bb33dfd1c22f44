"""P(next symbol): what a language network expects after what it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    MOST_COLUMNS,
    axes_of,
    axes_suffix,
    axis,
    grid_places,
    panel_title,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.plots.tracks import Track, Words

MARGIN = {"l": 110, "r": 14, "t": 24, "b": 8}
ROW = 130
"""Pixels of a row of panels."""
LONGEST = 14
"""Characters of a symbol beyond which it is cut."""


@dataclass(frozen=True, eq=False)
class Next:
    """What a model expects at some training steps (k,): the likeliest symbols (k, n), the likeliest
    first, and their probabilities (k, n)."""

    label: str
    steps: Array
    symbols: Sequence[Sequence[str]]
    probabilities: Array


@FigureFunction
def next_figure(expected: Sequence[Next], *, styles: Styles | None = None) -> Drawing:
    """A bar for each of the likeliest symbols at the last training step, one panel a model, all on
    the scale from 0 to 1. Trace k is model k, so that `next_tracks` can move it."""
    known = theme.styles_for([each.label for each in expected], styles)
    places = grid_places(len(expected))
    layout: Piece = {"height": height_of(expected), "margin": MARGIN, "annotations": [],
                     "bargap": 0.35, "uniformtext": {"mode": "hide", "minsize": 9}}  # fmt: skip
    for index, (each, place) in enumerate(zip(expected, places, strict=True)):
        style, first = known[each.label], place[4]
        y = axis("P(next)" if first else "", range=[0, 1.25], nticks=3, tickvals=[0, 0.5, 1])
        y["showticklabels"] = first
        layout |= placed({"visible": False}, y, axes_suffix(index), place)
        title = f"<b>{theme.plain(style.title, 24)}</b>"
        layout["annotations"].append(panel_title(title, style.colour, place[0], place[3]))
    bars = [_bars(known[each.label], each, index) for index, each in enumerate(expected)]
    return drawing(bars, layout, "next-symbol")


def height_of(expected: Sequence[Next]) -> int:
    """Pixels."""
    return MARGIN["t"] + MARGIN["b"] + ROW * -(-len(expected) // MOST_COLUMNS)


def next_tracks(expected: Sequence[Next]) -> tuple[Track | Words, ...]:
    """What `next_figure` shows at each training step: heights and names of the bars."""
    return tuple(
        track
        for index, each in enumerate(expected)
        for track in (
            Track(index, "y", each.steps, each.probabilities),
            Words(index, each.steps, [[_named(s) for s in row] for row in each.symbols]),
        )
    )


def _bars(style: theme.Style, each: Next, index: int) -> Piece:
    heights = np.asarray(each.probabilities[-1], np.float32)
    return {"type": "bar", "x": np.arange(len(heights)), "y": heights,
            **axes_of(axes_suffix(index)), "text": [_named(s) for s in each.symbols[-1]],
            "textposition": "outside", "cliponaxis": False, "marker": {"color": style.colour},
            "name": style.title,
            "hovertemplate": "%{text}: %{y:.1%}<extra></extra>"}  # fmt: skip


def _named(symbol: str) -> str:
    """A symbol as Plotly's mark-up, no mark-up of its own; a space can be seen."""
    shown = {" ": "␣", "\n": "⏎"}.get(symbol, symbol)
    return escape(shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…", quote=False)
