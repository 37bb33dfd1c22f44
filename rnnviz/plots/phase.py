"""A diagram over two settings: one panel a model, one colour scale for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.phase import Axis, CellStatus, PhaseGrid
from rnnviz.analysis.rates import LEVEL
from rnnviz.core.numerics import LN_10, Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    colour_scale,
    grid_places,
    model_title,
    nothing,
    placed,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import listed, said_of
from rnnviz.wording.names import field_name
from rnnviz.wording.numbers import general, minus
from rnnviz.wording.texts import caption

HEIGHT = 400
MARGIN = {"l": 64, "r": 96, "t": 28, "b": 46}
NO_TICKS: Piece = {"showticklabels": False, "ticks": ""}
COLOURS = {
    CellStatus.PENDING: "rgba(0,0,0,0)",
    CellStatus.ZERO: theme.EXACT_ZERO,
    CellStatus.ROUNDED: theme.ROUNDED_ZERO,
    CellStatus.NONE: theme.NOT_A_NUMBER,
    CellStatus.REFUSED: theme.REFUSED,
    CellStatus.EXPLODED: theme.INFINITE,
}
WORDS = {
    CellStatus.PENDING: "cell_pending",
    CellStatus.ZERO: "cell_zero",
    CellStatus.ROUNDED: "cell_rounded",
    CellStatus.NONE: "cell_none",
    CellStatus.REFUSED: "cell_refused",
    CellStatus.EXPLODED: "cell_exploded",
}
NICE = (1, 2, 5)


@FigureFunction
def phase_figure(
    grids: Sequence[PhaseGrid],
    *,
    here: tuple[float, float] | None = None,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """The quantity of the grids, all of one sweep, over its two settings.

    x and y count cells; `Axis.value` says which value a place is, and the ticks stand at round
    values. A signed quantity is centred on 0: purple falls, yellow grows. here: (x, y) of the
    present setting, which is marked. A cell without a number has a colour that is not on the
    scale, named under the pointer.
    """
    if not grids:
        return drawing([UNSEEN], {"height": height, **nothing(caption("no_model"))}, "phase")
    known = theme.styles_for([grid.model for grid in grids], styles)
    scale = SCALES[grids[0].quantity]
    layout: Piece = {"height": height, "margin": MARGIN, "coloraxis": colour_axis(scale, grids)}
    layout["annotations"] = [scale_title(caption(scale.title), MARGIN["r"], 8)]
    data: list[Piece] = []
    for index, (grid, place) in enumerate(zip(grids, grid_places(len(grids)), strict=True)):
        suffix = axes_suffix(index)
        data += _panel(grid, scale, suffix, known[grid.model].title, here)
        layout |= _axes(grid, suffix, place)
        layout["annotations"].append(model_title(known[grid.model], place))
    return drawing(data, layout, "phase")


def _panel(
    grid: PhaseGrid, scale: Scale, suffix: str, name: str, here: tuple[float, float] | None
) -> list[Piece]:
    where = axes_of(suffix)
    number = grid.cells == CellStatus.NUMBER
    with np.errstate(invalid="ignore"):
        z = np.where(number, scale.colour(grid.values), np.nan)
    common: Piece = {"type": "heatmap", "name": name, **where, "xgap": 1, "ygap": 1}
    hover = {
        "customdata": _texts(grid, scale),
        "hovertemplate": f"{name}, %{{customdata}}<extra></extra>",
    }
    codes = np.where(number, CellStatus.PENDING, grid.cells).astype(np.int8)
    drawn = [{**common, "z": codes, **hover, **_codes()}]
    if number.any():
        top = {"z": z.astype(np.float32), "coloraxis": "coloraxis", "hoverinfo": "skip"}
        drawn.append({**common, **top, "meta": _table(grid, scale)})
    return [*drawn, *_pending(grid, where), *_mark(grid, where, here)]


def _table(grid: PhaseGrid, scale: Scale) -> Piece:
    """For the table of a picture's values, as z has colours: the settings across, of each the
    median of the true numbers, zeros below all of them, and what it is a median of."""
    values = np.where(grid.cells == CellStatus.NUMBER, grid.values, np.nan)
    values[np.isin(grid.cells, [CellStatus.ZERO, CellStatus.ROUNDED])] = -np.inf
    medians = [_median(column[cells != CellStatus.PENDING])
               for column, cells in zip(values.T, grid.cells.T, strict=True)]  # fmt: skip
    note = caption("median_over", quantity=caption(scale.title), rows=field_name(grid.y.name))
    return {"of": list(grid.x.values), "values": medians, "note": note}


def _median(values: Array) -> float | str | None:
    """In words where it is no finite number, None where it is not known."""
    with np.errstate(invalid="ignore"):
        middle = float(np.median(values)) if values.size else np.nan
    if np.isinf(middle):
        return "∞" if middle > 0 else caption("cell_zero")
    return None if np.isnan(middle) else middle


def _pending(grid: PhaseGrid, where: Piece) -> list[Piece]:
    """A dot on the bare ground of each cell that is not run yet: a level one is nearly white."""
    rows, columns = np.nonzero(grid.cells == CellStatus.PENDING)
    marker = {"size": 3, "color": theme.GREY}
    dots = {"type": "scatter", "mode": "markers", "x": columns, "y": rows, "marker": marker}
    return [{**dots, "hoverinfo": "skip", **where}] if rows.size else []


def _texts(grid: PhaseGrid, scale: Scale) -> list[list[str]]:
    x, y = grid.x, grid.y
    x_name, y_name = field_name(x.name), field_name(y.name)
    return [
        [said_of(listed([f"{x_name} {general(a, 3)}", f"{y_name} {general(b, 3)}"]),
                 _said(grid, scale, j, i))
         for i, a in enumerate(x.values)]
        for j, b in enumerate(y.values)
    ]  # fmt: skip


def _said(grid: PhaseGrid, scale: Scale, j: int, i: int) -> str:
    cell = CellStatus(int(grid.cells[j, i]))
    return (
        scale.hover(float(grid.values[j, i])) if cell == CellStatus.NUMBER else caption(WORDS[cell])
    )


def _codes() -> Piece:
    """A scale of plain steps: code k has the colour of COLOURS[k]."""
    steps = []
    for code in CellStatus:
        colour = COLOURS.get(code, "rgba(0,0,0,0)")
        steps += [(code / len(CellStatus), colour), ((code + 1) / len(CellStatus), colour)]
    return {"colorscale": steps, "showscale": False, "zmin": -0.5, "zmax": len(CellStatus) - 0.5}


def _mark(grid: PhaseGrid, where: Piece, here: tuple[float, float] | None) -> list[Piece]:
    """A ring at the present setting, if it lies in the diagram."""
    x, y = (a.place(v) for a, v in zip((grid.x, grid.y), here or (np.nan, np.nan), strict=True))
    if np.isnan(x) or np.isnan(y):
        return []
    ring = {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "skip", **where}
    shape = {"symbol": "circle-open", "size": 15}
    return [{**ring, "marker": {**shape, "color": colour, "line": {"width": width}}}
            for colour, width in ((theme.PAPER, 5), (theme.INK, 2))]  # fmt: skip


def _axes(grid: PhaseGrid, suffix: str, place: Place) -> Piece:
    first, lowest = place[4:]
    x: Piece = axis(field_name(grid.x.name), **round_ticks(grid.x, 5)) if lowest else NO_TICKS
    y: Piece = axis(field_name(grid.y.name), **round_ticks(grid.y, 7)) if first else NO_TICKS
    plain = {"showgrid": False, "ticklen": 3}
    ends = [{"range": [-0.5, len(a.values) - 0.5]} for a in (grid.x, grid.y)]
    return placed({**x, **plain, **ends[0]}, {**y, **plain, **ends[1]}, suffix, place)


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
    return lambda value: caption(unit, number=minus(f"{value:+.{digits}f}"))


def _steps(value: float) -> str:
    if not np.isfinite(value):
        return caption("horizon_infinite")
    return caption("horizon_steps", steps=f"{value:.3g}")


SCALES: Mapping[str, Scale] = {
    "slope": Scale("scale_slope", LEVEL, (0, 0.02, 0.1, 0.5, 2, 10), _signed(3, "unit_decades")),
    "reach": Scale("scale_reach", 1.0, (0, 1, 10, 100, 1000, 10_000), _signed(1, "unit_decades")),
    "lambda_1": Scale(
        "scale_lambda_1", LEVEL * LN_10, (0, 0.05, 0.2, 1, 5), _signed(3, "unit_nats")
    ),
    "horizon": Scale("scale_horizon", 0.0, (1, 10, 100, 1000), _steps),
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
    return colour_scale(colours, places, texts)


def _bar_ticks(scale: Scale, grids: Sequence[PhaseGrid]) -> list[float]:
    if not scale.unit:
        return list(scale.ticks)
    known = np.concatenate([grid.values[grid.cells == CellStatus.NUMBER] for grid in grids])
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
        return _multiples(low, high, most, whole=all(v == int(v) for v in axis_.values))
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


def _multiples(low: float, high: float, most: int, whole: bool) -> list[float]:
    least = max((high - low) / (most - 1), 1.0 if whole else 0.0)
    size = 10.0 ** np.floor(np.log10(least))
    step = next(size * f for f in (1, 2, 5, 10) if size * f >= least * (1 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(k * step, 10) for k in range(first, last + 1)]
