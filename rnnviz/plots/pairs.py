"""Which loss speaks to which step? ‖∂L_s/∂h_k‖ over loss step s and source step k. And how far does
a past step still reach? ‖∂h_t/∂h_{t−k}‖₂ over lags k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.plots import curves, log_curves, theme
from rnnviz.plots.cells import SPECIAL_COLOURS, Cells, magnitude_scale, panel_traces
from rnnviz.plots.curves import Relative
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.log_curves import magnitude_figure
from rnnviz.plots.marks import EndLabel, end_labels, gutter, model_label
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    counted,
    curve,
    grid_places,
    nothing,
    panel_title,
    placed,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import text_width
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.lags import LagProfile
    from rnnviz.analysis.pairs import PairMatrix
    from rnnviz.analysis.predictions import Predictions
    from rnnviz.analysis.rates import Curve

ROW_HEIGHT = 300
MARGIN = {"l": 62, "r": 98, "t": 28, "b": 46}
CANCELLATION_HEIGHT = 190
CURVE_MARGIN = {"t": 12, "b": 46, "r": 40}
CELLS = 40_000
"""Cells a figure sends at most, over all its panels."""
DECADES = 30.0
"""The scale reaches so far below and above what the losses send in themselves, at most."""
QUANTITY = "log<sub>10</sub>‖∂L<sub>s</sub>/∂h<sub>k</sub>‖"
LAG_HEIGHT = 330
LAG = "log<sub>10</sub> ‖∂s<sub>t</sub>/∂s<sub>t−k</sub>‖<sub>2</sub>"


@FigureFunction
def pair_heatmaps(
    matrices: Sequence[PairMatrix],
    *,
    styles: Styles | None = None,
    time_title: str | None = None,
    lower: bool = False,
) -> Drawing:
    """log10 ‖∂L_s/∂h_k‖₂, one panel a model, one colour scale for all: a row is a loss, a column
    the step that its error has come back to; right of the diagonal (k > s) nothing is drawn. A
    cell without a number takes a colour that is not on the scale. Of long runs a cell is the
    largest of a few. lower: of layers below a last one, whose rows are steps at which error comes
    from the layer above.

    Examples
    --------
    >>> every = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, loss_at="every"))
    >>> matrix = analysis.pair_matrix(every["rnn"].trace, "rnn")
    >>> figure = plots.pair_heatmaps([matrix])
    """
    known = theme.styles_for([m.label for m in matrices], styles)
    drawn = [m for m in matrices if len(m.losses)]
    rows = -(-max(len(drawn), 1) // 3)
    layout: Piece = {"height": ROW_HEIGHT * rows, "margin": MARGIN}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_error"))}, "pairs")
    layout |= {"annotations": [scale_title(QUANTITY, MARGIN["r"], 6)], "coloraxis": _scale(drawn)}
    data: list[Piece] = []
    for index, (m, place) in enumerate(zip(drawn, grid_places(len(drawn), 0.2), strict=True)):
        suffix = axes_suffix(index)
        cells, first = _cells(m, CELLS // len(drawn))
        row = caption("entry_hover" if lower else "loss_hover")
        data += _panel(cells, first, suffix, known[m.label].title, row)
        titles = (time_title or caption("source_step"),
                  caption("entry_step" if lower else "loss_at_step"))  # fmt: skip
        layout |= _axes(m, suffix, place, titles)
        layout["annotations"].append(_title(known[m.label], cells, place))
    return drawing(data, layout, "pairs")


def _scale(matrices: Sequence[PairMatrix]) -> Piece:
    """Around the size of the losses' own errors, so that one model's explosion does not take all
    colours from the others."""
    found = np.concatenate([m.h[np.isfinite(m.h)] for m in matrices])
    own = np.concatenate([m.h[np.arange(len(m.losses)), m.losses] for m in matrices])
    middle = float(np.median(own[np.isfinite(own)])) if np.isfinite(own).any() else 0.0
    low = float(np.floor(max(found.min(initial=middle - 1), middle - DECADES)))
    high = float(np.ceil(min(found.max(initial=middle), middle + DECADES)))
    scale = magnitude_scale((min(low, high - 1), high))
    if found.max(initial=high) > high:
        scale["colorbar"]["ticktext"][-1] = f"≥ {scale['colorbar']['ticktext'][-1]}"
    return scale


def _cells(m: PairMatrix, budget: int) -> tuple[Cells, int]:
    """The matrix from its first loss to its last, thinned, and the first loss step."""
    first, last = int(m.losses[0]), int(m.losses[-1])
    shape = (last - first + 1, m.h.shape[1])
    values, status = np.full(shape, np.nan), np.full(shape, Status.NOT_RECORDED, np.int8)
    values[m.losses - first], status[m.losses - first] = m.h, m.h_status
    finite = np.isfinite(values) & (status <= Status.ABOVE)
    before = np.arange(shape[1]) <= np.arange(first, last + 1)[:, None]
    special = np.where(finite | ~before, -1, status)
    most = max(int(np.sqrt(budget)), 1)
    down, across = -(-shape[0] // most), -(-shape[1] // most)
    values = np.where(finite, values, -np.inf)
    for axis_, each in ((0, down), (1, across)):
        starts = np.arange(0, shape[axis_], each)
        values = np.maximum.reduceat(values, starts, axis=axis_)
        special = np.minimum.reduceat(special, starts, axis=axis_)
    empty = np.isneginf(values)
    return Cells(np.where(empty, np.nan, values), np.where(empty, special, -1), down, across), first


def _panel(cells: Cells, first: int, suffix: str, name: str, row: str) -> list[Piece]:
    where = {
        **axes_of(suffix),
        "x0": (cells.steps_each - 1) / 2,
        "y0": first + (cells.units_each - 1) / 2,
        "dy": cells.units_each,
    }
    scale = {"coloraxis": "coloraxis"}
    return panel_traces(cells, where, name, "10<sup>%{z:.1f}</sup>", scale, row=row)


def _axes(m: PairMatrix, suffix: str, place: Place, titles: tuple[str, str]) -> Piece:
    """titles: of the columns and of the rows."""
    first, lowest = place[4:]
    first_loss, last = int(m.losses[0]), int(m.losses[-1])
    x = axis(
        titles[0] if lowest else "", range=[-0.5, m.h.shape[1] - 0.5], **counted(m.h.shape[1], 6)
    )
    y = axis(
        titles[1] if first else "",
        range=[first_loss - 0.5, last + 0.5],
        **counted(last + 1 - first_loss, 6),
    )
    plain = {"showgrid": False, "ticklen": 3}
    hidden = {} if first else {"showticklabels": False, "ticks": ""}
    return placed({**x, **plain}, {**y, **plain, **hidden}, suffix, place)


def _title(style: theme.Style, cells: Cells, place: Place) -> Piece:
    """The model's name, and what its cells without a number are."""
    left, right = place[:2]
    marks = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span> {curves.status_words(s)}"
             for s in cells.found]  # fmt: skip
    room = max(
        8,
        int((right - left) * 100)
        - sum(text_width(curves.status_words(s)) + 3 for s in cells.found),
    )
    small = "  ".join([theme.short(style.small, room), *marks]) if style.small else "  ".join(marks)
    text = f"<b>{style.name}</b>  <span style='font-size:{theme.SMALL_SIZE}px'>{small}</span>"
    return panel_title(text, style.colour, place[0], place[3])


