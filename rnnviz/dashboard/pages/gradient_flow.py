"""Does the error reach the past?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.verdicts import trouble_verdict
from rnnviz.analysis.words import gradient_words, say
from rnnviz.dashboard import compute, layout
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment, Model
from rnnviz.plots import detail, theme
from rnnviz.plots import gradients as plots
from rnnviz.plots.heatmaps import CELLS

QUANTITIES = {"h": "h alone", "c": "c alone", "detail": "total beside direct"}
HEIGHT = 316
COARSE = 4_800
"""Cells of the unit pictures while a knob is dragged."""
COLUMNS = {
    "model": "model",
    "reach_log10": "decades from T to 1",
    "decades_per_step": "slope, decades a step",
    "r2": "R²",
    "window_start": "from step",
    "window_stop": "to step",
    "half_or_double_steps": "halves or doubles every … steps",
    "e_fold_steps": "horizon (factor e), steps",
}


def page(setting: Setting) -> None:
    """Verdict, one large figure, unit × time below it."""
    experiment, text = setting.experiment, texts("gradient_flow")
    flows = compute.flows(experiment)
    styles = theme.model_styles([flow.label for flow in flows])
    layout.question(text["question"])
    if not layout.link_messages(experiment):
        layout.preset_words(experiment)
    layout.verdict(_words(experiment), styles)
    _flow_chart(setting, "state", styles)
    layout.how_to_read(text["how_to_read"])
    live_chart(
        plots.unit_heatmaps(
            flows,
            y_range=_steady_range(setting, "state"),
            styles=styles,
            most_cells=COARSE if setting.dragging else CELLS,
        ),
        key="units",
        height=140,
        time_axis=True,
        filename="rnnviz-units",
        alt="Gradient of each hidden unit at each step, one panel a model",
    )
    layout.how_to_read(text["how_to_read_units"])
    if experiment.loss_at == "every":
        layout.warn(text["every_step_warning"])


def _words(experiment: Experiment) -> tuple[str, ...]:
    flows = compute.flows(experiment)
    spectra = {
        str(label): compute.stretch(experiment, label, "a")
        for label in experiment.models
        if Model(label).kind == "rnn"
    }
    memories = () if spectra else compute.memories(experiment)
    trouble = say(trouble_verdict(flows))
    return (*gradient_words(flows, spectra, memories), *([trouble] if trouble else []))


def _flow_chart(setting: Setting, quantity: str, styles: dict[str, theme.Style]) -> None:
    experiment = setting.experiment
    figure = plots.flow_figure(
        compute.flows(experiment),
        ghosts=_ghosts(setting),
        quantity=quantity,
        clue_steps=compute.batch(experiment).clue_steps,
        loss_at=experiment.loss_at,
        y_range=_steady_range(setting, quantity),
        styles=styles,
        height=HEIGHT,
    )
    live_chart(
        figure,
        key=f"flow-{quantity}",
        height=HEIGHT,
        time_axis=True,
        filename=f"rnnviz-flow-{quantity}",
        alt="Gradient norm at each time step, log10, relative to the last step, one line a model",
    )


def _steady_range(setting: Setting, quantity: str) -> tuple[float, float]:
    """Decades on the axis. While a knob is dragged it grows at once and shrinks after release."""
    wanted = plots.flow_range((*compute.flows(setting.experiment), *_ghosts(setting)), quantity)
    key = f"range_{quantity}"
    low, high = st.session_state.get(key, wanted) if setting.dragging else wanted
    st.session_state[key] = (min(low, wanted[0]), max(high, wanted[1]))
    return st.session_state[key]


def _ghosts(setting: Setting) -> tuple[GradientFlow, ...]:
    return compute.flows(setting.pinned) if setting.pinned is not None else ()


def details(setting: Setting) -> None:
    """Other gradients than the state's, the numbers, the equations."""
    text, experiment = texts("gradient_flow"), setting.experiment
    styles = theme.model_styles([str(model) for model in experiment.models])
    st.divider()
    if st.session_state.get("view_quantity") not in QUANTITIES:
        st.session_state["view_quantity"] = None
    chosen = st.segmented_control(
        text["quantity"], list(QUANTITIES), format_func=QUANTITIES.__getitem__, key="view_quantity"
    )
    if chosen == "detail":
        _detail_chart(setting, styles)
    elif chosen:
        _flow_chart(setting, chosen, styles)
    if chosen:
        layout.how_to_read(text[f"how_to_read_{chosen}"])
    _numbers(compute.flows(experiment))
    equations(experiment)


def _numbers(flows: Sequence[GradientFlow]) -> None:
    with layout.lazy("Numbers: slope, horizon, data") as opened:
        if opened:
            layout.table(_slopes(flows))
            layout.how_to_read(texts("gradient_flow")["how_to_read_table"])
            layout.data_button("gradient-flow", lambda: frames.gradient_frame(flows))


def _slopes(flows: Sequence[GradientFlow]) -> pd.DataFrame:
    frame = frames.slope_frame(flows)
    frame["model"] = frame["model"].map(display_name)
    return frame[list(COLUMNS)].rename(columns=COLUMNS)


def _detail_chart(setting: Setting, styles: dict[str, theme.Style]) -> None:
    live_chart(
        plots.flow_detail_figure(compute.flows(setting.experiment), styles=styles),
        key="flow-detail",
        height=detail.HEIGHT,
        time_axis=True,
        filename="rnnviz-flow-detail",
        alt="Total and direct gradients of h and c at each step, one panel a model",
    )
