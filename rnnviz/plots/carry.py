"""The textbook's factor beside the truth: Π f and ‖∂c_T/∂c_t‖."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from rnnviz.plots import theme
from rnnviz.plots.labels import EndLabel, end_labels, gutter, small_label
from rnnviz.plots.marks import Piece, figure, signed
from rnnviz.plots.panels import UNSEEN, axis, curve, nothing

if TYPE_CHECKING:
    from rnnviz.analysis.gates import CarryProduct

Array = np.ndarray

HEIGHT = 190
TIME = "time step t"
OWN = "step of its own, from the end of the sequence"
MARGIN = {"t": 14, "b": 46, "r": 76}


def carry_figure(
    products: Sequence[CarryProduct],
    *,
    styles: Mapping[str, theme.Style] | None = None,
    height: int = HEIGHT,
    time_title: str = TIME,
) -> go.Figure:
    """log10 of the largest unit's Π f from t to T, dotted and thin, and of the true ‖∂c_T/∂c_t‖₂,
    thick, at t = 0..T. Where they part, error takes another way than the cell's own carry.
    time_title : what the steps are; a layer that reads from the end has steps of its own.
    """
    known = theme.styles_for([p.label for p in products], styles)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **MARGIN}}
    if not products:
        text = "No model here has a memory gate."
        return figure([UNSEEN], {**layout, **nothing(text)}, "carry")
    parts = [(known[p.label], p.log10_product, p.true.log10, p) for p in products]
    heights = np.concatenate([y for _, product, true, _ in parts for y in (product, true)])
    finite = heights[np.isfinite(heights)]
    low, high = min(-1.0, finite.min(initial=0.0)), max(1.0, finite.max(initial=0.0))
    y_range = (float(1.06 * low), float(1.06 * high))
    data: list[Piece] = []
    ends: list[EndLabel] = []
    for style, product, true, each in parts:
        pair = _pair(style, product, true, each.gate)
        data += [piece for piece, _ in pair]
        ends += [end for _, end in pair]
    seq_len = max(len(p.log10_product) for p in products) - 1
    pixels = height - MARGIN["t"] - MARGIN["b"]
    layout |= {
        "hovermode": "x unified",
        "xaxis": axis(time_title, range=[-0.01 * seq_len, 1.01 * seq_len], showgrid=False),
        "yaxis": axis("decades", range=list(y_range), side="right", nticks=6),
        "annotations": end_labels(ends, y_range, pixels, 0),
    }
    return figure(data, layout, "carry")


def _pair(
    style: theme.Style, product: Array, true: Array, gate: str
) -> list[tuple[Piece, EndLabel]]:
    """Both lines of a model and the labels at their ends."""
    steps = np.arange(len(product), dtype=np.float64)
    thin = {"dash": "dot", "width": 2}
    words = f"Π {gate}"
    return [
        (
            curve(steps, true, style, "true 10<sup>%{y:.2f}</sup>"),
            _end(style, f"<b>{style.name} true</b>", true),
        ),
        (
            curve(steps, product, style, f"{words} 10<sup>%{{y:.2f}}</sup>", **thin),
            _end(style, f"{style.name} {words}", product),
        ),
    ]


def _end(style: theme.Style, words: str, heights: Array) -> EndLabel:
    finite = heights[np.isfinite(heights)]
    if np.isfinite(heights[0]):
        return small_label(f"{words} {signed(float(heights[0]))}", heights[0], style.colour)
    return small_label(f"{words} 0", float(finite.min(initial=0.0)), style.colour)
