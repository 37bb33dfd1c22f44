"""Does the error reach the past?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.dashboard import compute, layer_widgets, layout, panels_flow, show, theory_switch
from rnnviz.dashboard.choices import view_key, widget
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.views.gradient_flow import QUANTITIES, Choices, Range, View, pictures, quantity_picture
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import texts

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
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        layout.question(texts("gradient_flow")["question"])
    view = _view(setting)
    with right, theory_switch.row():
        layer_widgets.draw(view.layers)
        theory_switch.draw()
    if not layout.link_messages(setting.experiment):
        layout.preset_words(setting.experiment)
    show.show(pictures(view, _steady_range(setting, view)), view.styles)


def _view(setting: Setting) -> View:
    layer, direction = layer_widgets.chosen()
    choices = Choices(layer, direction, theory_switch.is_on(), setting.dragging)
    return compute.flow_view(setting.experiment, choices, setting.pinned)


def _steady_range(setting: Setting, view: View) -> Range:
    """Decades on the axis. While a knob is dragged it grows at once and shrinks after release."""
    wanted, key = view.y_range(), "flow_range"
    low, high = st.session_state.get(key, wanted) if setting.dragging else wanted
    st.session_state[key] = (min(low, wanted[0]), max(high, wanted[1]))
    return st.session_state[key]


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
        format_func=QUANTITIES.__getitem__,
        **widget(name),
    )
    if chosen:
        show.chart(quantity_picture(view, chosen))
    panels_flow.draw(setting.experiment, view)
    _numbers(view.drawn)
    equations(compute.plan(setting.experiment))


def _numbers(flows: Sequence[GradientFlow]) -> None:
    with layout.lazy(texts("gradient_flow")["numbers"]) as opened:
        if opened:
            layout.table(_slopes(flows))
            layout.how_to_read(texts("gradient_flow")["how_to_read_table"])
            layout.data_button("gradient-flow", lambda: frames.gradient_frame(flows))


def _slopes(flows: Sequence[GradientFlow]) -> pd.DataFrame:
    frame = frames.slope_frame(flows)
    frame["model"] = frame["model"].map(display_name)
    return frame[list(COLUMNS)].rename(columns=COLUMNS)
