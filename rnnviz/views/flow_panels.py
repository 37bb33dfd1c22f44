"""Below the fold of Gradient flow: the pair matrix, the lag profile, the sums in ∂L/∂W_hh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from rnnviz.analysis.contributions import Contributions
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.lags import LagProfile
from rnnviz.analysis.pairs import PairMatrix
from rnnviz.analysis.precision import FORMATS, Held, Precision, Recursion
from rnnviz.analysis.predictions import Predictions
from rnnviz.plots import contributions as contribution_plots
from rnnviz.plots import pairs as pair_plots
from rnnviz.plots import theme
from rnnviz.views.picture import Picture, Words
from rnnviz.views.rounding import saturation_words
from rnnviz.views.theory import silent, words
from rnnviz.wording.lists import clauses, names, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import counted, scientific
from rnnviz.wording.texts import caption, fill, say, texts

LAG_THEORY = {
    "mean field": "how_to_read_lags_mean_field",
    "gate alone": "how_to_read_lags_gate_alone",
    "bound": "how_to_read_lags_bound",
}
"""What is to be said of a kind of prediction beside the lag profile."""


@dataclass(frozen=True)
class Look:
    """How the panels are drawn. backward: steps are the layers' own, which read from the end.
    lower: whether any layer stands below its model's last one, so that its error comes from there.
    """

    styles: Mapping[str, theme.Style]
    backward: bool = False
    lower: bool = False

    def time_title(self, short: bool = False) -> str | None:
        """What the steps are called, where they are not the input's."""
        name = "own_step_short" if short else "own_step"
        return caption(name) if self.backward else None


def slope_words(flows: Sequence[GradientFlow]) -> str:
    """How the table of slopes is read."""
    text, own = texts("gradient_flow"), any(flow.own_rate for flow in flows)
    return sentences([text["how_to_read_table"], text["how_to_read_table_own_ends"] * own])


def pair_pictures(
    matrices: Sequence[PairMatrix], look: Look, sequences: int, batch_size: int
) -> Iterator[Picture | Words]:
    """Which loss reaches which step, and how well the sums come out, of the first `sequences` of
    `batch_size`; a single row of a matrix as a line."""
    text = texts("gradient_flow")
    if all(len(m.losses) <= 1 for m in matrices):
        yield Words("note", (text["pairs_one_row"],))
        yield _one_loss(matrices, look)
    else:
        yield from _every_loss(matrices, look)
    some = {m.label: m.worst_checksum for m in matrices if not np.isneginf(m.state).all()}
    said = _checksums("checksum_pairs", some)
    if sequences < batch_size:
        said.append(fill(text["pairs_sequences"], count=sequences, all=batch_size))
    if said:
        yield Words("note", (sentences(said),))


def _checksums(name: str, found: Mapping[str, float]) -> list[str]:
    """The worst of those that are numbers, by label, and whose are none. found: of all models that
    any error reaches."""
    text, checked = texts("gradient_flow"), [v for v in found.values() if isfinite(v)]
    if not checked:
        return []
    said = [fill(text[name], worst=scientific(max(checked)))]
    if none := [display_name(label) for label, value in found.items() if not isfinite(value)]:
        said.append(fill(text["checksum_none"], names=names(none)))
    return said


def _one_loss(matrices: Sequence[PairMatrix], look: Look) -> Picture:
    text, time = texts("gradient_flow"), look.time_title()
    return Picture(
        "one-loss",
        pair_plots.one_loss_figure.plain(matrices, styles=look.styles, time_title=time),
        text["alt_one_loss"],
        text["how_to_read_one_loss"],
        time_axis=not look.backward,
    )


def _every_loss(matrices: Sequence[PairMatrix], look: Look) -> Iterator[Picture]:
    text, rows = texts("gradient_flow"), "_lower" if look.lower else ""
    yield Picture(
        "pairs",
        pair_plots.pair_heatmaps.plain(
            matrices,
            styles=look.styles,
            time_title=look.time_title(short=True),
            lower=look.lower,
        ),
        text[f"alt_pairs{rows}"],
        text[f"how_to_read_pairs{rows}"],
        time_axis=not look.backward,
    )
    yield Picture(
        "cancellation",
        pair_plots.cancellation_figure.plain(
            matrices, styles=look.styles, time_title=look.time_title()
        ),
        text["alt_cancellation"],
        text[f"how_to_read_cancellation{rows}"],
        time_axis=not look.backward,
    )


