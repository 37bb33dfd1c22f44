"""Below the fold of Gradient flow, one expander a panel; what is not open is not computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnnviz import frames
from rnnviz.analysis.layers import LayerTrace
from rnnviz.dashboard import compute, layout, measured, show
from rnnviz.dashboard.layout import switch
from rnnviz.experiment import Experiment, Run
from rnnviz.views.flow_panels import Look, contribution_pictures, lag_pictures, pair_pictures
from rnnviz.views.gradient_flow import View
from rnnviz.views.layer_choice import in_front, parts_of
from rnnviz.views.theory import of_lags
from rnnviz.wording.texts import texts


def draw(experiment: Experiment, view: View) -> None:
    """Of each model the layer in front."""
    text, look = texts("gradient_flow"), Look(view.styles, bool(view.layers.backward))
    for title, panel in (
        (text["title_pairs"], _pairs),
        (text["title_lags"], _lags),
        (text["title_contributions"], _contributions),
    ):
        with layout.lazy(title) as opened:
            if opened:
                panel(compute.traces(experiment), view, look)


def _parts(run: Run, view: View) -> Sequence[LayerTrace]:
    return in_front(parts_of(run), view.layers)


def _pairs(run: Run, view: View, look: Look) -> None:
    """A loss at the last step alone makes a single row: then a loss at every step is offered."""
    text, experiment = texts("gradient_flow"), run.experiment
    assert experiment is not None
    offered = experiment.loss_at == "last" and not experiment.train_steps
    if offered and switch(text["pairs_every"], "pairs_every"):
        run = compute.traces(replace(experiment, loss_at="every"))
    sequences = measured.pair_sequences(run)
    result = measured.measured("pairs", run, _parts(run, view))
    if result.found:
        items = pair_pictures(result.found, look, sequences, experiment.batch_size)
        show.show(items, look.styles)
    _refusals(result)
    if result.found:
        layout.data_button("pair-matrix", lambda: frames.pair_frame(result.found))


def _lags(run: Run, view: View, look: Look) -> None:
    wanted = switch(texts("gradient_flow")["theory_lags"], "lags_theory")
    parts = _parts(run, view)
    result = measured.measured("lags", run, parts)
    if result.found:
        labels = {profile.label for profile in result.found}
        known = [part for part in parts if part.label in labels]
        theory = of_lags(run, known) if wanted else None
        show.show(lag_pictures(result.found, look, theory), look.styles)
    _refusals(result)
    layout.data_button("lag-profile", lambda: frames.lag_frame(result.found))


def _contributions(run: Run, view: View, look: Look) -> None:
    result = measured.measured("contributions", run, _parts(run, view))
    if result.found:
        show.show(contribution_pictures(result.found, look), look.styles)
    _refusals(result)
    layout.data_button("contributions", lambda: frames.contribution_frame(result.found))


def _refusals(result: measured.Measured) -> None:
    for refusal in result.refusals:
        layout.warn(refusal)
