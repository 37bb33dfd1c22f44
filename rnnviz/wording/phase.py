"""What a phase diagram has come to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.phase import PhaseGrid, level_cells, turning_points
from rnnviz.analysis.verdicts import LEVEL_REACH
from rnnviz.wording.lists import clauses
from rnnviz.wording.names import display_name, setting_name
from rnnviz.wording.numbers import general, short
from rnnviz.wording.texts import say


def phase_words(
    slopes: Sequence[PhaseGrid], reaches: Sequence[PhaseGrid], row: float, most: int = 3
) -> tuple[str, ...]:
    """In how many settings the error stays level over the whole length, in each model; and where,
    in the row of y that is nearest to `row`, it turns from vanishing to exploding. `slopes`,
    `reaches`: grids of these quantities, of the same models.

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
    enough = np.all([np.isfinite(g.values).sum(axis=1) > 1 for g in grids], axis=0)
    if not enough.any():
        return ()
    far = np.abs(np.asarray(y.values, float) - wanted)
    row = int(np.argmin(np.where(enough, far, np.inf)))
    turns = clauses([_turns(grid, row) for grid in grids])
    where = {"setting": setting_name(y.name), "value": general(float(y.values[row]))}
    return (say("phase", "turns", **where, models=turns),)


def _turns(grid: PhaseGrid, row: int) -> str:
    """Where the error of one model turns from dying to growing, or on which side it is."""
    name = display_name(grid.model)
    turns = [f"**{short(turn)}**" for turn in turning_points(grid, row)[:2]]
    if not turns:
        return say("phase", "dies" if np.nanmean(grid.values[row]) < 0 else "grows", model=name)
    both = len(turns) > 1
    values = say("phase", "turns_two", first=turns[0], second=turns[1]) if both else turns[0]
    return say("phase", "turns_at", setting=setting_name(grid.x.name), values=values, model=name)
