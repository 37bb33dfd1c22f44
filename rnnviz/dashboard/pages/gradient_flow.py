"""Does the error reach the past?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.predictions import Predictions
from rnnviz.analysis.verdicts import trouble_verdict
from rnnviz.analysis.words import gradient_words, say
from rnnviz.core import RNN
from rnnviz.dashboard import compute, layout, panels_flow, theories, views
from rnnviz.dashboard.choices import view_key, widget
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment
from rnnviz.plots import detail, theme
from rnnviz.plots import gradients as plots
from rnnviz.plots.heatmaps import CELLS

QUANTITIES = {"h": "h alone", "c": "c alone", "detail": "total beside direct"}
OWN_STEPS = "step of its own, each sequence from its end"
HEIGHT, LINE = 316, 26
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
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        layout.question(text["question"])
    with right, theories.row():
        views.choices(experiment, experiment.models)
        theories.switch()
    seen = _seen(experiment)
    if not layout.link_messages(experiment):
        layout.preset_words(experiment)
    layout.verdict(_words(experiment, seen), seen.styles)
    _flow_chart(setting, "state", seen)
    plain = text["how_to_read_forward" if seen.backward else "how_to_read"]
    layout.how_to_read(theories.words(seen.theory) or plain)
    live_chart(
        plots.unit_heatmaps(
            seen.flows,
            y_range=_steady_range(setting, "state", seen),
            styles=seen.styles,
            most_cells=COARSE if setting.dragging else CELLS,
        ),
        key="units",
        height=140,
        time_axis=True,
        filename="rnnviz-units",
        alt="Gradient of each hidden unit at each step, one panel a model",
    )
    layout.how_to_read(text["how_to_read_units"])
    _warnings(experiment, seen)


@dataclass(frozen=True)
class Seen:
    """What the page shows: the flows in front (which the verdict is about), those of other
    layers behind them, how each is drawn, and what theory says of those in front if it is asked."""

    view: views.View
    flows: tuple[GradientFlow, ...]
    behind: tuple[GradientFlow, ...]
    styles: dict[str, theme.Style]
    own_order: bool
    theory: dict[str, Predictions]

    @property
    def backward(self) -> bool:
        """Whether error travels from step 1 to step T."""
        return any(flow.direction for flow in self.flows)


def _seen(experiment: Experiment) -> Seen:
    chosen = views.view(experiment, experiment.models)
    front, behind = views.shown(experiment, chosen), views.behind(experiment, chosen)
    flows = compute.flows(experiment, views.labels_of(front))
    return Seen(
        view=chosen,
        flows=flows,
        behind=compute.flows(experiment, views.labels_of(behind)),
        styles=views.styles(experiment, chosen),
        own_order=views.own_order(front),
        theory=theories.of_flows(experiment, flows) if theories.switched_on() else {},
    )


def _words(experiment: Experiment, seen: Seen) -> tuple[str, ...]:
    """The rule of thumb knows nothing of a skip: then it is not judged."""
    labels = [flow.label for flow in seen.flows]
    cells = {label: compute.layer(experiment, label).trace.cell for label in labels}
    spectra = {
        label: compute.stretch(experiment, label, "a")
        for label, cell in cells.items()
        if isinstance(cell, RNN) and not cell.skip
    }
    memories = () if spectra else compute.memories(experiment, tuple(labels))
    trouble = say(trouble_verdict(seen.flows))
    return (*gradient_words(seen.flows, spectra, memories), *([trouble] if trouble else []))


def _warnings(experiment: Experiment, seen: Seen) -> None:
    """What the curves do not say by themselves."""
    text = texts("gradient_flow")
    drawn = (*seen.behind, *seen.flows)
    lower = any(not views.is_last(experiment, flow.label) for flow in drawn)
    said = [
        text["every_step_warning"] * (experiment.loss_at == "every"),
        text["lower_layer"] * lower,
        text["own_order"] * seen.own_order,
        views.missing(experiment, seen.view),
        theories.silent(seen.theory),
    ]
    if any(said):
        layout.warn(" ".join(filter(None, said)))


def _flow_chart(setting: Setting, quantity: str, seen: Seen) -> None:
    experiment = setting.experiment
    figure = plots.flow_figure(
        (*seen.behind, *seen.flows),
        ghosts=_ghosts(setting, seen.view),
        quantity=quantity,
        clue_steps=() if seen.own_order else compute.batch(experiment).clue_steps,
        loss_at=_loss_at(experiment),
        y_range=_steady_range(setting, quantity, seen),
        styles=seen.styles,
        height=_height(experiment),
        time_title=OWN_STEPS if seen.own_order else plots.TIME,
        theory=seen.theory if quantity == "state" else {},
    )
    live_chart(
        figure,
        key=f"flow-{quantity}",
        height=_height(experiment),
        time_axis=True,
        filename=f"rnnviz-flow-{quantity}",
        alt="Gradient norm at each time step, log10, relative to the last step, one line a model",
    )


def _height(experiment: Experiment) -> int:
    """Lower where a line above it says something: the first screen is to hold both figures."""
    lines = bool(layout.note_words(compute.batch(experiment))) + bool(experiment.train_steps)
    return HEIGHT - LINE * lines


def _loss_at(experiment: Experiment) -> str:
    """Where the flag of the loss says that it is."""
    lengths = compute.batch(experiment).lengths
    return "ends" if experiment.loss_at == "last" and np.ptp(lengths) else experiment.loss_at


def _steady_range(setting: Setting, quantity: str, seen: Seen) -> tuple[float, float]:
    """Decades on the axis. While a knob is dragged it grows at once and shrinks after release."""
    drawn = (*seen.flows, *seen.behind, *_ghosts(setting, seen.view))
    wanted = plots.flow_range(drawn, quantity)
    key = f"range_{quantity}"
    low, high = st.session_state.get(key, wanted) if setting.dragging else wanted
    st.session_state[key] = (min(low, wanted[0]), max(high, wanted[1]))
    return st.session_state[key]


def _ghosts(setting: Setting, chosen: views.View) -> tuple[GradientFlow, ...]:
    if setting.pinned is None:
        return ()
    return compute.flows(setting.pinned, views.labels_of(views.shown(setting.pinned, chosen)))


def details(setting: Setting) -> None:
    """Other gradients than the state's, the numbers, the equations."""
    text, experiment = texts("gradient_flow"), setting.experiment
    seen = _seen(experiment)
    st.divider()
    name = view_key("view_quantity")
    if st.session_state.get(name) not in QUANTITIES:
        st.session_state[name] = None
    chosen = st.segmented_control(
        text["quantity"], list(QUANTITIES), format_func=QUANTITIES.__getitem__, **widget(name)
    )
    if chosen == "detail":
        _detail_chart(seen)
    elif chosen:
        _flow_chart(setting, chosen, seen)
    if chosen:
        layout.how_to_read(text[f"how_to_read_{chosen}"])
    front = views.shown(experiment, seen.view)
    panels_flow.draw(panels_flow.Panels(experiment, front, seen.styles))
    _numbers((*seen.behind, *seen.flows))
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


def _detail_chart(seen: Seen) -> None:
    live_chart(
        plots.flow_detail_figure(seen.flows, styles=seen.styles),
        key="flow-detail",
        height=detail.HEIGHT,
        time_axis=True,
        filename="rnnviz-flow-detail",
        alt="Total and direct gradients of h and c at each step, one panel a model",
    )
