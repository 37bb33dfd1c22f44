"""Matrices as pictures: cells on a colour scale, thinned to what a screen shows, and behind them
those that are no number, in colours of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.curves import status_words
from rnnviz.plots.drawing import Piece
from rnnviz.plots.panels import colour_scale
from rnnviz.wording.lists import listed, said_of
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import caption

MOST_STEPS = 300
"""Columns of a picture at most."""
CELLS = 19_200
"""Cells a figure sends at most, over all its panels."""
SPECIAL_COLOURS = {
    Status.ZERO: theme.EXACT_ZERO,
    Status.ROUNDED: theme.ROUNDED_ZERO,
    Status.ABOVE: theme.INFINITE,
    Status.NAN: theme.NOT_A_NUMBER,
    Status.NOT_RECORDED: "rgba(128,136,144,0.15)",
}
KINDS = {
    "zeros": [int(Status.ZERO), int(Status.ROUNDED)],
    "unknown": [int(Status.ABOVE), int(Status.NAN), int(Status.LOST)],
}
"""For the table of a picture's values: which codes of its backdrop count in a median, as zero or as
what is not known. The others stand where there is nothing."""
TICK_GAP = 0.2
"""Share of the colour bar that two of its numbers are apart at least."""


@dataclass(frozen=True)
class Cells:
    """A unit × step matrix, thinned to what a screen shows.

    values (units, steps): NaN where there is no number; special, of the same shape: there a
    Status, elsewhere −1. units_each, steps_each: how many of the matrix's own one cell stands for;
    kept: which of these steps' values it shows, a key of `KEEP`.
    """

    values: Array
    special: Array
    units_each: int
    steps_each: int
    kept: str = "largest"

    @property
    def first_step(self) -> float:
        return 1 + (self.steps_each - 1) / 2

    @property
    def found(self) -> list[Status]:
        """The kinds of cells without a number."""
        return [Status(int(code)) for code in np.unique(self.special) if code >= 0]


def steps_each(steps: int) -> int:
    """How many steps a column of a picture stands for."""
    return -(-steps // MOST_STEPS)


def column_words(steps: int, kept: str = "largest") -> str:
    """What one column of a picture is, as a part of a sentence."""
    each = steps_each(steps)
    return caption("column") if each == 1 else caption(f"columns_{kept}", count=each)


def _largest(values: Array, starts: Array) -> Array:
    return np.fmax.reduceat(values, starts, axis=1)


def _smallest(values: Array, starts: Array) -> Array:
    return np.fmin.reduceat(values, starts, axis=1)


def _furthest(values: Array, starts: Array) -> Array:
    high, low = _largest(values, starts), _smallest(values, starts)
    return np.where(-low > high, low, high)


KEEP = {"largest": _largest, "smallest": _smallest, "furthest": _furthest}
"""What a cell keeps of several steps: the extreme that matters. Of magnitudes the largest, of what
a memory gate keeps the smallest, of signed values the one that is furthest from 0."""


def specials(values: Array) -> Array:
    """What each value is that is no number, −1 where it is one."""
    infinite = np.where(np.isinf(values), Status.ABOVE, -1)
    return np.where(np.isnan(values), Status.NAN, infinite)


def thinned(values: Array, special: Array, budget: int, kept: str = "largest") -> Cells:
    """At most about `budget` cells: every n-th unit, one of each few steps as `KEEP` says."""
    units, steps = values.shape
    across = steps_each(steps)
    down = -(-units * -(-steps // across) // budget)
    if across == down == 1:
        return Cells(values, special, 1, 1)
    starts = np.arange(0, steps, across)
    shown = KEEP[kept](values[::down], starts)
    codes = np.maximum.reduceat(special[::down], starts, axis=1)
    empty = ~np.isfinite(shown)
    shown = np.where(empty, np.nan, shown)
    return Cells(shown, np.where(empty, codes, -1), down, across, kept)


def panel_traces(
    cells: Cells,
    where: Piece,
    name: str,
    hover: str,
    colours: Piece,
    digits: int = 1,
    row: str | None = None,
    column: str | None = None,
    words: Callable[[Status], str] = status_words,
) -> list[Piece]:
    """The traces of a panel. `where` says axes and rows (`y`, or `y0` and `dy`), `hover` how to
    write z, `row` what a row is, `column` what a column is (a time step unless given), `colours`
    the scale, `words` what a kind of cell without a number is called. Values are rounded to the
    decimal digits that `hover` shows: their bytes pack well, and what is read is the value, rounded
    once."""
    across = cells.steps_each
    grid = {"type": "heatmap", "name": name, "x0": cells.first_step, "dx": across, **where}
    backdrop = _backdrop(cells, grid, name, words)
    if np.isnan(cells.values).all():
        return backdrop
    name = f"{name}, {row or caption('unit_hover')}"
    step = caption("step_hover")
    if across > 1:
        step = caption(f"cell_{cells.kept}", count=across)
    text = said_of(listed([name, column or step]), hover) + "<extra></extra>"
    top = {**grid, "z": _packed(cells.values, digits), "hoverongaps": False, "hovertemplate": text}
    meta = {"digits": digits, **colours.get("meta", {})}
    if column is None:
        meta["across"] = caption("time_step")
    if (together := across * cells.units_each) > 1:
        meta["pooled"] = caption(f"pooled_{cells.kept}", count=together)
    return [*backdrop, {**top, **colours, "meta": meta}]


def _packed(values: Array, digits: int) -> Array:
    """Rounded to decimal digits in float32; as they are where float32 could not hold them."""
    if np.nanmax(np.abs(values)) > np.finfo(np.float32).max / 10**digits:
        return values
    return np.round(values, digits).astype(np.float32)


def _backdrop(cells: Cells, grid: Piece, name: str, words: Callable[[Status], str]) -> list[Piece]:
    """What the cells without a number are, seen through the gaps that their NaN leaves in the
    panel above. One wide cell, or one a row, if they are of one kind and all gaps are theirs."""
    found = cells.found
    if not found:
        return []
    word = words(found[0]) if len(found) == 1 else caption("see_title")
    limits = {"zmin": -0.5, "zmax": len(Status) - 0.5}
    colours = {"colorscale": _codes(), "showscale": False, **limits}
    hover = {"hovertemplate": said_of(name, word) + "<extra></extra>", "meta": KINDS}
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


def magnitude_scale(limits: tuple[float, float]) -> Piece:
    """The colour axis of decades from one to another; the lower end stands for all below."""
    low, high = limits
    half = [low / 2] if low < 0 else []
    ticks = _apart([low, *([0.0] if low < 0 < high else []), high, *half, (low + high) / 2])
    texts = [minus(f"{tick:.0f}") for tick in ticks]
    texts[0] = "≤ " + texts[0]
    return {**colour_scale(theme.SEQUENTIAL, ticks, texts), "cmin": low, "cmax": high}


def _apart(ticks: Sequence[float]) -> list[float]:
    """Those of the ticks, the first ones first, that are far enough from those before them."""
    kept: list[float] = []
    least = TICK_GAP * (max(ticks) - min(ticks))
    for tick in ticks:
        if all(abs(tick - other) >= least for other in kept):
            kept.append(tick)
    return sorted(kept)
