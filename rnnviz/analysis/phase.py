"""Many runs as a diagram over two settings: each cell one number, each model one grid.

Pure: results in, grid out. A result is anything that has `at` (pairs of field and value), `model`,
`measures` (None if there are no numbers) and `message`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

import numpy as np

from rnnviz.analysis.measures import Measures
from rnnviz.analysis.verdicts import LEVEL_REACH
from rnnviz.core.numerics import Array, Status


class Measured(Protocol):
    """One result of a sweep: its grid point, its model, its numbers (None if refused)."""

    @property
    def at(self) -> tuple[tuple[str, Any], ...]: ...
    @property
    def model(self) -> str: ...
    @property
    def measures(self) -> Measures | None: ...
    @property
    def message(self) -> str: ...


class CellStatus(IntEnum):
    """What a cell of the diagram is: a number, or why it has none."""

    NUMBER = 0
    PENDING = 1
    ZERO = 2
    """Nothing is left, exactly."""
    ROUNDED = 3
    """Nothing is left, because a factor was rounded to zero."""
    NONE = 4
    """Not a number, or too few points for a line."""
    REFUSED = 5
    """It was not run, or failed."""
    EXPLODED = 6
    """The states explode on the way forward; by how much the error grows is not known."""


QUANTITIES: dict[str, Callable[[Measures], tuple[float | None, Status]]] = {
    "slope": lambda m: (m.slope, m.reach_status),
    "horizon": lambda m: (m.horizon, m.reach_status),
    "reach": lambda m: (m.reach_log10, m.reach_status),
    "lambda_1": lambda m: (m.lambda_1, m.lambda_1_status),
}
"""What a diagram may show, with what to say where there is none: decades per step; steps in which
the error falls to 1/e; decades from the last step to the first; nats per step."""
ROUNDING = 1e-6
"""Decades per step that rounding may make of a level line, in float32, too."""
ZEROS = {Status.ZERO: CellStatus.ZERO, Status.ROUNDED: CellStatus.ROUNDED}


@dataclass(frozen=True)
class Axis:
    """One setting: the field's name, its values in ascending order, and whether equal distances
    are equal ratios."""

    name: str
    values: tuple[float, ...]
    log: bool

    @property
    def whole(self) -> bool:
        """Whether the setting has whole numbers alone."""
        return all(isinstance(value, int) for value in self.values)

    def place(self, value: float) -> float:
        """Where a value lies, in cells: 0 is the first one's middle; NaN outside all cells."""
        scale = np.log if self.log else np.asarray
        known, wanted = scale(np.asarray(self.values, float)), scale(np.float64(value))
        if len(known) == 1:
            return 0.0 if value == self.values[0] else np.nan
        return float(np.interp(wanted, known, np.arange(len(known)), left=np.nan, right=np.nan))

    def value(self, place: float) -> float:
        """The value of the cell that this place lies in."""
        return self.values[min(max(round(place), 0), len(self.values) - 1)]


@dataclass(frozen=True, eq=False)
class PhaseGrid:
    """One model's diagram. values (rows of y, columns of x): NaN where `cells`, of the same shape
    and of `CellStatus`, is not NUMBER. An infinite horizon is a number."""

    model: str
    quantity: str
    x: Axis
    y: Axis
    values: Array
    cells: Array


def phase_grids(
    results: Iterable[Measured], models: Sequence[str], x: Axis, y: Axis, quantity: str
) -> tuple[PhaseGrid, ...]:
    """A grid for each model; of several results for a cell (seeds) the mean of those with a
    number. Results elsewhere or of other models are left out.
    Raises ValueError for a quantity that is not one of QUANTITIES."""
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity must be one of {', '.join(QUANTITIES)}, got {quantity!r}")
    of_model: dict[str, list[Measured]] = {model: [] for model in models}
    for result in results:
        of_model.get(result.model, []).append(result)
    return tuple(_grid(found, model, x, y, quantity) for model, found in of_model.items())


