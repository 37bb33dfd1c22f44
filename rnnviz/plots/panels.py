"""The axes, lines and places that figures share, of one panel or of one a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import gapped, on_paper
from rnnviz.wording.lists import said_of, text_width

WIDE = 9.5
"""Pixels a bold character of a headline is wide, on average."""
BAR, SMALL = 34, 8
"""Pixels of a colour bar before its words, and that a character of theirs is wide."""
GAP, ROW_GAP = 0.03, 0.16
DOT = 9
"""Pixels of the dot of a point that stands alone."""
MOST_COLUMNS = 3
MOST_TICKS = 10
"""So many ticks a browser puts on a wide axis, if it is left to it."""
Place = tuple[float, float, float, float, bool, bool]
"""Left, right, bottom, top as shares; whether it is in the first column, in the lowest row."""


def grid_places(count: int, row_gap: float = ROW_GAP) -> list[Place]:
    """Where so many panels go: up to three in a row."""
    rows = -(-count // MOST_COLUMNS)
    columns = -(-count // rows)
    wide = (1 - GAP * (columns - 1)) / columns
    high = (1 - row_gap * (rows - 1)) / rows
    found = []
    for index in range(count):
        row, column = divmod(index, columns)
        left, top = column * (wide + GAP), 1 - row * (high + row_gap)
        lowest = index + columns >= count
        bottom = max(0.0, top - high)
        found.append((left, min(1.0, left + wide), bottom, top, column == 0, lowest))
    return found


def row_places(count: int, gap: float) -> list[Place]:
    """Where so many panels go in one row, with this share of the width between them."""
    wide = (1 - gap * (count - 1)) / count
    starts = [index * (wide + gap) for index in range(count)]
    return [(a, min(a + wide, 1.0), 0.0, 1.0, a == 0, True) for a in starts]


def axes_suffix(index: int) -> str:
    """What the names of the axes of panel `index` end in: plotly calls the first ones x and y."""
    return "" if index == 0 else str(index + 1)


def axes_of(suffix: str) -> dict[str, str]:
    """On which axes a trace is drawn."""
    return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def placed(x: Piece, y: Piece, suffix: str, place: Place) -> Piece:
    """The two axes of a panel at their place, as parts of a layout."""
    left, right, bottom, top = (round(share, 4) for share in place[:4])
    return {
        f"xaxis{suffix}": {**x, "domain": [left, right], "anchor": f"y{suffix}"},
        f"yaxis{suffix}": {**y, "domain": [bottom, top], "anchor": f"x{suffix}"},
    }


def panel_title(
    text: str, colour: str, left: float, top: float = 1.0, size: int = theme.NOTE_SIZE, **more: Any
) -> Piece:
    """Above the left end of a panel."""
    font, at = {"size": size, "color": colour}, {"xanchor": "left", "yanchor": "bottom"}
    return on_paper(text, round(left, 4), round(top, 4), font=font, yshift=2, **at, **more)


def scale_title(text: str, right_margin: int, up: int = 3) -> Piece:
    """What the colours stand for, above the colour bar in the right margin."""
    place = {"xanchor": "right", "xshift": right_margin - 2, "yanchor": "bottom", "yshift": up}
    return on_paper(text, 1, 1, font={"size": theme.SMALL_SIZE}, **place)


def colour_scale(colours: object, ticks: Sequence[float], texts: Sequence[str] = ()) -> Piece:
    """A colour axis from the least to the greatest tick, with its bar."""
    bar = {"thickness": 12, "len": 1.0, "outlinewidth": 0, "x": 1, "xpad": 16, "ypad": 0,
           "tickvals": list(ticks), "tickfont": {"size": theme.SMALL_SIZE}}  # fmt: skip
    bar |= {"ticktext": list(texts)} if texts else {}
    return {"cmin": min(ticks), "cmax": max(ticks), "colorscale": colours, "colorbar": bar}


def bar_margin(least: int, scale: Piece) -> int:
    """Pixels on the right, at least so many, in which the words of its colour bar are whole."""
    words = scale["colorbar"].get("ticktext", ())
    return max([least, *(BAR + SMALL * text_width(word) for word in words)])


def model_title(style: theme.Style, place: Place) -> Piece:
    """A panel's model, as much of its name as there is room for."""
    room = max(6, int((place[1] - place[0]) * 88))
    text = f"<b>{theme.short(style.title, room)}</b>"
    return panel_title(text, style.colour, place[0], place[3])


