"""Pictures of digits, and what each model takes them for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from rnnviz.plots import theme
from rnnviz.plots.marks import Piece, figure, note, on_paper

Array = np.ndarray
HEIGHT = 170
ROW = 22
"""Pixels of a line of answers."""
INK_SCALE = ((0.0, "rgba(128,136,144,0.12)"), (1.0, theme.GREY))


def digits_figure(
    pictures: Array,
    truth: Sequence[int],
    answers: Mapping[str, Sequence[int]],
    *,
    styles: Mapping[str, theme.Style] | None = None,
    height: int = HEIGHT,
) -> go.Figure:
    """Pictures (n, 8, 8) from 0 to 1 side by side; under each, one line a model, its answer: bold
    if it is the digit, in brackets if it is not."""
    known = theme.styles_for(list(answers), styles)
    count, side, _ = np.asarray(pictures).shape
    gap = np.full((count, side, 1), np.nan)
    row = np.concatenate([np.asarray(pictures, float), gap], axis=2)
    z = row.transpose(1, 0, 2).reshape(side, -1)
    cells: Piece = {"type": "heatmap", "z": z.astype(np.float32), "zmin": 0, "zmax": 1,
                    "colorscale": INK_SCALE, "showscale": False, "hoverinfo": "skip"}  # fmt: skip
    below = 8 + ROW * len(answers)
    layout: Piece = {
        "height": height,
        "margin": {"l": 110, "r": 14, "t": 8, "b": below},
        "xaxis": {"visible": False, "range": [-0.5, z.shape[1] - 1.5]},
        "yaxis": {"visible": False, "range": [side - 0.5, -0.5], "scaleanchor": "x"},
        "annotations": [],
    }
    for line, (label, given) in enumerate(answers.items()):
        shift = -4 - ROW * line
        layout["annotations"].append(_name(known[label], shift))
        for index, (digit, answer) in enumerate(zip(truth, given, strict=True)):
            at = index * (side + 1) + (side - 1) / 2
            layout["annotations"].append(_answer(known[label], digit, answer, at, shift))
    return figure([cells], layout, "digits")


def _name(style: theme.Style, shift: float) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    place = {"xanchor": "right", "yanchor": "top", "xshift": -8, "yshift": shift}
    return on_paper(f"<b>{theme.plain(style.title, 12)}</b>", 0, 0, font=font, **place)


def _answer(style: theme.Style, digit: int, answer: int, at: float, shift: float) -> Piece:
    text = f"<b>{answer}</b>" if digit == answer else f"({answer})"
    font = {"size": theme.NOTE_SIZE, "color": style.colour if digit == answer else theme.GREY}
    place = {"yref": "paper", "yanchor": "top", "yshift": shift}
    return note(text, at, 0, font=font, **place)
