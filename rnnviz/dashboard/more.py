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
        variants.add_model()


def _task() -> None:
    """The task, and beside it what it is about."""
    left, right = st.columns([2, 5])
    with left:
        select("task")
    with right:
        st.caption(task_words(state.read()[0]))
    if (task := st.session_state["task"]) in own_text.PLACEHOLDERS:
        own_text.ways(task, "widget")
