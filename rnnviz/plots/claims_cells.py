"""Figures of the claims about gated cells: an LSTM with open gates, and the highway of its cell
state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.claims.highway import BIASES as FORGET_BIASES
from rnnviz.claims.highway import CarryDraw
from rnnviz.claims.reduction import BIASES, CEILING, Reduction
from rnnviz.plots import theme
from rnnviz.plots.claims_panels import (
    HEIGHT,
    Panel,
    dots,
    inside,
    line,
    names,
    room_for,
    segment,
    side_by_side,
    waiting,
)
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece
from rnnviz.plots.marks import held_at
from rnnviz.wording.numbers import general, signed
from rnnviz.wording.texts import caption

RNN, LSTM, GRU = map(theme.model_colour, ("rnn", "lstm", "gru"))
LINEAR = theme.model_colour("lstm", 1)
SHADES = dict(zip(FORGET_BIASES, theme.NO_MODEL, strict=False))
SAME = -17.0
"""Where a difference of exactly 0 is drawn, in decades: below all that float64 can tell."""
STATES, DIFFERENCES = (-1.1, 1.1), (SAME - 0.6, 1.0)


@FigureFunction
def reduction_figure(found: Sequence[Reduction], *, height: int = HEIGHT) -> Drawing:
    """Left: one unit in the tanh RNN and in the LSTM whose gates are held at 0, 1, 1, of the draw
    in the middle; dotted, the largest state that the LSTM can have. Right: log10 of the largest
    difference of states from the tanh RNN's when the gates are learned ones with biases ±b, the
    median of all draws.
    """
    if not found:
        return waiting("claims-reduction", height)
    middle = sorted(found, key=lambda r: r.once)[len(found) // 2]
    panels = [_states(middle, height), _by_bias(found, height)]
    return side_by_side(panels, "claims-reduction", height)


def _states(r: Reduction, height: int) -> Panel:
    last = len(r.rnn)
    steps = np.arange(1, last + 1)
    tanh_rnn, at = caption("tanh_rnn"), caption("step_hover")
    ends = [(f"<b>{tanh_rnn}</b>", float(r.rnn[-1]), RNN), ("<b>LSTM</b>", float(r.lstm[-1]), LSTM)]
    tanh_1 = inside("tanh 1", 1, 0.5 + 0.5 * CEILING / STATES[1], xanchor="right")
    return Panel(
        title=caption("gates_at"),
        x={"title": caption("time"), "range": [0, 1.3 * last], "showgrid": False,
           "tickvals": list(range(0, last + 1, 10))},
        y={"title": "h", "range": list(STATES), "nticks": 5},
        data=[
            line(steps, r.rnn, tanh_rnn, RNN, f"{at}: {tanh_rnn} %{{y:.3f}}"),
            line(steps, r.lstm, "LSTM", LSTM, f"{at}: LSTM %{{y:.3f}}"),
        ],
        notes=[*names(ends, STATES, last, height), tanh_1],
        shapes=[segment((0, 1.12 * last), (y, y)) for y in (CEILING, -CEILING)],
    )  # fmt: skip


def _by_bias(found: Sequence[Reduction], height: int) -> Panel:
    with np.errstate(divide="ignore"):
        logs = np.log10(np.median([r.by_bias for r in found], axis=0))
    rows = np.maximum(logs, SAME)
    kinds = [
        ("LSTM", LSTM, "solid"),
        (caption("lstm_linear"), LINEAR, "solid"),
        ("GRU", GRU, "dash"),
    ]
    hover = "b = %{x}: 10<sup>%{y:.1f}</sup>"
    ends = [(f"<b>{n}</b>", float(row[-1]), c) for row, (n, c, _) in zip(rows, kinds, strict=True)]
    return Panel(
        title=caption("learned_gates", count=len(found)),
        x={"title": caption("bias_b"), "range": [0, BIASES[-1] * 1.62],
           "tickvals": [0, 10, 20, 30, 40], "showgrid": False},
        y={"title": "log10", "range": list(DIFFERENCES), "nticks": 6},
        data=[line(np.array(BIASES), row, n, c, f"{n}, {hover}", dash=dash) | held_at(row, SAME)
              for row, (n, c, dash) in zip(rows, kinds, strict=True)],
        notes=names(ends, DIFFERENCES, BIASES[-1], height),
    )  # fmt: skip


@FigureFunction
def carry_figure(found: Sequence[CarryDraw], *, height: int = HEIGHT) -> Drawing:
    """Left: log10 of Π f (dotted) and of the true ‖∂c_T/∂c_t‖ (solid) through time, the first
    draw of each forget bias. Right: both over the whole sequence, one dot a draw; on the dotted
    diagonal the highway is the only road.
    """
    if not found:
        return waiting("claims-highway", height)
    heights = np.concatenate([np.concatenate([d.highway, d.true]) for d in found])
    y_range = room_for(heights, (-1.0, 1.0))
    panels = [_courses(found, y_range, height), _ends(found, y_range)]
    return side_by_side(panels, "claims-highway", height, shares=(1.15, 1.0))


def _courses(found: Sequence[CarryDraw], y_range: list[float], height: int) -> Panel:
    firsts = [next((d for d in found if d.forget_bias == bias), None) for bias in SHADES]
    shown = [d for d in firsts if d is not None]
    last = len(shown[0].true) - 1
    ends = [(f"{_bias(d)}: {signed(float(d.true[0]))}", float(d.true[0]), SHADES[d.forget_bias])
            for d in shown]  # fmt: skip
    return Panel(
        title=caption("to_the_end"),
        x={"title": caption("time_step"), "range": [-0.34 * last, 1.02 * last],
           "tickvals": list(range(0, last + 1, 10)), "showgrid": False},
        y={"title": caption("decades"), "range": y_range, "nticks": 7},
        data=[piece for d in shown for piece in _course(d)],
        notes=names(ends, y_range, 0, height, "left"),
        shapes=[segment((-0.34 * last, 1.02 * last), (0, 0), "solid")],
    )  # fmt: skip


def _course(d: CarryDraw) -> list[Piece]:
    steps, name, colour = np.arange(len(d.true)), _bias(d), SHADES[d.forget_bias]
    hover = f"{name}, {caption('step_hover')}: "
    return [
        line(steps, d.true, name, colour, hover + caption("truth_hover")),
        line(steps, d.highway, name, colour, hover + "Π f 10<sup>%{y:.1f}</sup>",
             dash="dot", width=2),
    ]  # fmt: skip


def _ends(found: Sequence[CarryDraw], y_range: list[float]) -> Panel:
    data = []
    for bias, colour in SHADES.items():
        group = [d for d in found if d.forget_bias == bias]
        highway, true = (np.array([getattr(d, n)[0] for d in group]) for n in ("highway", "true"))
        name = f"b<sub>f</sub> = {general(bias)}"
        hover = caption("highway_hover", bias=name)
        data.append(dots(highway, true, name, colour, hover))
    both = (y_range[0], y_range[1])
    return Panel(
        title=caption("all_draws", count=len(found), steps=len(found[0].true) - 1),
        x={"title": caption("highway_decades"), "range": y_range, "nticks": 7},
        y={"title": caption("truth_decades"), "range": y_range, "nticks": 7},
        data=data,
        notes=[inside(caption("more_arrives"), 0.03, 0.97, xanchor="left", yanchor="top")],
        shapes=[segment(both, both), segment(both, (0, 0), "solid")],
    )


def _bias(d: CarryDraw) -> str:
    return f"b<sub>f</sub> = {general(d.forget_bias)}"
