"""What is drawn over a spectrum: circles among the eigenvalues, the line at 1/γ, laws of chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import EndLabel, note, on_paper, rule
from rnnviz.plots.panels import curve
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.predictions import WeightLaw
    from rnnviz.analysis.spectra import Spectrum

LARGEST = 1e12
"""Beyond this a linear axis shows nothing; such a block is named, not drawn."""
INK: dict[str, Any] = {"dash": "dashdot", "width": 2, "color": theme.GREY}


def drawable(values: Array) -> bool:
    """Whether these sizes are numbers that an axis can show."""
    return len(values) > 0 and bool(np.isfinite(values).all()) and float(np.max(values)) < LARGEST


def circles_and_key(mean_slope: float | None, reach: float) -> tuple[list[Piece], Piece]:
    """The circles and, in the corner that they leave free, what they are."""
    circles, words = [_circle(1.0, "solid")], caption("unit_circle")
    if mean_slope is not None and _seen(mean_slope, reach):
        circles.append(_circle(1 / mean_slope, "dash"))
        words += "<br>" + caption("slope_circle", radius=f"{1 / mean_slope:.2f}")
    place = {"xanchor": "right", "yanchor": "top", "align": "right"}
    return circles, on_paper(words, 1, 1, font={"size": theme.SMALL_SIZE}, **place)


def has_slope_circle(spectrum: Spectrum, mean_slope: float) -> bool:
    """Whether `eigenvalue_figure` of this spectrum alone draws the dashed circle."""
    return drawable(np.abs(spectrum.eigenvalues)) and _seen(mean_slope, largest_shown([spectrum]))


def _seen(mean_slope: float, reach: float) -> bool:
    """Whether the circle is apart from the unit circle, and not so large as to hide the rest."""
    return 0 < mean_slope < 0.98 and 1 / mean_slope < 2.2 * reach


def largest_shown(spectra: Sequence[Spectrum]) -> float:
    """How far the axes reach for the eigenvalues and the unit circle."""
    return 1.12 * max(1.0, *(s.spectral_radius for s in spectra))


def _circle(radius: float, dash: str) -> Piece:
    box = {"x0": -radius, "x1": radius, "y0": -radius, "y1": radius}
    return {"type": "circle", **box, "line": {"color": theme.GREY, "width": 2, "dash": dash}}


def edge_rule(height: float) -> Piece:
    """Across the plot, at this singular value."""
    line = {"color": theme.GREY, "width": 2}
    return rule((0, 1), (height, height), xref="x domain", line=line, layer="above")


def promises(spectra: Sequence[Spectrum], edges: Sequence[float], promise: bool) -> list[Piece]:
    """Right of the plot, at 1/γ: what lies above and below. A simple cell alone is promised any."""
    notes = []
    for edge in edges:
        simple = any(s.simple for s in spectra if 1 / s.lipschitz == edge)
        text = f"<b>1/γ = {edge:g}</b>"
        if simple and promise:
            text = caption("promise", edge=text)
        else:
            alone, gate = caption("w_hh_alone"), caption("no_single_gate")
            text += f"<br>{alone if simple else gate}"
        place = {"xref": "paper", "xanchor": "left", "xshift": 6, "align": "left"}
        notes.append(note(text, 1, edge, font={"size": theme.TICK_SIZE}, **place))
    return notes


def quarter_circle(law: WeightLaw, style: theme.Style) -> Piece:
    """The singular values that the quarter-circle law gives a matrix of this size, in order."""
    index = np.arange(1.0, len(law.singular_values) + 1)
    piece = curve(index, law.singular_values, style, caption("quarter_hover"), **INK)
    return {**piece, "name": caption("name_quarter_circle")}


def disc(law: WeightLaw) -> Piece:
    """The disc that the circular law fills evenly."""
    r = law.radius
    box = {"x0": -r, "x1": r, "y0": -r, "y1": r}
    return {"type": "circle", **box, "line": {"width": 0}, "layer": "below", "opacity": 0.25,
            "fillcolor": theme.GREY}  # fmt: skip


def growth(law: WeightLaw, k: Array, style: theme.Style) -> tuple[Piece, EndLabel]:
    """(g^k √((k+1)^{k+1}/kᵏ))^(1/k), and the label of its end."""
    factors = 10.0**law.powers_log10
    piece = curve(k, factors, style, caption("fuss_catalan_hover"), **INK)
    text = f"<span style='font-size:{theme.TICK_SIZE}px'>Fuss-Catalan</span>"
    label = EndLabel(text, float(factors[-1]), 19, theme.GREY)
    return {**piece, "name": "Fuss-Catalan"}, label
