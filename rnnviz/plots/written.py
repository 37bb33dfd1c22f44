"""What language networks write, one row a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import note
from rnnviz.plots.theme import Styles
from rnnviz.plots.tracks import Words

LINE, LINES = 92, 2
"""Characters of a line, and lines of a text."""
ROW = 44
"""Pixels of a model."""
FONT = "Source Code Pro, Menlo, Consolas, monospace"


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
        "height": height_of(written),
        "margin": {"l": 110, "r": 14, "t": 4, "b": 4},
        "xaxis": {"visible": False, "range": [0, 1]},
        "yaxis": {"visible": False, "range": [len(written) - 0.5, -0.5]},
        "annotations": [_name(known[w.label], line) for line, w in enumerate(written)],
    }
    rows = [_row(known[w.label], w.texts[-1], line) for line, w in enumerate(written)]
    return drawing(rows, layout, "written")


def height_of(written: Sequence[Written]) -> int:
    """Pixels."""
    return 8 + ROW * len(written)


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
    return note(f"<b>{theme.plain(style.title, 12)}</b>", 0, line, font=font, **place)


def _row(style: theme.Style, text: str, line: int) -> Piece:
    return {"type": "scatter", "mode": "text", "x": [0], "y": [line], "text": [_wrapped(text)],
            "textposition": "middle right", "textfont": {"size": theme.NOTE_SIZE, "family": FONT},
            "name": style.title, "hoverinfo": "skip", "cliponaxis": False}  # fmt: skip
