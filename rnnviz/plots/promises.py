"""The line at 1/γ and what lies above and below it. Used by `spectra`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnviz.plots import theme
from rnnviz.plots.drawing import Piece
from rnnviz.plots.marks import note, rule

if TYPE_CHECKING:
    from rnnviz.analysis.spectra import Spectrum


def edge_rule(height: float) -> Piece:
    """Across the plot, at this singular value."""
    line = {"color": theme.GREY, "width": 2}
    return rule((0, 1), (height, height), xref="x domain", line=line, layer="above")


def promises(spectra: Sequence[Spectrum], edges: Sequence[float], promise: bool) -> list[Piece]:
    """Right of the plot, at 1/γ: what lies above and below. A simple cell alone is promised any."""
    notes = []
    for edge in edges:
        simple = any(s.simple for s in spectra if 1 / s.lipschitz == edge)
        text = f"<b>1/γ = {edge:g}</b>"
        if simple and promise:
            text = f"above: may explode<br>{text}<br>below: must vanish"
        else:
            alone = "W<sub>hh</sub> alone<br>does not decide"
            text += f"<br>{alone if simple else 'no single gate<br>decides'}"
        place = {"xref": "paper", "xanchor": "left", "xshift": 6, "align": "left"}
        notes.append(note(text, 1, edge, font={"size": theme.TICK_SIZE}, **place))
    return notes
