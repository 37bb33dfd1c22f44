"""Below the fold of Gradient flow: the pair matrix, the lag profile, the sums in ∂L/∂W_hh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from rnnviz import frames
from rnnviz.analysis.pairs import PairMatrix
from rnnviz.dashboard import compute, layout, measured
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.layout import switch
from rnnviz.experiment import Experiment
from rnnviz.plots import contributions as contribution_plots
from rnnviz.plots import lags as lag_plots
from rnnviz.plots import pairs as pair_plots
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing
from rnnviz.views.theory import of_lags, silent, words
from rnnviz.wording.numbers import scientific
from rnnviz.wording.texts import fill, texts

OWN_STEPS = "step of its own, from the end of the sequence"
SHORT = "own step, from the end"


@dataclass(frozen=True)
class Panels:
    """What the panels are of: each model's layer in front, and how it is drawn. backward: steps are
    the layers' own, which read from the end."""

    experiment: Experiment
    labels: tuple[str, ...]
    styles: dict[str, theme.Style]
    backward: bool


def draw(panels: Panels) -> None:
    """One expander a panel; what is not open is not computed."""
    text = texts("gradient_flow")
    for title, panel in (
        (text["title_pairs"], _pairs),
        (text["title_lags"], _lags),
        (text["title_contributions"], _contributions),
    ):
        with layout.lazy(title) as opened:
            if opened:
                panel(panels)


def _pairs(panels: Panels) -> None:
    """A loss at the last step alone makes a single row: then a loss at every step is offered."""
    text, shown = texts("gradient_flow"), panels.experiment
    offered = shown.loss_at == "last" and not shown.train_steps
    if offered and switch(text["pairs_every"], "pairs_every"):
        shown = replace(shown, loss_at="every")
    result = measured.measured("pairs", shown, panels.labels)
    if result.found:
        _pair_charts(panels, result.found)
    _refusals(result)
    if result.found:
        st.caption(_pair_words(result.found, shown))
        layout.data_button("pair-matrix", lambda: frames.pair_frame(result.found))


def _pair_charts(panels: Panels, matrices: Sequence[PairMatrix]) -> None:
    text, time = texts("gradient_flow"), OWN_STEPS if panels.backward else pair_plots.TIME
    if all(len(m.losses) <= 1 for m in matrices):
        st.caption(text["pairs_one_row"])
        figure = pair_plots.one_loss_figure.plain(matrices, styles=panels.styles, time_title=time)
        alt = "Gradient of the only loss at each step, log10, one line a model"
        tall_chart(figure, "one-loss", alt, not panels.backward)
        layout.how_to_read(text["how_to_read_one_loss"])
        return
    narrow = SHORT if panels.backward else pair_plots.TIME
    figure = pair_plots.pair_heatmaps.plain(matrices, styles=panels.styles, time_title=narrow)
    alt = "Gradient of each loss at each step, log10, one panel a model"
    tall_chart(figure, "pairs", alt, not panels.backward)
    layout.how_to_read(text["how_to_read_pairs"])
    sums = pair_plots.cancellation_figure.plain(matrices, styles=panels.styles, time_title=time)
    alt = "Norm of the sum of gradients over the sum of norms at each step"
    tall_chart(sums, "cancellation", alt, not panels.backward)
    layout.how_to_read(text["how_to_read_cancellation"])


def _pair_words(matrices: Sequence[PairMatrix], shown: Experiment) -> str:
    """How well the sums come out, and of how many sequences this is."""
    text = texts("gradient_flow")
    worst = max((m.worst_checksum for m in matrices), default=float("nan"))
    said = [fill(text["checksum_pairs"], worst=scientific(worst))] if worst == worst else []
    if (count := measured.pair_sequences(shown)) < shown.batch_size:
        said.append(fill(text["pairs_sequences"], count=count, all=shown.batch_size))
    return " ".join(said)


def _lags(panels: Panels) -> None:
    text, experiment = texts("gradient_flow"), panels.experiment
    wanted = switch(text["theory_lags"], "lags_theory")
    result = measured.measured("lags", experiment, panels.labels)
    parts = [compute.layer(experiment, found.label) for found in result.found]
    theory = of_lags(compute.traces(experiment), parts) if wanted else {}
    if result.found:
        figure = lag_plots.lag_figure.plain(result.found, theory=theory, styles=panels.styles)
        tall_chart(figure, "lags", "Norm of the derivative over lags, log10, one line a model")
        layout.how_to_read(text["how_to_read_lags"])
    if wanted:
        if lines := words(theory):
            layout.how_to_read(" ".join([lines, text["how_to_read_theory_lags"]]))
        if said := silent(theory):
            layout.warn(said)
    _refusals(result)
    layout.data_button("lag-profile", lambda: frames.lag_frame(result.found))


def _contributions(panels: Panels) -> None:
    text = texts("gradient_flow")
    result = measured.measured("contributions", panels.experiment, panels.labels)
    if result.found:
        time = OWN_STEPS if panels.backward else contribution_plots.TIME
        figure = contribution_plots.contributions_figure.plain(
            result.found, styles=panels.styles, time_title=time
        )
        alt = "Each step's part of the gradient of W_hh, and its share"
        tall_chart(figure, "contributions", alt, not panels.backward)
        layout.how_to_read(text["how_to_read_contributions"])
        worst = max(c.checksum for c in result.found)
        if worst == worst:
            st.caption(fill(text["checksum_contributions"], worst=scientific(worst)))
    _refusals(result)
    layout.data_button("contributions", lambda: frames.contribution_frame(result.found))


def _refusals(result: measured.Measured) -> None:
    for refusal in result.refusals:
        layout.warn(refusal)


def tall_chart(figure: Drawing, key: str, alt: str, time_axis: bool = False) -> None:
    """A chart as high as its figure says. time_axis: whether x is the input's step, which one
    cursor marks in all figures."""
    live_chart(
        figure,
        key=key,
        height=figure["layout"]["height"],
        time_axis=time_axis,
        filename=f"rnnviz-{key}",
        alt=alt,
    )
