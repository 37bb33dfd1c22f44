"""Equations of the chosen cells, one click away."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import layout
from rnnviz.experiment import Plan
from rnnviz.views import equations as views
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts


def equations(plan: Plan) -> None:
    """An expander for each different network on the page."""
    for name, label in views.different(plan).items():
        title = fill(texts("layout")["equations"], network=display_name(name))
        with layout.lazy(title) as opened:
            if opened:
                st.markdown(views.equations(plan, label))
