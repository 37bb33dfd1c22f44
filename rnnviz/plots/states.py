"""What each unit holds and what the loss still hears of it: h or c of one layer, beside the
gradient, as maps of all units and as lines of chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.cells import (
    CELLS,
    SPECIAL_COLOURS,
    Cells,
    magnitude_scale,
    panel_traces,
    specials,
    thinned,
)
from rnnviz.plots.curves import SIGNS, Relative
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Range, drawing
from rnnviz.plots.log_curves import MARGIN as LINE_MARGIN
from rnnviz.plots.log_curves import magnitude_figure, value_range
from rnnviz.plots.marks import EndLabel, end_labels, gapped, gutter, small_label
from rnnviz.plots.panels import (
    axis,
    bar_margin,
    colour_scale,
    counted,
    panel_title,
    scale_title,
)
from rnnviz.plots.rails import Drawn, all_rails
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.states import State

MAP_HEIGHT, LINES_HEIGHT = 210, 230
MARGIN = {"l": 54, "r": 74, "t": 26, "b": 46}
DECADES = 30.0
"""Of gradients a map's colours tell apart at most."""
HUGE = 1e300
"""Beyond it a browser's arithmetic overflows; that of lines, which travel as float32, sooner."""
HUGE_LINE = 1e30
MOST_LINES = len(theme.DASHES)


@dataclass(frozen=True, eq=False)
class Shown:
    """One state as it is drawn.

    values, gradient: all units, thinned. units: indices of the chosen ones; lines, log10, status
    (chosen units, T): their values and gradients.
    """

    label: str
    name: str
    values: Cells
    gradient: Cells
    units: tuple[int, ...]
    lines: Array
    log10: Array
    status: Array

    @property
    def limit(self) -> float:
        """The colours end at so much on both sides: 1, or what holds every value."""
        finite = np.abs(self.values.values[np.isfinite(self.values.values)])
        return float(finite.max(initial=1.0))


def shown(state: State, units: Sequence[int], most_cells: int = CELLS) -> Shown:
    """What there is to draw of a state."""
    values = np.asarray(state.values, np.float64)
    known = np.isfinite(state.log10)
    some = list(units)
    return Shown(
        label=state.label,
        name=state.name,
        values=_cells(values, specials(values), most_cells, "furthest"),
        gradient=_cells(state.log10, np.where(known, -1, state.status), most_cells, "largest"),
        units=tuple(units),
        lines=values[some],
        log10=state.log10[some],
        status=state.status[some],
    )


def _cells(values: Array, special: Array, budget: int, kept: str) -> Cells:
    numbers = np.where(np.isfinite(values), np.clip(values, -HUGE, HUGE), np.nan)
    return thinned(numbers, special, budget, kept)


@FigureFunction
def state_map(of: Shown, *, styles: Styles | None = None) -> Drawing:
    """h or c, unit × time, unit 1 at the top; purple below 0, yellow above. What is no number has a
    colour of its own."""
    ticks = [-of.limit, 0.0, of.limit]
    scale = colour_scale(list(theme.DIVERGING), ticks, [general(tick, 2) for tick in ticks])
    return _map(of, of.values, of.name, ("%{z:.2f}", 2), scale, styles)


@FigureFunction
def gradient_map(
    of: Shown, limits: Range | None = None, *, styles: Styles | None = None
) -> Drawing:
    """log10 |∂L/∂h_t| or |∂L/∂c_t| of the same units. limits: decades of the colours, those that
    `gradient_range` gives if there are none."""
    scale = magnitude_scale(limits or gradient_range([of]))
    name = f"|∂L/∂{of.name}<sub>t</sub>|"
    return _map(of, of.gradient, name, ("10<sup>%{z:.1f}</sup>", 1), scale, styles)


def gradient_range(states: Sequence[Shown]) -> Range:
    """Decades that hold the gradients of these states, as far as `DECADES` go, but for the lowest
    hundredth: a unit that changes sign on its way would take the colours from all others."""
    found = np.concatenate([s.gradient.values[np.isfinite(s.gradient.values)] for s in states])
    if not found.size:
        return -1.0, 0.0
    high = float(np.ceil(found.max())) + 0.0  # never a negative zero
    low = float(np.floor(np.percentile(found, 1)))
    return max(min(low, high - 1), high - DECADES), high


