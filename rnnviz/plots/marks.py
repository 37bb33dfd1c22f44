"""Small pieces that figures are put together from: plain dicts in plotly's vocabulary.

`flags` are the band above a time axis: where the clue is, where the loss is, and which way error
travels. `EndLabel` is a name at the end of a line, in place of a legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from rnnviz.analysis.layers import ARROWS
from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import text_width
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import caption

CHARACTER = 7.6
"""Pixels a character of the band is wide, on average."""
MOST_FLAGS = 2


def gapped(values: Array, digits: int = 3) -> Array | list[float | None]:
    """Numbers for a trace, never inf or NaN: float32, or a list with None where there is none,
    rounded so that rounding them once more, to a digit less, gives what the numbers give."""
    finite = np.isfinite(values)
    if finite.all():
        return values.astype(np.float32)
    exact = np.where(finite, values, 0.0) * 10.0**digits
    last = np.round(exact)
    # A last digit of 5 does not tell on which side of the half the number was.
    last += np.where(np.abs(last) % 10 == 5, np.where(exact < last, -1.0, 1.0), 0.0)
    rounded = np.round(last / 10.0**digits, digits).tolist()
    return [v if ok else None for v, ok in zip(rounded, finite.tolist(), strict=True)]


def tabled(values: Array) -> list[float | str | None]:
    """Numbers for the table of a figure's values (see values.js): infinities in words, None where
    there is none."""
    words = {np.inf: "∞", -np.inf: "−∞"}
    return [None if np.isnan(v) else words.get(v, v) for v in np.asarray(values, float).tolist()]


def held_at(values: Array, floor: float) -> Piece:
    """The meta of a trace that is drawn no lower than `floor`: so says its table of what is."""
    if not (values <= floor).any():
        return {}
    said = minus(f"≤ {floor:.4g}")
    return {"meta": {"values": [said if v <= floor else v for v in values.tolist()]}}


def note(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at (x, y), in data coordinates unless `options` say otherwise."""
    return {"text": text, "x": x, "y": y, "showarrow": False, **options}


def on_paper(text: str, x: float, y: float, **options: Any) -> Piece:
    """A text at a fixed place of the plot area: (0, 0) is its lower left corner."""
    return note(text, x, y, xref="paper", yref="paper", **options)


def rule(x: tuple[float, float], y: tuple[float, float], **options: Any) -> Piece:
    """A thin dotted line from one point to another, drawn over the grid and under the curves."""
    line = {"color": theme.GREY, "width": theme.THIN, "dash": "dot", **options.pop("line", {})}
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", **ends, "line": line, "layer": "below", **options}


