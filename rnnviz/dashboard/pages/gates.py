"""Who keeps the memory open?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gates import GateStats
from rnnviz.dashboard import compute, controls, layer_widgets, layout, show, weights
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.views.gates import Choices, View, pictures
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import texts

MODEL = "view_model"


def page(setting: Setting) -> None:
    """Verdict; the memory gate and its half-lives; the other gates and Π f against the truth."""
    layout.link_messages(setting.experiment)
    view = _view(setting)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(texts("gates")["question"])
        weights.choice(setting.experiment, narrow=view.layers.has_alternatives)
        if view.models:
            layout.choice("Model", view.models, MODEL, view.model, display_name)
        layer_widgets.draw(view.layers, small=True)
        if view.alike:
            st.button("Chrono", on_click=_chrono, help=texts("gates")["alike"])
    show.show(
        pictures(view),
        view.styles,
        pairs=[("memory-gate", "half-life"), ("gate-strips", "carry")],
        shares={"memory-gate": (2, 1)},
    )


def _view(setting: Setting, coarse: bool | None = None) -> View:
    layer, direction = layer_widgets.chosen()
    model = layout.chosen(MODEL)
    coarse = setting.dragging if coarse is None else coarse
    return compute.gates_view(setting.experiment, Choices(model, layer, direction, coarse))


def _chrono() -> None:
    """A way out where all units are alike and the picture is one colour."""
    controls.apply_preset("chrono")
    st.rerun()  # the knobs too, which lie outside of the page


def _summary(stats: GateStats) -> dict[str, object]:
    return {
        "gate": stats.gate,
        "mean": stats.mean,
        "sd": stats.sd,
        "left-saturated": f"{stats.left.mean():.0%}",
        "right-saturated": f"{stats.right.mean():.0%}",
        "units saturated in over half of all steps": int(
            ((stats.left > 0.5) | (stats.right > 0.5)).sum()
        ),
    }


def details(setting: Setting) -> None:
    """The numbers, the equations."""
    view = _view(setting)
    if view.memory is None:
        return
    with layout.lazy(texts("gates")["numbers"]) as opened:
        if opened:
            _numbers(_view(setting, coarse=False))
    equations(compute.plan(setting.experiment))


def _numbers(view: View) -> None:
    layout.table(pd.DataFrame([_summary(s) for s in view.stats.values()]))
    layout.how_to_read(texts("gates")["how_to_read_saturation"])
    carry, memory = view.carry, view.memory
    with st.container(horizontal=True):
        layout.data_button("saturation", lambda: frames.saturation_frame(view.stats.values()))
        layout.data_button("half-lives", lambda: frames.memory_frame([memory] if memory else []))
        layout.data_button("carry", lambda: frames.carry_frame([carry] if carry else []))
