"""Does the error reach the past? Curves of ‖∂L/∂s_t‖ through time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.plots import curves, theme
from rnnviz.plots.behind import ghost_names, lines_behind
from rnnviz.plots.detail import flow_detail_figure
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Range, drawing
from rnnviz.plots.heatmaps import unit_heatmaps
from rnnviz.plots.marks import (
    EndLabel,
    end_labels,
    flags,
    gutter,
    model_label,
    note,
    on_paper,
    rule,
)
from rnnviz.plots.panels import UNSEEN
from rnnviz.plots.rails import Bands, Drawn, all_rails
from rnnviz.plots.seed_bands import finite_values
from rnnviz.plots.theme import Styles
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow
    from rnnviz.analysis.own_losses import OwnLoss
    from rnnviz.analysis.predictions import Predictions
    from rnnviz.analysis.rates import Curve
    from rnnviz.analysis.seed_bands import SeedBand

__all__ = ["flow_detail_figure", "flow_figure", "flow_range", "unit_heatmaps"]

HEIGHT = 372
MARGIN = {"t": 34, "b": 50, "r": 92}
STEADY = (-26.0, 4.0)
"""Decades that are always shown, so that the picture stands still while a knob moves."""
QUANTITIES: Mapping[str, str] = {
    "state": "‖∂L/∂s<sub>t</sub>‖",
    "h": "‖∂L/∂h<sub>t</sub>‖",
    "c": "‖∂L/∂c<sub>t</sub>‖",
    "direct": "‖∂⁺L/∂h<sub>t</sub>‖",
}


@FigureFunction
def flow_figure(
    flows: Sequence[GradientFlow],
    *,
    ghosts: Sequence[GradientFlow] = (),
    quantity: str = "state",
    clue_steps: Sequence[int] = (1,),
    loss_at: str = "last",
    y_range: Range | None = None,
    styles: Styles | None = None,
    height: int = HEIGHT,
    time_title: str | None = None,
    theory: Mapping[str, Predictions] | None = None,
    losses: Sequence[OwnLoss] = (),
    bands: Sequence[SeedBand] = (),
) -> Drawing:
    """log10 of a gradient's norm at steps 1..T, relative to each model's own value at step T.

    y is linear in decades: down 3 is a thousandth. The axis stands on the right, where the
    reading begins; each line ends on the left in its model's name and its decades at step 1, of
    sequences of different lengths those from their own ends (`GradientFlow.reach_log10`).
    Of layers that read from the end (`GradientFlow.direction`) the figure is the mirror image, for
    their error travels from step 1 to step T.
    The initial state (step 0) is left out. What is no number is drawn on a rail off the axis, below
    (exactly zero, rounded to zero) or above it (infinite, NaN), and says which steps;
    steps that were not recorded are a gap. A thin dotted stretch is a value known by its
    logarithm that float64 itself could not store.

    Parameters
    ----------
    ghosts : earlier results, drawn faded and dashed under the models, in their models' colours.
    quantity : "state", "h", "c" or "direct"; models without it are left out.
    clue_steps : steps (from 1 on) that get a flag.
    loss_at : "last", "every" or "ends" (of sequences of different lengths); only the words on the
        flag at T differ.
    y_range : decades (low, high). None takes `flow_range`.
    styles : the page's styles, by label (`theme.model_styles`).
    height : in pixels, as drawn; the labels at the line ends are spaced for it.
    time_title : what the steps are, where they are not the input's.
    theory : what is predicted of models, by label, drawn thin under their curves.
    losses : of these models what single losses send back, drawn thin on the same scale.
    bands : of these models several seeds, as a band under the curve, with their median.

    Raises ValueError for an unknown quantity.

    Examples
    --------
    >>> flows = [analysis.gradient_flow(trace, label) for label, trace in traces.items()]
    >>> figure = plots.flow_figure(flows)
    """
    known = theme.styles_for([flow.label for flow in flows], styles)
    drawn = _drawn(flows, quantity, known)
    pinned = _drawn(ghosts, quantity, theme.styles_for([flow.label for flow in ghosts], known))
    decades = y_range or flow_range((*flows, *ghosts), quantity, bands=bands)
    seq_len = max((curve.seq_len for _, curve in drawn + pinned), default=1)
    backward = any(curve.backward for _, curve in drawn + pinned)
    behind, behind_names = lines_behind(
        flows, known, decades, pinned=pinned, theory=theory or {}, losses=losses, bands=bands
    )
    lines = [piece for style, curve in drawn for piece in curves.lines(curve, style)]
    off, rails, said, ends = all_rails(drawn, decades, _inside(height))
    names = _names(drawn, ends, decades[0]) + ghost_names(pinned, drawn) + behind_names
    side = (seq_len, "right") if backward else (1, "left")
    labels = end_labels(names, off.y_range, _inside(height), *side)
    edges, edge_notes = _float64_ends(drawn, seq_len, decades)
    clues = flags(clue_steps, loss_at, seq_len, _plot_width(known), backward)
    flag_rules, flag_notes = clues if drawn else ([], [])
    layout = {**_layout(seq_len, quantity, off, known, backward), "height": height}
    layout["xaxis"]["title"] = {"text": time_title or caption("time_step")}
    layout["shapes"] = off.shapes() + flag_rules + edges
    layout["annotations"] = labels + said + edge_notes + flag_notes + _nothing(drawn, quantity)
    return drawing(behind + lines + rails or [UNSEEN], layout, f"flow-{quantity}")


def flow_range(
    flows: Sequence[GradientFlow],
    quantity: str = "state",
    steady: Range = STEADY,
    bands: Sequence[SeedBand] = (),
) -> Range:
    """Decades (low, high) that hold every number of these curves and bands, and at least `steady`.

    Examples
    --------
    >>> flows = [analysis.gradient_flow(trace, label) for label, trace in traces.items()]
    >>> plots.flow_range(flows)
    (-26.0, 4.0)
    """
    found = [curves.relative(curve) for curve in _curves(flows, quantity) if curve is not None]
    values = np.concatenate([finite_values(bands), *(c.values[c.finite] for c in found)])
    low = min(steady[0], values.min(initial=0.0))
    high = max(steady[1], values.max(initial=0.0))
    if (low, high) == steady:
        return steady
    step = 2.0 if high - low < 200 else 20.0
    pad = 0.04 * (high - low)
    low = min(steady[0], step * np.floor((values.min(initial=0.0) - pad) / step))
    high = max(steady[1], step * np.ceil((values.max(initial=0.0) + pad) / step))
    return float(low), float(high)


def _curves(flows: Sequence[GradientFlow], quantity: str) -> list[Curve | None]:
    if quantity not in QUANTITIES:
        allowed = ", ".join(QUANTITIES)
        raise ValueError(f"quantity: {quantity!r} is not known; allowed are {allowed}")
    return [getattr(flow, quantity) for flow in flows]


def _drawn(flows: Sequence[GradientFlow], quantity: str, styles: Styles) -> Drawn:
    pairs = zip(flows, _curves(flows, quantity), strict=True)
    return [
        (styles[flow.label], _relative(flow, c, quantity)) for flow, c in pairs if c is not None
    ]


def _relative(flow: GradientFlow, curve: Curve, quantity: str) -> curves.Relative:
    """The curve, and what is left of the state's error where that is no value of the curve."""
    found = curves.relative(curve, backward=flow.direction == 1)
    own = flow.own_rate is not None and quantity == "state"
    return replace(found, reach=flow.reach_log10) if own else found


