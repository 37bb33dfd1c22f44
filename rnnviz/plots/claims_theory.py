"""Figures of the claims in closed form: stable gradients, and the four counterexamples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.claims.counterexamples import Counterexample
from rnnviz.claims.stability import CORRELATIONS, Sensitivity, weight_sensitivity
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.claims_panels import (
    HEIGHT,
    MARGIN,
    Panel,
    dots,
    line,
    names,
    room_for,
    side_by_side,
    waiting,
)
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece
from rnnviz.plots.panels import step_factor

SHADES = dict(zip(CORRELATIONS, ("#1d72cd", "#7367cc", "#c04c7a"), strict=True))
FADING = {0.5: "#986d1b", 0.8: "#bf5400", 0.9: "#c04c7a", 0.95: "#7367cc", 0.99: "#1d72cd"}
LAGS, TIMES = np.arange(61), (1, 2, 5, 10, 20, 50, 100)
SENSITIVITIES = (-0.4, 7.4)
MEASURED, PROMISED = "#bf5400", theme.GREY
EXAMPLE_NAMES = {
    "nilpotent": "a  [[0, 10], [0, 0]]",
    "gaussian": "b  Gaussian, g = 0.6",
    "saturated": "c  tanh, saturated",
    "zero_radius": "d  ρ = 0, tanh",
}


@FigureFunction
def stability_figure(found: Sequence[Sensitivity], *, height: int = HEIGHT) -> Drawing:
    """Left: ∂h_T/∂h_{T−k} = λ^k, which is never above 1. Right: log10 E (∂h/∂λ)², how much h moves
    with the weight, against the memory 1/(1 − λ); lines: closed form, dots: random sequences.
    """
    if not found:
        return waiting("claims-stability", height)
    panels = [_gradients(), _sensitivities(found, height)]
    return side_by_side(panels, "claims-stability", height, shares=(1.0, 1.1))


def _gradients() -> Panel:
    last = int(LAGS[-1])
    key = ", ".join(f"<span style='color:{c}'><b>{m:g}</b></span>" for m, c in FADING.items())
    unit = "h<sub>t</sub> = λ h<sub>t−1</sub> + x<sub>t</sub>"
    return Panel(
        title=f"<b>The gradient is stable</b>: never above 1<br>{unit}, λ = {key}",
        x={"title": "steps back k", "range": [0, last], "nticks": 5, "showgrid": False},
        y={"title": "∂h<sub>T</sub>/∂h<sub>T−k</sub>", "range": [0, 1.1], "nticks": 6},
        data=[line(LAGS, m**LAGS, f"λ = {m:g}", colour, f"λ = {m:g}, %{{x}} steps back: %{{y:.3f}}")
              for m, colour in FADING.items()],
    )  # fmt: skip


def _sensitivities(found: Sequence[Sensitivity], height: int) -> Panel:
    grid = 1 - np.geomspace(1, 0.01, 60)
    data, ends = [], []
    for rho, colour in SHADES.items():
        curve = np.log10([weight_sensitivity(float(m), rho) for m in grid])
        name = f"ρ = {rho:g}"
        ends.append((name, float(curve[-1]), colour))
        data.append(line(_time(grid), curve, name, colour, f"{name}: 10<sup>%{{y:.1f}}</sup>"))
        data.append(_sampled([s for s in found if s.correlation == rho], name, colour))
    return Panel(
        title="<b>What the weight does is not</b><br>"
              "line: closed form, dots: random inputs of correlation ρ",
        x={"title": "memory 1/(1 − λ), steps", "range": [-0.08, 2.42], "showgrid": False,
           "tickvals": np.log10(TIMES).tolist(), "ticktext": [str(t) for t in TIMES]},
        y={"title": "E (∂h/∂λ)², log10", "range": list(SENSITIVITIES), "nticks": 6},
        data=data,
        notes=names(ends, SENSITIVITIES, 2.0, height),
    )  # fmt: skip


def _time(memory: Array) -> Array:
    return -np.log10(1 - np.asarray(memory, float))


def _sampled(group: Sequence[Sensitivity], name: str, colour: str) -> Piece:
    x = _time(np.array([s.memory for s in group]))
    y = np.log10(np.array([s.sampled_weight for s in group]))
    texts = [f"λ = {s.memory:g}" for s in group]
    hover = f"{name}, %{{customdata}}: 10<sup>%{{y:.2f}}</sup>"
    return dots(x, y, name, colour, hover, size=9, texts=texts)


@FigureFunction
def examples_figure(examples: Sequence[Counterexample], *, height: int = HEIGHT) -> Drawing:
    """log10 ‖∂h_{t+k}/∂h_t‖ against k, a panel a counterexample; dotted: σ_max^k, what the rule
    expects. A cross at the bottom: exactly zero.
    """
    if not examples:
        return waiting("claims-examples", height, "No example chosen.")
    panels = [_example(e, first=index == 0) for index, e in enumerate(examples)]
    margin = {**MARGIN, "t": 62}
    return side_by_side(panels, "claims-examples", height, gap=0.055, margin=margin)


def _example(e: Counterexample, first: bool) -> Panel:
    alive, zero = np.isfinite(e.log10), e.status == Status.ZERO
    y_range = room_for(np.append(e.log10[alive], e.promised), (-1.0, 1.0))
    hover = "k = %{x}: 10<sup>%{y:.2f}</sup>"
    promised = line(e.steps, e.promised, "promised", PROMISED, f"promised, {hover}", dash="dot")
    measured = line(e.steps[alive], e.log10[alive], "measured", MEASURED, hover)
    floor = np.full(int(zero.sum()), y_range[0] + 0.03 * (y_range[1] - y_range[0]))
    nothing_left = dots(e.steps[zero], floor, "zero", MEASURED, "k = %{x}: exactly 0", symbol="x",
                        size=9)  # fmt: skip
    ends_as = "soon exactly 0" if e.rate == 0 else f"{step_factor(e.rate)} a step"
    return Panel(
        title=f"<b>{EXAMPLE_NAMES[e.name]}</b><br>σ<sub>max</sub> = {e.sigma_max:.3g}, "
              f"ρ = {e.rho:.2g}<br><span style='color:{MEASURED}'>{ends_as}</span>",
        x={"title": "steps k", "range": [-0.5, float(e.steps[-1]) + 0.5], "nticks": 5},
        y={"title": "log10 ‖∂h<sub>t+k</sub>/∂h<sub>t</sub>‖" if first else "", "range": y_range,
           "nticks": 6},
        data=[promised, measured | {"mode": "lines+markers"}, nothing_left],
    )  # fmt: skip
