"""A model twice with different settings: the form that adds a variant."""

from __future__ import annotations

import streamlit as st

from rnnviz.core import CELLS
from rnnviz.experiment import MAX_MODELS, Model
from rnnviz.experiment.fields import Field
from rnnviz.experiment.model import override_field, overrides_of

PROBLEM = "variant_problem"


def add_model() -> None:
    """A cell, one of its settings, a value, and a button that adds that model."""
    st.markdown("**Add a model with a setting of its own**")
    left, middle, right = st.columns(3)
    with left:
        kind = st.selectbox("Cell", list(CELLS), format_func=str.upper, key="variant_kind")
    with middle:
        setting = st.selectbox(
            "Setting",
            overrides_of(kind),
            format_func=lambda name: name.replace("_", " "),
            key=f"variant_setting_{kind}",
        )
    with right:
        value = _value(override_field(setting, kind))
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(problem)
    st.button("Add this model", on_click=_add, args=(kind, setting, value))


def _value(known: Field) -> str:
    if known.kind == "choice":
        return str(st.selectbox("Value", known.choices, key=f"variant_value_{known.label}"))
    return st.text_input("Value", key="variant_value", placeholder=known.allowed)


def _add(kind: str, setting: str, value: str) -> None:
    models = st.session_state["models"]
    try:
        model = Model(f"{kind}:{setting}={value.strip()}")
    except ValueError as error:
        st.session_state[PROBLEM] = str(error)
        return
    if len(models) >= MAX_MODELS:
        st.session_state[PROBLEM] = (
            f"At most {MAX_MODELS} models fit on the page; remove one first."
        )
    elif model not in models:
        st.session_state["models"] = [*models, str(model)]
