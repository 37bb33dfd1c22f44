"""The circles among the eigenvalues, and what is too large to be drawn. Used by `spectra`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import on_paper

if TYPE_CHECKING:
    from rnnviz.analysis.spectra import Spectrum

Array = np.ndarray

LARGEST = 1e12
"""Beyond this a linear axis shows nothing; such a block is named, not drawn."""


def drawable(values: Array) -> bool:
    """Whether these sizes are numbers that an axis can show."""
    return len(values) > 0 and bool(np.isfinite(values).all()) and float(np.max(values)) < LARGEST


def circles_and_key(mean_slope: float | None, reach: float) -> tuple[list[Piece], Piece]:
    """The circles and, in the corner that they leave free, what they are."""
    circles, words = [_circle(1.0, "solid")], "solid: |λ| = 1"
    if mean_slope is not None and _seen(mean_slope, reach):
        circles.append(_circle(1 / mean_slope, "dash"))
        words += f"<br>dashed: 1/mean φ′<br>= {1 / mean_slope:.2f}"
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
