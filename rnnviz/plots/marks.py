"""Small pieces that figures are put together from: plain dicts in plotly's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.plots import theme

Array = np.ndarray
Piece = dict[str, Any]

MINUS = "\u2212"


def figure(data: Sequence[Piece], layout: Piece, revision: str) -> go.Figure:
    """A figure in the theme. `revision` keeps zoom and hover over updates.

    Built without plotly's validation, which costs three times the rest; the tests validate.
    """
    whole = {
        "template": theme.template(),
        "uirevision": revision,
        "showlegend": False,
        "hovermode": "closest",
        **layout,
        "margin": {**layout.get("margin", {}), "autoexpand": False},
    }
    return go.Figure({"data": list(data), "layout": whole}, _validate=False)


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign for a label, with a real minus sign; zero has none."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        text = text[1:]
    return text.replace("-", MINUS)


def gapped(values: Array, digits: int = 3) -> Array | list[float | None]:
    """Numbers for a trace, never inf or NaN: float32, or a list with None where there is none."""
    finite = np.isfinite(values)
    if finite.all():
        return values.astype(np.float32)
    rounded = np.round(np.where(finite, values, 0.0), digits).tolist()
    return [v if ok else None for v, ok in zip(rounded, finite.tolist(), strict=True)]


def note(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at (x, y), in data coordinates unless `options` say otherwise."""
    return {"text": text, "x": x, "y": y, "showarrow": False, **options}


def on_paper(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at a fixed place of the plot area: (0, 0) is its lower left corner."""
    return note(text, x, y, xref="paper", yref="paper", **options)


def rule(x: tuple[float, float], y: tuple[float, float], **options: Any) -> Piece:
    """A thin dotted line from one point to another, drawn over the grid and under the curves."""
    line = {"color": theme.GREY, "width": theme.THIN, "dash": "dot", **options.pop("line", {})}
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", **ends, "line": line, "layer": "below", **options}


def spread(
    centres: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """New centres, as near as a simple rule gets, so that intervals of these sizes in [low, high]
    do not overlap. Order is kept. What does not fit is spaced evenly over the whole range."""
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    room = high - low
    squeeze = min(1.0, room / max(sum(sizes), 1e-9))
    placed = list(centres)
    edge = low
    for i in order:
        half = sizes[i] * squeeze / 2
        placed[i] = max(centres[i], edge + half)
        edge = placed[i] + half
    edge = high
    for i in reversed(order):
        half = sizes[i] * squeeze / 2
        placed[i] = min(placed[i], edge - half)
        edge = placed[i] - half
    return placed
