"""What a link may start by itself: about a second of work. For more it takes a click.

A link is opened by those who did not write it, and in a hall by all of them at once. What a visitor
sets by hand is not asked about.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.dashboard import compute, layout, state
from rnnviz.experiment import Experiment

FREE_SECONDS = 1.0
RUNNING = ("gradient-flow", "spectrum", "gates")
"""Pages that run the experiment themselves. The others work in slices, from the start or by a
click, and what a slice may take is bounded."""
LINKED, ALLOWED = "linked", "allowed"
"""Where a visit keeps the experiment that it began with, and those that were clicked."""


def is_missing(setting: state.Setting, refusal: str) -> bool:
    """Whether this is what the visit's link asks for, takes long, and nobody has clicked yet. What
    is refused anyway (`refusal` says why) is not asked about."""
    experiment = setting.experiment
    linked: Experiment = st.session_state.setdefault(LINKED, experiment)
    if experiment.dtype != linked.dtype:  # which is another while a knob is held
        experiment = replace(experiment, dtype=linked.dtype)
    if refusal or experiment != linked:
        return False
    return linked not in _allowed() and _seconds(setting) > FREE_SECONDS


def ask(setting: state.Setting) -> None:
    """Instead of a page: what it would take, and the button."""
    sizes = [compute.plan(experiment).cost.bytes for experiment in _wanted(setting)]
    layout.ask(setting.experiment, _seconds(setting), max(sizes), _allow)


def _allow() -> None:
    st.session_state[ALLOWED] = {*_allowed(), st.session_state[LINKED]}
    st.rerun(state.WHOLE_PAGE)


def _allowed() -> set[Experiment]:
    found: set[Experiment] = st.session_state.get(ALLOWED, set())
    return found


def _seconds(setting: state.Setting) -> float:
    return sum(map(compute.traces.seconds, _wanted(setting)))


def _wanted(setting: state.Setting) -> list[Experiment]:
    both = setting.experiment, setting.pinned
    return [experiment for experiment in both if experiment is not None]
