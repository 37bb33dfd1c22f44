"""What does W_hh promise, and what happens?"""

from __future__ import annotations

import streamlit as st

from rnnviz import frames
from rnnviz.dashboard import (
    compute,
    layer_widgets,
    layout,
    panels_spectrum,
    show,
    theory_switch,
)
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.views.spectrum import Choices, View, pictures
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts

MODEL, GATE = "view_model", "view_gate"


def page(setting: Setting) -> None:
    """Verdict; singular values and eigenvalues; powers; below the fold the step itself."""
    layout.link_messages(setting.experiment)
    view = _view(setting)
    _choices(view)
    show.show(pictures(view), view.styles, pairs=[("singular-values", "eigenvalues")])


def _view(setting: Setting, coarse: bool | None = None) -> View:
    layer, direction = layer_widgets.chosen()
    choices = Choices(
        layout.chosen(MODEL),
        layout.chosen(GATE),
        layer,
        direction,
        theory_switch.is_on(),
        setting.dragging if coarse is None else coarse,
    )
    return compute.spectrum_view(setting.experiment, choices)


def _choices(view: View) -> None:
    """The page's question, and beside it which model, which of its layers and directions, and
    which gate's block of its W_hh."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(texts("spectrum")["question"])
        narrow = layer_widgets.WIDTH if view.layers.has_alternatives else None
        layout.choice("Model", view.models, MODEL, view.model, display_name, narrow)
        layer_widgets.draw(view.layers, small=True)
        if len(view.gates) > 1:
            small = layer_widgets.SMALL if narrow else None
            layout.choice("Gate", view.gates, GATE, view.gate, width=small)
        theory_switch.draw()


def details(setting: Setting) -> None:
    """Departure from normality, the numbers, the equations."""
    view = _view(setting)
    text = texts("spectrum")
    st.caption(fill(text["departure"], value=f"{view.spectrum.departure:.2f}"))
    panels_spectrum.draw(setting.experiment, view)
    with layout.lazy(text["numbers"]) as opened:
        if opened:
            exact = _view(setting, coarse=False)
            layout.data_button("spectrum", lambda: frames.spectrum_frame([exact.spectrum]))
            layout.data_button("jacobians", lambda: frames.jacobian_frame([exact.jacobian]))
    equations(compute.plan(setting.experiment))
