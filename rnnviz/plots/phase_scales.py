"""Colour scales and ticks of diagrams over two settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.phase import Axis, Cell, PhaseGrid
from rnnviz.analysis.rates import LEVEL
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.wording.numbers import minus

Array = np.ndarray
LN_10 = float(np.log(10))
NICE = (1, 2, 5)


@dataclass(frozen=True)
class Scale:
    """How a quantity is coloured. unit: up to there the colour is linear, beyond it logarithmic;
    0 for a magnitude, coloured by its log10. ticks: candidates for the colour bar, and its ends."""

    title: str
    unit: float
    ticks: tuple[float, ...]
    hover: Callable[[float], str]

    def colour(self, values: Array) -> Array:
        """What is sent as z."""
        if not self.unit:
            return np.log10(np.clip(values, self.ticks[0], self.ticks[-1]))
        return np.arcsinh(np.asarray(values) / self.unit)


def _signed(digits: int, unit: str) -> Callable[[float], str]:
    return lambda value: minus(f"{value:+.{digits}f} {unit}")


def _steps(value: float) -> str:
    return f"{value:.3g} steps" if np.isfinite(value) else "∞: the error does not fall"


SCALES: Mapping[str, Scale] = {
    "slope": Scale("decades a step", LEVEL, (0, 0.02, 0.1, 0.5, 2, 10), _signed(3, "decades")),
    "reach": Scale("decades, T to 1", 1.0, (0, 1, 10, 100, 1000, 10_000), _signed(1, "decades")),
    "lambda_1": Scale("λ₁, nats a step", LEVEL * LN_10, (0, 0.05, 0.2, 1, 5), _signed(3, "nats")),
    "horizon": Scale("steps", 0.0, (1, 10, 100, 1000), _steps),
}


def colour_axis(scale: Scale, grids: Sequence[PhaseGrid]) -> Piece:
    """One scale for all grids: signed and centred on 0, or from the least to the most."""
    ticks = _bar_ticks(scale, grids)
    places = scale.colour(np.asarray(ticks, float)).tolist()
    texts = [minus(f"{tick:g}") for tick in ticks]
    if scale.unit:
        colours: object = theme.DIVERGING
        texts = [f"+{text}" if tick > 0 else text for text, tick in zip(texts, ticks, strict=True)]
    else:
        colours, texts = theme.SEQUENTIAL, [*texts[:-1], f"≥ {texts[-1]}"]
    bar = {"thickness": 12, "len": 1.0, "outlinewidth": 0, "xpad": 8, "ypad": 0,
           "tickvals": places, "ticktext": texts,
           "tickfont": {"size": theme.SMALL_SIZE}}  # fmt: skip
    return {"cmin": places[0], "cmax": places[-1], "colorscale": colours, "colorbar": bar}


def _bar_ticks(scale: Scale, grids: Sequence[PhaseGrid]) -> list[float]:
    if not scale.unit:
        return list(scale.ticks)
    known = np.concatenate([grid.values[grid.cells == Cell.NUMBER] for grid in grids])
    largest = float(np.abs(known).max(initial=0.0))
    above = next((n for n, tick in enumerate(scale.ticks) if tick >= largest), len(scale.ticks) - 1)
    positive = list(scale.ticks[1 : max(above, 2) + 1])
    return [-tick for tick in reversed(positive)] + [0.0, *positive]


def round_ticks(axis_: Axis, most: int) -> Piece:
    """Round values, where they lie among the cells."""
    values = _round_values(axis_, most)
    kept = [(axis_.place(v), minus(f"{v:g}")) for v in values]
    return {"tickvals": [p for p, _ in kept], "ticktext": [text for _, text in kept]}


def _round_values(axis_: Axis, most: int) -> list[float]:
    low, high = axis_.values[0], axis_.values[-1]
    if len(axis_.values) == 1:
        return [low]
    if not axis_.log:
        return _multiples(low, high, most)
    if high < 50 * low:
        doubled = [2.0**k for k in range(int(np.log2(low)) - 1, int(np.log2(high)) + 2)]
        return [v for v in doubled if low <= v <= high]
    found: list[float] = []
    for factors in ((1,), (1, 3), NICE):
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        values = [f * 10.0**d for d in decades for f in factors]
        kept = [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(kept) > most and found:
            break
        found = kept
    return found or [low, high]


def _multiples(low: float, high: float, most: int) -> list[float]:
    least = (high - low) / (most - 1)
    size = 10.0 ** np.floor(np.log10(least))
    step = next(size * f for f in (1, 2, 5, 10) if size * f >= least * (1 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(k * step, 10) for k in range(first, last + 1)]
