"""The textbook's factor beside the truth, and the way that the rest of it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, small_label
from rnnviz.plots.panels import UNSEEN, axis, curve, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed

if TYPE_CHECKING:
    from rnnviz.analysis.carry import CarryPaths
    from rnnviz.analysis.rates import Curve

HEIGHT = 190
TIME = "time step t"
OWN = "step of its own, from the end of the sequence"
SAME = 1e-9
"""Decades below which two lines are one."""
MARGIN = {"t": 14, "b": 46, "r": 76}


@FigureFunction
def carry_figure(
    paths: Sequence[CarryPaths],
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
    time_title: str = TIME,
) -> Drawing:
    """log10 at t = 0..T of the true ‖∂c_T/∂c_t‖₂, thick; of the largest unit's Π f from t to T,
    dotted; of what goes through the gates, dashed; with peepholes of what stays in the cell, too.
    time_title : what the steps are; a layer that reads from the end has steps of its own.
    """
    known = theme.styles_for([p.label for p in paths], styles)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **MARGIN}}
    if not paths:
        text = "No model here has a memory gate."
        return drawing([UNSEEN], {**layout, **nothing(text)}, "carry")
    heights = np.concatenate([line.curve.log10 for p in paths for line in _lines(p)])
    finite = heights[np.isfinite(heights)]
    low, high = min(-1.0, finite.min(initial=0.0)), max(1.0, finite.max(initial=0.0))
    y_range = (float(1.06 * low), float(1.06 * high))
    drawn = [_draw(known[p.label], line) for p in paths for line in _lines(p)]
    seq_len = max(len(p.true.log10) for p in paths) - 1
    pixels = height - MARGIN["t"] - MARGIN["b"]
    layout |= {
        "hovermode": "x unified",
        "xaxis": axis(time_title, range=[-0.01 * seq_len, 1.01 * seq_len], showgrid=False),
        "yaxis": axis("decades", range=list(y_range), side="right", nticks=6),
        "annotations": end_labels([end for _, end in drawn], y_range, pixels, 0),
    }
    return drawing([piece for piece, _ in drawn], layout, "carry")


class _Line(NamedTuple):
    """One way that error takes; `line`: how it is drawn."""

    name: str
    curve: Curve
    line: dict[str, Any]


def _lines(paths: CarryPaths) -> list[_Line]:
    """The whole, its parts. What stays in the cell is Π f itself where no peephole adds to it."""
    thin = {"width": 2}
    parts = [
        _Line("true", paths.true, {}),
        _Line(f"Π {paths.gate}", paths.product, {**thin, "dash": "dot"}),
        _Line("gates", paths.through, {**thin, "dash": "dash"}),
    ]
    seen = paths.carry.status != Status.NOT_RECORDED
    in_cell, textbook = paths.carry.log10[seen], paths.product.log10[seen]
    if not np.allclose(in_cell, textbook, atol=SAME, equal_nan=True):
        parts.append(_Line("cell", paths.carry, {**thin, "dash": "dashdot"}))
    return parts


def _draw(style: theme.Style, line: _Line) -> tuple[Piece, EndLabel]:
    """A line and the label at its end."""
    steps = np.arange(len(line.curve.log10), dtype=np.float64)
    hover = f"{line.name} 10<sup>%{{y:.2f}}</sup>"
    words = f"{style.name} {line.name}"
    bold = words if line.line else f"<b>{words}</b>"
    return curve(steps, line.curve.log10, style, hover, **line.line), _end(style, bold, line.curve)


def _end(style: theme.Style, words: str, line: Curve) -> EndLabel:
    heights = line.log10
    finite = heights[np.isfinite(heights)]
    if np.isfinite(heights[0]):
        return small_label(f"{words} {signed(float(heights[0]))}", heights[0], style.colour)
    return small_label(f"{words} 0", float(finite.min(initial=0.0)), style.colour)
