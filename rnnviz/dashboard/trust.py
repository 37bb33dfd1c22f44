"""The trust strip: what was checked on the run that the page shows, and how close it came.

It is made after everything else, in the run of what is below the fold, so never while a knob is
dragged. The page says with every run of its own which run it shows (`mark`); a strip that belongs
to another one is dimmed by that, before a chart is drawn anew.
"""

from __future__ import annotations

import hashlib

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.analysis.trust import Trust
from rnnviz.analysis.trust import trust as check
from rnnviz.core.network import run_network
from rnnviz.dashboard import compute, training, trust_words
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.pages.train import INFLUENCE
from rnnviz.experiment import Experiment
from rnnviz.wording.texts import fill, texts

KEPT = "trust"
"""Where a visit keeps the checks of the network that it trains: (which one, the checks)."""
PLAYING, NOTHING = "playing", "nothing"
ELSEWHERE = ("phase-diagram", "claims")
"""Pages whose figures are of many runs: the strip is about the sidebar's."""


def mark(place: DeltaGenerator, path: str, experiment: Experiment, refusal: str) -> None:
    """Say which run the page shows, before its charts are drawn; `refusal` is why it shows none."""
    shown = run_id(path, experiment, refusal)
    place.html(
        f'<i class="rnnviz-run" data-run="{shown}"></i><style>'
        f'.rnnviz-trust:not([data-run="{shown}"]) {{ opacity: 0.55; filter: grayscale(1); }}'
        f'.rnnviz-trust:not([data-run="{shown}"]) .now {{ display: none; }}'
        f'.rnnviz-trust:not([data-run="{shown}"]) .then {{ display: inline; }}</style>'
    )


def run_id(path: str, experiment: Experiment, refusal: str) -> str:
    """The name of the run that the page shows."""
    if refusal:
        return NOTHING
    if path != "train":
        return _hash(experiment)
    visit = training.visit()
    run = visit.training
    if controls.lesson() == INFLUENCE or run is None or run.experiment != experiment:
        return NOTHING
    if visit.playing:
        return PLAYING
    return _hash(run.number, *(trainee.state.step for trainee in run.trainees.values()))


def _hash(*what: object) -> str:
    return hashlib.sha1(repr(what).encode(), usedforsecurity=False).hexdigest()[:12]


def strip(path: str, experiment: Experiment, refusal: str) -> None:
    """Check the run, or find it checked; then draw the strip."""
    shown, text = run_id(path, experiment, refusal), texts("trust")
    if shown in (PLAYING, NOTHING):
        st.html(trust_words.short(shown, text[shown]))
        return
    where = "trained" if path == "train" else "sidebar" if path in ELSEWHERE else "here"
    about = text[where]
    if path == "train":
        shown, found, steps = _of_training(experiment)
        about = fill(about, steps=f"{steps:,}")
    else:
        found = [compute.trust(experiment, str(model)) for model in experiment.models]
    st.html(trust_words.whole(shown, found, text[f"of_{where}"], about))


def _of_training(experiment: Experiment) -> tuple[str, list[Trust], int]:
    """Which run, the checks of its networks as they are now, and how many steps these trained."""
    run = training.visit().training
    assert run is not None
    states = {label: trainee.state for label, trainee in run.trainees.items()}
    shown = _hash(run.number, *(state.step for state in states.values()))
    known, found = st.session_state.get(KEPT, ("", []))
    if known != shown:
        batch, found = compute.batch(experiment), []
        for label, state in states.items():
            trace = run_network(run.trainees[label].network, state.params, batch)
            found.append(check(trace, batch, label, progress=compute.give_way))
        st.session_state[KEPT] = (shown, found)
    return shown, found, max(state.step for state in states.values())
