"""The switch that lays theory over what was measured."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.dashboard.state import THEORY, WHOLE_PAGE


def is_on() -> bool:
    """Whether theory is drawn. A link says it as text."""
    return st.session_state.get(THEORY) in (True, "True")


def row() -> DeltaGenerator:
    """Where a page's choices and the switch stand, beside its question."""
    return st.container(horizontal=True, gap="small", horizontal_alignment="right",
                        vertical_alignment="center")  # fmt: skip


def draw() -> None:
    """It stands where there is room without moving the page's figures."""
    st.session_state[THEORY] = is_on()
    st.toggle("Theory", key=THEORY, on_change=lambda: st.rerun(WHOLE_PAGE))
