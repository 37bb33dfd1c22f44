"""What is left of each direction after k steps? Chosen singular values of ∂s_T/∂s_{T−k} over k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.log_curves import value_range
from rnnviz.plots.marks import EndLabel, end_labels, note, rule
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    curve_with,
    grid_places,
    model_title,
    nothing,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.lag_spectra import LagSpectrum

Ranks = Mapping[str, Sequence[int]]
"""Label -> which singular values of a model, from 1 for the largest."""
ROW_HEIGHT = 330
MARGIN = {"l": 66, "r": 14, "t": 28, "b": 46}
ROOM = 1.5
"""The axis goes on beyond the last lag, where the names of the lines stand."""
LABEL = 18.0


@FigureFunction
def lag_spectra_figure(
    spectra: Sequence[LagSpectrum], ranks: Ranks, *, styles: Styles | None = None
) -> Drawing:
    """log10 of the chosen singular values over the lags, one panel a model on one axis; the largest
    thick. At a lag from which on one is 0 its line ends, and words say so.

    Examples
    --------
    >>> spectra = analysis.lag_spectrum(traces["rnn"], "rnn")
    >>> figure = plots.lag_spectra_figure([spectra], {"rnn": [1, 4, 8]})
    """
    known = theme.styles_for([s.label for s in spectra], styles)
    layout: Piece = {"height": ROW_HEIGHT * -(-max(len(spectra), 1) // 3), "margin": MARGIN}
    if not spectra or not any(ranks.values()):
        text = caption("no_rank" if spectra else "no_model")
        return drawing([UNSEEN], {**layout, **nothing(text)}, "lag-spectra")
    y_range = value_range([s.log10[:, np.array(ranks[s.label], int) - 1].ravel() for s in spectra])
    data, shapes, notes = [UNSEEN], [], []
    places = grid_places(len(spectra), 0.2)
    pixels = (places[0][3] - places[0][2]) * (layout["height"] - MARGIN["t"] - MARGIN["b"])
    for index, (s, place) in enumerate(zip(spectra, places, strict=True)):
        suffix, style, chosen = axes_suffix(index), known[s.label], ranks[s.label]
        data += [{**_line(s, rank, style), **axes_of(suffix)} for rank in chosen]
        shapes.append(rule((0, 1), (0, 0), xref=f"x{suffix} domain", yref=f"y{suffix}"))
        labels = end_labels([_label(s, k, style) for k in chosen], y_range, pixels, s.end, "right")
        on = {"xref": f"x{suffix}", "yref": f"y{suffix}"}
        notes += [model_title(style, place), *({**each, **on} for each in labels)]
        notes += _missing(s, chosen, suffix)
        layout |= _axes(s, suffix, place, y_range)
    return drawing(data, {**layout, "shapes": shapes, "annotations": notes}, "lag-spectra")


def _line(s: LagSpectrum, rank: int, style: theme.Style) -> Piece:
    hover = f"σ<sub>{rank}</sub> 10<sup>%{{y:.2f}}</sup>, {caption('lag_hover')}"
    width = theme.LINE if rank == 1 else theme.THIN
    log10, status = s.log10[:, rank - 1], s.status[:, rank - 1]
    said = [v if np.isfinite(v) else curves.status_words(Status(kind))
            for v, kind in zip(log10.tolist(), status.tolist(), strict=True)]  # fmt: skip
    piece = curve_with(said, s.lags, log10, style, hover, width=width)
    return {**piece, "name": f"{style.title} σ {rank}"}


def _label(s: LagSpectrum, rank: int, style: theme.Style) -> EndLabel:
    """At the height at which its line ends."""
    values = s.log10[:, rank - 1]
    finite = values[np.isfinite(values)]
    last = float(values[-1])
    text = signed(last) if np.isfinite(last) else curves.SIGNS[Status(int(s.status[-1, rank - 1]))]
    said = f"<span style='font-size:{theme.SMALL_SIZE}px'>σ<sub>{rank}</sub> {text}</span>"
    return EndLabel(said, float(finite[-1]), LABEL, style.colour)


def _axes(s: LagSpectrum, suffix: str, place: Place, y_range: tuple[float, float]) -> Piece:
    first, lowest = place[4:]
    ticks = sorted({0, s.end // 2, s.end})
    x = axis(
        caption("lag") if lowest else "", range=[0, ROOM * s.end], showgrid=False, tickvals=ticks
    )
    y = axis("log<sub>10</sub> σ" if first else "", range=list(y_range), nticks=6)
    hidden = {} if first else {"showticklabels": False, "ticks": ""}
    return placed(x, {**y, **hidden}, suffix, place)


def _missing(s: LagSpectrum, chosen: Sequence[int], suffix: str) -> list[Piece]:
    """In words: from which lag on a chosen one is no number, and why."""
    said = []
    for rank in chosen:
        values = s.log10[:, rank - 1]
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            what = curves.status_words(Status(int(s.status[at, rank - 1])))
            said.append(caption("from_lag_on", rank=rank, what=what, lag=int(s.lags[at])))
    place = {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "xanchor": "left"}
    size = {"font": {"size": theme.SMALL_SIZE}, "yanchor": "bottom"}
    return [note("<br>".join(said), 0.02, 0, align="left", **place, **size)] if said else []
