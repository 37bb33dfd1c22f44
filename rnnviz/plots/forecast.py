"""A series with what networks said of it: one step ahead, and free-running."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    axes_of,
    axes_suffix,
    axis,
    counted,
    grid_places,
    model_title,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.texts import caption

HEIGHT, ROW = 76, 150
"""Pixels of the margins, and of a row of panels."""
MARGIN = {"l": 64, "r": 14, "t": 28, "b": 48}
LINES = (("forecast_one_step", "solid"), ("forecast_free", "dot"))


@FigureFunction
def forecast_figure(
    known: Array,
    forecasts: Mapping[str, tuple[Array, Array]],
    *,
    first: int = 1,
    styles: Styles | None = None,
) -> Drawing:
    """known (n,): the series, grey, from step `first` on; of each model, by label, what it said one
    step ahead (n,), solid, and free-running (n,), dotted. One panel a model, one scale.

    Examples
    --------
    >>> import numpy as np
    >>> said = {"rnn": (np.ones(4), np.zeros(4))}
    >>> [trace.name for trace in plots.forecast_figure(np.zeros(4), said).data]
    ['known', 'RNN one step ahead', 'RNN free-running']
    """
    known_styles = theme.styles_for(list(forecasts), styles)
    places = grid_places(len(forecasts), row_gap=0.3)
    rows = len({place[3] for place in places})
    steps = np.arange(first, first + len(known))
    drawn = [known, *(line for pair in forecasts.values() for line in pair)]
    bound = 1.08 * max(float(np.abs(line).max()) for line in drawn)
    data: list[Piece] = []
    layout: Piece = {"height": HEIGHT + ROW * rows, "margin": MARGIN, "annotations": []}
    for index, ((label, pair), place) in enumerate(zip(forecasts.items(), places, strict=True)):
        suffix, style = axes_suffix(index), known_styles[label]
        x = axis(caption("week") if place[5] else "", showgrid=False, **counted(len(known), 7))
        y = axis(caption("forecast_y") if place[4] else "", range=[-bound, bound], nticks=5)
        layout |= placed(x, {**y, "showticklabels": place[4]}, suffix, place)
        layout["annotations"].append(model_title(style, place))
        lines = [_line(steps, known, caption("forecast_known"), theme.GREY, "solid", 2.0)]
        lines += [
            _line(steps, values, f"{style.title} {caption(name)}", style.colour, dash, theme.LINE)
            for values, (name, dash) in zip(pair, LINES, strict=True)
        ]
        data += [{**line, **axes_of(suffix)} for line in lines]
    return drawing(data, layout, "forecast")


def _line(x: Array, y: Array, name: str, colour: str, dash: str, width: float) -> Piece:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y.astype(np.float32),
        "name": name,
        "line": {"color": colour, "dash": dash, "width": width},
        "hovertemplate": said_of(name, "%{y:.2f}<extra></extra>"),
    }