def _grid(results: Sequence[Measured], model: str, x: Axis, y: Axis, quantity: str) -> PhaseGrid:
    shape = len(y.values), len(x.values)
    total, count = np.zeros(shape), np.zeros(shape, int)
    cells = np.full(shape, CellStatus.PENDING)
    columns: dict[Any, int] = {value: i for i, value in enumerate(x.values)}
    rows: dict[Any, int] = {value: i for i, value in enumerate(y.values)}
    for result in results:
        at = dict(result.at)
        place = rows.get(at.get(y.name)), columns.get(at.get(x.name))
        if None in place:
            continue
        value, cell = _value(result, quantity)
        if cell == CellStatus.NUMBER:
            total[place] += value
            count[place] += 1
        if cells[place] != CellStatus.NUMBER:
            cells[place] = cell
    values = np.full(shape, np.nan)
    np.divide(total, count, out=values, where=count > 0)
    return PhaseGrid(model, quantity, x, y, values, cells)


def _value(result: Measured, quantity: str) -> tuple[float, CellStatus]:
    m = result.measures
    if m is None:
        return np.nan, CellStatus.REFUSED
    value, status = QUANTITIES[quantity](m)
    if status in ZEROS:  # a line through the points that are not zero says nothing of the end
        return np.nan, ZEROS[status]
    if value is None:
        return np.nan, CellStatus.EXPLODED if status == Status.ABOVE else CellStatus.NONE
    return value, CellStatus.NUMBER


def level_cells(reach: PhaseGrid) -> tuple[int, int]:
    """In how many cells the error stays within a factor of 10 from the last step to the first, and
    how many were run, those with nothing left or no number among them. reach: a grid of "reach"; a
    slope that is level by the step may lose many decades over the whole length."""
    known = reach.values[reach.cells == CellStatus.NUMBER]
    run = ~np.isin(reach.cells, (CellStatus.PENDING, CellStatus.REFUSED))
    return int(np.sum(np.abs(known) <= LEVEL_REACH)), int(np.sum(run))


class Turn(NamedTuple):
    """Where along x the error turns; grows: from there on, else it dies."""

    at: float
    grows: bool


def directions(grid: PhaseGrid, row: int) -> Array:
    """Of the cells of one row (W,): 1 where the error grows, or the states explode on their way
    forward; −1 where it dies, or nothing is left of it; 0 where it stays level up to rounding; NaN
    where nothing is known. grid: of "slope"."""
    slope, cells = grid.values[row], grid.cells[row]
    known = np.where(np.abs(slope) <= ROUNDING, 0.0, np.sign(slope))
    known[np.isin(cells, (CellStatus.ZERO, CellStatus.ROUNDED))] = -1
    known[cells == CellStatus.EXPLODED] = 1
    return known


def turns(grid: PhaseGrid, row: int) -> list[Turn]:
    """Every change of direction in one row. grid: of "slope"."""
    sign = directions(grid, row)
    pairs = itertools.pairwise(np.flatnonzero(np.nan_to_num(sign)).tolist())
    return [
        Turn(_place(grid, row, here, then), bool(sign[then] > 0))
        for here, then in pairs
        if sign[here] != sign[then]
    ]


def _place(grid: PhaseGrid, row: int, here: int, then: int) -> float:
    """Where between two cells the error turns: interpolated between their slopes; in the middle of
    cells that are level, or of the two where one has no slope; of a setting of whole numbers the
    next one."""
    x = np.asarray(grid.x.values, float)
    x = np.log(x) if grid.x.log else x
    slope, level = grid.values[row], np.flatnonzero(directions(grid, row)[here:then] == 0)
    share = slope[here] / (slope[here] - slope[then])
    if level.size:
        at = (x[here + level[0]] + x[here + level[-1]]) / 2
    else:
        at = x[here] + (share if np.isfinite(share) else 0.5) * (x[then] - x[here])
    place = float(np.exp(at) if grid.x.log else at)
    return float(np.ceil(round(place, 9))) if grid.x.whole else place
