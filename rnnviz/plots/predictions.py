"""Theory over a measured curve: what is predicted dash-dotted, an upper limit in long dashes, both
thinner than what was measured, in the model's colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import EndLabel, small_label
from rnnviz.plots.panels import curve
from rnnviz.wording.numbers import signed

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow
    from rnnviz.analysis.predictions import Prediction, Predictions

LOOK: dict[str, Any] = {"dash": "dashdot", "width": 2.0}
BOUND: dict[str, Any] = {"dash": "longdash", "width": theme.THIN}
Drawn = list[tuple[Piece, EndLabel]]


def over_flow(flow: GradientFlow, predictions: Predictions, style: theme.Style) -> Drawn:
    """From the step at which the error enters back to step 1 (of a layer that reads from the end,
    on to step T), 0 decades where it enters."""
    steps = np.arange(flow.reach_from, 0, -1)
    places = np.array([flow.real_step(int(step)) for step in steps], float)
    return [_line(line, places, line.log10[: len(steps)], style) for line in predictions.lines]


def over_lags(predictions: Predictions, style: theme.Style, lags: int) -> Drawn:
    """At the lags 1 to `lags`."""
    places = np.arange(1.0, lags + 1)
    return [_line(line, places, line.log10[1 : lags + 1], style) for line in predictions.lines]


def _line(line: Prediction, x: Array, y: Array, style: theme.Style) -> tuple[Piece, EndLabel]:
    """The line and the label of its end."""
    look = BOUND if line.name == "bound" else LOOK
    piece = curve(x, y, style, f"{line.name} 10<sup>%{{y:.2f}}</sup>", **look)
    end = float(y[-1]) if len(y) and np.isfinite(y[-1]) else 0.0
    words = small_label(f"{line.name} {signed(end)}", end, style.colour)
    return {**piece, "name": f"{style.title} {line.name}"}, words