def _names(drawn: Drawn, ends: Mapping[int, float], floor: float) -> list[EndLabel]:
    """Models' names for the ends of their lines."""
    names = []
    for index, (style, curve) in enumerate(drawn):
        known = curve.finite[curve.end]
        end = float(curve.values[curve.end]) if known else ends.get(index, floor)
        names.append(model_label(style, curves.end_sign(curve), end))
    return names


def _inside(height: int) -> int:
    """Pixels of the plot itself."""
    return max(height - MARGIN["t"] - MARGIN["b"], 1)


def _float64_ends(drawn: Drawn, seq_len: int, y_range: Range) -> tuple[list[Piece], list[Piece]]:
    levels = [level for _, curve in drawn for level in curves.float64_ends(curve)]
    seen = [level for level in levels if y_range[0] < level < y_range[1]]
    rules = [rule((1, seq_len), (level, level)) for level in seen]
    words = [
        note(
            caption("float64_ends"),
            1,
            level,
            xanchor="left",
            xshift=4,
            yanchor="bottom" if level < 0 else "top",
            font={"size": theme.NOTE_SIZE},
        )
        for level in {round(level): level for level in seen}.values()
    ]
    return rules, words


def _nothing(drawn: Drawn, quantity: str) -> list[Piece]:
    if any(curve.finite.any() for _, curve in drawn):
        return []
    text = caption("no_step")
    if not drawn:
        text = caption("no_cell_state") if quantity == "c" else caption("no_model")
    return [on_paper(text, 0.5, 0.5, font={"size": theme.LABEL_SIZE})]


def _plot_width(styles: Styles) -> float:
    return float(theme.WIDTH - gutter(styles) - MARGIN["r"])


def margin_of(styles: Styles, backward: bool) -> dict[str, int]:
    """Pixels around the curves of these models."""
    margin = {"l": gutter(styles), **MARGIN}
    return margin | ({"l": margin["r"], "r": margin["l"]} if backward else {})


def step_range(seq_len: int) -> Range:
    """The ends of the axis of steps."""
    pad = 0.5 if seq_len == 1 else 0.008 * (seq_len - 1)
    return max(1 - pad, 0.5), seq_len + pad


def _layout(
    seq_len: int,
    quantity: str,
    bands: Bands,
    styles: Styles,
    backward: bool,
) -> Piece:
    start = 1 if backward else seq_len
    title = caption(
        "log10_direct" if quantity == "direct" else "log10_of",
        quantity=QUANTITIES[quantity],
        step=start,
    )
    side = "left" if backward else "right"
    return {
        "margin": margin_of(styles, backward),
        "hovermode": "x unified",
        "xaxis": {
            "range": list(step_range(seq_len)),
            "showgrid": False,
            **({"dtick": 1} if seq_len < 10 else {}),
            "showspikes": False,
            "unifiedhovertitle": {"text": caption("step_relative", step=start)},
        },
        "yaxis": {
            "range": list(bands.y_range),
            "side": side,
            "title": {"text": title, "standoff": 14},
            **bands.ticks,
        },
    }
