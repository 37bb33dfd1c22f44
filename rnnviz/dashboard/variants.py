"""A model twice with different settings: the form that adds a variant."""

from __future__ import annotations

import streamlit as st

from rnnviz.core import CELLS
from rnnviz.experiment import MAX_MODELS, Model
from rnnviz.experiment.fields import Field
from rnnviz.experiment.model import override_field, overrides_of
from rnnviz.wording.names import cell_name
from rnnviz.wording.texts import fill, texts

PROBLEM = "variant_problem"


def add_model() -> None:
    """A cell, one of its settings, a value, and a button that adds that model."""
    st.markdown(texts("sidebar")["add_model"])
    left, middle, right, last = st.columns([2, 3, 5, 3], vertical_alignment="bottom")
    with left:
        kind = st.selectbox("Cell", list(CELLS), format_func=cell_name, key="variant_kind")
    with middle:
        setting = st.selectbox(
            "Setting",
            overrides_of(kind),
            format_func=lambda name: name.replace("_", " "),
            key=f"variant_setting_{kind}",
        )
    with right:
        value = _value(override_field(setting, kind), f"{setting}_{kind}")
    with last:
        st.button("Add this model", on_click=_add, args=(kind, setting, value), width="stretch")
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(problem)


def _value(known: Field, key: str) -> str:
    if known.kind != "choice":
        return st.text_input("Value", key="variant_value", placeholder=known.allowed)
    # A variant is what the cell is not already.
    choices = [choice for choice in known.choices if choice != "plain"]
    return str(st.selectbox("Value", choices, key=f"variant_value_{key}", format_func=_called))


def _called(choice: str) -> str:
    return texts("sidebar").get(f"variant_{choice}", choice.replace("_", " "))


def _add(kind: str, setting: str, value: str) -> None:
    models = st.session_state["models"]
    try:
        model = Model(f"{kind}:{setting}={value.strip()}")
    except ValueError as error:
        st.session_state[PROBLEM] = str(error)
        return
    if len(models) >= MAX_MODELS:
        st.session_state[PROBLEM] = fill(texts("sidebar")["too_many_models"], most=MAX_MODELS)
    elif model not in models:
        st.session_state["models"] = [*models, str(model)]
