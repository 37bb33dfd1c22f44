"""Who keeps the memory open?"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gates import GateStats
from rnnviz.dashboard import compute, controls, layout, offers, show, state
from rnnviz.dashboard.show import equations
from rnnviz.dashboard.state import Setting, view_key, widget
from rnnviz.experiment import Experiment
from rnnviz.experiment.checkpoints import TRAINED
from rnnviz.views import states
from rnnviz.views.gates import Choices, View, pictures
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import percent
from rnnviz.wording.texts import fill, texts

MODEL = "view_model"
WEIGHTS = "weights"
UNTRAINED = "untrained"
WEIGHTS_OFFERED = (UNTRAINED, "delayed_recall", "text")
"""Weights that are always there to be chosen."""
WEIGHTS_ROOM, WEIGHTS_NARROW = 68, 156
STATES, OF, UNITS = "view_states", "view_of", "view_units"
"""Whether the states are shown, which model's, and which of its units as lines."""
UNITS_WIDTH = 260
STATE_PAIRS = [
    (f"{one}-{name}", f"{other}-{name}")
    for one, other in (("state", "gradient"), ("state-lines", "gradient-lines"))
    for name in ("h", "c")
]


def page(setting: Setting) -> None:
    """Verdict; the memory gate and its half-lives; the other gates and Π f against the truth."""
    layout.link_messages(setting.experiment)
    choices = _choices()
    view = compute.gates_view(setting.experiment, choices)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(texts("gates")["question"])
        weights_choice(setting.experiment, narrow=view.layers.has_alternatives)
        if view.models:
            label = texts("layout")["choose_model"]
            layout.choice(label, view.models, MODEL, view.model, display_name)
        show.layer_choice(view.layers, small=True)
        if view.alike:
            st.button(texts("gates")["chrono"], on_click=_chrono, help=texts("gates")["alike"])
    offers.offer(setting, choices, view)
    show.show(
        pictures(view),
        view.styles,
        pairs=[("memory-gate", "half-life"), ("gate-strips", "carry")],
        shares={"memory-gate": (2, 1), "gate-strips": (4, 5)},
    )


def _choices() -> Choices:
    layer, direction = show.chosen_layer()
    return Choices(layout.chosen(MODEL), layer, direction)


def _chrono() -> None:
    """A way out where all units are alike and the picture is one colour."""
    controls.apply_preset("chrono")
    st.rerun()  # the knobs too, which lie outside of the page


def _summary(stats: GateStats) -> dict[str, object]:
    """Of an activation without flat ends no shares: a ReLU above 0.9 is not saturated."""
    text, flat = texts("gates"), stats.saturates
    often = int(((stats.left > 0.5) | (stats.right > 0.5)).sum())
    return {
        text["column_gate"]: stats.gate,
        text["column_mean"]: stats.mean,
        text["column_sd"]: stats.sd,
        text["column_left"]: percent(float(stats.left.mean())) if flat else None,
        text["column_right"]: percent(float(stats.right.mean())) if flat else None,
        text["column_saturated"]: often if flat else None,
    }


def details(setting: Setting) -> None:
    """The states and their gradients, the numbers, the equations."""
    view = compute.gates_view(setting.experiment, _choices())
    st.session_state[view_key(STATES)] = show.is_on(STATES)
    if layout.switch(texts("gates")["title_states"], view_key(STATES)):
        _states(setting, view)
    if view.memory is None:
        return
    with layout.lazy(texts("gates")["numbers"]) as opened:
        if opened:
            _numbers(view)
    equations(compute.plan(setting.experiment))


def _states(setting: Setting, page: View) -> None:
    """Of a model that the panel chooses for itself: the page's own is one with a memory gate."""
    asked = states.Choices(
        model=layout.chosen(OF) or page.model,
        layer=page.layers.layer,
        direction=page.layers.direction,
        units=layout.chosen(UNITS),
    )
    view, text = compute.states_view(setting.experiment, asked), texts("gates")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(view.models) > 1:
            layout.choice(text["states_model"], view.models, OF, view.model, display_name,
                          on_change=lambda: None)  # fmt: skip
        usual = fill(text["units_placeholder"], units=", ".join(map(str, view.chosen)))
        st.text_input(text["units"], placeholder=usual, width=UNITS_WIDTH,
                      **widget(view_key(UNITS), layout.chosen(UNITS)))  # fmt: skip
    show.show(states.pictures(view), view.styles, pairs=STATE_PAIRS)
    run = compute.traces(setting.experiment)
    layout.data_button("states", lambda: frames.state_frame(states.recorded(run, asked)))


def _numbers(view: View) -> None:
    layout.table(pd.DataFrame([_summary(s) for s in view.stats.values()]))
    layout.how_to_read(texts("gates")["how_to_read_saturation"])
    carry, batch, memory = view.carry, view.batch, view.memory
    with st.container(horizontal=True):
        layout.data_button("saturation", lambda: frames.saturation_frame(view.stats.values()))
        layout.data_button("half-lives", lambda: frames.memory_frame([memory] if memory else []))
        layout.data_button(
            "carry", lambda: frames.carry_frame([carry] if carry else [], view.backward)
        )
        layout.data_button(
            "carry-batch", lambda: frames.batch_carry_frame([batch] if batch else [])
        )


def weights_choice(experiment: Experiment, narrow: bool) -> None:
    """The initial weights, or those of a network that comes trained; `narrow`: as a list."""
    now = weights_shown(experiment)
    names = WEIGHTS_OFFERED if now in WEIGHTS_OFFERED else (*WEIGHTS_OFFERED, now)
    st.session_state[view_key(WEIGHTS)] = now
    layout.choice(texts("gates")["weights"], names, WEIGHTS, now, _weights_name,
                  WEIGHTS_NARROW if narrow else None, _choose_weights, WEIGHTS_ROOM)  # fmt: skip


def weights_shown(experiment: Experiment) -> str:
    """What the experiment's weights are: one of WEIGHTS_OFFERED, or "after … steps" of a training
    of the visitor's own."""
    if not experiment.train_steps:
        return UNTRAINED
    recipes = {replace(e, models=experiment.models): task for task, e in TRAINED.items()}
    return recipes.get(experiment, _weights_after(experiment.train_steps))


def _weights_after(steps: int) -> str:
    return fill(texts("gates")["weights_after"], steps=f"{steps:,}")


def _weights_name(weights: str) -> str:
    return texts("gates")[f"weights_{weights}"] if weights in WEIGHTS_OFFERED else weights


def _choose_weights() -> None:
    """Another network takes all knobs along; the same one untrained keeps them."""
    wanted = st.session_state.get(view_key(WEIGHTS))
    if wanted in TRAINED:
        state.adopt(TRAINED[wanted])
    elif wanted == UNTRAINED:
        st.session_state["train_steps"] = 0
    st.rerun()  # the sidebar's knobs too
