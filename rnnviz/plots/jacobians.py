"""The state Jacobians through time: what one step does at most, and what φ′ takes; and how wide all
singular values of every step spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, held_at, model_label, note, rule
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    counted,
    curve,
    grid_places,
    model_title,
    nothing,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import apart
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.spectra import JacobianSpectrum

JACOBIAN_HEIGHT = 300
JACOBIAN_MARGIN = {"t": 22, "b": 48, "r": 84}
UPPER, LOWER = (0.42, 1.0), (0.0, 0.3)
ROW_HEIGHT = 270
MARGIN = {"l": 62, "r": 18, "t": 30, "b": 46}
LEAST = -6.0
"""Decades that the axis goes down to; smaller singular values lie on its edge."""
ROUNDING = 1e-14
"""Share of a step's largest singular value below which one is zero, or might as well be."""
BANDS = ((0, 100, 0.16), (25, 75, 0.3))
"""Percentiles from, to, and how dark."""


@FigureFunction
def jacobian_figure(
    jacobian_spectra: Sequence[JacobianSpectrum],
    *,
    styles: Styles | None = None,
    height: int = JACOBIAN_HEIGHT,
) -> Drawing:
    """Above: log10 of the largest singular value of ∂s_t/∂s_{t−1} at each step, what one step
    back can do at most; dotted, what it did on average. Below: mean φ′ at each step.

    Examples
    --------
    >>> found = analysis.jacobian_spectrum(traces["rnn"], "rnn")
    >>> figure = plots.jacobian_figure([found])
    """
    known = theme.styles_for([j.label for j in jacobian_spectra], styles)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **JACOBIAN_MARGIN}}
    if not jacobian_spectra:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_model"))}, "jacobians")
    largest = [_finite_log10(j.singular_values[:, 0]) for j in jacobian_spectra]
    rates = [_finite_log10(np.array([j.measured_rate or 0.0])) for j in jacobian_spectra]
    y_range = _jacobian_range(np.concatenate([*largest, *rates]))
    data: list[Piece] = []
    ends: list[EndLabel] = []
    for j, heights, rate in zip(jacobian_spectra, largest, rates, strict=True):
        style = known[j.label]
        data += _jacobian_lines(j, heights, float(rate[0]), style)
        ends.append(_label(style, heights))
    pixels = (UPPER[1] - UPPER[0]) * (height - JACOBIAN_MARGIN["t"] - JACOBIAN_MARGIN["b"])
    layout |= _jacobian_axes(jacobian_spectra, y_range)
    first = min(float(j.steps[0]) for j in jacobian_spectra)
    names = end_labels(ends, y_range, pixels, first)
    layout["annotations"] = [*names, *_zeros(jacobian_spectra, known)]
    return drawing(data, layout, "jacobians")


def _finite_log10(values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values)
    return np.where(np.isfinite(logs), logs, np.nan)


def _jacobian_range(heights: Array) -> tuple[float, float]:
    finite = heights[np.isfinite(heights)]
    low, high = finite.min(initial=-0.5), finite.max(initial=0.5)
    pad = 0.06 * (high - low)
    return float(low - pad), float(high + pad)


def _jacobian_lines(
    spectrum: JacobianSpectrum, heights: Array, rate: float, style: theme.Style
) -> list[Piece]:
    steps = np.asarray(spectrum.steps, dtype=np.float64)
    pieces = [curve(steps, heights, style, "σ<sub>max</sub> = 10<sup>%{y:.2f}</sup>")]
    if np.isfinite(rate):
        ends, flat = steps[[0, -1]], np.array([rate, rate])
        hover = caption("measured_log_hover")
        name = {"name": caption("measured_of", model=style.title)}
        pieces.append(curve(ends, flat, style, hover, dash="dot", width=2) | name)
    mean = caption("mean_slope_hover", slope=spectrum.slope_of)
    slope = curve(steps, spectrum.mean_slope, style, mean)
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
        missing = int(np.sum(~np.isfinite(_finite_log10(j.singular_values[:, 0]))))
        if missing:
            zero = np.any(j.singular_values[:, 0] == 0)
            where = {"model": styles[j.label].title, "count": missing, "total": len(j.steps)}
            texts.append(caption("zero_at" if zero else "no_number_at", **where))
    place = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}
    return [note(apart(texts), 0.01, 0, **place)] if texts else []


def _jacobian_axes(spectra: Sequence[JacobianSpectrum], y_range: tuple[float, float]) -> Piece:
    first = min(float(j.steps[0]) for j in spectra)
    last = max(float(j.steps[-1]) for j in spectra)
    pad = 0.008 * (last - first) or 0.5
    right = {"side": "right"}
    upper = axis("log<sub>10</sub> σ<sub>max</sub>", domain=UPPER, range=list(y_range), **right)
    lower = axis(caption("mean_slope"), domain=LOWER, range=[0, 1.05], nticks=3, **right)
    steps = {"range": [first - pad, last + pad], **counted(last - first)}
    time = axis(caption("time_step"), showgrid=False, anchor="y2", **steps)
    one = rule((0, 1), (0, 0), xref="x domain", line={"dash": "solid", "width": theme.THIN})
    return {
        "hovermode": "x unified",
        "xaxis": time,
        "yaxis": upper,
        "yaxis2": lower,
        "shapes": [one],
    }


