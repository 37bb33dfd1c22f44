"""The rarer knobs, behind one button: the task, the network's shape, models of their own."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import layout, own_text, state, variants
from rnnviz.dashboard.knobs import select, slider
from rnnviz.wording.tasks import task_words


def more() -> None:
    """Drawn only while it is seen: a widget costs about a millisecond a run."""
    opened = st.popover("More", width="stretch", key="more", on_change="rerun")
    if not opened.open:
        return
    with opened:
        _task()
        layout.side_by_side(select, [("bidirectional",), ("gate_init",), ("match",), ("dtype",)])
        sizes = [("hidden_size", (64,)), ("batch_size", (16,)), ("input_scale", (1.0,))]
        layout.side_by_side(slider, sizes)
        layout.side_by_side(slider, [("layers", (1,)), ("leak", (1.0,)), ("skip", (0,))])
        variants.add_model()


def _task() -> None:
    """The task, and beside it what it is about."""
    left, right = st.columns([2, 5])
    with left:
        select("task")
    with right:
        st.caption(task_words(state.read()[0]))
    if (task := st.session_state["task"]) in own_text.READERS:
        own_text.ways(task, "widget")
