"""Where a curve has no number: rails along the floor and the ceiling, and what they say."""

from __future__ import annotations

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import note

Drawn = list[tuple[theme.Style, curves.Relative]]


def all_rails(
    drawn: Drawn, y_range: tuple[float, float]
) -> tuple[list[Piece], list[Piece], dict[int, float]]:
    """Rails, their words, and the height at which each model without a number at step 1 ends."""
    low, high = y_range
    pieces: list[Piece] = []
    words: list[Piece] = []
    ends: dict[int, float] = {}
    for statuses, edge, inward in ((curves.ON_FLOOR, low, 1), (curves.ON_CEILING, high, -1)):
        slot = 0
        for index, (style, curve) in enumerate(drawn):
            for status in statuses:
                if not (curve.special == status).any():
                    continue
                level = edge + inward * (high - low) * (0.025 + 0.075 * slot)
                slot += 1
                pieces += curves.rail(curve, status, level, style)
                words.append(_rail_words(style, curve, status, level, inward))
                if curve.special[curve.end] == status:
                    ends[index] = level
    return pieces, words, ends


def _rail_words(
    style: theme.Style, curve: curves.Relative, status: Status, level: float, inward: int
) -> Piece:
    text = f"{style.title}: {curves.WORDS[status]} {curves.where(curve, status)}"
    if curve.reference_step and curve.reference_step != curve.start:
        text += f"; relative to step {curve.reference_step}"
    start = int(np.flatnonzero(curve.special == status)[0]) + 1
    left = start < 0.6 * curve.seq_len
    return note(
        text,
        start if left else curve.seq_len,
        level,
        xanchor="left" if left else "right",
        yanchor="bottom" if inward > 0 else "top",
        yshift=2 * inward,
        font={"size": theme.NOTE_SIZE, "color": style.colour},
    )
