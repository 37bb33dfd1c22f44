"""P(next symbol): what a language network expects after what it has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import on_paper
from rnnviz.plots.panels import MOST_COLUMNS, axis, grid_places
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
def next_figure(
    expected: Sequence[Next], *, styles: Mapping[str, theme.Style] | None = None
) -> Drawing:
    """A bar for each of the likeliest symbols at the last training step, one panel a model, all on
    the scale from 0 to 1. Trace k is model k, so that `next_tracks` can move it."""
    known = theme.styles_for([each.label for each in expected], styles)
    places = grid_places(len(expected))
    layout: Piece = {"height": height_of(expected), "margin": MARGIN, "annotations": [],
                     "bargap": 0.35, "uniformtext": {"mode": "hide", "minsize": 9}}  # fmt: skip
    for index, (each, place) in enumerate(zip(expected, places, strict=True)):
        left, right, bottom, top, first, _ = place
        name = "" if not index else str(index + 1)
        layout[f"xaxis{name}"] = {"visible": False, "domain": [left, right], "anchor": f"y{name}"}
        layout[f"yaxis{name}"] = axis("P(next)" if first else "", range=[0, 1.25], nticks=3,
                                      domain=[bottom, top], anchor=f"x{name}", tickvals=[0, 0.5, 1],
                                      showticklabels=first)  # fmt: skip
        layout["annotations"].append(_title(known[each.label], left, top))
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
    name = "" if not index else str(index + 1)
    heights = np.asarray(each.probabilities[-1], np.float32)
    return {"type": "bar", "x": np.arange(len(heights)), "y": heights, "xaxis": f"x{name}",
            "yaxis": f"y{name}", "text": [_named(s) for s in each.symbols[-1]],
            "textposition": "outside", "cliponaxis": False, "marker": {"color": style.colour},
            "name": style.title,
            "hovertemplate": "%{text}: %{y:.1%}<extra></extra>"}  # fmt: skip


def _named(symbol: str) -> str:
    """A symbol as Plotly's mark-up, no mark-up of its own; a space can be seen."""
    shown = {" ": "␣", "\n": "⏎"}.get(symbol, symbol)
    return escape(shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…", quote=False)


def _title(style: theme.Style, left: float, top: float) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    place = {"xanchor": "left", "yanchor": "bottom", "yshift": 2}
    return on_paper(f"<b>{theme.plain(style.title, 24)}</b>", round(left, 4), top, font=font,
                    **place)  # fmt: skip