def lag_pictures(
    profiles: Sequence[LagProfile], look: Look, theory: Mapping[str, Predictions] | None = None
) -> Iterator[Picture | Words]:
    """How far a past step still reaches. theory: what is predicted, None if it was not asked."""
    text, predicted = texts("gradient_flow"), theory or {}
    how = [text["how_to_read_lags"]]
    if lines := words(predicted):
        drawn = {line.name for each in predicted.values() for line in each.lines}
        how += [lines, *(text[key] for name, key in LAG_THEORY.items() if name in drawn)]
    yield Picture(
        "lags",
        pair_plots.lag_figure.plain(profiles, theory=predicted, styles=look.styles),
        text["alt_lags"],
        sentences(how),
    )
    if said := silent(predicted):
        yield Words("warning", (said,))


def contribution_pictures(
    contributions: Sequence[Contributions], look: Look
) -> Iterator[Picture | Words]:
    """What each step adds to ∂L/∂W_hh, and how well the sum comes out."""
    text = texts("gradient_flow")
    nothing = all(c.from_zero and np.isneginf(c.log10_norm[0]) for c in contributions)
    many = "" if len(contributions) <= contribution_plots.FEW else "_many"
    how = text[f"how_to_read_contributions{many}"], text["how_to_read_first_state"] * nothing
    yield Picture(
        "contributions",
        contribution_plots.contributions_figure.plain(
            contributions,
            styles=look.styles,
            time_title=look.time_title(),
        ),
        text["alt_contributions"],
        sentences(how),
        time_axis=not look.backward,
    )
    some = {c.label: c.checksum for c in contributions if not np.isneginf(c.log10_norm).all()}
    if said := _checksums("checksum_contributions", some):
        yield Words("note", (sentences(said),))


def precision_rows(
    found: Sequence[Precision], flows: Sequence[GradientFlow]
) -> list[dict[str, str]]:
    """A row a model: from where back each format would hold zero or infinity."""
    text, flow_of = texts("gradient_flow"), {flow.label: flow for flow in flows}
    rows = []
    for one in found:
        row = {text["column_model"]: display_name(one.label)}
        for k, f in enumerate(FORMATS):
            row[f.name] = _held_words(one.held[k] if one.held else None, flow_of[one.label])
        recursion = one.recursion.held if one.recursion else None
        row[text["column_recursion"]] = _held_words(recursion, flow_of[one.label])
        rows.append(row)
    return rows


def _held_words(held: Held | None, flow: GradientFlow) -> str:
    """Counted in steps back from the loss where it is a single one; ∞ is said where it comes before
    NaN."""
    if held is None:
        return say("numbers", "nan" if flow.forward_ends is None else "exploded")
    nan = held.no_number_from
    infinite = None if held.infinite_from == nan else held.infinite_from
    said = [
        sentences(
            [
                say("gradient_flow", name, step=flow.real_step(step), way=_way(flow)),
                _lag(step, flow),
            ]
        )
        for name, step in (
            ("held_zero", held.zero_from),
            ("held_infinite", infinite),
            ("held_no_number", nan),
        )
        if step is not None
    ]
    return clauses(said) or "–"


def _way(flow: GradientFlow) -> str:
    """Which way error travels in the input's steps."""
    return say("gradient_flow", "way_on" if flow.direction else "way_back")


def _lag(step: int, flow: GradientFlow) -> str:
    if flow.refilled or flow.own_rate:
        return ""
    count = flow.reach_from - step
    steps = counted(count, "steps")
    return say("gradient_flow", "held_lag", steps=steps)


def precision_words(found: Sequence[Precision], flows: Sequence[GradientFlow]) -> Words:
    """Where float32 sticks, and where derivatives are 0 in the run's format alone."""
    flow_of, said = {flow.label: flow for flow in flows}, list[str]()
    for one in found:
        if one.recursion is not None and one.recursion.sticks_from is not None:
            said.append(_sticks(one.recursion, one.recursion.sticks_from, flow_of[one.label]))
        if one.saturation is not None:
            said.append(saturation_words(one.label, one.saturation))
    return Words("note", tuple(said))


def _sticks(found: Recursion, step: int, flow: GradientFlow) -> str:
    return say(
        "gradient_flow",
        "sticks",
        name=display_name(flow.label),
        size=scientific(found.sticks_at),
        first=flow.real_step(1),
        step=flow.real_step(step),
        way=_way(flow),
    )
