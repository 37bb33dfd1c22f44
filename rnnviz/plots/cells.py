"""A matrix of unit × step as a picture, and what its cells without a number are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.curves import WORDS
from rnnviz.plots.drawing import Piece

MOST_STEPS = 300
SPECIAL_COLOURS = {
    Status.ZERO: theme.EXACT_ZERO,
    Status.ROUNDED: theme.ROUNDED_ZERO,
    Status.ABOVE: theme.INFINITE,
    Status.NAN: theme.NOT_A_NUMBER,
    Status.NOT_RECORDED: "rgba(128,136,144,0.15)",
}


@dataclass(frozen=True)
class Cells:
    """A unit × step matrix, thinned to what a screen shows.

    values (units, steps): NaN where there is no number; special, of the same shape: there a
    Status, elsewhere −1. units_each, steps_each: how many of the matrix's own one cell stands for.
    """

    values: Array
    special: Array
    units_each: int
    steps_each: int

    @property
    def first_step(self) -> float:
        return 1 + (self.steps_each - 1) / 2

    @property
    def found(self) -> list[Status]:
        """The kinds of cells without a number."""
        return [Status(int(code)) for code in np.unique(self.special) if code >= 0]


def thinned(values: Array, special: Array, budget: int) -> Cells:
    """At most about `budget` cells: every n-th unit, the largest of each few steps."""
    units, steps = values.shape
    across = -(-steps // MOST_STEPS)
    down = -(-units * -(-steps // across) // budget)
    if across == down == 1:
        return Cells(values, special, 1, 1)
    starts = np.arange(0, steps, across)
    kept = np.where(np.isnan(values[::down]), -np.inf, values[::down])
    peak = np.maximum.reduceat(kept, starts, axis=1)
    codes = np.maximum.reduceat(special[::down], starts, axis=1)
    empty = np.isneginf(peak)
    return Cells(np.where(empty, np.nan, peak), np.where(empty, codes, -1), down, across)


def layers(
    cells: Cells,
    where: Piece,
    name: str,
    hover: str,
    colours: Piece,
    parts: int = 16,
    row: str = "unit %{y}",
) -> list[Piece]:
    """The traces of a panel. `where` says axes and rows (`y`, or `y0` and `dy`), `hover` how to
    write z, `row` what a row is, `colours` the scale. Values are rounded to 1/`parts`, so that
    their bytes pack well."""
    across = cells.steps_each
    grid = {"type": "heatmap", "name": name, "x0": cells.first_step, "dx": across, **where}
    backdrop = _backdrop(cells, grid, name)
    if np.isnan(cells.values).all():
        return backdrop
    step = "step %{x}" if across == 1 else f"largest of {across} steps around %{{x:.0f}}"
    text = f"{name}, {row}, {step}: {hover}<extra></extra>"
    z = _packed(cells.values, parts)
    return [*backdrop, {**grid, "z": z, "hoverongaps": False, "hovertemplate": text, **colours}]


def _packed(values: Array, parts: int) -> Array:
    """Rounded to 1/`parts` in float32; as they are where float32 could not hold them."""
    if np.nanmax(np.abs(values)) > np.finfo(np.float32).max / parts:
        return values
    return (np.round(values * parts) / parts).astype(np.float32)


def _backdrop(cells: Cells, grid: Piece, name: str) -> list[Piece]:
    """What the cells without a number are, seen through the gaps that their NaN leaves in the
    panel above. One wide cell, or one a row, if they are of one kind and all gaps are theirs."""
    found = cells.found
    if not found:
        return []
    word = WORDS[found[0]] if len(found) == 1 else "no number, see the title"
    limits = {"zmin": -0.5, "zmax": len(Status) - 0.5}
    colours = {"colorscale": _codes(), "showscale": False, **limits}
    hover = {"hovertemplate": f"{name}: {word}<extra></extra>"}
    blank = np.isnan(cells.values) & (cells.special < 0)
    if len(found) == 1 and not blank.any():
        rows, columns = cells.special.shape
        wide = {**grid, "x0": grid["x0"] + grid["dx"] * (columns - 1) / 2}
        wide |= {"dx": grid["dx"] * columns, **colours, **hover}
        if "y" in grid:  # named rows: a cell cannot span them
            return [{**wide, "z": np.full((rows, 1), found[0], np.int8)}]
        high = {"y0": grid["y0"] + grid["dy"] * (rows - 1) / 2, "dy": grid["dy"] * rows}
        return [{**wide, **high, "z": np.array([[found[0]]], np.int8)}]
    return [{**grid, "z": cells.special.astype(np.int8), **colours, **hover}]


def _codes() -> list[tuple[float, str]]:
    """A scale of plain steps: code k of `Status` has the colour of SPECIAL_COLOURS[k]."""
    steps = []
    for code in Status:
        colour = SPECIAL_COLOURS.get(code, "rgba(0,0,0,0)")
        steps += [(code / len(Status), colour), ((code + 1) / len(Status), colour)]
    return steps
