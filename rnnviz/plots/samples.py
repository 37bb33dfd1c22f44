"""Samples of what networks answer: digits that they take pictures for, the next symbol that they
expect, what they write. Each figure has tracks: what it shows at every training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Track, Words, drawing
from rnnviz.plots.marks import note
from rnnviz.plots.panels import (
    MOST_COLUMNS,
    axes_of,
    axes_suffix,
    axis,
    grid_places,
    panel_title,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.texts import caption

NEXT_MARGIN = {"l": 110, "r": 14, "t": 24, "b": 8}
PANEL_ROW = 130
"""Pixels of a row of panels."""
LONGEST = 14
"""Characters of a symbol beyond which it is cut."""
DIGITS_HEIGHT = 170
ANSWER_ROW = 22
"""Pixels of a line of answers."""
INK_SCALE = ((0.0, "rgba(128,136,144,0.12)"), (1.0, theme.GREY))
LINE, LINES = 92, 2
"""Characters of a line, and lines of a text."""
TEXT_ROW = 44
"""Pixels of a model."""
FONT = "Source Code Pro, Menlo, Consolas, monospace"


@dataclass(frozen=True, eq=False)
class Next:
    """What a model expects at some training steps (k,): the likeliest symbols (k, n), the likeliest
    first, and their probabilities (k, n)."""

    label: str
    steps: Array
    symbols: Sequence[Sequence[str]]
    probabilities: Array


@FigureFunction
def next_figure(expected: Sequence[Next], *, styles: Styles | None = None) -> Drawing:
    """A bar for each of the likeliest symbols at the last training step, one panel a model, all on
    the scale from 0 to 1. Trace k is model k, so that `next_tracks` can move it."""
    known = theme.styles_for([each.label for each in expected], styles)
    places = grid_places(len(expected))
    layout: Piece = {"height": next_height(expected), "margin": NEXT_MARGIN, "annotations": [],
                     "bargap": 0.35, "uniformtext": {"mode": "hide", "minsize": 9}}  # fmt: skip
    for index, (each, place) in enumerate(zip(expected, places, strict=True)):
        style, first = known[each.label], place[4]
        y = axis(
            caption("p_next") if first else "", range=[0, 1.25], nticks=3, tickvals=[0, 0.5, 1]
        )
        y["showticklabels"] = first
        layout |= placed({"visible": False}, y, axes_suffix(index), place)
        title = f"<b>{theme.short(style.title, 24)}</b>"
        layout["annotations"].append(panel_title(title, style.colour, place[0], place[3]))
    bars = [_bars(known[each.label], each, index) for index, each in enumerate(expected)]
    return drawing(bars, layout, "next-symbol")


def next_height(expected: Sequence[Next]) -> int:
    """Pixels."""
    return NEXT_MARGIN["t"] + NEXT_MARGIN["b"] + PANEL_ROW * -(-len(expected) // MOST_COLUMNS)


def next_tracks(expected: Sequence[Next]) -> tuple[Track | Words, ...]:
    """What `next_figure` shows at each training step: heights and names of the bars."""
    return tuple(
        track
        for index, each in enumerate(expected)
        for track in (
            Track(index, "y", each.steps, each.probabilities),
            Words(index, each.steps, [[_named(s) for s in row] for row in each.symbols]),
        )
    )


def _bars(style: theme.Style, each: Next, index: int) -> Piece:
    heights = np.asarray(each.probabilities[-1], np.float32)
    return {"type": "bar", "x": np.arange(len(heights)), "y": heights,
            **axes_of(axes_suffix(index)), "text": [_named(s) for s in each.symbols[-1]],
            "textposition": "outside", "cliponaxis": False, "marker": {"color": style.colour},
            "name": style.title,
            "hovertemplate": "%{text}: %{y:.1%}<extra></extra>"}  # fmt: skip


def _named(symbol: str) -> str:
    """A symbol as Plotly's mark-up, no mark-up of its own; a space can be seen."""
    shown = {" ": "␣", "\n": "⏎"}.get(symbol, symbol)
    return escape(shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…", quote=False)


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
    height: int = DIGITS_HEIGHT,
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
    below = 8 + ANSWER_ROW * len(answers)
    room = height - 8 - below
    layout: Piece = {
        "height": height,
        "margin": {"l": 110, "r": 14, "t": 8, "b": 8},
        "xaxis": {"visible": False, "range": [-0.5, z.shape[1] - 1.5]},
        "yaxis": {"visible": False, "range": [side - 0.5, -0.5], "scaleanchor": "x",
                  "domain": [below / (room + below), 1]},
        "yaxis2": {"visible": False, "range": [len(answers) - 0.5, -0.5], "anchor": "x",
                   "domain": [0, (below - 8) / (room + below)]},
        "annotations": [_answer_name(known[a.label], line) for line, a in enumerate(answers)],
    }  # fmt: skip
    at = np.arange(count) * (side + 1) + (side - 1) / 2
    rows = [_answers_row(known[a.label], a.words[-1], at, line) for line, a in enumerate(answers)]
    return drawing([cells, *rows], layout, "digits")


def digits_tracks(answers: Sequence[Answers]) -> tuple[Words, ...]:
    """What `digits_figure` shows at each training step."""
    return tuple(Words(1 + line, a.steps, a.words) for line, a in enumerate(answers))


def _answer_name(style: theme.Style, line: int) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    place = {"xref": "paper", "yref": "y2", "xanchor": "right", "xshift": -8}
    return note(f"<b>{theme.short(style.title, 12)}</b>", 0, line, font=font, **place)


def _answers_row(style: theme.Style, words: Sequence[str], at: Array, line: int) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    return {"type": "scatter", "mode": "text", "x": at, "y": np.full(len(at), line),
            "yaxis": "y2", "text": list(words), "textfont": font, "name": style.title,
            "hoverinfo": "skip", "cliponaxis": False}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Written:
    """What a model writes at some training steps (k,): as many texts."""

    label: str
    steps: Array
    texts: Sequence[str]


@FigureFunction
def written_figure(written: Sequence[Written], *, styles: Styles | None = None) -> Drawing:
    """The last text of each model behind its name."""
    known = theme.styles_for([each.label for each in written], styles)
    layout: Piece = {
        "height": written_height(written),
        "margin": {"l": 110, "r": 14, "t": 4, "b": 4},
        "xaxis": {"visible": False, "range": [0, 1]},
        "yaxis": {"visible": False, "range": [len(written) - 0.5, -0.5]},
        "annotations": [_name(known[w.label], line) for line, w in enumerate(written)],
    }
    rows = [_row(known[w.label], w.texts[-1], line) for line, w in enumerate(written)]
    return drawing(rows, layout, "written")


def written_height(written: Sequence[Written]) -> int:
    """Pixels."""
    return 8 + TEXT_ROW * len(written)


def written_tracks(written: Sequence[Written]) -> tuple[Words, ...]:
    """What `written_figure` shows at each training step."""
    return tuple(
        Words(line, w.steps, [[_wrapped(text)] for text in w.texts])
        for line, w in enumerate(written)
    )


def _wrapped(text: str) -> str:
    """In lines, as Plotly's mark-up; no mark-up of its own."""
    lines = wrap(text, LINE, max_lines=LINES, placeholder="…")
    return "<br>".join(escape(line, quote=False) for line in lines)


def _name(style: theme.Style, line: int) -> Piece:
    font = {"size": theme.NOTE_SIZE, "color": style.colour}
    place = {"xref": "paper", "xanchor": "right", "xshift": -8}
    return note(f"<b>{theme.short(style.title, 12)}</b>", 0, line, font=font, **place)


def _row(style: theme.Style, text: str, line: int) -> Piece:
    return {"type": "scatter", "mode": "text", "x": [0], "y": [line], "text": [_wrapped(text)],
            "textposition": "middle right", "textfont": {"size": theme.NOTE_SIZE, "family": FONT},
            "name": style.title, "hoverinfo": "skip", "cliponaxis": False}  # fmt: skip
