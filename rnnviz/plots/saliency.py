"""What an answer listens to: the derivative of one output by every input."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.curves import Relative
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.log_curves import magnitude_figure
from rnnviz.plots.panels import axis, colour_scale, counted
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.saliency import Saliency

HEIGHT, ROW = 280, 34
MARGIN = {"l": 110, "r": 98, "t": 8, "b": 46}
READABLE = 110
"""Symbols that can be read side by side."""


@FigureFunction
def saliency_figure(found: Sequence[Saliency], *, styles: Styles | None = None) -> Drawing:
    """log10 ‖∂y_s/∂x_t‖ over t, one line a model.

    Examples
    --------
    >>> each = [analysis.saliency(run[label], label, step=20) for label in run]
    >>> plots.saliency_figure(each).data[0].name
    'RNN'
    """
    known = theme.styles_for([each.label for each in found], styles)
    size = "log<sub>10</sub> ‖∂y<sub>s</sub>/∂x<sub>t</sub>‖"
    drawn = [(known[each.label], _relative(each)) for each in found]
    return magnitude_figure(
        drawn,
        titles=(caption("time_step"), size),
        styles=known,
        height=HEIGHT,
        revision="saliency",
    )


def _relative(of: Saliency) -> Relative:
    log10 = of.size.log10
    return Relative(
        np.where(np.isfinite(log10), log10, np.nan), of.size.status, 0.0, 0, backward=True
    )


@FigureFunction
def signed_figure(
    found: Sequence[Saliency], symbols: Sequence[str] = (), *, styles: Styles | None = None
) -> Drawing:
    """The share of each input in the output, with its sign, one row a model, each in units of its
    own largest share. symbols: what the inputs are called, on their cells where they can be read.

    Examples
    --------
    >>> each = [analysis.saliency(run[label], label, step=20) for label in run]
    >>> plots.signed_figure(each).data[0].z.shape
    (3, 20)
    """
    known = theme.styles_for([each.label for each in found], styles)
    steps = max(each.seq_len for each in found)
    cells: Piece = {
        "type": "heatmap",
        "z": np.array([_share(each, steps) for each in found], np.float32),
        "x0": 1,
        "dx": 1,
        "coloraxis": "coloraxis",
        "hovertemplate": said_of(caption("step_hover"), "%{z:.2f}<extra></extra>"),
        "ygap": 3,
        "meta": {
            "rows": [known[each.label].title for each in found],
            "note": caption("signed_share"),
        },
    }
    if 0 < len(symbols) <= READABLE:
        row = [escape(symbol, quote=False) for symbol in symbols]
        cells |= {"text": [row] * len(found), "texttemplate": "%{text}"}
        cells["hovertemplate"] = cells["hovertemplate"].replace("<extra>", " %{text}<extra>")
    rows = list(range(len(found)))
    names = [_name(known[each.label]) for each in found]
    layout: Piece = {
        "height": MARGIN["t"] + MARGIN["b"] + ROW * len(found),
        "margin": MARGIN,
        "xaxis": axis(
            caption("time_step"), range=[0.5, steps + 0.5], showgrid=False, **counted(steps, 10)
        ),
        "yaxis": axis("", tickvals=rows, ticktext=names, autorange="reversed", showgrid=False),
        "coloraxis": colour_scale(list(theme.DIVERGING), [-1.0, 0.0, 1.0]),
    }
    return drawing([cells], layout, "saliency-signed")


def _share(of: Saliency, steps: int) -> Array:
    """NaN, which is drawn as nothing, where there is none."""
    values = np.full(steps, np.nan)
    known = np.isfinite(of.signed)
    largest = np.abs(of.signed[known]).max(initial=0.0)
    values[: of.seq_len] = np.where(known, of.signed, np.nan) / (largest or 1.0)
    return values


def _name(style: theme.Style) -> str:
    return f"<span style='color:{style.colour}'><b>{theme.short(style.title, 12)}</b></span>"
