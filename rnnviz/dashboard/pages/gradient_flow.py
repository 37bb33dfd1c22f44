"""Does the error reach the past?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.dashboard import compute, layout, measured, offers, show
from rnnviz.dashboard.components.flow_chain import flow_chain
from rnnviz.dashboard.layout import switch
from rnnviz.dashboard.show import equations
from rnnviz.dashboard.state import SHOWS, Setting, view_key, widget
from rnnviz.experiment import Experiment, Run
from rnnviz.views import saliency
from rnnviz.views.flow_chain import NONE, chosen
from rnnviz.views.flow_panels import (
    Look,
    contribution_pictures,
    lag_pictures,
    pair_pictures,
    precision_rows,
    precision_words,
    slope_words,
)
from rnnviz.views.gradient_flow import QUANTITIES, Choices, View, pictures, quantity_picture
from rnnviz.views.layer_choice import in_front, parts_of
from rnnviz.views.theory import of_lags
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import say, texts

COLUMNS = ("model", "reach_log10", "decades_per_step", "r2", "window_start", "window_stop",
           "half_or_double_steps", "e_fold_steps")  # fmt: skip
STEP, OUTPUT, STEP_WIDTH = "view_step", "view_output", 140
SEEDS, SEEDS_OFFERED, SEEDS_WIDTH = "view_seeds", ("1", "5", "11"), 116
"""How many seeds are drawn: odd, so that the median is one of them."""
CHAIN, CHAIN_WIDTH = "view_chain", 128
"""Whose chain stands above the curves."""
FEW_CHOICES, MANY_CHOICES = (2, 5), (1, 4)
"""How the question and the choices share a line, which has room for those of directions, too."""


def page(setting: Setting) -> None:
    """Verdict, one large figure, unit × time below it."""
    shares = MANY_CHOICES if setting.experiment.bidirectional == "yes" else FEW_CHOICES
    left, right = st.columns(shares, vertical_alignment="center")
    with left:
        layout.question(texts("gradient_flow")["question"])
    view = _view(setting)
    with right, show.choices_row():
        show.layer_choice(view.layers, small=True)
        layout.choice(texts("gradient_flow")["seeds"], SEEDS_OFFERED, SEEDS, SEEDS_OFFERED[0],
                      _seeds_name, SEEDS_WIDTH)  # fmt: skip
        models = [str(model) for model in setting.experiment.models]
        layout.choice(texts("gradient_flow")["whose_chain"], (*models, NONE), CHAIN, models[0],
                      _chain_name, CHAIN_WIDTH)  # fmt: skip
        show.page_switch(show.WHY, texts("gradient_flow")["why"])
        show.theory_switch()
    offers.offer(setting, view.choices, view, st.session_state.get("preset") or "")
    if not layout.link_messages(setting.experiment):
        layout.preset_words(setting.experiment)
    above = {"flow-state": partial(flow_chain, view, st.session_state[SHOWS])}
    show.show(pictures(view), view.styles, above=above)


def _chain_name(model: str) -> str:
    if model == NONE:
        return texts("gradient_flow")["no_chain"]
    return say("gradient_flow", "one_chain", name=display_name(model))


def _seeds_name(count: str) -> str:
    return say("gradient_flow", "seed_one" if count == "1" else "seeds_many", count=count)


def _view(setting: Setting) -> View:
    layer, direction = show.chosen_layer()
    seeds = int(layout.kept(SEEDS, SEEDS_OFFERED, SEEDS_OFFERED[0]))
    chain = chosen([str(model) for model in setting.experiment.models], layout.chosen(CHAIN))
    why = show.is_on(show.WHY)
    choices = Choices(layer, direction, show.theory_is_on(), why, seeds, chain=chain)
    return compute.flow_view(setting.experiment, choices, setting.pinned)


def details(setting: Setting) -> None:
    """Other gradients than the state's, the numbers, the equations."""
    view = _view(setting)
    st.divider()
    name = view_key("view_quantity")
    if st.session_state.get(name) not in QUANTITIES:
        st.session_state[name] = None
    chosen = st.segmented_control(
        texts("gradient_flow")["quantity"],
        list(QUANTITIES),
        format_func=lambda name: texts("gradient_flow")[f"quantity_{name}"],
        **widget(name, default="default"),
    )
    if chosen:
        show.chart(quantity_picture(view, chosen))
    _panels(setting.experiment, view)
    _numbers(view)
    equations(compute.plan(setting.experiment))


