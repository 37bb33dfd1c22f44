"""Weight matrices and their gradients as maps, one diverging scale for all blocks of a model, with
the histogram of each block below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.analysis.weights import histogram
from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, theme
from rnnviz.plots.cells import CELLS, SPECIAL_COLOURS, panel_traces, specials, thinned
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.panels import (
    Place,
    axes_of,
    axes_suffix,
    axis,
    bar_margin,
    colour_scale,
    counted,
    panel_title,
    placed,
    scale_title,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.weights import WeightMap, WeightMaps

HEIGHT = 330
MARGIN = {"l": 58, "r": 98, "t": 26, "b": 42}
MAPS, HISTOGRAMS = (0.38, 1.0), (0.0, 0.24)
"""Where they stand, as shares of the height."""
GAP, INNER_GAP = 0.03, 0.012
LEAST = 0.2
"""Share of a gate's width that its narrowest matrix has at least."""
ROOM = 1.35
"""How far a histogram's axis goes, in bounds: the numbers at its ends lie within it."""
FLOOR = 1e-6
"""A share below the axis, where a bin is empty: its logarithm is a number."""
HIGHEST, LOWEST = -2.2, -5.8
"""Decades that the axis of shares begins at: as low as the smallest share asks, above `FLOOR`."""
LINES: dict[str, Piece] = {
    "W_hh": {"width": 2.5},
    "W_xh": {"width": theme.THIN, "dash": "dot"},
    "W_skip": {"width": theme.THIN, "dash": "dash"},
}


@dataclass(frozen=True)
class Scale:
    """What the colours of a figure stand for: entries of `part` from −bound to bound, drawn in
    units of a power of ten, which float32 holds."""

    part: str
    bound: float

    @property
    def decade(self) -> int:
        """0 where the numbers can be read as they are."""
        log10 = int(np.floor(np.log10(self.bound)))
        return 0 if -3 < log10 < 3 else max(log10, -300)

    def drawn(self, values: Array) -> Array:
        """Values in the figure's units."""
        return np.asarray(values, np.float64) / 10.0**self.decade

    @property
    def ends(self) -> tuple[list[float], list[str]]:
        """Where the axes have their numbers, and these as they are."""
        end, text = float(self.drawn(np.array(self.bound))), general(self.bound, 3)
        return [-end, 0.0, end], [f"−{text}", "0", text]

    @property
    def hover(self) -> str:
        """How an entry is written under the pointer."""
        return "%{z:.4f}" + (f"·10<sup>{self.decade}</sup>" if self.decade else "")


