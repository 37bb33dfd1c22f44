"""Predicted against measured growth of the error: one panel a predictor, one dot a draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.claims.growth import PREDICTORS, Draw, Score, score, sign
from rnnviz.core.numerics import Status
from rnnviz.plots import theme
from rnnviz.plots.claims_panels import (
    HEIGHT,
    RIGHT,
    WRONG,
    Panel,
    box,
    dots,
    inside,
    segment,
    side_by_side,
)
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece
from rnnviz.plots.marks import on_paper
from rnnviz.wording.numbers import MINUS, minus

MARGIN = {"l": 62, "r": 12, "t": 42, "b": 66}
LOW, HIGH = -1.25, 0.85
"""Decades a step: what lies beyond is drawn at the edge."""
FLOOR, TOP = LOW + 0.05, HIGH - 0.05
NAMES = {"sigma": "γσ<sub>max</sub>", "rho": "γρ", "mean_field": "mean field", "lyapunov": "λ₁"}
NOTES = {"lyapunov": "measured, "}
COLOURS = {"tanh": "#bf5400", "relu": "#1d72cd", "logistic": "#7367cc", "identity": "#0c6e5b"}
SYMBOLS = {"tanh": "circle", "relu": "square", "logistic": "diamond", "identity": "cross"}
SIGNS = {"tanh": "●", "relu": "■", "logistic": "◆", "identity": "✚"}
WORDS = {Status.ZERO: "exactly zero", Status.ROUNDED: "rounded to zero"}
OPEN = "<br>A click opens this network."


@FigureFunction
def growth_figure(found: Sequence[Draw], *, height: int = HEIGHT) -> Drawing:
    """For each predictor of `PREDICTORS` predicted (x) against measured (y) growth, in decades a
    step back. Green quadrants: the sign is right; orange: it is wrong, with how many draws are
    there. On the dotted diagonal the rate is right too. Dots at the lower or left edge: nothing
    is left, or far below.
    """
    groups = members(found)
    panels = [_panel(found, groups, predictor) for predictor in PREDICTORS]
    return side_by_side(panels, "claims-growth", height, gap=0.025, notes=[_key()], margin=MARGIN)


def members(found: Sequence[Draw]) -> dict[str, list[Draw]]:
    """The draws of each activation, in the order in which every panel draws them."""
    return {name: [d for d in found if d.activation == name] for name in COLOURS}


def drawn_at(found: Sequence[Draw], curve: int, point: int) -> Draw | None:
    """The draw that a click hits: trace `curve` of the figure, its mark `point`."""
    group = members(found)[list(COLOURS)[curve % len(COLOURS)]]
    return group[point] if 0 <= point < len(group) else None


def _panel(found: Sequence[Draw], groups: dict[str, list[Draw]], predictor: str) -> Panel:
    both: Piece = {"range": [LOW, HIGH], "tickvals": [-1, -0.5, 0, 0.5], "zeroline": True}
    y = {"title": "measured", **both}
    if predictor != PREDICTORS[0]:
        y |= {"title": "", "matches": "y", "showticklabels": False, "ticks": ""}
    return Panel(
        title=_title(predictor, score(found, predictor)),
        x={"title": "measured elsewhere" if predictor == "lyapunov" else "predicted", **both},
        y=y,
        data=[_dots(group, name, predictor) for name, group in groups.items()],
        notes=_notes(found, predictor),
        shapes=_quadrants(),
    )


def _dots(group: Sequence[Draw], activation: str, predictor: str) -> Piece:
    predicted = np.array([getattr(d, predictor) for d in group], float)
    measured = np.array([d.growth for d in group], float)
    x, y = (np.clip(values, FLOOR, TOP) for values in (predicted, measured))
    y = np.where(np.isnan(x), np.nan, y)
    texts = [_text(d, p) for d, p in zip(group, predicted, strict=True)]
    hover = f"{activation}, %{{customdata}}{OPEN}"
    return dots(np.nan_to_num(x), y, activation, COLOURS[activation], hover, texts=texts,
                symbol=SYMBOLS[activation], size=6)  # fmt: skip


def _text(d: Draw, predicted: float) -> str:
    left = WORDS.get(d.status) or f"{_number(d.growth)} decades a step"
    return (
        f"{d.init.replace('_', ' ')}, gain {d.gain:g}, input {d.input_scale:g}<br>"
        f"σ<sub>max</sub> {d.sigma_max:.2f}, predicted {_number(predicted)}, measured: {left}"
    )


def _number(value: float) -> str:
    if np.isneginf(value):
        return f"{MINUS}∞"
    return minus(f"{value:+.2f}")


def _title(predictor: str, s: Score) -> str:
    name = f"<b>{NAMES[predictor]}</b>"
    if not s.draws:
        return f"{name}<br>no draw yet"
    off = "∞" if np.isinf(s.median_error) else f"{s.median_error:.3f}"
    return (
        f"{name}: <b>{100 * s.share:.0f} % right</b> ({s.draws})<br>"
        f"<span style='font-size:{theme.SMALL_SIZE}px'>{NOTES.get(predictor, '')}"
        f"median error {off}</span>"
    )


def _quadrants() -> list[Piece]:
    low, high = (LOW, 0.0), (0.0, HIGH)
    shades = [(low, low, RIGHT), (high, high, RIGHT), (low, high, WRONG), (high, low, WRONG)]
    boxes = [box(x, y, colour) for x, y, colour in shades]
    return [*boxes, segment((LOW, HIGH), (LOW, HIGH))]


def _notes(found: Sequence[Draw], predictor: str) -> list[Piece]:
    """What the quadrants are, and how many draws lie in the wrong ones."""
    pairs = [(sign(getattr(d, predictor)), d.outcome) for d in found
             if not np.isnan(getattr(d, predictor))]  # fmt: skip
    up = f"explodes<br>unforeseen: <b>{pairs.count((-1, 1))}</b>"
    down = f"should<br>explode,<br>vanishes:<br><b>{pairs.count((1, -1))}</b>"
    left = {"xanchor": "left", "align": "left"}
    right = {"xanchor": "right", "align": "right"}
    return [
        inside(up, 0.02, 0.985, yanchor="top", **left),
        inside(down, 0.985, 0.06, yanchor="bottom", **right),
        inside("vanishes", 0.02, 0.58, yanchor="top", **left),
        inside("explodes", 0.985, 0.985, yanchor="top", **right),
    ]


def _key() -> Piece:
    parts = [f"<span style='color:{c}'>{SIGNS[n]} {n}</span>" for n, c in COLOURS.items()]
    text = "growth in decades a step back&nbsp;&nbsp;&nbsp; " + "&nbsp;&nbsp; ".join(parts)
    font = {"size": theme.TICK_SIZE}
    return on_paper(text, 0.5, 0, xanchor="center", yanchor="top", yshift=-44, font=font)
