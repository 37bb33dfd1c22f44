"""Truncated backpropagation that points the wrong way: influence balancing."""

from __future__ import annotations

import numpy as np

from rnnviz.claims.influence import InfluenceCurve, InfluenceRuns
from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gapped, note, rule
from rnnviz.plots.panels import axis
from rnnviz.wording.numbers import minus

HEIGHT = 260
MARGIN = {"l": 64, "r": 110, "t": 20, "b": 46}
WRONG, RIGHT = "#d55e00", "#009e73"
COLOURS = ("#d55e00", "#a8781e", "#7a6fcf", "#1a6fc4", "#009e73", "#c2527e", "#1f97a6")


@FigureFunction
def slope_figure(curve: InfluenceCurve, exact: float, *, height: int = HEIGHT) -> Drawing:
    """The apparent ∂s/∂θ against the window K: where its sign is wrong in orange, where it is
    right in green; the true value is a dotted line."""
    windows, slope = np.asarray(curve.windows), np.asarray(curve.slope)
    wrong = np.sign(slope) != np.sign(exact)
    shown = [(wrong, "wrong sign", WRONG), (~wrong, "right sign", RIGHT)]
    data = [_dots(windows[mask], slope[mask], name, colour) for mask, name, colour in shown]
    end = float(windows[-1]) + 0.5
    last = int(windows[wrong].max(initial=0))
    layout: Piece = {
        "height": height,
        "margin": MARGIN,
        "xaxis": axis(
            "window K: steps that the error is sent back", showgrid=False, range=[0, end]
        ),
        "yaxis": axis("∂s/∂θ as seen", nticks=6),
        "shapes": [_level(exact), _level(0.0), rule((last + 0.5,) * 2, (0, 1), yref="y domain")],
    }
    told = note(f"up to K = {last}: wrong sign", last, 1, yref="paper", xanchor="right",
                yanchor="top", font={"size": theme.NOTE_SIZE, "color": WRONG})  # fmt: skip
    true = EndLabel(minus(f"true {exact:g}"), exact, 22.0, RIGHT)
    low, high = float(slope.min()) - 2, float(slope.max()) + 8
    layout["yaxis"]["range"] = [low, high]
    layout["annotations"] = [told, *end_labels([true], (low, high), height - 66, 100.0, "right")]
    return drawing(data, layout, "influence")


@FigureFunction
def runs_figure(runs: InfluenceRuns, optimum: float, *, height: int = HEIGHT) -> Drawing:
    """θ over training with each window, on a scale from −1.5 to 1.5; dotted: the optimum."""
    low, high = -1.5, 1.5
    end = len(runs.theta) - 1
    data, ends = [], []
    for index, window in enumerate(runs.windows):
        name = f"K = {window}" if window else "whole past"
        colour = COLOURS[index % len(COLOURS)]
        theta = np.asarray(runs.theta)[:, index]
        inside = np.flatnonzero(~(np.abs(theta) < high))
        stop = int(inside[0]) + 1 if len(inside) else len(theta)
        rows = np.unique(np.linspace(0, stop - 1, 300).astype(int))
        data.append(_line(rows, np.clip(theta[rows], low, high), name, colour))
        ends.append(EndLabel(f"<span style='font-size:14px'>{name}</span>",
                             float(np.clip(theta[rows[-1]], low, high)), 20.0, colour))  # fmt: skip
    layout: Piece = {
        "height": height,
        "margin": MARGIN,
        "xaxis": axis("training step", showgrid=False, range=[0, end]),
        "yaxis": axis("θ", range=[low, high], nticks=5),
        "shapes": [_level(optimum)],
        "annotations": end_labels(ends, (low, high), height - 66, float(end), "right"),
    }
    return drawing(data, layout, "influence-runs")


def _dots(x: Array, y: Array, name: str, colour: str) -> Piece:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x.astype(np.int32),
        "y": gapped(y),
        "name": name,
        "marker": {"color": colour, "size": 7},
        "hovertemplate": f"K = %{{x}}: %{{y:.2f}}, {name}<extra></extra>",
    }


def _line(x: Array, y: Array, name: str, colour: str) -> Piece:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x.astype(np.int32),
        "y": gapped(y),
        "name": name,
        "line": {"color": colour, "width": theme.LINE},
        "hovertemplate": f"{name}, step %{{x}}: θ = %{{y:.3f}}<extra></extra>",
    }


def _level(value: float) -> Piece:
    return rule((0, 1), (value, value), xref="x domain")
