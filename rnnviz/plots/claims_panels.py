"""Panels side by side, and what stands in them: pieces of the figures of the claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gapped, note
from rnnviz.plots.panels import UNSEEN, axes_suffix, axis, nothing
from rnnviz.wording.texts import caption

HEIGHT = 330
MARGIN = {"l": 62, "r": 12, "t": 46, "b": 46}
RIGHT, WRONG = "rgba(128,136,144,0.10)", "rgba(194,37,92,0.14)"
"""Where a prediction holds, and where it does not."""
ONE_LINE, TWO_LINES = 18.0, 34.0


@dataclass(frozen=True)
class Panel:
    """One plot of a figure. x, y: its axes, "title" and what else they are to have. title: one or
    two lines above it. Traces, notes and shapes name no axes: `side_by_side` gives them theirs."""

    title: str
    x: Piece
    y: Piece
    data: list[Piece] = field(default_factory=list)
    notes: list[Piece] = field(default_factory=list)
    shapes: list[Piece] = field(default_factory=list)


def side_by_side(
    panels: Sequence[Panel],
    revision: str,
    height: int,
    *,
    shares: Sequence[float] = (),
    gap: float = 0.1,
    notes: Sequence[Piece] = (),
    margin: Piece = MARGIN,
) -> Drawing:
    """The figure of these panels; `shares` are their widths, alike unless given."""
    places = _domains(shares or [1.0] * len(panels), gap)
    layout: Piece = {"height": height, "margin": margin, "shapes": [], "annotations": [*notes]}
    data: list[Piece] = []
    for index, (panel, place) in enumerate(zip(panels, places, strict=True)):
        s = axes_suffix(index)
        layout[f"xaxis{s}"] = axis(**panel.x) | {"domain": place, "anchor": f"y{s}"}
        layout[f"yaxis{s}"] = axis(**panel.y) | {"anchor": f"x{s}"}
        data += [{**piece, "xaxis": f"x{s}", "yaxis": f"y{s}"} for piece in panel.data]
        layout["shapes"] += [_on(piece, s) for piece in panel.shapes]
        layout["annotations"] += [_on(piece, s) for piece in panel.notes]
        layout["annotations"].append(_title(panel.title, place[0]))
    return drawing(data, layout, revision)


def waiting(revision: str, height: int, text: str = "") -> Drawing:
    """A figure before there is anything to draw."""
    return drawing([UNSEEN], {"height": height, **nothing(text or caption("measuring"))}, revision)


def _domains(shares: Sequence[float], gap: float) -> list[list[float]]:
    free = (1 - gap * (len(shares) - 1)) / sum(shares)
    lefts = [gap * k + free * sum(shares[:k]) for k in range(len(shares))]
    return [[a, min(1.0, a + free * share)] for a, share in zip(lefts, shares, strict=True)]


def _on(piece: Piece, s: str) -> Piece:
    """The piece on the axes with this suffix."""
    refs = {ref: piece.get(ref, ref[0]).replace(ref[0], ref[0] + s, 1) for ref in ("xref", "yref")}
    return {**piece, **refs}


def _title(text: str, left: float) -> Piece:
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return note(text, left, 1, yshift=3, align="left", font={"size": theme.TICK_SIZE}, **place)


def inside(text: str, x: float, y: float, **options: object) -> Piece:
    """A text at a place of a panel, given as shares of it."""
    font = {"size": theme.SMALL_SIZE, "color": theme.GREY}
    return note(text, x, y, xref="x domain", yref="y domain", font=font, **options)


def box(x: tuple[float, float], y: tuple[float, float], colour: str) -> Piece:
    """A shaded part of a panel."""
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "rect", **ends, "fillcolor": colour, "line": {"width": 0}, "layer": "below"}


def segment(x: tuple[float, float], y: tuple[float, float], dash: str = "dot") -> Piece:
    """A thin line of a panel."""
    line = {"color": theme.GREY, "width": theme.THIN, "dash": dash}
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", **ends, "line": line, "layer": "below"}


def dots(
    x: Array,
    y: Array,
    name: str,
    colour: str,
    hover: str,
    *,
    texts: Sequence[str] = (),
    symbol: str = "circle",
    size: int = 7,
) -> Piece:
    """Marks; `texts` are what %{customdata} in `hover` stands for."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.asarray(x, np.float32),
        "y": gapped(np.asarray(y, float)),
        "name": name,
        "marker": {"color": colour, "size": size, "symbol": symbol, "opacity": 0.75},
        "hovertemplate": f"{hover}<extra></extra>",
        "customdata": list(texts),
    }


def line(x: Array, y: Array, name: str, colour: str, hover: str, **options: object) -> Piece:
    """A line; `options` are of plotly's "line"."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x, np.float32),
        "y": gapped(np.asarray(y, float)),
        "name": name,
        "line": {"color": colour, "width": theme.LINE, **options},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def names(
    labels: Sequence[tuple[str, float, str]],
    y_range: Sequence[float],
    x: float,
    height: int,
    side: str = "right",
) -> list[Piece]:
    """Names (text, y, colour) at the ends of a panel's lines."""
    small = [
        EndLabel(f"<span style='font-size:{theme.SMALL_SIZE}px'>{text}</span>", y,
                 TWO_LINES if "<br>" in text else ONE_LINE, colour)
        for text, y, colour in labels
    ]  # fmt: skip
    pixels = height - MARGIN["t"] - MARGIN["b"]
    return end_labels(small, (y_range[0], y_range[1]), pixels, x, side)


def room_for(values: Array, least: tuple[float, float], share: float = 0.06) -> list[float]:
    """A range that holds all numbers, and at least `least`."""
    finite = values[np.isfinite(values)]
    low, high = finite.min(initial=least[0]), finite.max(initial=least[1])
    return [float(low - share * (high - low)), float(high + share * (high - low))]