@FigureFunction
def weight_figure(
    maps: WeightMaps, *, gradient: bool = False, styles: Styles | None = None
) -> Drawing:
    """Every block of one layer's weights, or of ∂L/∂W: a row is a unit that a weight leads to, a
    column what it comes from. Purple is negative, yellow positive, on one scale for all blocks that
    ends at the largest entry. Below each gate the histograms of its blocks.

    Examples
    --------
    >>> figure = plots.weight_figure(analysis.weight_maps(traces["lstm"], "lstm"))
    >>> len([trace for trace in figure.data if trace.type == "heatmap"])  # four gates, W_x and W_h
    8
    """
    style = theme.styles_for([maps.label], styles)[maps.label]
    bound = maps.gradient_bound if gradient else maps.bound
    scale = Scale("gradient" if gradient else "values", bound or 1.0)
    name = "weight-gradients" if gradient else "weights"
    ticks, texts = scale.ends
    what = "∂L/∂W" if gradient else "W"
    colours = colour_scale(list(theme.DIVERGING), ticks, texts)
    margin = MARGIN | {"r": bar_margin(MARGIN["r"], colours)}
    layout: Piece = {
        "height": HEIGHT,
        "margin": margin,
        "coloraxis": colours,
        "annotations": [scale_title(what, margin["r"])],
    }
    layout["coloraxis"]["colorbar"] |= {"len": MAPS[1] - MAPS[0], "y": 1, "yanchor": "top"}
    data: list[Piece] = []
    for index, (block, place) in enumerate(places(maps)):
        suffix = axes_suffix(index)
        codes = specials(getattr(block, scale.part))
        data += _map(block, codes, scale, suffix, CELLS // len(maps.maps))
        layout |= _map_axes(suffix, block, place)
        layout["annotations"].append(_title(block, codes, style, place))
    low = _lowest_share(maps, scale)
    for number, gate in enumerate(maps.gates):
        suffix = axes_suffix(len(maps.maps) + number)
        data += _histograms(maps, gate, scale, style, suffix)
        layout |= _histogram_axes(suffix, _column(number, len(maps.gates)), scale, low)
    return drawing(data, layout, name)


def places(maps: WeightMaps) -> Iterator[tuple[WeightMap, Place]]:
    """Each block beside the others of its gate, as wide as it has columns, within limits."""
    for number, gate in enumerate(maps.gates):
        blocks = [block for block in maps.maps if block.gate == gate]
        left, right, *_ = _column(number, len(maps.gates))
        shares = np.array([block.values.shape[1] for block in blocks], float)
        shares = np.maximum(shares / shares.sum(), LEAST)
        room = right - left - INNER_GAP * (len(blocks) - 1)
        widths = room * shares / shares.sum()
        for k, (block, width) in enumerate(zip(blocks, widths, strict=True)):
            start = left + float(widths[:k].sum()) + INNER_GAP * k
            yield block, (start, start + float(width), *MAPS, number == k == 0, True)


def _column(number: int, gates: int) -> Place:
    """A gate's histograms."""
    wide = (1 - GAP * (gates - 1)) / gates
    left = number * (wide + GAP)
    return left, min(1.0, left + wide), *HISTOGRAMS, number == 0, True


def _map(block: WeightMap, codes: Array, scale: Scale, suffix: str, budget: int) -> list[Piece]:
    values = np.where(codes < 0, getattr(block, scale.part), np.nan)
    cells = thinned(scale.drawn(values), codes, budget, "furthest")
    where = {**axes_of(suffix), "y0": 1, "dy": cells.units_each}
    kind = "input" if block.parameter == "W_xh" else "unit"
    column = caption(f"from_{kind}")
    if cells.steps_each > 1:
        column = caption(f"from_{kind}s", count=cells.steps_each)
    colours = {"coloraxis": "coloraxis", "meta": {"decade": scale.decade}}
    return panel_traces(cells, where, block.name, scale.hover, colours, 4,
                        caption("to_unit"), column)  # fmt: skip


def _map_axes(suffix: str, block: WeightMap, place: Place) -> Piece:
    small = {"tickfont": {"size": theme.SMALL_SIZE}, "showgrid": False, "ticklen": 3}
    rows, columns = block.values.shape
    y: Piece = {**small, **counted(rows, 5), "autorange": "reversed"}
    if place[4]:
        y["title"] = {"text": caption("unit"), "font": {"size": theme.SMALL_SIZE}, "standoff": 2}
    else:
        y |= {"showticklabels": False, "ticks": ""}
    return placed({**small, **counted(columns, 4)}, y, suffix, place)


def _title(block: WeightMap, codes: Array, style: theme.Style, place: Place) -> Piece:
    """The matrix, and signs for what its entries without a number are."""
    name, _, index = block.name.partition("_")
    text = f"<b>{name}<sub>{index}</sub></b>"
    found = [Status(int(code)) for code in np.unique(codes) if code >= 0]
    marks = [f"<span style='color:{SPECIAL_COLOURS[s]}'>■</span>{curves.SIGNS[s]}" for s in found]
    return panel_title(" ".join([text, *marks]), style.colour, place[0])


def _histograms(
    maps: WeightMaps, gate: str, scale: Scale, style: theme.Style, suffix: str
) -> Iterator[Piece]:
    """A line for each block of a gate: the share of its entries in each bin."""
    for block in maps.maps:
        if block.gate != gate:
            continue
        middles, shares = histogram(getattr(block, scale.part), scale.bound)
        yield {
            "type": "scatter",
            "mode": "lines",
            "x": scale.drawn(middles).astype(np.float32),
            "y": np.maximum(100 * shares, FLOOR).astype(np.float32),
            "name": caption("name_histogram", block=block.name),
            "line": {"color": style.colour, "shape": "hvh", **LINES[block.parameter]},
            "hovertemplate": said_of(block.name, caption("share_of_entries")) + "<extra></extra>",
            "meta": {"of": middles.tolist(), "values": (100 * shares).tolist()},
            **axes_of(suffix),
        }


def _lowest_share(maps: WeightMaps, scale: Scale) -> float:
    """Where the axis of all histograms begins, in decades of %: below the smallest share."""
    shares = [histogram(getattr(m, scale.part), scale.bound)[1] for m in maps.maps]
    found = np.concatenate(shares)
    least = float(np.log10(100 * found[found > 0]).min(initial=2.0))
    return max(LOWEST, min(HIGHEST, least - 0.2))


def _histogram_axes(suffix: str, place: Place, scale: Scale, low: float) -> Piece:
    ticks, texts = scale.ends
    x = axis("", range=[ROOM * ticks[0], ROOM * ticks[-1]], tickvals=ticks, ticktext=texts)
    y = axis("%" if place[4] else "", type="log", range=[low, 2.2], tickvals=[0.01, 1, 100])
    hidden = {} if place[4] else {"showticklabels": False, "ticks": ""}
    small = {"tickfont": {"size": theme.SMALL_SIZE}}
    return placed({**x, **small, "showgrid": False}, {**y, **small, **hidden}, suffix, place)
