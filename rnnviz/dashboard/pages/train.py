"""What happens while it learns?"""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.dashboard import compute, influence, layout, saving, state, training
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.runs_table import runs_table
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.train_figures import below_the_fold, first_screen
from rnnviz.dashboard.training import Visit
from rnnviz.experiment import Experiment
from rnnviz.wording.texts import fill, texts

MOST_SECONDS = 1.0
"""Of one training step of all models, by a rough guess; beyond that Pause would not be prompt."""
LEFT_ALONE = 10.0
"""Seconds without training after which it counts as left alone, and pauses."""
BELOW_EVERY = 2.5
"""Seconds between two drawings of what is below the fold."""
INFLUENCE = "influence"
"""The lesson that is a panel of its own instead of a run."""
LEARNING = "learning"
"""Key of the fragment that a tick runs."""


def page(setting: Setting) -> None:
    """Controls, verdict, scrubber; loss and gradient over training."""
    visit = training.visit()
    layout.link_messages(setting.experiment)
    refusal = _refusal(setting.experiment)
    if not refusal:
        _follow(visit, setting.experiment)
    controls.forget_lesson()
    idle = _idle(refusal)
    visit.playing = visit.playing and not idle
    controls.draw(visit, idle)
    if controls.lesson() == INFLUENCE:
        _figures(visit, influence.REVISION, influence.panel)
    elif refusal:
        layout.refused(refusal)
    elif visit.training is not None:
        _figures(visit, visit.training.zoom, partial(_learning, setting.dragging))


def _idle(refusal: str) -> str:
    """Why there is nothing to play; "" if there is."""
    if controls.lesson() == INFLUENCE:
        return texts("train")["idle_influence"]
    return texts("train")["idle_refused"] if refusal else ""


def _figures(visit: Visit, revision: int, draw: Callable[[], None]) -> None:
    """The hint and the figures. Where these take the place of another lesson's, the page says at
    once that they are being prepared, and shows nothing of that."""
    hint, preparing = st.empty(), visit.shown != revision
    _hint(hint, visit, revision, preparing)
    draw()
    if preparing:
        visit.shown = revision
        _hint(hint, visit, revision)


def _refusal(experiment: Experiment) -> str:
    """Why this is not trained here; "" if nothing speaks against it."""
    seconds = compute.plan(experiment).cost.seconds
    return fill(texts("train")["too_slow"], seconds=f"{seconds:.1f}") * (seconds > MOST_SECONDS)


def _follow(visit: Visit, experiment: Experiment) -> None:
    """The run that the page is about: the one that goes on, or a new one."""
    if visit.leaving:
        target, visit.leaving = visit.leaving, ""
        st.switch_page(st.session_state["pages"][target])
    steps = st.session_state["train_steps"]
    if visit.training is None and steps:
        controls.begin_as_linked(visit, experiment, steps)
    visit.follow(experiment)
    if visit.playing and time.monotonic() - visit.worked > LEFT_ALONE:
        visit.playing = False


@st.fragment(key=LEARNING)
def _learning(dragging: bool) -> None:
    """Some training if it plays, then the figures. The browser asks for it again and again."""
    visit = training.visit()
    if visit.training is None:
        return
    if visit.due and not dragging:
        visit.advance(controls.pace().updates)
        if not visit.playing:
            st.rerun()  # the button says Play again, and the table has the run
    saving.save(visit)
    first_screen(visit, visit.training, _command)


def _hint(place: DeltaGenerator, visit: Visit, revision: int, preparing: bool = False) -> None:
    """One line: what the lesson shows, why training began anew, or how to begin. While the
    figures are `preparing`, page.css hides the verdict; charts of another revision are hidden
    until they are drawn anew."""
    text, name = texts("train"), controls.lesson()
    if visit.lost and name != INFLUENCE:
        said = text["lost"]
    elif visit.restarted and name != INFLUENCE:
        said = fill(text["restarted"], why=visit.restarted)
    else:
        said = controls.lesson_words(name) if name else text["waiting"]
    css = "rnnviz-how" + " rnnviz-preparing" * preparing + " rnnviz-plays" * visit.playing
    first = text["preparing"] if preparing else ""
    place.html(
        f'<p class="{css}"><b>{first}</b> {html.escape(said)}</p><style>'
        f'.rnnviz-chart[data-revision]:not([data-revision="0"], [data-revision="{revision}"]) '
        "{ visibility: hidden; }</style>"
    )


def _command(name: str, step: int) -> None:
    """What the scrubber asks for. A callback: its own fragment runs anyway."""
    visit = training.visit()
    visit.due = name == "tick" and visit.playing
    if name != "tick":
        controls.command(name, step)
        st.rerun(state.WHOLE_PAGE)
    elif visit.ahead is None and time.monotonic() - visit.drawn_below > BELOW_EVERY:
        visit.drawn_below = time.monotonic()
        st.rerun((LEARNING, state.DETAILS))


def details(setting: Setting) -> None:
    """Gradient through time, its norm, weights and gates; this visit's runs."""
    visit = training.visit()
    if visit.training is None or controls.lesson() == INFLUENCE:
        return
    below_the_fold(visit, visit.training)
    if not visit.playing:
        runs_table(visit)
