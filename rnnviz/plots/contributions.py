"""What each step adds to ∂L/∂W_hh, and how much of the sum it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.log_curves import value_range
from rnnviz.plots.marks import EndLabel, end_labels, gutter, model_label, note, rule, tabled
from rnnviz.plots.panels import UNSEEN, axis, counted, curve, curve_with, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.contributions import Contributions

HEIGHT = 350
MARGIN = {"t": 14, "b": 46, "r": 84}
UPPER, LOWER = (0.44, 1.0), (0.0, 0.34)
FEW = 3
"""Models up to which the dotted lines can be told apart."""
NAME = 45
"""Pixels more for each further model's name."""
THIN = {"width": theme.THIN, "dash": "dot"}


@FigureFunction
def contributions_figure(
    contributions: Sequence[Contributions],
    *,
    styles: Styles | None = None,
    height: int | None = None,
    time_title: str | None = None,
) -> Drawing:
    """Above: log10 ‖G_t‖_F of the batch at each step; dotted and thin, of the sequences one by one
    (RMS), before they cancel. Below: the signed share of ∂L/∂W_hh, which adds up to 1.

    Examples
    --------
    >>> found = analysis.weight_contributions(traces["rnn"], "rnn")
    >>> figure = plots.contributions_figure([found])
    """
    known = theme.styles_for([c.label for c in contributions], styles)
    height = height or HEIGHT + NAME * max(0, len(contributions) - FEW)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **MARGIN}}
    if reason := _why_empty(contributions):
        return drawing([UNSEEN], {**layout, **nothing(reason)}, "contributions")
    few = len(contributions) <= FEW
    data = [piece for c in contributions for piece in _lines(c, known[c.label], few)]
    y_range = value_range([v for c in contributions for v in (c.log10_norm, c.log10_each)])
    shares = np.concatenate([c.share[np.isfinite(c.share)] for c in contributions])
    last = max(len(c.share) for c in contributions)
    pixels = (UPPER[1] - UPPER[0]) * (height - MARGIN["t"] - MARGIN["b"])
    names = [_end(c, known[c.label], y_range[0]) for c in contributions]
    pad = 0.5 if last == 1 else 0.008 * (last - 1)
    layout |= {
        "hovermode": "x unified",
        "xaxis": axis(time_title or caption("time_step"), range=[1 - pad, last + pad],
                      showgrid=False, anchor="y2", **counted(last)),
        "yaxis": axis("log<sub>10</sub> ‖G<sub>t</sub>‖", domain=UPPER, range=list(y_range),
                      side="right", nticks=6),
        "yaxis2": axis(caption("share"), domain=LOWER, range=_share_range(shares),
                       side="right", nticks=4),
        "shapes": [rule((0, 1), (0, 0), xref="x domain", yref="y2")],
        "annotations": [*end_labels(names, y_range, pixels, 1), *_zeros(contributions, known)],
    }  # fmt: skip
    return drawing(data, layout, "contributions")


def _why_empty(contributions: Sequence[Contributions]) -> str:
    """ "" if there is a number to draw."""
    if not contributions:
        return caption("no_model")
    values = np.concatenate([c.log10_norm for c in contributions])
    if np.isfinite(values).any():
        return ""
    if np.isneginf(values).all():
        return caption("contributions_zero")
    return caption("there_is_no_number")


def _lines(c: Contributions, style: theme.Style, few: bool) -> list[Piece]:
    steps = np.arange(1.0, len(c.share) + 1)
    each, norm = c.log10_each, c.log10_norm
    alone = curve_with(tabled(each), steps, each, style, caption("one_by_one"), **THIN)
    return [
        *([{**alone, "name": caption("name_one_by_one", model=style.title)}] if few else []),
        curve_with(tabled(norm), steps, norm, style, "10<sup>%{y:.2f}</sup>"),
        {**curve(steps, c.share, style, caption("share_hover"), width=2), "yaxis": "y2"},
    ]


def _end(c: Contributions, style: theme.Style, floor: float) -> EndLabel:
    """The name, at the first step that adds anything; how far that lies below the last one."""
    finite = np.flatnonzero(np.isfinite(c.log10_norm))
    if not len(finite):
        return model_label(style, "—", floor)
    height = float(c.log10_norm[finite[0]])
    return model_label(style, signed(height), height)


def _zeros(contributions: Sequence[Contributions], styles: Styles) -> list[Piece]:
    """In words: how many steps after the first, which starts from rest, add nothing at all; how
    many add no number."""
    texts = []
    for c in contributions:
        zero, none = int(np.isneginf(c.log10_norm[1:]).sum()), int(np.isnan(c.log10_norm).sum())
        for count, word in ((zero, "zero_at"), (none, "no_number_at")):
            if count:
                where = {"model": styles[c.label].title, "count": count, "total": len(c.share)}
                texts.append(caption(word, **where))
    place = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}
    size = {"font": {"size": theme.SMALL_SIZE}}
    return [note("<br>".join(texts), 0.01, 0, align="left", **place, **size)] if texts else []


def _share_range(shares: Array) -> list[float]:
    low, high = shares.min(initial=0.0), shares.max(initial=0.0)
    pad = 0.08 * (high - low) or 0.1
    return [float(low - pad), float(high + pad)]
