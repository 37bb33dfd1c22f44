"""What one step does at most, and what φ′ takes: the state Jacobians through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, model_label, note, rule
from rnnviz.plots.panels import UNSEEN, axis, curve, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed

if TYPE_CHECKING:
    from rnnviz.analysis.spectra import JacobianSpectrum

HEIGHT = 300
MARGIN = {"t": 22, "b": 48, "r": 84}
UPPER, LOWER = (0.42, 1.0), (0.0, 0.3)


@FigureFunction
def jacobian_figure(
    jacobian_spectra: Sequence[JacobianSpectrum],
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """Above: log10 of the largest singular value of ∂s_t/∂s_{t−1} at each step, what one step
    back can do at most; dotted, what it did on average. Below: mean φ′ at each step.
    """
    known = theme.styles_for([j.label for j in jacobian_spectra], styles)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **MARGIN}}
    if not jacobian_spectra:
        return drawing([UNSEEN], {**layout, **nothing("No model chosen.")}, "jacobians")
    largest = [_log10(j.singular_values[:, 0]) for j in jacobian_spectra]
    rates = [_log10(np.array([j.measured_rate or 0.0])) for j in jacobian_spectra]
    y_range = _range(np.concatenate([*largest, *rates]))
    data: list[Piece] = []
    ends: list[EndLabel] = []
    for j, heights, rate in zip(jacobian_spectra, largest, rates, strict=True):
        style = known[j.label]
        data += _lines(j, heights, float(rate[0]), style)
        ends.append(_label(style, heights))
    pixels = (UPPER[1] - UPPER[0]) * (height - MARGIN["t"] - MARGIN["b"])
    layout |= _axes(jacobian_spectra, y_range)
    first = min(float(j.steps[0]) for j in jacobian_spectra)
    names = end_labels(ends, y_range, pixels, first)
    layout["annotations"] = [*names, *_zeros(jacobian_spectra, known)]
    return drawing(data, layout, "jacobians")


def _log10(values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values)
    return np.where(np.isfinite(logs), logs, np.nan)


def _range(heights: Array) -> tuple[float, float]:
    finite = heights[np.isfinite(heights)]
    low, high = finite.min(initial=-0.5), finite.max(initial=0.5)
    pad = 0.06 * (high - low)
    return float(low - pad), float(high + pad)


def _lines(
    spectrum: JacobianSpectrum, heights: Array, rate: float, style: theme.Style
) -> list[Piece]:
    steps = np.asarray(spectrum.steps, dtype=np.float64)
    pieces = [curve(steps, heights, style, "σ<sub>max</sub> = 10<sup>%{y:.2f}</sup>")]
    if np.isfinite(rate):
        ends, flat = steps[[0, -1]], np.array([rate, rate])
        hover = "measured 10<sup>%{y:.2f}</sup> a step"
        pieces.append(curve(ends, flat, style, hover, dash="dot", width=2))
    slope = curve(steps, spectrum.mean_slope, style, f"mean {spectrum.slope_of} %{{y:.2f}}")
    return [*pieces, {**slope, "yaxis": "y2"}]


def _label(style: theme.Style, heights: Array) -> EndLabel:
    finite = heights[np.isfinite(heights)]
    if not len(finite):
        return model_label(style, "—", 0.0)
    return model_label(style, signed(float(finite[0]), 2), float(finite[0]))


def _zeros(spectra: Sequence[JacobianSpectrum], styles: Styles) -> list[Piece]:
    """In words: at how many steps the Jacobian is zero or no number, where a line has gaps."""
    texts = []
    for j in spectra:
        missing = int(np.sum(~np.isfinite(_log10(j.singular_values[:, 0]))))
        if missing:
            zero = np.any(j.singular_values[:, 0] == 0)
            word = "zero" if zero else "no number"
            texts.append(f"{styles[j.label].title}: {word} at {missing} of {len(j.steps)} steps")
    place = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}
    return [note("; ".join(texts), 0.01, 0, **place)] if texts else []


def _axes(spectra: Sequence[JacobianSpectrum], y_range: tuple[float, float]) -> Piece:
    first = min(float(j.steps[0]) for j in spectra)
    last = max(float(j.steps[-1]) for j in spectra)
    pad = 0.008 * (last - first) or 0.5
    right = {"side": "right"}
    upper = axis("log<sub>10</sub> σ<sub>max</sub>", domain=UPPER, range=list(y_range), **right)
    lower = axis("mean φ′", domain=LOWER, range=[0, 1.05], nticks=3, **right)
    time = axis("time step t", range=[first - pad, last + pad], showgrid=False, anchor="y2")
    one = rule((0, 1), (0, 0), xref="x domain", line={"dash": "solid", "width": theme.THIN})
    return {
        "hovermode": "x unified",
        "xaxis": time,
        "yaxis": upper,
        "yaxis2": lower,
        "shapes": [one],
    }
