"""Small pieces that figures are put together from: plain dicts in plotly's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece

Array = np.ndarray


def gapped(values: Array, digits: int = 3) -> Array | list[float | None]:
    """Numbers for a trace, never inf or NaN: float32, or a list with None where there is none."""
    finite = np.isfinite(values)
    if finite.all():
        return values.astype(np.float32)
    rounded = np.round(np.where(finite, values, 0.0), digits).tolist()
    return [v if ok else None for v, ok in zip(rounded, finite.tolist(), strict=True)]


def note(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at (x, y), in data coordinates unless `options` say otherwise."""
    return {"text": text, "x": x, "y": y, "showarrow": False, **options}


def on_paper(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at a fixed place of the plot area: (0, 0) is its lower left corner."""
    return note(text, x, y, xref="paper", yref="paper", **options)


def rule(x: tuple[float, float], y: tuple[float, float], **options: Any) -> Piece:
    """A thin dotted line from one point to another, drawn over the grid and under the curves."""
    line = {"color": theme.GREY, "width": theme.THIN, "dash": "dot", **options.pop("line", {})}
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", **ends, "line": line, "layer": "below", **options}


def spread(
    centres: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """The nearest centres (least squares) at which intervals of these sizes in [low, high] do not
    overlap. Order is kept. What does not fit is spaced evenly over the whole range."""
    if not centres:
        return []
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    squeeze = min(1.0, (high - low) / max(sum(sizes), 1e-9))
    halves = [sizes[i] * squeeze / 2 for i in order]
    stacked = list(accumulate(halves[i - 1] + halves[i] for i in range(1, len(order))))
    offsets = [0.0, *stacked]
    free = _rising([centres[i] - offset for i, offset in zip(order, offsets, strict=True)])
    least, most = low + halves[0], high - halves[-1] - offsets[-1]
    placed = list(centres)
    for i, offset, at in zip(order, offsets, free, strict=True):
        placed[i] = offset + max(least, min(most, at))
    return placed


def _rising(values: Sequence[float]) -> list[float]:
    """The nearest sequence (least squares) that never falls: neighbours that do are averaged."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
