"""Names at the ends of lines, in place of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.analysis.layers import ARROWS
from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import note, spread
from rnnviz.plots.theme import Styles


@dataclass(frozen=True)
class EndLabel:
    """A text, the y of the line's end, the text's height in pixels and its colour."""

    text: str
    y: float
    size: float
    colour: str


def model_label(style: theme.Style, sign: str, y: float) -> EndLabel:
    """The model's name and what its line ends with; the detail in small below."""
    if style.faint:
        return small_label(f"{style.where} {sign}", y, style.colour)
    arrow = style.where in ARROWS
    text = f"<b>{style.name}{' ' + style.where if arrow else ''}</b> {sign}"
    if not style.detail and (arrow or not style.where):
        return EndLabel(text, y, 24.0, style.colour)
    words = theme.plain(style.detail if arrow else style.small, 28)
    detail = f"<br><span style='font-size:{theme.SMALL_SIZE}px'>{words}</span>"
    return EndLabel(text + detail, y, 46.0, style.colour)


def small_label(text: str, y: float, colour: str = theme.GREY) -> EndLabel:
    """A text in small, for what stands behind the models."""
    return EndLabel(f"<span style='font-size:{theme.SMALL_SIZE}px'>{text}</span>", y, 18.0, colour)


def end_labels(
    labels: Sequence[EndLabel],
    y_range: tuple[float, float],
    pixels: float,
    x: float,
    side: str = "left",
) -> list[Piece]:
    """The labels beside a plot `pixels` high, pushed apart where they would overlap. An arrow is
    added to the label of a line that leaves the range.

    x : where the lines end. The labels stand there and leave the view with it: beside a part of
    the plot they would name heights that the lines do not have there.
    """
    low, high = y_range
    heights = [min(max(label.y, low), high) for label in labels]
    centres = [(y - low) / (high - low) * pixels for y in heights]
    placed = spread(centres, [label.size for label in labels], -12.0, pixels + 6.0)
    return [
        _end_label(label, y_range, (x, y), at - centre, side)
        for label, y, at, centre in zip(labels, heights, placed, centres, strict=True)
    ]


def _end_label(
    label: EndLabel,
    y_range: tuple[float, float],
    end: tuple[float, float],
    shift: float,
    side: str,
) -> Piece:
    off = " ↓" if label.y < y_range[0] else " ↑" if label.y > y_range[1] else ""
    text = label.text.replace("<br>", f"{off}<br>", 1) if "<br>" in label.text else label.text + off
    font = {"size": theme.LABEL_SIZE, "color": label.colour}
    left = side == "left"
    place = {"xanchor": "right" if left else "left", "xshift": -12 if left else 6}
    ends = {"yanchor": "middle", "yshift": round(shift, 1), "align": place["xanchor"]}
    return note(text, end[0], end[1], font=font, **place, **ends)


def gutter(styles: Styles) -> int:
    """Room for model labels, from the names alone, so that it does not move with the numbers."""
    wide = [10.5 * (len(style.name) + 7) for style in styles.values()]
    small = [7.0 * min(len(style.small), 28) for style in styles.values()]
    return int(min(max([126.0, *wide, *small]) + 8, 220))
