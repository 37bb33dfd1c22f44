"""Lines of log10 over steps or lags, with names at their ends, and rails for what is no number.

Theory over a measured curve: what is predicted dash-dotted, an upper limit in long dashes, both
thinner than what was measured, in the model's colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import curves, panels, theme
from rnnviz.plots.drawing import Drawing, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, model_label, rule, small_label
from rnnviz.plots.panels import UNSEEN, axis, counted, nothing
from rnnviz.plots.rails import Drawn, all_rails
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow
    from rnnviz.analysis.predictions import Prediction, Predictions

MARGIN = {"t": 12, "b": 46, "l": 64}
PREDICTED: dict[str, Any] = {"dash": "dashdot", "width": 2.0}
BOUND: dict[str, Any] = {"dash": "longdash", "width": theme.THIN}
Lines = list[tuple[Piece, EndLabel]]


def magnitude_figure(
    drawn: Drawn,
    *,
    extra: Sequence[tuple[Piece, EndLabel]] = (),
    titles: tuple[str, str],
    styles: Styles,
    height: int,
    revision: str,
) -> Drawing:
    """Curves of the steps 1..T, read from left to right (`curves.Relative.backward`). A faint
    style is drawn thin, and named in small; in full where it is of another layer. extra: lines that
    are drawn under them, with the labels of their ends. titles: of x and y."""
    margin = {**MARGIN, "r": gutter(styles)}
    layout: Piece = {"height": height, "margin": margin}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_model"))}, revision)
    y_range = value_range([curve.values for _, curve in drawn])
    last = max(curve.seq_len for _, curve in drawn)
    data = [piece for piece, _ in extra]
    data += [piece for style, curve in drawn for piece in curves.lines(curve, style)]
    pixels = height - MARGIN["t"] - MARGIN["b"]
    bands, rails, said, ends = all_rails(drawn, y_range, pixels)
    labels = [
        _label(style, curve, ends.get(i, y_range[0])) for i, (style, curve) in enumerate(drawn)
    ]
    labels += [label for _, label in extra]
    pad = 0.008 * max(last - 1, 1)
    layout |= {
        "hovermode": "x unified",
        "xaxis": axis(titles[0], range=[1 - pad, last + pad], showgrid=False, **counted(last, 8)),
        "yaxis": axis(titles[1], range=list(bands.y_range), nticks=7, **bands.ticks),
        "annotations": end_labels(labels, bands.y_range, pixels, last, "right") + said,
        "shapes": [*bands.shapes(), rule((0, 1), (0, 0), xref="x domain")],
    }
    return drawing([*data, *rails], layout, revision)


def value_range(values: Sequence[Array]) -> tuple[float, float]:
    """Decades that hold every number and 0."""
    found = np.concatenate([v[np.isfinite(v)] for v in values] or [np.zeros(0)])
    low, high = found.min(initial=-0.5), found.max(initial=0.5)
    pad = 0.06 * (high - low)
    return float(low - pad), float(high + pad)


def _label(style: theme.Style, curve: curves.Relative, rail: float) -> EndLabel:
    end = float(curve.values[curve.end]) if curve.finite[curve.end] else rail
    sign = curves.end_sign(curve)
    if style.faint:
        name = style.title if style.where else style.name
        return small_label(f"{name} {sign}", end, style.colour)
    return model_label(style, sign, end)


def theory_over_flow(flow: GradientFlow, predictions: Predictions, style: theme.Style) -> Lines:
    """From the step at which the error enters back to step 1 (of a layer that reads from the end,
    on to step T), 0 decades where it enters."""
    steps = np.arange(flow.reach_from, 0, -1)
    places = flow.real_step(steps).astype(float)
    return [_line(line, places, line.log10[: len(steps)], style) for line in predictions.lines]


def theory_over_lags(predictions: Predictions, style: theme.Style, lags: int) -> Lines:
    """At the lags 1 to `lags`."""
    places = np.arange(1.0, lags + 1)
    return [_line(line, places, line.log10[1 : lags + 1], style) for line in predictions.lines]


def _line(line: Prediction, x: Array, y: Array, style: theme.Style) -> tuple[Piece, EndLabel]:
    """The line and the label of its end."""
    look = BOUND if line.name == "bound" else PREDICTED
    name = caption(f"theory_{line.name.replace(' ', '_')}")
    piece = panels.curve(x, y, style, f"{name} 10<sup>%{{y:.2f}}</sup>", **look)
    end = float(y[-1]) if len(y) and np.isfinite(y[-1]) else 0.0
    words = small_label(f"{name} {signed(end)}", end, style.colour)
    return {**piece, "name": f"{style.title} {name}"}, words