def curve(x: Array, y: Array, style: theme.Style, hover: str, **line: Any) -> Piece:
    """A line in a model's style, of the points that have a number: a gap where there is none
    between them, a dot where one stands alone."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(x) & np.isfinite(y)
    ends = np.flatnonzero(known)[[0, -1]] if known.any() else (0, -1)
    x, y, known = (each[ends[0] : ends[1] + 1] for each in (x, y, known))
    beside = np.pad(known, 1)
    alone = known & ~beside[:-2] & ~beside[2:]
    dots = {
        "mode": "lines+markers",
        "marker": {"color": style.colour, "size": np.where(alone, DOT, 0).tolist()},
    }
    return {
        "type": "scatter",
        **(dots if alone.any() else {"mode": "lines"}),
        "x": x.astype(np.float32),
        "y": gapped(np.where(known, y, np.nan), digits=9),
        "name": style.title,
        "line": {"color": style.colour, "width": theme.LINE, "dash": style.dash, **line},
        "hovertemplate": said_of(style.title, hover) + "<extra></extra>",
    }


def curve_with(
    said: Sequence[float | str | None],
    x: Array,
    y: Array,
    style: theme.Style,
    hover: str,
    **line: Any,
) -> Piece:
    """A curve with gaps; what the table of its values says of each point, of those without a
    number, too."""
    drawn = curve(x, y, style, hover, **line)
    if np.isfinite(y).all():
        return drawn
    shown = {} if np.isfinite(y).any() else {"x": x, "y": [None] * len(x)}
    return {**drawn, **shown, "meta": {"of": np.asarray(x).tolist(), "values": list(said)}}


def headline(what: str, parts: Sequence[tuple[theme.Style, str]], room: float) -> Piece:
    """One line above the plot: a quantity, and its value for each model in the model's colour;
    in small if it would be wider than `room` pixels."""
    wide = WIDE * (
        text_width(re.sub("<.*?>", "", what)) + sum(text_width(text) + 3 for _, text in parts)
    )
    values = [f"<span style='color:{style.colour}'><b>{text}</b></span>" for style, text in parts]
    place = {"xanchor": "left", "yanchor": "bottom", "yshift": 4}
    size = theme.AXIS_SIZE if wide < room else theme.SMALL_SIZE
    return on_paper("   ".join([what, *values]), 0, 1, font={"size": size}, **place)


def axis(title: str, **options: Any) -> Piece:
    """An axis with a title in the middle size."""
    title_ = {"text": title, "font": {"size": theme.NOTE_SIZE}, "standoff": 4}
    return {"title": title_, "tickfont": {"size": theme.TICK_SIZE}, **options}


def counted(count: float, most: int | None = None) -> Piece:
    """The ticks of an axis that counts so many whole things, such as steps, units, lags: never
    between two of them. most: how many ticks there are at most; None leaves it to the width."""
    if count < (most or MOST_TICKS):
        return {"dtick": 1}
    return {"nticks": most} if most else {}


def nothing(text: str) -> Piece:
    """Layout of a figure that has nothing to draw, and says why."""
    said = on_paper(text, 0.5, 0.5, font={"size": theme.LABEL_SIZE})
    hidden = {"visible": False}
    return {"annotations": [said], "xaxis": hidden, "yaxis": hidden, "shapes": []}


UNSEEN: Piece = {"type": "scatter", "x": [0], "y": [0], "opacity": 0, "hoverinfo": "skip"}
"""A trace for figures with nothing to draw: a chart without traces would be an error."""
