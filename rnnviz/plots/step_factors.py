"""Why the error shrinks or grows: what each step back multiplies it with, and by which paths it
comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import gapped, rule
from rnnviz.plots.panels import (
    UNSEEN,
    Place,
    axes_of,
    axes_suffix,
    axis,
    counted,
    grid_places,
    nothing,
    panel_title,
    placed,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of, text_width
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.step_factors import StepFactors

ROW_HEIGHT = 220
MARGIN = {"l": 12, "r": 12, "t": 50, "b": 46}
TICKS = 0.045
"""Of the width, for the numbers beside a panel."""
BARS = 250
"""Bars of a panel at most: of longer runs each is the mean of a few steps."""
WIDE, WIDE_KEY = 9.0, 6.9
"""Pixels a character of the title and of the key is wide, on average."""
SMALLER = 11
"""The key's size where it would be wider than its panel."""
SHARES = (-0.1, 1.1)
"""What is always shown of shares, which add up to 1."""
DECADES = (-0.1, 0.1)
NAMED = {"carry", "output", "leak", "skip", "entering"}
"""Paths that are no gate's."""
SEEN = 0.01
"""Of a panel's height: what no bar of a part reaches is left out of the key."""


def bar_steps(seq_len: int, most: int = BARS) -> int:
    """How many steps one of `most` bars is the mean of."""
    return -(-seq_len // most)


@FigureFunction
def step_factors_figure(
    found: Sequence[StepFactors],
    *,
    styles: Styles | None = None,
    backward: bool = False,
    time_title: str | None = None,
) -> Drawing:
    """One panel a model; a bar stands between the two steps that it leads from and to. Where all
    error goes through W_hh: decades of each factor, stacked, and their sum as a line. Of others the
    share of each path in the error that arrives. backward: of layers that read from the end.
    """
    known = theme.styles_for([f.label for f in found], styles)
    rows = -(-max(len(found), 1) // 3)
    layout: Piece = {"height": ROW_HEIGHT * rows + 40, "margin": MARGIN, "barmode": "relative",
                     "bargap": 0, "annotations": [], "shapes": []}  # fmt: skip
    if not any(np.isfinite(f.change[1:]).any() for f in found):
        return drawing([UNSEEN], {**layout, **nothing(caption("no_step_factors"))}, "step-factors")
    data: list[Piece] = []
    for index, (f, place) in enumerate(zip(found, grid_places(len(found), 0.26), strict=True)):
        suffix, place = axes_suffix(index), _with_room(place)
        layout |= _axes(f, suffix, place, time_title or caption("time_step"))
        layout["shapes"].append(rule((0, 1), (0, 0), xref=f"x{suffix} domain", yref=f"y{suffix}"))
        layout["annotations"] += _titles(f, known[f.label], place)
        data += _panel(f, known[f.label], suffix, backward)
    return drawing(data, layout, "step-factors")


def _with_room(place: Place) -> Place:
    return (place[0] + TICKS, *place[1:])


def stacked(f: StepFactors) -> dict[str, Array]:
    """What the bars are of: the shares where there are any; else the factors, NaN where they do not
    add up to the change."""
    return f.shares or {n: np.where(f.refilled, np.nan, v) for n, v in f.factors.items()}


def _panel(f: StepFactors, style: theme.Style, suffix: str, backward: bool) -> list[Piece]:
    """The step from 1 to the initial state is left out, as in the curves."""
    T, each = len(f.change), bar_steps(len(f.change))
    starts = np.arange(1, T, each)
    middle = (starts + np.minimum(starts + each, T)) / 2
    x = T + 1 - middle if backward else middle
    where = {**axes_of(suffix), "x": x.astype(np.float32)}
    hover = caption("share_bar" if f.shares else "decades_bar")
    pieces: list[Piece] = [
        {
            "type": "bar",
            **where,
            "y": gapped(means(values, starts)),
            "name": part_name(f, name),
            "width": np.diff(np.append(starts, T)),
            "marker": {"color": theme.PARTS[name], "line": {"width": 0}},
            "hovertemplate": said_of(part_name(f, name), hover) + "<extra></extra>",
        }
        for name, values in stacked(f).items()
        if np.nan_to_num(values[1:]).any()
    ]
    if f.shares:
        return pieces
    line = {"type": "scatter", "mode": "lines", **where, "y": gapped(means(f.change, starts)),
            "name": caption("part_all"), "line": {"color": style.colour, "width": 2},
            "hovertemplate": said_of(caption("part_all"), hover) + "<extra></extra>"}  # fmt: skip
    return [*pieces, line]


def means(values: Array, starts: Array) -> Array:
    """Of the steps from each start to the next; NaN where one of them has no number."""
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) / counts)


def part_name(f: StepFactors, name: str) -> str:
    """What a factor or a path is called; a gate by its letter, W_hh where it has but one."""
    if name in f.factors or name in NAMED:
        return caption(f"part_{name}")
    return name if len({*f.shares} - NAMED) > 1 else caption("part_weights")


def _axes(f: StepFactors, suffix: str, place: Place, title: str) -> Piece:
    low, high = _range(f)
    small = {"tickfont": {"size": theme.SMALL_SIZE}, "ticklen": 3}
    last = max(len(f.change), 2)
    x = axis(title if place[5] else "", range=[1, last], showgrid=False, **counted(last, 6))
    y = axis("", range=[low, high], nticks=5)
    return placed({**x, **small}, {**y, **small}, suffix, place)


def _range(f: StepFactors) -> tuple[float, float]:
    """That of the stacked bars, above 0 and below."""
    bars = np.nan_to_num([values[1:] for values in stacked(f).values()], posinf=0, neginf=0)
    up, down = bars.clip(min=0).sum(axis=0), bars.clip(max=0).sum(axis=0)
    low, high = SHARES if f.shares else DECADES
    pad = 0.05 * (up.max(initial=0) - down.min(initial=0))
    return min(low, float(down.min(initial=0) - pad)), max(high, float(up.max(initial=0) + pad))


def _titles(f: StepFactors, style: theme.Style, place: Place) -> list[Piece]:
    """The model and what the bars are; below it the key, in the colours of the bars."""
    wide = (place[1] - place[0]) * theme.WIDTH
    room = int(wide / WIDE)
    what = caption("bars_shares" if f.shares else "bars_decades")
    title = f"<b>{theme.short(style.title, max(6, room - len(what) - 2))}</b>: {what}"
    left = place[0]
    least = SEEN * np.ptp(_range(f))
    parts = [name for name, values in stacked(f).items() if (np.abs(values[1:]) > least).any()]
    key = "  ".join(
        f"<span style='color:{theme.PARTS[name]}'>■</span> {part_name(f, name)}" for name in parts
    )
    characters = sum(text_width(part_name(f, name)) + 4 for name in parts)
    size = theme.SMALL_SIZE if characters * WIDE_KEY < wide else SMALLER
    return [
        panel_title(title, style.colour, left, place[3]) | {"yshift": 18},
        panel_title(key, "", left, place[3]) | {"font": {"size": size}},
    ]
