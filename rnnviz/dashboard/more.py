"""The rarer knobs, behind one button: the task, the shape, models with settings of their own."""

from __future__ import annotations

import streamlit as st

from rnnviz.core import CELLS
from rnnviz.dashboard import layout, own_text, state
from rnnviz.dashboard.knobs import select, slider
from rnnviz.experiment import MAX_MODELS, Model
from rnnviz.experiment.fields import Field
from rnnviz.experiment.model import override_field, overrides_of
from rnnviz.wording.names import cell_name
from rnnviz.wording.tasks import task_words

PROBLEM = "variant_problem"
VARIANTS = {
    "plain": "as in the textbook",
    "peepholes": "peepholes: gates see c",
    "cifg": "coupled gates: i = 1 − f (CIFG)",
    "nig": "no input gate: i = 1 (NIG)",
    "nfg": "no forget gate: f = 1 (NFG)",
    "nog": "no output gate: o = 1 (NOG)",
    "niaf": "linear candidate (NIAF)",
    "noaf": "linear output (NOAF)",
    "no_gates": "f = 0, i = 1, o = 1",
    "no_gates_noaf": "f = 0, i = 1, o = 1, linear output",
    "reset_before": "reset before the product",
}
"""What the variants of the gated cells are called."""


def more() -> None:
    """Drawn only while it is seen: a widget costs about a millisecond a run."""
    opened = st.popover("More", width="stretch", key="more", on_change="rerun")
    if not opened.open:
        return
    with opened:
        _task()
        layout.side_by_side(select, [("bidirectional",), ("gate_init",), ("match",), ("dtype",)])
        layout.side_by_side(
            slider,
            [
                ("hidden_size", "Units of every model.", (64,)),
                ("batch_size", "Sequences in the batch.", (16,)),
                ("input_scale", "Scales W_xh, which is uniform ±1/√H.", (1.0,)),
            ],
        )
        layout.side_by_side(
            slider,
            [
                ("layers", "Recurrent layers upon each other.", (1,)),
                ("leak", "α of the RNN: h keeps 1 − α of itself. 1: no leak.", (1.0,)),
                ("skip", "The state so many steps back enters too. 0: none.", (0,)),
            ],
        )
        add_model()


def _task() -> None:
    """The task, and beside it what it is about."""
    left, right = st.columns([2, 5])
    with left:
        select("task")
    with right:
        st.caption(task_words(state.read()[0]))
    if (task := st.session_state["task"]) in own_text.PLACEHOLDERS:
        own_text.ways(task, "widget")


def add_model() -> None:
    """A cell, one of its settings, a value, and a button that adds that model."""
    st.markdown("**Add a model with a setting of its own**")
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
        value = _variant_value(override_field(setting, kind), f"{setting}_{kind}")
    with last:
        st.button(
            "Add this model", on_click=_add_variant, args=(kind, setting, value), width="stretch"
        )
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(problem)


def _variant_value(known: Field, key: str) -> str:
    if known.kind != "choice":
        return st.text_input("Value", key="variant_value", placeholder=known.allowed)
    # A variant is what the cell is not already.
    choices = [choice for choice in known.choices if choice != "plain"]
    return str(st.selectbox("Value", choices, key=f"variant_value_{key}", format_func=_called))


def _called(choice: str) -> str:
    return VARIANTS.get(choice, choice.replace("_", " "))


def _add_variant(kind: str, setting: str, value: str) -> None:
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
