"""What a phase diagram has come to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.phase import PhaseGrid, level_cells, turning_points
from rnnviz.analysis.rates import LEVEL
from rnnviz.wording.names import display_name, setting_name


def phase_words(slopes: Sequence[PhaseGrid], row: float, most: int = 3) -> tuple[str, ...]:
    """In how many settings the error stays level, in each model; and where, in the row of y that
    is nearest to `row`, it turns from vanishing to exploding. `slopes`: grids of the slope.

    Nothing is said of models or rows that have no number yet.
    """
    counts = [(*level_cells(grid), grid) for grid in slopes]
    known = [(level, of, grid) for level, of, grid in counts if of]
    if not known:
        return ()
    known.sort(key=lambda count: count[0] / count[1])
    parts = [f"**{level} of {of}{' settings' * (not n)}** in the {display_name(grid.model)}"
             for n, (level, of, grid) in enumerate(known)]  # fmt: skip
    first = f"The error stays level (within ±{LEVEL:g} decades a step) in {_list(parts)}."
    return first, *_turning_words([grid for *_, grid in known][:most], row)


def _turning_words(grids: Sequence[PhaseGrid], wanted: float) -> tuple[str, ...]:
    """Of the row nearest to `wanted` in which every grid has at least two numbers."""
    x, y = grids[0].x, grids[0].y
    enough = np.all([np.isfinite(g.values).sum(axis=1) > 1 for g in grids], axis=0)
    if not enough.any():
        return ()
    far = np.abs(np.asarray(y.values, float) - wanted)
    row = int(np.argmin(np.where(enough, far, np.inf)))
    parts = []
    for grid in grids:
        turns = [f"**{_short(turn)}**" for turn in turning_points(grid, row)[:2]]
        where = f"at {setting_name(x.name)} {' and '.join(turns)}" if turns else _side(grid, row)
        parts.append(f"{where} in the {display_name(grid.model)}")
    return (
        f"At {setting_name(y.name)} = {y.values[row]:g} it turns from dying to growing "
        f"{_list(parts)}.",
    )


def _side(grid: PhaseGrid, row: int) -> str:
    return "nowhere (it dies)" if np.nanmean(grid.values[row]) < 0 else "nowhere (it grows)"


def _short(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"


def _list(parts: Sequence[str]) -> str:
    return ("; " if any("," in part for part in parts) else ", ").join(parts)
