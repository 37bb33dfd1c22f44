"""What a phase diagram has come to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.phase import PhaseGrid, directions, level_cells, turns
from rnnviz.analysis.verdicts import LEVEL_REACH
from rnnviz.core.numerics import Array
from rnnviz.wording.lists import clauses, names_and
from rnnviz.wording.names import display_name, setting_name
from rnnviz.wording.numbers import general, short
from rnnviz.wording.texts import say

MOST_TURNS = 2
"""Places at which the error of one model turns that are named one by one."""


def phase_words(
    slopes: Sequence[PhaseGrid], reaches: Sequence[PhaseGrid], row: float, most: int = 3
) -> tuple[str, ...]:
    """In how many settings the error stays level over the whole length, in each model; and where,
    in the row of y that is nearest to `row`, it turns from vanishing to exploding or back.
    `slopes`, `reaches`: grids of these quantities, of the same models.

    Nothing is said of models or rows that have no number yet.
    """
    counts = [(*level_cells(reach), grid) for reach, grid in zip(reaches, slopes, strict=True)]
    known = [(level, of, grid) for level, of, grid in counts if of]
    if not known:
        return ()
    known.sort(key=lambda count: count[0] / count[1])
    parts = [
        say("phase", "level_of" if n else "level_first", count=level, total=of,
            model=display_name(grid.model))
        for n, (level, of, grid) in enumerate(known)
    ]  # fmt: skip
    first = say("phase", "level", factor=f"{10**LEVEL_REACH:g}", models=clauses(parts))
    return first, *_turning_words([grid for *_, grid in known][:most], row)


def _turning_words(grids: Sequence[PhaseGrid], wanted: float) -> tuple[str, ...]:
    """Of the row nearest to `wanted` in which every grid has at least two numbers."""
    y = grids[0].y
    enough = np.all([[np.isfinite(directions(g, k)).sum() > 1 for k in range(len(y.values))]
                     for g in grids], axis=0)  # fmt: skip
    if not enough.any():
        return ()
    far = np.abs(np.asarray(y.values, float) - wanted)
    row = int(np.argmin(np.where(enough, far, np.inf)))
    ways = [_way(grid, row) for grid in grids]
    before = ("", *ways[:-1])
    said = clauses([_turns(grid, row, way, way == last)
                    for grid, way, last in zip(grids, ways, before, strict=True)])  # fmt: skip
    where = {"setting": setting_name(y.name), "value": general(float(y.values[row]))}
    return (say("phase", "turns", **where, models=said),)


def _way(grid: PhaseGrid, row: int) -> str:
    """The name of what is said of a row: how the error turns first, and whether back; where it
    turns nowhere, on which side it is."""
    found = turns(grid, row)
    if not found:
        return _side(directions(grid, row))
    how = "" if len(found) == 1 else "_back" if len(found) <= MOST_TURNS else "_often"
    return f"turns_{'up' if found[0].grows else 'down'}{how}"


def _turns(grid: PhaseGrid, row: int, way: str, told: bool) -> str:
    """Where the error of one model turns. told: whether the model before turns the same way."""
    name, found = display_name(grid.model), turns(grid, row)
    if not found:
        return say("phase", way, model=name)
    places = [f"**{place}**" for place in _places([turn.at for turn in found])]
    one = way.endswith("_often")
    return say(
        "phase",
        "turns_alike" if told and not one else way,
        count=len(found),
        setting=setting_name(grid.x.name),
        values=places[0] if one else names_and(places),
        model=name,
    )


def _places(values: Sequence[float]) -> list[str]:
    """With the digits that tell them apart."""
    few = list(map(short, values))
    return few if len(set(few)) == len(few) else [general(value, 4) for value in values]


def _side(directions: Array) -> str:
    """The name of what is said of a row in which nothing turns."""
    known = directions[np.isfinite(directions)]
    still = not known.all()
    if known.min() < 0:
        return "dies_or_level" if still else "dies"
    if known.max() > 0:
        return "grows_or_level" if still else "grows"
    return "stays_level"
