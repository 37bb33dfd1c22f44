"""The laws of wide random matrices over what one W_hh has. Used by `spectra`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.labels import EndLabel
from rnnviz.plots.panels import curve

if TYPE_CHECKING:
    from rnnviz.analysis.predictions import WeightLaw

Array = np.ndarray

INK: dict[str, Any] = {"dash": "dashdot", "width": 2, "color": theme.GREY}


def quarter_circle(law: WeightLaw, style: theme.Style) -> Piece:
    """The singular values that the quarter-circle law gives a matrix of this size, in order."""
    index = np.arange(1.0, len(law.singular_values) + 1)
    piece = curve(index, law.singular_values, style, "quarter circle %{y:.3f}", **INK)
    return {**piece, "name": "quarter circle"}


def disc(law: WeightLaw) -> Piece:
    """The disc that the circular law fills evenly."""
    r = law.radius
    box = {"x0": -r, "x1": r, "y0": -r, "y1": r}
    return {"type": "circle", **box, "line": {"width": 0}, "layer": "below", "opacity": 0.25,
            "fillcolor": theme.GREY}  # fmt: skip


def growth(law: WeightLaw, k: Array, style: theme.Style) -> tuple[Piece, EndLabel]:
    """(g^k √((k+1)^{k+1}/kᵏ))^(1/k), and the label of its end."""
    factors = 10.0**law.powers_log10
    piece = curve(k, factors, style, "Fuss-Catalan ×%{y:.3f} a step", **INK)
    text = f"<span style='font-size:{theme.TICK_SIZE}px'>Fuss-Catalan</span>"
    label = EndLabel(text, float(factors[-1]), 19, theme.GREY)
    return {**piece, "name": "Fuss-Catalan"}, label
