"""Which ways error takes through a gated cell: Π f against the truth, and the gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnnviz.analysis.rates import Curve
from rnnviz.core.numerics import LOG10_2, Array, Status
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, on_paper, small_label
from rnnviz.plots.panels import UNSEEN, axis, counted, curve, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import listed, text_width
from rnnviz.wording.numbers import magnitude, signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.batch_carry import BatchCarry
    from rnnviz.analysis.carry import CarryPaths
    from rnnviz.analysis.gates import Memory

HEIGHT = 190
SAME = 1e-9
"""Decades below which two lines are one."""
GUTTER, LETTER, NUMBER = 264, 6.6, 60
"""Pixels for the names of the ways that error takes, at most; for a character; for the number."""
MARGIN = {"t": 28, "b": 46, "r": 76}


@FigureFunction
def carry_figure(
    paths: Sequence[CarryPaths],
    *,
    batches: Sequence[BatchCarry] = (),
    memories: Sequence[Memory] = (),
    styles: Styles | None = None,
    height: int = HEIGHT,
    time_title: str | None = None,
) -> Drawing:
    """log10 at t = 0..T of the true ‖∂c_T/∂c_t‖₂, thick; of the largest unit's Π f from t to T,
    dotted; of what goes through the gates, dashed; with peepholes of what stays in the cell, too.
    batches : of several sequences, as bars at step 0. memories : half-lives, as straight lines.
    time_title : what the steps are; a layer that reads from the end has steps of its own.

    Examples
    --------
    >>> paths = analysis.carry_paths(traces["lstm"], "lstm")
    >>> figure = plots.carry_figure([paths])
    """
    known = theme.styles_for([p.label for p in paths], styles)
    layout: Piece = {"height": height, "margin": {"l": gutter(known), **MARGIN}}
    if not paths:
        text = caption("no_memory_gate")
        return drawing([UNSEEN], {**layout, **nothing(text)}, "carry")
    seq_len = max(len(p.true.log10) for p in paths) - 1
    lines = [(known[p.label], line) for p in paths for line in _lines(p, memories)]
    bars = [bar for b in batches for bar in _bars(b, known[b.label], seq_len)]
    y_range = _carry_range([line.curve.log10 for _, line in lines],
                           [v for b in batches for v in (b.true, b.product)])  # fmt: skip
    drawn = [_draw(style, line, len(paths) > 1) for style, line in lines]
    middles = [label for b in batches for label in _middles(b, known[b.label])]
    pixels = height - MARGIN["t"] - MARGIN["b"]
    ends = end_labels([*(end for _, end in drawn), *middles], y_range, pixels, 0)
    layout["margin"]["l"] = max(_room(line for _, line in lines), layout["margin"]["l"])
    steps = {"range": [-0.03 * seq_len, 1.01 * seq_len], "showgrid": False, **counted(seq_len)}
    layout |= {
        "hovermode": "x unified",
        "xaxis": axis(time_title or caption("time_step"), **steps),
        "yaxis": axis(caption("decades"), range=list(y_range), side="right", nticks=6),
        "annotations": ends + ([_shown(batches[0].sequences)] if middles else []),
    }
    return drawing([*(piece for piece, _ in drawn), *bars], layout, "carry")


def _room(lines: Iterable[_Line]) -> int:
    """Pixels for what the lines are called."""
    return min(GUTTER, int(NUMBER + LETTER * max(text_width(line.name) for line in lines)))


def _shown(sequences: int) -> Piece:
    """Which sequence the lines are of, and that the dots are medians."""
    above = {"xanchor": "right", "yanchor": "bottom", "yshift": 2}
    said = caption("carry_lines", count=sequences)
    return on_paper(said, 1, 1, font={"size": theme.SMALL_SIZE}, **above)


def _carry_range(lines: Sequence[Array], bars: Sequence[Array]) -> tuple[float, float]:
    heights = np.concatenate([*lines, *bars])
    finite = heights[np.isfinite(heights)]
    low, high = min(-1.0, finite.min(initial=0.0)), max(1.0, finite.max(initial=0.0))
    return float(1.06 * low), float(1.06 * high)


def lines_drawn(paths: CarryPaths, memories: Sequence[Memory] = ()) -> list[str]:
    """Which lines there are to be seen: "true", "product", "through" the gates, what stays in the
    "cell", the "half_life"."""
    lines = _lines(paths, memories)
    return [line.kind for line in lines if np.isfinite(line.curve.log10).any()]


class _Line(NamedTuple):
    """One way that error takes; `line`: how it is drawn."""

    kind: str
    name: str
    curve: Curve
    line: dict[str, Any]


def _lines(paths: CarryPaths, memories: Sequence[Memory]) -> list[_Line]:
    """The whole, its parts. What stays in the cell is Π f itself where no peephole adds to it."""
    thin = {"width": 2}
    parts = [
        _Line("true", caption("carry_true"), paths.true, {}),
        _Line(
            "product",
            caption("carry_product", gate=paths.gate),
            paths.product,
            {**thin, "dash": "dot"},
        ),
        _Line("through", caption("carry_gates"), paths.through, {**thin, "dash": "dash"}),
    ]
    seen = paths.carry.status != Status.NOT_RECORDED
    in_cell, textbook = paths.carry.log10[seen], paths.product.log10[seen]
    if not np.allclose(in_cell, textbook, atol=SAME, equal_nan=True):
        parts.append(_Line("cell", caption("carry_cell"), paths.carry, {**thin, "dash": "dashdot"}))
    T = len(paths.true.log10) - 1
    for median in (m.median for m in memories if m.label == paths.label and m.median > 0):
        decades = -LOG10_2 * (T - np.arange(T + 1)) / median
        curve = Curve(decades, paths.product.status)
        parts.append(
            _Line(
                "half_life", caption("carry_half_life"), curve, {"width": 1.5, "dash": "longdash"}
            )
        )
    return parts


def _bars(batch: BatchCarry, style: theme.Style, seq_len: int) -> list[Piece]:
    """At step 0 the range of the sequences, with a dot at their median; the second stands aside."""
    if batch.sequences < 2:
        return []
    names = caption("carry_true"), caption("carry_product", gate=batch.gate)
    return [
        _bar(values, style, x, name)
        for values, x, name in zip((batch.true, batch.product), (0.0, 0.012 * seq_len), names,
                                   strict=True)
        if np.isfinite(values).all()
    ]  # fmt: skip


def _middles(batch: BatchCarry, style: theme.Style) -> list[EndLabel]:
    """What the dots at step 0 stand for, in the verdict's numbers."""
    if batch.sequences < 2:
        return []
    found = [float(np.median(v)) for v in (batch.true, batch.product) if np.isfinite(v).all()]
    return [
        small_label(caption("carry_middle", decades=signed(m), size=_raised(m)), m, style.colour)
        for m in found
    ]


