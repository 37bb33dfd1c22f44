"""A diagram over two settings: one panel a model, one colour scale for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnnviz.analysis.phase import Cell, PhaseGrid
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import on_paper
from rnnviz.plots.panels import UNSEEN, Place, axis, grid_places, model_title, nothing
from rnnviz.plots.phase_scales import SCALES, Scale, colour_axis, round_ticks

Array = np.ndarray
HEIGHT = 400
MARGIN = {"l": 64, "r": 96, "t": 28, "b": 46}
NO_TICKS: Piece = {"showticklabels": False, "ticks": ""}
COLOURS = {
    Cell.PENDING: "rgba(128,136,144,0.12)",
    Cell.ZERO: theme.EXACT_ZERO,
    Cell.ROUNDED: theme.ROUNDED_ZERO,
    Cell.NONE: theme.NOT_A_NUMBER,
    Cell.REFUSED: theme.INFINITE,
}
WORDS = {
    Cell.PENDING: "not computed yet",
    Cell.ZERO: "exactly zero",
    Cell.ROUNDED: "rounded to zero",
    Cell.NONE: "no number",
    Cell.REFUSED: "not run: too large, or it failed",
}


@FigureFunction
def phase_figure(
    grids: Sequence[PhaseGrid],
    *,
    here: tuple[float, float] | None = None,
    styles: Mapping[str, theme.Style] | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """The quantity of the grids, all of one sweep, over its two settings.

    x and y count cells; `Axis.value` says which value a place is, and the ticks stand at round
    values. A signed quantity is centred on 0: blue falls, orange grows. here: (x, y) of the
    present setting, which is marked. A cell without a number has a colour that is not on the
    scale, named under the pointer.
    """
    if not grids:
        return drawing([UNSEEN], {"height": height, **nothing("No model chosen.")}, "phase")
    known = theme.styles_for([grid.model for grid in grids], styles)
    scale = SCALES[grids[0].quantity]
    layout: Piece = {"height": height, "margin": MARGIN, "annotations": [_quantity(scale)]}
    layout["coloraxis"] = colour_axis(scale, grids)
    data: list[Piece] = []
    for index, (grid, place) in enumerate(zip(grids, grid_places(len(grids)), strict=True)):
        suffix = "" if index == 0 else str(index + 1)
        data += _panel(grid, scale, suffix, known[grid.model].title, here)
        layout |= _axes(grid, suffix, place)
        layout["annotations"].append(model_title(known[grid.model], place))
    return drawing(data, layout, "phase")


def _panel(
    grid: PhaseGrid, scale: Scale, suffix: str, name: str, here: tuple[float, float] | None
) -> list[Piece]:
    where = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    number = grid.cells == Cell.NUMBER
    with np.errstate(invalid="ignore"):
        z = np.where(number, scale.colour(grid.values), np.nan)
    common: Piece = {"type": "heatmap", "name": name, **where, "xgap": 1, "ygap": 1}
    hover = {
        "customdata": _texts(grid, scale),
        "hovertemplate": f"{name}, %{{customdata}}<extra></extra>",
    }
    codes = np.where(number, Cell.PENDING, grid.cells).astype(np.int8)
    drawn = [{**common, "z": codes, **hover, **_codes()}]
    if number.any():
        top = {"z": z.astype(np.float32), "coloraxis": "coloraxis", "hoverinfo": "skip"}
        drawn.append({**common, **top})
    return [*drawn, *_mark(grid, where, here)]


def _texts(grid: PhaseGrid, scale: Scale) -> list[list[str]]:
    x, y = grid.x, grid.y
    return [
        [f"{x.label} {a:.3g}, {y.label} {b:.3g}: {_said(grid, scale, j, i)}"
         for i, a in enumerate(x.values)]
        for j, b in enumerate(y.values)
    ]  # fmt: skip


def _said(grid: PhaseGrid, scale: Scale, j: int, i: int) -> str:
    cell = Cell(int(grid.cells[j, i]))
    return scale.hover(float(grid.values[j, i])) if cell == Cell.NUMBER else WORDS[cell]


def _codes() -> Piece:
    """A scale of plain steps: code k has the colour of COLOURS[k]."""
    steps = []
    for code in Cell:
        colour = COLOURS.get(code, "rgba(0,0,0,0)")
        steps += [(code / len(Cell), colour), ((code + 1) / len(Cell), colour)]
    return {"colorscale": steps, "showscale": False, "zmin": -0.5, "zmax": len(Cell) - 0.5}


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
    left, right, bottom, top, first, lowest = place
    x: Piece = axis(grid.x.label, **round_ticks(grid.x, 5)) if lowest else NO_TICKS
    y: Piece = axis(grid.y.label, **round_ticks(grid.y, 7)) if first else NO_TICKS
    across = {"domain": [round(left, 4), round(right, 4)], "anchor": f"y{suffix}"}
    up = {"domain": [round(bottom, 4), round(top, 4)], "anchor": f"x{suffix}"}
    plain = {"showgrid": False, "ticklen": 3}
    ends = [{"range": [-0.5, len(a.values) - 0.5]} for a in (grid.x, grid.y)]
    return {
        f"xaxis{suffix}": {**x, **plain, **across, **ends[0]},
        f"yaxis{suffix}": {**y, **plain, **up, **ends[1]},
    }


def _quantity(scale: Scale) -> Piece:
    at = {"xanchor": "right", "xshift": MARGIN["r"] - 2, "yanchor": "bottom", "yshift": 8}
    return on_paper(scale.title, 1, 1, font={"size": theme.SMALL_SIZE}, **at)