@FigureFunction
def jacobian_bands(spectra: Sequence[JacobianSpectrum], *, styles: Styles | None = None) -> Drawing:
    """log10 of the singular values of ∂s_t/∂s_{t−1} at each step, one panel a model on one axis:
    thick the largest, thin the median; dark between the quartiles, light from least to largest.
    Above 0 a direction is stretched. What is zero lies on the lower edge and are counted in words.

    Examples
    --------
    >>> found = analysis.jacobian_spectrum(traces["rnn"], "rnn")
    >>> figure = plots.jacobian_bands([found])
    """
    known = theme.styles_for([j.label for j in spectra], styles)
    rows = -(-max(len(spectra), 1) // 3)
    layout: Piece = {"height": ROW_HEIGHT * rows, "margin": MARGIN, "hovermode": "x unified"}
    if not spectra:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_model"))}, "bands")
    logs = [_log10(j.singular_values) for j in spectra]
    y_range = _range(logs)
    data, shapes, notes = [UNSEEN], [], []
    for index, (j, values, place) in enumerate(
        zip(spectra, logs, grid_places(len(spectra), 0.2), strict=True)
    ):
        suffix = axes_suffix(index)
        axes = axes_of(suffix)
        data += [{**piece, **axes} for piece in _lines(j, values, known[j.label], y_range[0])]
        shapes.append(rule((0, 1), (0, 0), xref=f"x{suffix} domain", yref=f"y{suffix}"))
        notes += [model_title(known[j.label], place), *_missing(j, suffix)]
        layout |= _axes(j, suffix, place, y_range)
    return drawing(data, {**layout, "shapes": shapes, "annotations": notes}, "bands")


def _log10(values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(values)


def _range(logs: Sequence[Array]) -> tuple[float, float]:
    """The same for all panels."""
    found = np.concatenate([v[np.isfinite(v)] for v in logs])
    low = min(max(float(found.min(initial=-0.5)), LEAST), -0.5)
    high = max(float(found.max(initial=0.25)), 0.25)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def _lines(
    spectrum: JacobianSpectrum, logs: Array, style: theme.Style, floor: float
) -> list[Piece]:
    """Bands first, then the median and the largest, of the steps that have numbers."""
    known = ~np.isnan(logs).any(axis=1)
    steps = np.asarray(spectrum.steps, float)[known]
    if not len(steps):
        return []
    levels = sorted({level for low, high, _ in BANDS for level in (low, high)} | {50})
    values = np.maximum(logs[known], floor)
    at = dict(zip(levels, np.percentile(values, levels, axis=1), strict=True))
    bands = [_band(steps, at[low], at[high], style, dark) for low, high, dark in BANDS]
    median = curve(steps, at[50], style, caption("median_hover"), width=theme.THIN)
    largest = curve(steps, at[100], style, "σ<sub>max</sub> 10<sup>%{y:.2f}</sup>")
    name = {"name": caption("name_median", model=style.title)}
    return [*bands, {**median, **name, **held_at(at[50], floor)}, largest | held_at(at[100], floor)]


def _band(steps: Array, low: Array, high: Array, style: theme.Style, dark: float) -> Piece:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([steps, steps[::-1]]).astype(np.float32),
        "y": np.concatenate([low, high[::-1]]).astype(np.float32),
        "fill": "toself",
        "fillcolor": style.colour,
        "opacity": dark,
        "line": {"width": 0, "color": style.colour},
        "name": caption("name_band", model=style.title),
        "hoverinfo": "skip",
    }


def _axes(j: JacobianSpectrum, suffix: str, place: Place, y_range: tuple[float, float]) -> Piece:
    first, lowest = place[4:]
    start, last = float(j.steps[0]), float(j.steps[-1])
    pad = 0.008 * (last - start) or 0.5
    x = axis(
        caption("time_step") if lowest else "", range=[start - pad, last + pad], showgrid=False
    )
    y = axis("log<sub>10</sub> σ" if first else "", range=list(y_range), nticks=6)
    hidden = {} if first else {"showticklabels": False, "ticks": ""}
    return placed({**x, **counted(last - start, 6)}, {**y, **hidden}, suffix, place)


def _missing(j: JacobianSpectrum, suffix: str) -> list[Piece]:
    """In words: how many singular values are zero or no number, of how many."""
    values = j.singular_values
    zero = values <= ROUNDING * values.max(axis=1, keepdims=True)
    counts = (int(zero.sum()), "are_zero"), (int(np.isnan(values).sum()), "are_no_number")
    total = f"{values.size:,}"
    texts = [caption(word, count=f"{n:,}", total=total) for n, word in counts if n]
    place = {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "xanchor": "left"}
    size = {"font": {"size": theme.SMALL_SIZE}, "yanchor": "bottom"}
    return [note("<br>".join(texts), 0.02, 0, align="left", **place, **size)] if texts else []
