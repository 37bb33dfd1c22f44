"""Pictures of digits, and what each model takes them for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import note
from rnnviz.plots.theme import Styles
from rnnviz.plots.tracks import Words

HEIGHT = 170
ROW = 22
"""Pixels of a line of answers."""
INK_SCALE = ((0.0, "rgba(128,136,144,0.12)"), (1.0, theme.GREY))


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model takes n pictures for at some training steps (k,): answers (k, n), beside the
    truth (n,)."""

    label: str
    steps: Array
    answers: Array
    truth: Array

    @property
    def words(self) -> list[list[str]]:
        """(k, n): bold if it is right, in brackets if it is wrong."""
        right = self.answers == self.truth
        return [
            [f"<b>{a}</b>" if ok else f"({a})" for a, ok in zip(row, good, strict=True)]
            for row, good in zip(self.answers.tolist(), right, strict=True)
        ]


@FigureFunction
def digits_figure(
    pictures: Array,
    answers: Sequence[Answers],
    *,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """Pictures (n, 8, 8) from 0 to 1 side by side; under each, one line a model, its last answer:
    bold if it is the digit, in brackets if it is not."""
    known = theme.styles_for([each.label for each in answers], styles)
    count, side, _ = np.asarray(pictures).shape
    gap = np.full((count, side, 1), np.nan)
    row = np.concatenate([np.asarray(pictures, float), gap], axis=2)
    z = row.transpose(1, 0, 2).reshape(side, -1)
    cells: Piece = {"type": "heatmap", "z": z.astype(np.float32), "zmin": 0, "zmax": 1,
                    "colorscale": INK_SCALE, "showscale": False, "hoverinfo": "skip"}  # fmt: skip
    below = 8 + ROW * len(answers)
    room = height - 8 - below
    layout: Piece = {
        "height": height,
        "margin": {"l": 110, "r": 14, "t": 8, "b": 8},
        "xaxis": {"visible": False, "range": [-0.5, z.shape[1] - 1.5]},
        "yaxis": {"visible": False, "range": [side - 0.5, -0.5], "scaleanchor": "x",
                  "domain": [below / (room + below), 1]},
        "yaxis2": {"visible": False, "range": [len(answers) - 0.5, -0.5], "anchor": "x",
                   "domain": [0, (below - 8) / (room + below)]},
        "annotations": [_name(known[a.label], line) for line, a in enumerate(answers)],
    }  # fmt: skip
    at = np.arange(count) * (side + 1) + (side - 1) / 2
    rows = [_row(known[a.label], a.words[-1], at, line) for line, a in enumerate(answers)]
    return drawing([cells, *rows], layout, "digits")


def digits_tracks(answers: Sequence[Answers]) -> tuple[Words, ...]:
    """What `digits_figure` shows at each training step."""
    return tuple(Words(1 + line, a.steps, a.words) for line, a in enumerate(answers))


def _name(style: theme.Style, line: int) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    place = {"xref": "paper", "yref": "y2", "xanchor": "right", "xshift": -8}
    return note(f"<b>{theme.plain(style.title, 12)}</b>", 0, line, font=font, **place)


def _row(style: theme.Style, words: Sequence[str], at: Array, line: int) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    return {"type": "scatter", "mode": "text", "x": at, "y": np.full(len(at), line),
            "yaxis": "y2", "text": list(words), "textfont": font, "name": style.title,
            "hoverinfo": "skip", "cliponaxis": False}  # fmt: skip
