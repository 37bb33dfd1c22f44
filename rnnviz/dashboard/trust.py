"""The trust strip: what was checked on the run that the page shows, and how close it came.

The quick checks are made with the page, as soon as it is at rest and while its run is in memory
(`check`). The thorough ones are made when the visitor asks for them, model after model; their
results are shared by all who ask. The page says with every run of its own which run it shows
(`mark`); a strip that belongs to another one is dimmed by that, before a chart is drawn anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.analysis.selfcheck import checks as trusting
from rnnviz.analysis.selfcheck.checks import Trust
from rnnviz.core.network import run_network
from rnnviz.dashboard import compute, jobs, state, training, trust_html
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.components.disclosure import Disclosed, disclosure, told
from rnnviz.dashboard.pages.train import INFLUENCE
from rnnviz.experiment import Experiment
from rnnviz.wording.texts import fill, texts

KEPT, ASKED, KEY, MARK = "trust", "trust_asked", "checks", "mark"
"""Where a visit keeps what is known of one run, and the run that the browser asks to check; the
strip's key; what the mark is called on the page."""
PLAYING, NOTHING = "playing", "nothing"
ELSEWHERE = ("phase-diagram", "claims")
"""Pages whose figures are of many runs: the strip is about the sidebar's."""


@dataclass(frozen=True)
class Checked:
    """What is known of one run. quick, thorough: label -> checks. asked: whether the visitor wants
    the thorough ones; then they go on until every model has them."""

    run: str
    quick: dict[str, Trust] = field(default_factory=dict)
    thorough: dict[str, Trust] = field(default_factory=dict)
    asked: bool = False

    def of(self, labels: list[str]) -> list[Trust]:
        """The best that is known of each model."""
        known = {**self.quick, **self.thorough}
        return [known[label] for label in labels if label in known]


def mark(place: DeltaGenerator, path: str, experiment: Experiment, refusal: str) -> None:
    """Say which run the page shows, before its charts are drawn; `refusal` is why it shows none."""
    shown = run_id(path, experiment, refusal)
    place.html(f'<div data-words="{MARK}">{mark_html(shown)}</div>')


def mark_html(shown: str) -> str:
    """What says which run the page shows."""
    return (
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


def check(path: str, experiment: Experiment) -> None:
    """Make the quick checks of what a page has just shown. The others have no run in memory that
    theirs could be made on: they show what is known already."""
    if path == "train" or path in ELSEWHERE:
        return
    if not _known(_hash(experiment)).quick:
        st.session_state[KEPT] = _quick(experiment)


def _known(shown: str) -> Checked:
    """What this visit knows of a run."""
    last = st.session_state.get(KEPT)
    return last if last is not None and last.run == shown else Checked(shown)


@state.fragment(key=KEPT)
def strip(path: str, experiment: Experiment, refusal: str) -> None:
    """One line, and everything behind it; one more model's thorough checks if the browser asks."""
    shown, text = run_id(path, experiment, refusal), texts("trust")
    asked = st.session_state.pop(ASKED, None)
    if shown in (PLAYING, NOTHING):
        line, otherwise = (trust_html.said("none", text[said]) for said in (shown, "stale"))
        disclosure(Disclosed(KEY, shown, line, otherwise), _ask)
        return
    checked = _known(shown)
    if asked == shown:
        checked = st.session_state[KEPT] = _further(path, experiment, checked)
    disclosure(_said(path, experiment, checked), _ask)


def settled(path: str, experiment: Experiment) -> Iterator[tuple[str, bytes]]:
    """The strip and the mark of a run that has just been shown past the script, as its browser
    takes them."""
    strip = _said(path, experiment, _quick(experiment))
    yield f"panel:{strip.key}", strip.packed()
    yield f"words:{MARK}", mark_html(strip.run).encode()


def _quick(experiment: Experiment) -> Checked:
    found = compute.quick_checks(experiment)
    return Checked(_hash(experiment), {trust.label: trust for trust in found})


def _said(path: str, experiment: Experiment, checked: Checked) -> Disclosed:
    text, labels = texts("trust"), list(map(str, experiment.models))
    found, done = checked.of(labels), len(checked.thorough)
    where = "trained" if path == "train" else "sidebar" if path in ELSEWHERE else "here"
    known = done if checked.asked else None
    running = checked.asked and done < len(labels)
    return Disclosed(
        key=KEY,
        run=checked.run,
        line=trust_html.line(found, known, len(labels), where == "sidebar"),
        otherwise=trust_html.said("none", text["stale"]),
        panel=trust_html.panel(found, labels, _about(path, where)),
        name=text["panel_name"],
        ask=text["checking" if running else "done" if checked.asked else "ask_now"],
        running=running,
        done=checked.asked and not running,
    )


def _ask() -> None:
    """Before the script's body."""
    st.session_state[ASKED] = told(KEY)


def _about(path: str, where: str) -> str:
    """What was checked, in a sentence."""
    about = texts("trust")[where]
    if path != "train" or (run := training.visit().training) is None:
        return about
    return fill(about, steps=f"{max(t.state.step for t in run.trainees.values()):,}")


def _further(path: str, experiment: Experiment, checked: Checked) -> Checked:
    """With the thorough checks of one more model."""
    labels = map(str, experiment.models)
    label = next((label for label in labels if label not in checked.thorough), None)
    if label is None:
        return checked
    # Asked for even if a newer script stops what follows: the browser will ask again.
    st.session_state[KEPT] = Checked(checked.run, checked.quick, checked.thorough, asked=True)
    with jobs.turns().slice(jobs.give_way):
        made = (_of_training if path == "train" else compute.trust)(experiment, label)
    return Checked(checked.run, checked.quick, {**checked.thorough, label: made}, asked=True)


def _of_training(experiment: Experiment, label: str) -> Trust:
    """The checks of one network in training as it is now: of a run that is made for it."""
    run = training.visit().training
    assert run is not None
    network, batch = run.plan.networks[label], compute.plan(experiment).batch
    trace = run_network(network, run.trainees[label].state.params, batch)
    return trusting.trust(trace, batch, label, progress=jobs.give_way)