@FigureFunction
def one_loss_figure(
    matrices: Sequence[PairMatrix], *, styles: Styles | None = None, time_title: str | None = None
) -> Drawing:
    """The last row of each matrix as a curve, up to its loss: log10 ‖∂L_s/∂h_k‖ of the last one."""
    known = theme.styles_for([m.label for m in matrices], styles)
    drawn = []
    for m in [m for m in matrices if len(m.losses)]:
        row, status = (of_h[-1, 1 : m.losses[-1] + 1] for of_h in (m.h, m.h_status))
        values = np.where(np.isfinite(row), row, np.nan)
        # The first step comes first: what its line comes to stands at the right end.
        drawn.append((known[m.label], curves.Relative(values, status, 0.0, 0, True)))
    title = "log<sub>10</sub> ‖∂L<sub>s</sub>/∂h<sub>k</sub>‖"
    titles = time_title or caption("source_step"), title
    return magnitude_figure(drawn, titles=titles, styles=known, height=260,
                            revision="one-loss")  # fmt: skip


@FigureFunction
def cancellation_figure(
    matrices: Sequence[PairMatrix],
    *,
    styles: Styles | None = None,
    height: int = CANCELLATION_HEIGHT,
    time_title: str | None = None,
) -> Drawing:
    """‖Σ_s ∂L_s/∂h_k‖ / Σ_s ‖∂L_s/∂h_k‖ at each k: 1 where all losses ask for the same, near 0
    where they cancel. No line where nothing arrives.

    Examples
    --------
    >>> every = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, loss_at="every"))
    >>> matrix = analysis.pair_matrix(every["rnn"].trace, "rnn")
    >>> figure = plots.cancellation_figure([matrix])
    """
    known = theme.styles_for([m.label for m in matrices], styles)
    drawn = [m for m in matrices if np.isfinite(m.cancellation).any()]
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **CURVE_MARGIN}}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(caption("no_error"))}, "cancellation")
    last = max(len(m.cancellation) for m in drawn) - 1
    y_range = (0.0, 1.05)
    data, labels = [], []
    for m in drawn:
        k = np.arange(float(len(m.cancellation)))
        data.append(curve(k, m.cancellation, known[m.label], caption("cancellation_hover")))
        labels.append(_end(m, known[m.label]))
    pixels = height - CURVE_MARGIN["t"] - CURVE_MARGIN["b"]
    layout |= {
        "xaxis": axis(
            time_title or caption("source_step"),
            range=[-0.01 * last, 1.01 * last],
            showgrid=False,
            **counted(last),
        ),
        "yaxis": axis("‖Σ‖ / Σ‖·‖", range=list(y_range), side="right", nticks=4),
        "margin": {**layout["margin"], "r": 76},
        "annotations": end_labels(labels, y_range, pixels, 0),
    }
    return drawing(data, layout, "cancellation")


