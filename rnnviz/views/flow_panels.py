"""Below the fold of Gradient flow: the pair matrix, the lag profile, the sums in ∂L/∂W_hh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.contributions import Contributions
from rnnviz.analysis.lags import LagProfile
from rnnviz.analysis.pairs import PairMatrix
from rnnviz.analysis.predictions import Predictions
from rnnviz.plots import contributions as contribution_plots
from rnnviz.plots import pairs as pair_plots
from rnnviz.plots import theme
from rnnviz.views.picture import Picture, Words
from rnnviz.views.theory import silent, words
from rnnviz.wording.figures import caption
from rnnviz.wording.numbers import scientific
from rnnviz.wording.texts import fill, texts


@dataclass(frozen=True)
class Look:
    """How the panels are drawn. backward: steps are the layers' own, which read from the end."""

    styles: Mapping[str, theme.Style]
    backward: bool = False

    def time_title(self, short: bool = False) -> str | None:
        """What the steps are called, where they are not the input's."""
        name = "own_step_short" if short else "own_step"
        return caption(name) if self.backward else None


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
    worst = max((m.worst_checksum for m in matrices), default=float("nan"))
    said = [fill(text["checksum_pairs"], worst=scientific(worst))] if worst == worst else []
    if sequences < batch_size:
        said.append(fill(text["pairs_sequences"], count=sequences, all=batch_size))
    if said:
        yield Words("note", (" ".join(said),))


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
    text = texts("gradient_flow")
    yield Picture(
        "pairs",
        pair_plots.pair_heatmaps.plain(
            matrices, styles=look.styles, time_title=look.time_title(short=True)
        ),
        text["alt_pairs"],
        text["how_to_read_pairs"],
        time_axis=not look.backward,
    )
    yield Picture(
        "cancellation",
        pair_plots.cancellation_figure.plain(
            matrices, styles=look.styles, time_title=look.time_title()
        ),
        text["alt_cancellation"],
        text["how_to_read_cancellation"],
        time_axis=not look.backward,
    )


def lag_pictures(
    profiles: Sequence[LagProfile], look: Look, theory: Mapping[str, Predictions] | None = None
) -> Iterator[Picture | Words]:
    """How far a past step still reaches. theory: what is predicted, None if it was not asked."""
    text, predicted = texts("gradient_flow"), theory or {}
    how = [text["how_to_read_lags"]]
    if lines := words(predicted):
        how += [lines, text["how_to_read_theory_lags"]]
    yield Picture(
        "lags",
        pair_plots.lag_figure.plain(profiles, theory=predicted, styles=look.styles),
        text["alt_lags"],
        " ".join(how),
    )
    if said := silent(predicted):
        yield Words("warning", (said,))


def contribution_pictures(
    contributions: Sequence[Contributions], look: Look
) -> Iterator[Picture | Words]:
    """What each step adds to ∂L/∂W_hh, and how well the sum comes out."""
    text = texts("gradient_flow")
    nothing = all(np.isneginf(each.log10_norm[0]) for each in contributions)
    how = text["how_to_read_contributions"], text["how_to_read_first_state"] * nothing
    yield Picture(
        "contributions",
        contribution_plots.contributions_figure.plain(
            contributions,
            styles=look.styles,
            time_title=look.time_title(),
        ),
        text["alt_contributions"],
        " ".join(filter(None, how)),
        time_axis=not look.backward,
    )
    worst = max(c.checksum for c in contributions)
    if worst == worst:
        yield Words("note", (fill(text["checksum_contributions"], worst=scientific(worst)),))