def _map(
    of: Shown, cells: Cells, what: str, write: tuple[str, int], scale: Piece, styles: Styles | None
) -> Drawing:
    style = theme.styles_for([of.label], styles)[of.label]
    rows = {"xaxis": "x", "yaxis": "y", "y0": 1, "dy": cells.units_each}
    data = panel_traces(cells, rows, f"{style.title} {what}", write[0], {"coloraxis": "coloraxis"},
                  write[1])  # fmt: skip
    y = {
        "autorange": "reversed",
        "showgrid": False,
        **counted(cells.units_each * len(cells.special), 5),
    }
    unit = caption("unit")
    if cells.units_each > 1:
        unit = caption("one_unit_in", count=cells.units_each)
    layout: Piece = {
        "height": MAP_HEIGHT,
        "margin": MARGIN | {"r": bar_margin(MARGIN["r"], scale)},
        "xaxis": axis(
            caption("time_step"),
            showgrid=False,
            **counted(cells.steps_each * cells.special.shape[1], 6),
        ),
        "yaxis": axis(unit, **y),
        "coloraxis": scale,
        "annotations": [panel_title(_title(style, what, cells), style.colour, 0)],
    }
    if what != of.name:
        layout["annotations"].append(scale_title("log<sub>10</sub>", layout["margin"]["r"]))
    return drawing(data, layout, f"{what}-map")


def _title(style: theme.Style, what: str, cells: Cells) -> str:
    """The model and the quantity, and what its cells without a number are."""
    signs = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span> {SIGNS[s]}" for s in cells.found]
    place = f" {style.where}" if style.where else ""
    return "  ".join([f"<b>{style.name}{place} {what}</b>", *signs])


@FigureFunction
def state_lines(of: Shown, *, styles: Styles | None = None) -> Drawing:
    """h or c of the chosen units through time."""
    drawn = [
        (style, Relative(_numbers(line), np.maximum(specials(line), 0), 0.0, 0, True))
        for style, line in zip(_unit_styles(of, styles), of.lines, strict=True)
    ]
    y_range = value_range([curve.values for _, curve in drawn])
    pixels = LINES_HEIGHT - LINE_MARGIN["t"] - LINE_MARGIN["b"]
    bands, rails, said, ends = all_rails(drawn, y_range, pixels)
    labels = [_end(style, curve, ends.get(i, 0.0)) for i, (style, curve) in enumerate(drawn)]
    steps, title = of.lines.shape[1], f"{of.name}<sub>t</sub>"
    if max(map(abs, y_range)) > HUGE_LINE:
        title = caption("cut_off", quantity=title)
    pad = 0.008 * max(steps - 1, 1)
    layout: Piece = {
        "height": LINES_HEIGHT,
        "margin": {**LINE_MARGIN, "r": gutter({style.name: style for style, _ in drawn})},
        "hovermode": "x unified",
        "xaxis": axis(
            caption("time_step"), range=[1 - pad, steps + pad], showgrid=False, **counted(steps, 8)
        ),
        "yaxis": axis(title, range=list(bands.y_range), nticks=6, **bands.ticks),
        "annotations": end_labels(labels, bands.y_range, pixels, steps, "right") + said,
        "shapes": bands.shapes(),
    }
    return drawing([*(_line(*each) for each in drawn), *rails], layout, f"{of.name}-lines")


def _numbers(line: Array) -> Array:
    """NaN where there is no number; cut off where a browser's would overflow."""
    return np.where(np.isfinite(line), np.clip(line, -HUGE_LINE, HUGE_LINE), np.nan)


def _line(style: theme.Style, curve: Relative) -> Piece:
    look = {"color": style.colour, "width": style.width, "dash": style.dash}
    return {"type": "scatter", "mode": "lines" if curve.seq_len > 1 else "markers", "x0": 1,
            "dx": 1, "y": gapped(curve.values), "name": style.name, "line": look,
            "marker": {"color": style.colour},
            "hovertemplate": f"{style.name}  %{{y:.3f}}<extra></extra>"}  # fmt: skip


def _end(style: theme.Style, curve: Relative, rail: float) -> EndLabel:
    end = float(curve.values[-1])
    return small_label(style.name, end if np.isfinite(end) else rail, style.colour)


@FigureFunction
def gradient_lines(of: Shown, *, styles: Styles | None = None) -> Drawing:
    """log10 |∂L/∂h_t| or |∂L/∂c_t| of the same units. Exact zeros, what was rounded to zero, NaN
    and infinity have rails of their own."""
    known = _unit_styles(of, styles)
    drawn: Drawn = [
        (style, Relative(np.where(np.isfinite(log10), log10, np.nan), status, 0.0, 0, True))
        for style, log10, status in zip(known, of.log10, of.status, strict=True)
    ]
    what = f"log<sub>10</sub> |∂L/∂{of.name}<sub>t</sub>|"
    return magnitude_figure(
        drawn,
        titles=(caption("time_step"), what),
        styles={style.name: style for style in known},
        height=LINES_HEIGHT,
        revision=f"{of.name}-gradient-lines",
    )


def _unit_styles(of: Shown, styles: Styles | None) -> list[theme.Style]:
    """The model's colour, a dash for each unit."""
    colour = theme.styles_for([of.label], styles)[of.label].colour
    return [
        theme.Style(caption("unit_number", number=unit + 1), "", colour, theme.model_dash(k),
                    faint=True)
        for k, unit in enumerate(of.units)
    ]  # fmt: skip
