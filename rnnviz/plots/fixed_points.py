"""A run's states and the fixed points of its network, in the plane of the states' first two
principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import note
from rnnviz.plots.panels import UNSEEN, axis, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import near_one, percent
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.fixed_points import FixedPoints, Plane

HEIGHT = 420
MARGIN = {"l": 74, "r": 20, "t": 14, "b": 50}
SYMBOLS = {
    "stable": "circle",
    "saddle": "x",
    "unstable": "diamond-open",
    "marginal": "square-open",
    "kink": "triangle-up-open",
}
NUMBERED = 12
"""Points that have their number in the table beside them."""
PAD = 0.08


@FigureFunction
def fixed_points_figure(
    found: FixedPoints, plane: Plane, path: Array, *, styles: Styles | None = None
) -> Drawing:
    """States of a run (T+1, S), a line from s_0 (circle) to s_T (dot), and the fixed points, a sign
    for each kind, all projected onto `plane`.

    Examples
    --------
    >>> found = analysis.fixed_points(traces["rnn"], "rnn")
    >>> path = analysis.visited_states(traces["rnn"], 0)
    >>> figure = plots.fixed_points_figure(found, analysis.principal_plane(path), path)
    """
    style = theme.styles_for([found.label], styles)[found.label]
    layout: Piece = {"height": HEIGHT, "margin": MARGIN}
    if not len(path) and not len(found.points):
        text = caption("no_state_to_draw")
        return drawing([UNSEEN], {**layout, **nothing(text)}, "fixed-points")
    way, points = plane.project(path), plane.project(found.points)
    ends = np.concatenate([way, points])
    titles = [caption("component", number=k + 1, share=percent(float(plane.shares[k])))
              for k in (0, 1)]  # fmt: skip
    layout |= {
        "xaxis": axis(titles[0], range=_range(ends[:, 0]), nticks=8),
        "yaxis": axis(titles[1], range=_range(ends[:, 1]), nticks=7),
        "annotations": _numbers(points, style),
    }
    data = [*_way(way, style), *_points(found, points, style)]
    return drawing(data, layout, "fixed-points")


def _range(values: Array) -> list[float]:
    low, high = float(values.min()), float(values.max())
    pad = PAD * (high - low) or 1.0
    return [low - pad, high + pad]


def _way(way: Array, style: theme.Style) -> list[Piece]:
    """The line, its beginning and its end."""
    if not len(way):
        return []
    name, hover = caption("name_states", model=style.title), caption("state_hover")
    line = {
        **_scatter(way, name, f"{hover}<extra></extra>"),
        "mode": "lines",
        "customdata": np.arange(len(way)),
        "line": {"color": style.colour, "width": theme.THIN},
        "opacity": 0.6,
    }
    marks = [("circle-open", 0), ("circle", len(way) - 1)]
    return [line, *(_end(way[[at]], symbol, at, style) for symbol, at in marks)]


def _end(state: Array, symbol: str, step: int, style: theme.Style) -> Piece:
    hover = caption("state_at", step=step)
    marker = {"symbol": symbol, "size": 8, "color": style.colour}
    piece = _scatter(state, f"{style.title} {hover}", f"{hover}<extra></extra>")
    return {**piece, "mode": "markers", "marker": marker}


def _points(found: FixedPoints, points: Array, style: theme.Style) -> list[Piece]:
    """One trace a kind."""
    kinds, pieces = np.array(found.kinds), []
    for kind, symbol in SYMBOLS.items():
        some = np.flatnonzero(kinds == kind)
        if not len(some):
            continue
        words = "fixed_point_hover_kink" if kind == "kink" else "fixed_point_hover"
        name = caption(f"kind_{kind}")
        hover = f"{caption(words, kind=name)}<extra></extra>"
        edge = {"width": 2, "color": style.colour}
        marker = {"symbol": symbol, "size": 13, "color": theme.GREY, "line": edge}
        pieces.append({
            **_scatter(points[some], name, hover),
            "mode": "markers",
            "customdata": np.column_stack([some + 1, found.radii[some]]).astype(np.float32),
            "text": [near_one(float(radius)) for radius in found.radii[some]],
            "marker": marker,
        })  # fmt: skip
    return pieces


def _scatter(points: Array, name: str, hover: str) -> Piece:
    x, y = points.T.astype(np.float32)
    return {"type": "scatter", "x": x, "y": y, "name": name, "hovertemplate": hover}


def _numbers(points: Array, style: theme.Style) -> list[Piece]:
    font = {"size": theme.SMALL_SIZE, "color": style.colour}
    place = {"xanchor": "left", "yanchor": "bottom", "xshift": 8, "yshift": 4}
    return [note(f"<b>{k}</b>", float(x), float(y), font=font, **place)
            for k, (x, y) in enumerate(points[:NUMBERED], 1)]  # fmt: skip
