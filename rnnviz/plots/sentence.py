"""What networks make of a sentence, word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import end_labels, gutter, model_label, rule
from rnnviz.plots.panels import axis
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.numbers import percent
from rnnviz.wording.texts import caption

HEIGHT = 240
MARGIN = {"l": 64, "t": 12, "b": 40}
RANGE = (-0.04, 1.04)


@FigureFunction
def sentence_figure(
    words: Sequence[str], positive: Mapping[str, Array], *, styles: Styles | None = None
) -> Drawing:
    """P(positive) after each word, one line a model, by label, with its name and share at its end;
    ½ is a dotted rule.

    Examples
    --------
    >>> import numpy as np
    >>> plots.sentence_figure(["not", "good"], {"rnn": np.array([0.4, 0.1])}).data[0].name
    'RNN'
    """
    known = theme.styles_for(list(positive), styles)
    places = np.arange(1, len(words) + 1)
    lines = [_line(known[label], places, p) for label, p in positive.items()]
    ends = [
        model_label(known[label], percent(float(p[-1])), float(p[-1]))
        for label, p in positive.items()
        if np.isfinite(p[-1])
    ]
    pixels = HEIGHT - MARGIN["t"] - MARGIN["b"]
    layout: Piece = {
        "height": HEIGHT,
        "margin": {**MARGIN, "r": gutter(known)},
        "hovermode": "x unified",
        "xaxis": axis("", tickvals=places.tolist(), ticktext=[escape(word) for word in words],
                      range=[0.8, len(words) + 0.2], showgrid=False),
        "yaxis": axis(caption("p_positive"), range=list(RANGE), tickvals=[0, 0.5, 1]),
        "annotations": end_labels(ends, RANGE, pixels, len(words), "right"),
        "shapes": [rule((0, 1), (0.5, 0.5), xref="x domain")],
    }  # fmt: skip
    return drawing(lines, layout, "own-sentence")


def _line(style: theme.Style, x: Array, y: Array) -> Piece:
    kept = np.isfinite(y)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x[kept],
        "y": y[kept].astype(np.float32),
        "name": style.title,
        "line": {"color": style.colour, "width": theme.LINE, "dash": style.dash},
        "marker": {"color": style.colour, "size": 7},
        "hovertemplate": said_of(style.title, "%{y:.1%}<extra></extra>"),
    }