def spread(
    centres: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """The nearest centres (least squares) at which intervals of these sizes in [low, high] do not
    overlap. Order is kept. What does not fit is spaced evenly over the whole range."""
    if not centres:
        return []
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    squeeze = min(1.0, (high - low) / max(sum(sizes), 1e-9))
    halves = [sizes[i] * squeeze / 2 for i in order]
    stacked = list(accumulate(halves[i - 1] + halves[i] for i in range(1, len(order))))
    offsets = [0.0, *stacked]
    free = _rising([centres[i] - offset for i, offset in zip(order, offsets, strict=True)])
    least, most = low + halves[0], high - halves[-1] - offsets[-1]
    placed = list(centres)
    for i, offset, at in zip(order, offsets, free, strict=True):
        placed[i] = offset + max(least, min(most, at))
    return placed


def _rising(values: Sequence[float]) -> list[float]:
    """The nearest sequence (least squares) that never falls: neighbours that do are averaged."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]


def flags(
    clue_steps: Sequence[int], loss_at: str, seq_len: int, width: float, backward: bool = False
) -> tuple[list[Piece], list[Piece]]:
    """Dotted rules at the flagged steps, and the texts of the band above a plot `width` wide.

    backward: of a layer that reads from the end; its last step, at which the error of the last
    loss enters, is step 1.
    """
    clues = sorted({int(step) for step in clue_steps if 1 <= step <= seq_len})
    marked = clues if len(clues) <= MOST_FLAGS else []
    start = 1 if backward else seq_len
    rules = [rule((step, step), (0, 1), yref="y domain") for step in sorted({*marked, start})]
    words = [*_clue_words(clues), (_loss_words(loss_at, seq_len, backward), float(start))]
    if seq_len == 1:
        words = [(text, 1.5) for text, _ in words]
    scale = width / max(seq_len - 1, 1)
    sizes = [CHARACTER * text_width(text) + 14 for text, _ in words]
    wanted = [scale * (step - 1) for _, step in words]
    placed = spread(wanted, sizes, 0.0, width)
    texts = [
        _flag(text, step, at - here)
        for (text, step), at, here in zip(words, placed, wanted, strict=True)
    ]
    return rules, texts + _arrow(placed, sizes, width, _arrow_words(backward))


def _clue_words(clues: Sequence[int]) -> list[tuple[str, float]]:
    """Each text of the band and the step it belongs to."""
    if len(clues) <= MOST_FLAGS:
        return [(caption("clue", step=step), float(step)) for step in clues]
    words = caption("clues", count=len(clues))
    return [(words, (clues[0] + clues[-1]) / 2)]


def _loss_words(loss_at: str, seq_len: int, backward: bool) -> str:
    if backward and loss_at == "last":
        return caption("loss_read_last")
    if loss_at == "ends":
        return caption("loss_ends")
    if loss_at == "every":
        return caption("loss_every")
    return caption("loss_step", step=seq_len)


def _arrow_words(backward: bool) -> str:
    travels = caption("travels")
    return f"{travels} ━━━▶" if backward else f"◀━━━ {travels}"


def _flag(text: str, step: float, shift: float) -> Piece:
    """At its step, so that it leaves the view with it."""
    place = {"yref": "paper", "xanchor": "center", "xshift": round(shift, 1), "yanchor": "bottom"}
    return note(text, step, 1, yshift=4, font={"size": theme.NOTE_SIZE}, **place)


def _arrow(placed: Sequence[float], sizes: Sequence[float], width: float, text: str) -> list[Piece]:
    """The arrow, in the widest gap between the flags; left out where none is wide enough."""
    taken = sorted((at - size / 2, at + size / 2) for at, size in zip(placed, sizes, strict=True))
    starts = [0.0, *(right for _, right in taken)]
    stops = [*(left for left, _ in taken), width]
    room, middle = max((b - a, (a + b) / 2) for a, b in zip(starts, stops, strict=True))
    length = CHARACTER * text_width(text)
    if room < length + 40:
        return []
    # A drawn arrow would make the browser measure its path at every update: a fifth of the cost.
    place = {"xanchor": "center", "yanchor": "bottom", "yshift": 4}
    return [on_paper(text, middle / width, 1, font={"size": theme.NOTE_SIZE}, **place)]


BOLD = 10.5
"""Pixels a bold character of a model's name is wide, on average."""
MOST_SMALL, MOST_ROOM = 28, 290
"""Characters of a model's detail, and pixels of its name with its number, at most."""
TWO_LINES, DETAIL_BELOW = 36.0, 16.0
"""Pixels of a name with its detail, and between the middles of the two."""


@dataclass(frozen=True)
class EndLabel:
    """A text, the y of the line's end, the text's height in pixels and its colour; a detail stands
    in small below, closer than a second line of one text would."""

    text: str
    y: float
    size: float
    colour: str
    detail: str = ""
    font_size: int = theme.LABEL_SIZE


def model_label(style: theme.Style, sign: str, y: float) -> EndLabel:
    """The model's name and what its line ends with; the detail in small below."""
    if style.faint:
        return small_label(f"{style.where} {sign}", y, style.colour)
    arrow = style.where in ARROWS
    text = f"<b>{_bold(style)}</b> {sign}"
    if not style.detail and (arrow or not style.where):
        return EndLabel(text, y, 24.0, style.colour)
    words = theme.short(style.detail if arrow else style.small, MOST_SMALL)
    return EndLabel(text, y, TWO_LINES, style.colour, words)


def _bold(style: theme.Style) -> str:
    """What of a model's name is bold: a direction, but no layer, stands beside it."""
    return f"{style.name} {style.where}" if style.where in ARROWS else style.name


def small_label(text: str, y: float, colour: str = theme.GREY) -> EndLabel:
    """A text in small, for what stands behind the models."""
    return EndLabel(text, y, 18.0, colour, font_size=theme.SMALL_SIZE)


def end_labels(
    labels: Sequence[EndLabel],
    y_range: tuple[float, float],
    pixels: float,
    x: float,
    side: str = "left",
) -> list[Piece]:
    """The labels beside a plot `pixels` high, pushed apart where they would overlap. An arrow is
    added to the label of a line that leaves the range. What stands behind the models, in small, is
    left out where their names leave no room: who points at a line reads its name.

    x : where the lines end. The labels stand there and leave the view with it: beside a part of
    the plot they would name heights that the lines do not have there.
    """
    low, high = y_range
    under, over = -12.0, pixels + 6.0
    labels = _with_room(labels, over - under)
    heights = [min(max(label.y, low), high) for label in labels]
    centres = [(y - low) / (high - low) * pixels for y in heights]
    placed = spread(centres, [label.size for label in labels], under, over)
    return [
        piece
        for label, y, at, centre in zip(labels, heights, placed, centres, strict=True)
        for piece in _end_label(label, y_range, (x, y), at - centre, side)
    ]


def _with_room(labels: Sequence[EndLabel], room: float) -> list[EndLabel]:
    """All names of models, and in their order those in small that fit beside them; all labels
    where there are no others."""
    small = [label.font_size == theme.SMALL_SIZE for label in labels]
    if all(small):
        return list(labels)
    left = room - sum(
        label.size for label, is_small in zip(labels, small, strict=True) if not is_small
    )
    kept = []
    for label, is_small in zip(labels, small, strict=True):
        if is_small and label.size > left:
            continue
        left -= label.size if is_small else 0.0
        kept.append(label)
    return kept


def _end_label(
    label: EndLabel,
    y_range: tuple[float, float],
    end: tuple[float, float],
    shift: float,
    side: str,
) -> list[Piece]:
    off = " ↓" if label.y < y_range[0] else " ↑" if label.y > y_range[1] else ""
    left = side == "left"
    near = "right" if left else "left"
    apart = (12 if label.font_size == theme.LABEL_SIZE else 7) if left else -6
    place: Piece = {"xanchor": near, "xshift": -apart, "yanchor": "middle"}
    lines = [(label.text + off, label.font_size, DETAIL_BELOW / 2 if label.detail else 0)]
    if label.detail:
        lines.append((label.detail, theme.SMALL_SIZE, -DETAIL_BELOW / 2))
    return [
        note(text, *end, font={"size": size, "color": label.colour},
             yshift=round(shift + above, 1), align=near, **place)
        for text, size, above in lines
    ]  # fmt: skip


def gutter(styles: Styles) -> int:
    """Room for model labels, from the names alone, so that it does not move with the numbers."""
    names = [_bold(style) for style in styles.values() if not style.faint]
    wide = [BOLD * (text_width(name) + 8) for name in names]
    small = [7.0 * min(text_width(style.small), MOST_SMALL) for style in styles.values()]
    return int(min(max([126.0, *wide, *small]) + 8, MOST_ROOM))
