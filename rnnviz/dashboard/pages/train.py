"""What happens while it learns?"""

from __future__ import annotations

import html
import time

import streamlit as st

from rnnviz.dashboard import influence, layout, state, training
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.runs_table import runs_table
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import fill, texts
from rnnviz.dashboard.train_figures import below_the_fold, first_screen
from rnnviz.dashboard.training import Visit
from rnnviz.experiment import estimate

MOST_SECONDS = 1.0
"""Of one training step of all models, by a rough guess; beyond that Pause would not be prompt."""
PAUSED = 3.0
"""Seconds without a tick after which training counts as left alone, and pauses."""
BELOW_EVERY = 1.0


def page(setting: Setting) -> None:
    """Controls, verdict, scrubber; loss and gradient over training."""
    visit = training.visit()
    controls.remember()
    layout.link_messages(setting.experiment)
    controls.draw(visit)
    if controls.lesson() == "influence":
        influence.panel()
        return
    seconds = estimate(setting.experiment).seconds
    if seconds > MOST_SECONDS:
        visit.playing = False
        layout.refused(fill(texts("train")["too_slow"], seconds=f"{seconds:.1f}"))
        return
    if visit.training is None and st.session_state["train_steps"]:
        controls.begin_as_linked(visit, setting.experiment, st.session_state["train_steps"])
    visit.follow(setting.experiment)
    _leave(visit)
    _rest_if_left_alone(visit)
    _hint(visit)
    if visit.playing and not setting.dragging:
        st.fragment(_tick, run_every=controls.pace().every)()
    else:
        with st.container():
            _draw(visit)


def _tick() -> None:
    """Some training, then the figures."""
    visit = training.visit()
    run = visit.training
    if run is not None and visit.playing:
        visit.ticked = time.monotonic()
        run.advance(controls.pace().updates)
        if run.done:
            visit.playing, run.goal = False, None
            st.rerun()
    _draw(visit)


def _draw(visit: Visit) -> None:
    if visit.training is not None:
        first_screen(visit, visit.training, _command)


def _rest_if_left_alone(visit: Visit) -> None:
    """A page that was left does not tick; when it is opened again it waits for Play."""
    if visit.playing and visit.ticked and time.monotonic() - visit.ticked > PAUSED:
        visit.playing = False


def _leave(visit: Visit) -> None:
    """Turn to the page that was asked to show the network as it stands."""
    if visit.leaving:
        target, visit.leaving = visit.leaving, ""
        st.switch_page(st.session_state["pages"][target])


def _hint(visit: Visit) -> None:
    """One line: what the lesson shows, why training began anew, or how to begin."""
    text, name = texts("train"), controls.lesson()
    if visit.restarted:
        said = fill(text["restarted"], why=visit.restarted)
    else:
        said = controls.lesson_words(name) if name else text["waiting"]
    st.html(f'<p class="rnnviz-how">{html.escape(said)}</p>')


def _command(name: str, step: int) -> None:
    """What the scrubber's keys and button ask for. A callback."""
    controls.command(name, step)
    st.rerun(state.WHOLE_PAGE)


def details(setting: Setting) -> None:
    """Gradient through time, its norm, weights and gates; this visit's runs."""
    visit = training.visit()
    if visit.training is None or controls.lesson() == "influence":
        return
    if visit.playing and not setting.dragging:
        st.fragment(_below, run_every=BELOW_EVERY)()
    else:
        with st.container():
            _below()
        runs_table(visit)


def _below() -> None:
    visit = training.visit()
    if visit.training is not None:
        below_the_fold(visit, visit.training)
