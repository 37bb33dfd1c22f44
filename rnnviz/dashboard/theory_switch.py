"""The switch that lays theory over what was measured."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.dashboard.choices import view_key, widget
from rnnviz.dashboard.state import WHOLE_PAGE

THEORY = "view_theory"


def is_on() -> bool:
    """Whether theory is drawn. A link says it as text."""
    return st.session_state.get(view_key(THEORY)) in (True, "True")


def row() -> DeltaGenerator:
    """Where a page's choices and the switch stand, beside its question."""
    return st.container(horizontal=True, gap="small", horizontal_alignment="right",
                        vertical_alignment="center")  # fmt: skip


def draw() -> None:
    """It stands where there is room without moving the page's figures."""
    st.session_state[view_key(THEORY)] = is_on()
    st.toggle("Theory", **widget(view_key(THEORY), then=partial(st.rerun, WHOLE_PAGE)))
