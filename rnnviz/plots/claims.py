"""Figures of the claims. Predicted against measured growth of the error: one panel a predictor, one
dot a draw; and in closed form: stable gradients, and the four counterexamples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.claims.counterexamples import Counterexample
from rnnviz.claims.growth import PREDICTORS, Draw, Score, score, sign
from rnnviz.claims.stability import CORRELATIONS, Sensitivity, weight_sensitivity
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.claims_panels import (
    HEIGHT,
    MARGIN,
    RIGHT,
    WRONG,
    Panel,
    box,
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
from rnnviz.plots.marks import on_paper, tabled
from rnnviz.wording.names import setting_name
from rnnviz.wording.numbers import percent, signed, step_factor
from rnnviz.wording.texts import caption

GROWTH_MARGIN = {"l": 62, "r": 12, "t": 42, "b": 66}
LOW, HIGH = -1.25, 0.85
"""Decades a step: what lies beyond is drawn at the edge."""
FLOOR, TOP = LOW + 0.05, HIGH - 0.05
SYMBOLS = {"tanh": "circle", "relu": "square", "logistic": "diamond", "identity": "cross"}
COLOURS = dict(zip(SYMBOLS, (*theme.NO_MODEL[:1], *theme.NO_MODEL[2:]), strict=True))
"""Without that of the quadrants in which a sign is wrong."""
SIGNS = {"tanh": "●", "relu": "■", "logistic": "◆", "identity": "✚"}
WORDS = {Status.ZERO: "cell_zero", Status.ROUNDED: "cell_rounded"}
SHADES = dict(zip(CORRELATIONS, theme.NO_MODEL, strict=False))
FADING = dict(zip((0.5, 0.8, 0.9, 0.95, 0.99), theme.NO_MODEL, strict=True))
LAGS, TIMES = np.arange(61), (1, 2, 5, 10, 20, 50, 100)
SENSITIVITIES = (-0.4, 7.4)
MEASURED, PROMISED = theme.NO_MODEL[0], theme.GREY


@FigureFunction
def growth_figure(found: Sequence[Draw], *, height: int = HEIGHT) -> Drawing:
    """For each predictor of `PREDICTORS` predicted (x) against measured (y) growth, in decades a
    step back. Grey quadrants: the sign is right; red: it is wrong, with how many draws are
    there. On the dotted diagonal the rate is right too. Dots at the lower or left edge: nothing
    is left, or far below.
    """
    groups = members(found)
    panels = [_panel(found, groups, predictor) for predictor in PREDICTORS]
    return side_by_side(
        panels, "claims-growth", height, gap=0.025, notes=[_key()], margin=GROWTH_MARGIN
    )


def members(found: Sequence[Draw]) -> dict[str, list[Draw]]:
    """The draws of each activation, in the order in which every panel draws them."""
    return {name: [d for d in found if d.activation == name] for name in COLOURS}


def drawn_at(found: Sequence[Draw], curve: int, point: int) -> Draw | None:
    """The draw that a click hits: trace `curve` of the figure, its mark `point`."""
    group = members(found)[list(COLOURS)[curve % len(COLOURS)]]
    return group[point] if 0 <= point < len(group) else None


def _panel(found: Sequence[Draw], groups: dict[str, list[Draw]], predictor: str) -> Panel:
    both: Piece = {"range": [LOW, HIGH], "tickvals": [-1, -0.5, 0, 0.5], "zeroline": True}
    y = {"title": caption("measured"), **both}
    if predictor != PREDICTORS[0]:
        y |= {"title": "", "matches": "y", "showticklabels": False, "ticks": ""}
    return Panel(
        title=_title(predictor, score(found, predictor)),
        x={
            "title": caption("measured_elsewhere" if predictor == "lyapunov" else "predicted"),
            **both,
        },
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
    said = [None if np.isnan(p) else caption(WORDS[d.status]) if d.status in WORDS else m
            for d, p, m in zip(group, predicted, tabled(measured), strict=True)]  # fmt: skip
    meta = {"of": tabled(predicted), "values": said}
    click = caption("click_opens")
    name, colour = setting_name(activation), COLOURS[activation]
    hover = f"{name}, %{{customdata}}<br>{click}"
    piece = dots(np.nan_to_num(x), y, name, colour, hover, texts=texts,
                 symbol=SYMBOLS[activation], size=6)  # fmt: skip
    return {**piece, "meta": meta}


def _text(d: Draw, predicted: float) -> str:
    if d.status in WORDS:
        left = caption(WORDS[d.status])
    else:
        left = caption("decades_a_step", number=signed(d.growth, 2))
    return caption(
        "draw_hover",
        init=setting_name(d.init),
        gain=f"{d.gain:g}",
        input=f"{d.input_scale:g}",
        sigma=f"{d.sigma_max:.2f}",
        predicted=signed(predicted, 2),
        measured=left,
    )


def _title(predictor: str, s: Score) -> str:
    name = f"<b>{caption(f'predictor_{predictor}')}</b>"
    if not s.draws:
        return f"{name}<br>{caption('no_draw_yet')}"
    off = "∞" if np.isinf(s.median_error) else f"{s.median_error:.3f}"
    right = caption("right", share=percent(s.share))
    small = caption("error_measured" if predictor == "lyapunov" else "error", error=off)
    return (
        f"{name}: <b>{right}</b> ({s.draws})<br>"
        f"<span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
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
    up = caption("unforeseen", count=pairs.count((-1, 1)))
    down = caption("should_explode", count=pairs.count((1, -1)))
    left = {"xanchor": "left", "align": "left"}
    right = {"xanchor": "right", "align": "right"}
    return [
        inside(up, 0.02, 0.985, yanchor="top", **left),
        inside(down, 0.985, 0.06, yanchor="bottom", **right),
        inside(caption("vanishes"), 0.02, 0.58, yanchor="top", **left),
        inside(caption("explodes"), 0.985, 0.985, yanchor="top", **right),
    ]


def _key() -> Piece:
    parts = [
        f"<span style='color:{c}'>{SIGNS[n]} {setting_name(n)}</span>" for n, c in COLOURS.items()
    ]
    growth = caption("growth")
    text = f"{growth}&nbsp;&nbsp;&nbsp; " + "&nbsp;&nbsp; ".join(parts)
    font = {"size": theme.TICK_SIZE}
    return on_paper(text, 0.5, 0, xanchor="center", yanchor="top", yshift=-44, font=font)


@FigureFunction
def stability_figure(found: Sequence[Sensitivity], *, height: int = HEIGHT) -> Drawing:
    """Left: ∂h_T/∂h_{T−k} = λ^k, which is never above 1. Right: log10 E (∂h/∂λ)², how much h moves
    with the weight, against the memory 1/(1 − λ); lines: closed form, dots: random sequences.
    """
    if not found:
        return waiting("claims-stability", height)
    panels = [_gradients(), _sensitivities(found, height)]
    return side_by_side(panels, "claims-stability", height, shares=(1.0, 1.1))


def _back(memory: float) -> str:
    return caption("back_hover", memory=f"{memory:g}")


def _gradients() -> Panel:
    last = int(LAGS[-1])
    key = ", ".join(f"<span style='color:{c}'><b>{m:g}</b></span>" for m, c in FADING.items())
    unit = "h<sub>t</sub> = λ h<sub>t−1</sub> + x<sub>t</sub>"
    return Panel(
        title=caption("gradient_stable", unit=unit, key=key),
        x={"title": caption("steps_back"), "range": [0, last], "nticks": 5, "showgrid": False},
        y={"title": "∂h<sub>T</sub>/∂h<sub>T−k</sub>", "range": [0, 1.1], "nticks": 6},
        data=[line(LAGS, m**LAGS, f"λ = {m:g}", colour, _back(m))
              for m, colour in FADING.items()],
    )  # fmt: skip


def _sensitivities(found: Sequence[Sensitivity], height: int) -> Panel:
    grid = 1 - np.geomspace(1, 0.01, 60)
    data, ends = [], []
    for rho, colour in SHADES.items():
        curve = np.log10([weight_sensitivity(float(m), rho) for m in grid])
        name = f"ρ = {rho:g}"
        ends.append((name, float(curve[-1]), colour))
        drawn = line(_time(grid), curve, name, colour, f"{name}: 10<sup>%{{y:.1f}}</sup>")
        data.append({**drawn, "meta": {"of": (1 / (1 - grid)).tolist()}})
        data.append(_sampled([s for s in found if s.correlation == rho], name, colour))
    return Panel(
        title=caption("weight_is_not"),
        x={"title": caption("memory_steps"), "range": [-0.08, 2.42], "showgrid": False,
           "tickvals": np.log10(TIMES).tolist(), "ticktext": [str(t) for t in TIMES]},
        y={"title": "E (∂h/∂λ)², log10", "range": list(SENSITIVITIES), "nticks": 6},
        data=data,
        notes=names(ends, SENSITIVITIES, 2.0, height),
    )  # fmt: skip


def _time(memory: Array) -> Array:
    return -np.log10(1 - np.asarray(memory, float))


def _sampled(group: Sequence[Sensitivity], name: str, colour: str) -> Piece:
    memory = np.array([s.memory for s in group])
    y = np.log10(np.array([s.sampled_weight for s in group]))
    texts = [f"λ = {s.memory:g}" for s in group]
    hover = f"{name}, %{{customdata}}: 10<sup>%{{y:.2f}}</sup>"
    drawn = dots(_time(memory), y, name, colour, hover, size=9, texts=texts)
    return {**drawn, "meta": {"of": (1 / (1 - memory)).tolist()}}


@FigureFunction
def examples_figure(examples: Sequence[Counterexample], *, height: int = HEIGHT) -> Drawing:
    """log10 ‖∂h_{t+k}/∂h_t‖ against k, a panel a counterexample; dotted: σ_max^k, what the rule
    expects. A cross at the bottom: exactly zero.
    """
    if not examples:
        return waiting("claims-examples", height, caption("no_example"))
    panels = [_example(e, first=index == 0) for index, e in enumerate(examples)]
    margin = {**MARGIN, "t": 62}
    return side_by_side(panels, "claims-examples", height, gap=0.055, margin=margin)


def _example(e: Counterexample, first: bool) -> Panel:
    alive, zero = np.isfinite(e.log10), e.status == Status.ZERO
    y_range = room_for(np.append(e.log10[alive], e.promised), (-1.0, 1.0))
    hover = "k = %{x}: 10<sup>%{y:.2f}</sup>"
    promise = caption("promised")
    promised = line(e.steps, e.promised, promise, PROMISED, f"{promise}, {hover}", dash="dot")
    measured = line(e.steps[alive], e.log10[alive], caption("measured"), MEASURED, hover)
    floor = np.full(int(zero.sum()), y_range[0] + 0.03 * (y_range[1] - y_range[0]))
    nothing_left = dots(e.steps[zero], floor, caption("status_zero"), MEASURED,
                        caption("exactly_zero_hover"), symbol="x", size=9)  # fmt: skip
    ends_as = caption("soon_zero")
    if e.rate != 0:
        ends_as = caption("factor_a_step", factor=step_factor(e.rate))
    return Panel(
        title=f"<b>{caption(f'example_{e.name}')}</b><br>σ<sub>max</sub> = {e.sigma_max:.3g}, "
              f"ρ = {e.rho:.2g}<br><span style='color:{MEASURED}'>{ends_as}</span>",
        x={"title": caption("steps_k"), "range": [-0.5, float(e.steps[-1]) + 0.5], "nticks": 5},
        y={"title": "log10 ‖∂h<sub>t+k</sub>/∂h<sub>t</sub>‖" if first else "", "range": y_range,
           "nticks": 6},
        data=[promised, measured | {"mode": "lines+markers"},
              nothing_left | {"meta": {"says": caption(WORDS[Status.ZERO])}}],
    )  # fmt: skip