def _end(m: PairMatrix, style: theme.Style) -> EndLabel:
    first = float(m.cancellation[np.flatnonzero(np.isfinite(m.cancellation))[0]])
    return model_label(style, f"{first:.2f}", first)


@FigureFunction
def lag_figure(
    profiles: Sequence[LagProfile],
    *,
    theory: Mapping[str, Predictions] | None = None,
    styles: Styles | None = None,
    height: int = LAG_HEIGHT,
) -> Drawing:
    """log10 of the norm at the lags 1 to t, of the whole state; thin, where it is another one, of h
    alone. Lag 0 is the identity, at 0. theory: what is predicted, by label, drawn thin.

    Examples
    --------
    >>> profile = analysis.lag_profile(traces["rnn"], "rnn")
    >>> figure = plots.lag_figure([profile])
    """
    known = theme.styles_for([p.label for p in profiles], styles)
    drawn = []
    for profile in profiles:
        style = known[profile.label]
        drawn.append((replace(style, faint=False), _relative(profile.state)))
        if not np.array_equal(profile.h.log10, profile.state.log10, equal_nan=True):
            name = caption("h_alone", model=style.name)
            alone = replace(style, name=name, detail=style.small, where="", dash="dot", faint=True)
            drawn.append((alone, _relative(profile.h)))
    extra = [
        pair
        for profile in profiles
        if (found := (theory or {}).get(profile.label)) is not None
        for pair in log_curves.theory_over_lags(found, known[profile.label], profile.end)
    ]
    return magnitude_figure(
        drawn,
        extra=extra,
        titles=(caption("lag"), LAG),
        styles=known,
        height=height,
        revision="lags",
    )


def _relative(curve: Curve) -> Relative:
    """The lags from 1 on, as they are: the reference is the identity."""
    return Relative(
        np.where(np.isfinite(curve.log10), curve.log10, np.nan)[1:], curve.status[1:], 0.0, 0, True
    )