def _raised(log10: float) -> str:
    """A magnitude, its power of ten as a figure writes it."""
    number, power, exponent = magnitude(log10).partition("^")
    return f"{number}<sup>{exponent}</sup>" if power else number


def _bar(values: Array, style: theme.Style, x: float, name: str) -> Piece:
    least, median, most = float(values.min()), float(np.median(values)), float(values.max())
    middle = listed([name, caption("seeds_median_end")])
    said = caption("carry_bar", name=name, least=signed(least), median=signed(median),
                   most=signed(most), count=len(values))  # fmt: skip
    error = {"type": "data", "symmetric": False, "array": [most - median],
             "arrayminus": [median - least], "thickness": 3, "width": 5}  # fmt: skip
    return {"type": "scatter", "mode": "markers", "x": [x], "y": [median], "name": middle,
            "error_y": {**error, "color": style.colour}, "cliponaxis": False, "meta": {"of": [0.0]},
            "marker": {"color": style.colour, "size": 8},
            "hovertemplate": f"{said}<extra></extra>"}  # fmt: skip


def _draw(style: theme.Style, line: _Line, several: bool) -> tuple[Piece, EndLabel]:
    """A line and the label at its end, with the model's name where there are several."""
    steps = np.flatnonzero(line.curve.status != Status.NOT_RECORDED)
    hover = f"{line.name} 10<sup>%{{y:.2f}}</sup>"
    words = f"{style.name} {line.name}" if several else line.name
    bold = words if line.line else f"<b>{words}</b>"
    drawn = curve(steps, line.curve.log10[steps], style, hover, **line.line)
    return drawn, _end(style, bold, line.curve)


def _end(style: theme.Style, words: str, line: Curve) -> EndLabel:
    heights = line.log10
    finite = heights[np.isfinite(heights)]
    if np.isfinite(heights[0]):
        return small_label(f"{words} {signed(float(heights[0]))}", heights[0], style.colour)
    return small_label(f"{words} 0", float(finite.min(initial=0.0)), style.colour)
