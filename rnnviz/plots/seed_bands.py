"""Several seeds of a curve: a band from the least to the greatest, and their median, thin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array, status_of
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import EndLabel, small_label
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.seed_bands import SeedBand

OPACITY = 0.18


def seed_pieces(
    band: SeedBand, style: theme.Style, y_range: tuple[float, float]
) -> tuple[list[Piece], list[EndLabel]]:
    """The band, cut off at the edges of the axis (zero lies below all decades), its median and the
    label at the median's end, what is left there; no label where that has no number."""
    order = slice(None, None, -1 if band.direction else 1)
    least, median, greatest = (v[order] for v in (band.least, band.median, band.greatest))
    pieces = [
        _band(first, np.clip(least[first - 1 : last], *y_range),
              np.clip(greatest[first - 1 : last], *y_range), style)
        for first, last in curves.runs(band.count[order] > 0)
    ]  # fmt: skip
    middle = np.where(np.isfinite(median), median, np.nan)
    curve = curves.Relative(middle, status_of(median), 0.0, 0, bool(band.direction))
    name = caption("seeds_median", model=style.title, count=band.seeds)
    thin = {"color": style.colour, "width": theme.THIN}
    end = float(middle[curve.end])
    some = np.isfinite(end) and np.isfinite(band.left)
    said = f"{caption('seeds_median_end')} {signed(band.left)}"
    labels = [small_label(said, end, style.colour)] if some else []
    return [*pieces, curves.line(curve, name, line=thin)], labels


def _band(first: int, low: Array, high: Array, style: theme.Style) -> Piece:
    steps = first + np.arange(len(low))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([steps, steps[::-1]]).astype(np.int32),
        "y": np.concatenate([low, high[::-1]]).astype(np.float32),
        "fill": "toself",
        "fillcolor": style.colour,
        "opacity": OPACITY,
        "line": {"width": 0, "color": style.colour},
        "name": caption("name_seeds", model=style.title),
        "hoverinfo": "skip",
    }


def finite_values(bands: Sequence[SeedBand]) -> Array:
    """Every number of the bands, of which an axis has to have the decades."""
    found = [v for band in bands for v in (band.least, band.median, band.greatest)]
    every = np.concatenate(found or [np.zeros(0)])
    return every[np.isfinite(every)]
