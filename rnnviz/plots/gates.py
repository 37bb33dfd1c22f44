"""Who keeps the memory open? Gates through time, half-lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array, Status
from rnnviz.plots import theme
from rnnviz.plots.cells import Cells, panel_traces, thinned
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import note, rule, tabled
from rnnviz.plots.panels import (
    UNSEEN,
    axes_of,
    axes_suffix,
    axis,
    colour_scale,
    counted,
    curve,
    headline,
    nothing,
    panel_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.numbers import minus, percent
from rnnviz.wording.numbers import steps as in_steps
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gates import GateStats, Memory

HEIGHT = 232
STRIPS_HEIGHT = 200
TITLE = 22
"""Pixels above a strip."""
CELLS = 19_200
LONG = 24
"""Characters of a title that leave room for the numbers beside it."""
HALF_LIVES = (-0.5, 3.5)
"""Decades of steps that are always shown."""


@FigureFunction
def gate_heatmap(
    stats: GateStats, order: Array | None = None, *, styles: Styles | None = None
) -> Drawing:
    """The memory gate of one model, or its state, unit × time, sequence 0: always 0 to 1, a state
    −1 to 1. Of several steps in one column it shows the one that keeps least.

    order : unit indices from the top row down (`Memory.order` has short half-lives first, so the
    longest memory is at the bottom); None keeps the units' own order, the first at the top.

    Examples
    --------
    >>> stats = analysis.gate_stats(traces["lstm"], "lstm")
    >>> plots.gate_heatmap(stats["f"]).data[0].z.shape
    (8, 20)
    """
    known = theme.styles_for([stats.label], styles)
    layout = _strips_layout([stats], known, HEIGHT, order is not None)
    kept = "furthest" if stats.signed else "smallest"
    return drawing(_strip(stats, order, known, 0, CELLS, kept), layout, f"gate-{stats.gate}")


@FigureFunction
def gate_strips(
    stats: Sequence[GateStats], order: Array | None = None, *, styles: Styles | None = None
) -> Drawing:
    """Several gates of one model under each other, small, in the same unit order.

    Examples
    --------
    >>> stats = analysis.gate_stats(traces["lstm"], "lstm")
    >>> len(plots.gate_strips([stats["i"], stats["o"]]).data)
    2
    """
    known = theme.styles_for([s.label for s in stats], styles)
    if not stats:
        empty = {"height": STRIPS_HEIGHT, **nothing(caption("no_gates"))}
        return drawing([UNSEEN], empty, "gate-strips")
    budget = CELLS // len(stats)
    data = [
        piece
        for i, each in enumerate(stats)
        for piece in _strip(each, order, known, i, budget, "furthest" if each.signed else "largest")
    ]
    layout = _strips_layout(stats, known, STRIPS_HEIGHT, order is not None)
    return drawing(data, layout, "gate-strips")


def _strip(
    stats: GateStats,
    order: Array | None,
    styles: Styles,
    index: int,
    budget: int,
    kept: str,
) -> list[Piece]:
    values = np.asarray(stats.values, dtype=np.float64)
    units = np.arange(len(values)) if order is None else np.asarray(order)
    suffix = axes_suffix(index)
    cells = _cells(values[units], budget, kept)
    rows = [str(unit + 1) for unit in units[:: cells.units_each]]
    where = {**axes_of(suffix), "y": rows}
    scale = {"coloraxis": "coloraxis2" if stats.signed else "coloraxis"}
    name = f"{styles[stats.label].title} {stats.gate}"
    return panel_traces(cells, where, name, "%{z:.2f}", scale, 2)


def _cells(values: Array, budget: int, kept: str) -> Cells:
    special = np.where(np.isfinite(values), -1, Status.NAN)
    return thinned(np.where(np.isfinite(values), values, np.nan), special, budget, kept)


def _strips_layout(stats: Sequence[GateStats], styles: Styles, height: int, sorted_: bool) -> Piece:
    margin = {"l": 46, "r": 64, "t": 22, "b": 46}
    gap = TITLE / (height - margin["t"] - margin["b"]) * (len(stats) > 1)
    high = (1 - gap * (len(stats) - 1)) / len(stats)
    layout: Piece = {"height": height, "margin": margin, "annotations": []}
    for index, each in enumerate(stats):
        suffix = axes_suffix(index)
        top = 1 - index * (high + gap)
        bottom = index + 1 == len(stats)
        layout[f"xaxis{suffix}"] = _time_axis(f"y{suffix}", bottom, np.shape(each.values)[1])
        layout[f"yaxis{suffix}"] = _unit_axis(f"x{suffix}", (top - high, top), sorted_, high > 0.6)
        layout["annotations"].append(_strip_title(each, styles[each.label], top, len(stats) > 1))
    layout["coloraxis"] = colour_scale(theme.SEQUENTIAL, [0.0, 0.5, 1.0])
    layout["coloraxis2"] = colour_scale(list(theme.DIVERGING), [-1.0, 0.0, 1.0])
    both = {each.signed for each in stats}
    if both == {True, False}:
        layout["coloraxis"]["colorbar"] |= {"len": 0.4, "y": 0.8}
        layout["coloraxis2"]["colorbar"] |= {"len": 0.4, "y": 0.2}
    return layout


def _time_axis(anchor: str, bottom: bool, steps: int) -> Piece:
    small = {"anchor": anchor, "showgrid": False, "tickfont": {"size": theme.SMALL_SIZE}}
    return {
        **small,
        **counted(steps),
        **(axis(caption("time_step")) if bottom else {"showticklabels": False, "ticks": ""}),
    }


def _unit_axis(anchor: str, domain: tuple[float, float], sorted_: bool, tall: bool) -> Piece:
    text = caption("unit_sorted") if sorted_ and tall else caption("unit")
    place = {"anchor": anchor, "domain": [round(max(domain[0], 0), 4), round(domain[1], 4)]}
    rows = {"type": "category", "autorange": "reversed", "showticklabels": False, "ticks": ""}
    title = {"text": text, "font": {"size": theme.SMALL_SIZE}}
    return {**place, **rows, "showgrid": False, "title": title}


def _strip_title(stats: GateStats, style: theme.Style, top: float, narrow: bool) -> Piece:
    title = theme.short(style.title, LONG)
    mean = minus(f"{round(stats.mean, 2) + 0.0:.2f}")  # never a negative zero
    sd = f"{stats.sd:.2f}"
    said = f"{mean} ± {sd}" if narrow else caption("mean_sd", mean=mean, sd=sd)
    if not np.isfinite([stats.mean, stats.sd]).all():
        said = caption("no_mean")
    elif stats.alike:
        alike = caption("constant") if narrow else caption("constant_all")
        said = said_of(said, alike)
    text = f"<b>{title} {stats.gate}</b>  {said}"
    return panel_title(text, style.colour, 0, top)


@FigureFunction
def half_life_figure(
    memories: Sequence[Memory], seq_len: int, *, styles: Styles | None = None
) -> Drawing:
    """Half-life of each unit's memory, shortest at the top as in the sorted heatmap beside it.

    x is log10 of steps on a linear axis with the steps as tick texts; the dotted rule stands at
    T. A unit that never loses anything is an arrow at the right edge, one that closed at the left.

    Examples
    --------
    >>> memory = analysis.memory(traces["lstm"], "lstm")
    >>> figure = plots.half_life_figure([memory], seq_len=20)
    """
    known = theme.styles_for([m.label for m in memories], styles)
    layout: Piece = {"height": HEIGHT, "margin": {"l": 46, "r": 18, "t": 26, "b": 46}}
    if not memories:
        text = caption("no_memory_gate")
        return drawing([UNSEEN], {**layout, **nothing(text)}, "half-life")
    low, high = _decades(memories, seq_len)
    at = float(np.log10(seq_len))
    ticks = np.arange(np.ceil(low), np.floor(high) + 1)
    texts = [f"{10**tick:.6f}".rstrip("0") if tick < 0 else f"{10**tick:,.0f}" for tick in ticks]
    shares = [(known[m.label], _share(m, known[m.label], seq_len)) for m in memories]
    steps = {"range": [low, high], "tickvals": ticks.tolist(), "ticktext": texts}
    layout |= {
        "xaxis": axis(caption("half_life"), **steps),
        "yaxis": axis(caption("share_of_units"), range=[100, 0], nticks=5, showgrid=False),
        "shapes": [rule((at, at), (0, 1), yref="y domain", line={"width": 2})],
        "annotations": [_at_end(seq_len, at), headline(caption("outlast"), shares, 250)],
    }
    return drawing(
        [_half_lives(m, known[m.label], low, high) for m in memories], layout, "half-life"
    )


def _log10(memory: Memory) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.asarray(memory.half_life, dtype=np.float64))


def _decades(memories: Sequence[Memory], seq_len: int) -> tuple[float, float]:
    logs = np.concatenate([_log10(m) for m in memories])
    finite = np.clip(logs[np.isfinite(logs)], -6, 9)
    low = min(HALF_LIVES[0], float(finite.min(initial=0.0)) - 0.2)
    high = max(HALF_LIVES[1], float(np.log10(seq_len)) + 0.5, finite.max(initial=0.0) + 0.3)
    return low, float(high)


def _half_lives(memory: Memory, style: theme.Style, low: float, high: float) -> Piece:
    logs = _log10(memory)[np.asarray(memory.order)]
    share = (np.arange(len(logs)) + 0.5) / len(logs) * 100
    symbols = np.select(
        [np.isnan(logs), logs > high, logs < low],
        ["x", "triangle-right", "triangle-left"],
        "circle",
    )
    plain = (symbols == "circle").all()  # which the page's fast layer draws
    shown = np.clip(np.where(np.isnan(logs), low, logs), low, high)
    half_lives = memory.half_life[memory.order]
    return {
        **curve(shown, share, style, caption("half_life_hover")),
        "mode": "lines+markers",
        "marker": {
            "color": style.colour,
            "size": 6,
            "symbol": "circle" if plain else symbols.tolist(),
        },
        "customdata": [in_steps(value) for value in half_lives],
        "meta": {"of": tabled(half_lives)},
        "cliponaxis": False,
    }


def _at_end(seq_len: int, at: float) -> Piece:
    place = {"yref": "paper", "yanchor": "top", "xanchor": "left", "xshift": 2}
    return note(f"T = {seq_len}", at, 1, font={"size": theme.TICK_SIZE}, **place)


def _share(memory: Memory, style: theme.Style, seq_len: int) -> str:
    return f"{style.name} {percent(memory.share_beyond(seq_len))}"
