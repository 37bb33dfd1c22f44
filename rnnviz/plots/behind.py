"""What lies behind the curves of the error: pinned ghosts, theory, single losses, several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rnnviz.plots import curves, log_curves, theme
from rnnviz.plots.drawing import Piece, Range
from rnnviz.plots.marks import EndLabel, small_label
from rnnviz.plots.rails import Drawn
from rnnviz.plots.seed_bands import seed_pieces
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.gradients import GradientFlow
    from rnnviz.analysis.own_losses import OwnLoss
    from rnnviz.analysis.predictions import Predictions
    from rnnviz.analysis.seed_bands import SeedBand

MOST_SAID = 3
"""Of so many models what stands behind their curves has labels, medians over seeds and single
losses: of more these would lie over the names."""
GHOST_DASH = "5px,4px"


def lines_behind(
    flows: Sequence[GradientFlow],
    styles: Styles,
    y_range: Range,
    *,
    pinned: Drawn,
    theory: Mapping[str, Predictions],
    losses: Sequence[OwnLoss],
    bands: Sequence[SeedBand],
) -> tuple[list[Piece], list[EndLabel]]:
    """What is drawn before the models' own curves, and what stands at its ends, but for the names
    of ghosts, which hang on the curves (`ghost_names`)."""
    seeds = [seed_pieces(band, styles[band.label], y_range) for band in bands]
    predicted = _predicted(flows, theory, styles)
    own = _own_losses(losses, flows, styles)
    pieces = [piece for found, _ in seeds for piece in found]
    pieces += [_ghost(style, curve) for style, curve in pinned]
    pieces += [piece for piece, _ in (*predicted, *own)]
    labels = [label for _, label in predicted]
    if len(flows) <= MOST_SAID:
        labels += [label for _, label in own if label is not None]
    if len(seeds) <= MOST_SAID:
        labels += [label for _, found in seeds for label in found]
    return pieces, labels


def ghost_names(pinned: Drawn, drawn: Drawn) -> list[EndLabel]:
    """A ghost's name for the end of its line, only where it differs from its model."""
    names = []
    for style, curve in pinned:
        if curve.finite[curve.end] and not _covered(style, curve, drawn):
            end = float(curve.values[curve.end])
            name = caption("pinned", model=style.name)
            names.append(small_label(f"{name} {signed(curve.left)}", end, style.colour))
    return names


def _covered(style: theme.Style, curve: curves.Relative, drawn: Drawn) -> bool:
    """Whether a ghost ends where its model still ends: a second label would only be in the way."""
    return any(
        style.title == other.title and abs(curve.left - live.left) < 0.3 for other, live in drawn
    )


def _ghost(style: theme.Style, curve: curves.Relative) -> Piece:
    faded = {"color": style.colour, "width": 2, "dash": GHOST_DASH}
    return curves.line(curve, caption("pinned", model=style.title), line=faded, opacity=0.6)


def _predicted(
    flows: Sequence[GradientFlow],
    theory: Mapping[str, Predictions],
    styles: Styles,
) -> log_curves.Lines:
    found = [(flow, theory[flow.label]) for flow in flows if flow.label in theory]
    return [pair for f, p in found for pair in log_curves.theory_over_flow(f, p, styles[f.label])]


def _own_losses(
    losses: Sequence[OwnLoss], flows: Sequence[GradientFlow], styles: Styles
) -> list[tuple[Piece, EndLabel | None]]:
    """A thin line a loss, relative to what all losses together send to step T; the last loss of a
    model, which comes from furthest, with what is left of it."""
    flow_of, found = {flow.label: flow for flow in flows}, []
    last = {own.label: own.step for own in losses}
    for own in losses:
        flow, style = flow_of[own.label], styles[own.label]
        backward = flow.direction == 1
        whole = curves.relative(flow.state, backward=backward)
        curve = curves.relative(own.state, whole.reference, backward)
        thin = {"color": style.colour, "width": 1, "dash": style.dash}
        name = caption("own_loss", model=style.title, step=flow.real_step(own.step))
        line = curves.line(curve, name, line=thin, opacity=0.7, hoverinfo="skip")
        ends = own.step == last[own.label] and curve.finite[curve.end]
        found.append((line, _own_label(curve, flow.real_step(own.step), style) if ends else None))
    return found


def _own_label(curve: curves.Relative, step: int, style: theme.Style) -> EndLabel:
    left = float(curve.values[curve.end])
    said = signed(left, 0 if abs(left) >= 100 else 1)
    text = caption("own_loss_end", step=step, decades=said)
    return small_label(text, left, style.colour)