def _numbers(view: View) -> None:
    flows = view.drawn
    with layout.lazy(texts("gradient_flow")["numbers"]) as opened:
        if opened:
            layout.table(_slopes(flows))
            layout.how_to_read(slope_words(flows))
            _data_button("gradient-flow", view, lambda: frames.gradient_frame(flows))
            if view.bands:
                _data_button("seeds", view, lambda: frames.seed_frame(view.bands))
            if view.splits:
                _data_button(
                    "step-factors",
                    view,
                    lambda: frames.step_factor_frame(view.splits, view.backward),
                )


def _data_button(name: str, view: View, frame: Callable[[], pd.DataFrame]) -> None:
    """Of a whole batch: its columns say where steps are the layers' own."""
    layout.data_button(name, lambda: frames.in_own_steps(frame(), view.own_order))


def _slopes(flows: Sequence[GradientFlow]) -> pd.DataFrame:
    frame = frames.slope_frame(flows)
    frame["model"] = frame["model"].map(display_name)
    text = texts("gradient_flow")
    return frame[list(COLUMNS)].rename(columns={name: text[f"column_{name}"] for name in COLUMNS})


def _panels(experiment: Experiment, view: View) -> None:
    """Of each model the layer in front."""
    text = texts("gradient_flow")
    look = Look(view.styles, bool(view.layers.backward), view.lower)
    for title, panel in (
        (text["title_pairs"], _pairs),
        (text["title_lags"], _lags),
        (text["title_contributions"], _contributions),
        (text["title_precision"], _precision),
        (text["title_saliency"], _saliency),
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
        _data_button("pair-matrix", view, lambda: frames.pair_frame(result.found, view.backward))


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
    layout.data_button("lag-profile", lambda: frames.lag_frame(result.found, look.backward))


def _contributions(run: Run, view: View, look: Look) -> None:
    result = measured.measured("contributions", run, _parts(run, view))
    if result.found:
        show.show(contribution_pictures(result.found, look), look.styles)
    _refusals(result)
    _data_button("contributions", view,
                 lambda: frames.contribution_frame(result.found, view.backward))  # fmt: skip


def _precision(run: Run, view: View, look: Look) -> None:
    result = measured.measured("precision", run, _parts(run, view))
    if result.found:
        layout.table(pd.DataFrame(precision_rows(result.found, view.flows)))
        layout.how_to_read(texts("gradient_flow")["how_to_read_precision"])
        show.show([precision_words(result.found, view.flows)], look.styles)
    _refusals(result)


def _saliency(run: Run, view: View, look: Look) -> None:
    text, step = texts("gradient_flow"), layout.chosen(STEP)
    found = saliency.view(run, int(step) if step.isdecimal() else None, layout.chosen(OUTPUT))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        own = widget(view_key(STEP), found.step)
        st.number_input(text["saliency_step"], 1, found.steps, width=STEP_WIDTH, **own)
        answer = found.outputs[found.output]
        layout.choice(text["saliency_output"], found.outputs, OUTPUT, answer, width=STEP_WIDTH)
    show.show(saliency.pictures(found), look.styles)
    layout.data_button("saliency", lambda: frames.saliency_frame(found.found))


def _refusals(result: measured.Measured) -> None:
    for refusal in result.refusals:
        layout.warn(refusal)
