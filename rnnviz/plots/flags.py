"""The band above a time axis: where the clue is, where the loss is, which way error travels."""

from __future__ import annotations

from collections.abc import Sequence

from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import note, on_paper, rule, spread

CHARACTER = 7.6
"""Pixels a character of the band is wide, on average."""
ARROWS = ("◀━━━ error travels this way", "error travels this way ━━━▶")
MOST_FLAGS = 2


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
    sizes = [CHARACTER * len(text) + 14 for text, _ in words]
    wanted = [scale * (step - 1) for _, step in words]
    placed = spread(wanted, sizes, 0.0, width)
    texts = [
        _flag(text, step, at - here)
        for (text, step), at, here in zip(words, placed, wanted, strict=True)
    ]
    return rules, texts + _arrow(placed, sizes, width, ARROWS[backward])


def _clue_words(clues: Sequence[int]) -> list[tuple[str, float]]:
    """Each text of the band and the step it belongs to."""
    if len(clues) <= MOST_FLAGS:
        return [(f"clue, step {step}", float(step)) for step in clues]
    return [(f"clues at {len(clues)} steps", (clues[0] + clues[-1]) / 2)]


def _loss_words(loss_at: str, seq_len: int, backward: bool) -> str:
    if backward and loss_at == "last":
        return "read last: error enters, step 1"
    if loss_at == "ends":
        return "loss at each end"
    return "loss at every step" if loss_at == "every" else f"loss, step {seq_len}"


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
    length = CHARACTER * len(text)
    if room < length + 40:
        return []
    # A drawn arrow would make the browser measure its path at every update: a fifth of the cost.
    place = {"xanchor": "center", "yanchor": "bottom", "yshift": 4}
    return [on_paper(text, middle / width, 1, font={"size": theme.NOTE_SIZE}, **place)]
