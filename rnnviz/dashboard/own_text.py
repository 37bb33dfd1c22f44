"""The text of a task that reads one: pasted, from a file, or a sample."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import choices, layout
from rnnviz.dashboard.uploads import text_file
from rnnviz.experiment import FIELDS, Experiment, make_task
from rnnviz.wording.tasks import TASK_NAMES
from rnnviz.wording.texts import fill, texts

READERS = ("text", "words")
"""The tasks that read a text."""


def asked(experiment: Experiment, refusal: str) -> bool:
    """Ask for a text, in place of a page whose task cannot do without, or with the one it has;
    tells whether it does. refusal: what is wrong with the experiment."""
    if not _unusable(experiment):
        return False
    layout.question(texts("own_text")["which"])
    if experiment.text:
        layout.refused(refusal)
    words = texts("own_text")[f"needs_{experiment.task}"]
    st.markdown(fill(words, task=TASK_NAMES[experiment.task]))
    ways(experiment.task, "page")
    return True


def _unusable(experiment: Experiment) -> bool:
    """Whether the task reads a text, and not this one."""
    if experiment.task not in READERS:
        return False
    try:
        make_task(experiment)
    except ValueError:
        return True
    return False


def ways(task: str, place: str) -> None:
    """Take a sample, paste a text or choose a file. place: tells these widgets from others."""
    text = texts("own_text")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.html('<p class="rnnviz-how">Samples:</p>', width="content")
        for name in texts("samples"):
            st.button(
                text[f"title_{name}"], key=f"sample-{name}-{place}", on_click=_take, args=(name,)
            )
    left, right = st.columns([3, 2])
    with left:
        st.text_area(
            "Text",
            placeholder=text[f"placeholder_{task}"],
            max_chars=int(FIELDS["text"].high),
            height=80,
            **choices.widget("text", then=st.rerun, place=place),
        )
    with right:
        text_file(place)


def _take(name: str) -> None:
    st.session_state["text"] = texts("samples")[name]
    st.rerun()  # the sidebar's knobs too
