"""What happens while it learns?"""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz import frames
from rnnviz.dashboard import (
    address,
    compute,
    definitions,
    layout,
    offers,
    playing,
    saving,
    show,
    state,
    trained,
    training,
)
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.asked import TrainingChoices
from rnnviz.dashboard.components.scrubber import packed, scrubber
from rnnviz.dashboard.playing import Stage
from rnnviz.dashboard.runs_table import ghosts, runs_table
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.training import Visit
from rnnviz.experiment import Experiment
from rnnviz.jobs.training import Training
from rnnviz.views import forecast, influence, own_sentence, train_networks
from rnnviz.views.train import Choices, below_the_fold, first_screen, view
from rnnviz.wording.texts import fill, language, texts

MOST_SECONDS = 1.0
"""Of one training step of all models, by a rough guess; beyond that Pause would not be prompt."""
LEFT_ALONE = 10.0
"""Seconds without training after which it counts as left alone, and pauses."""
INFLUENCE = "influence"
"""The lesson that is a panel of its own instead of a run."""
COMPANY, SENTENCE = "view_company", "own_sentence"
LEARNING = "learning"
"""Key of the fragment that a tick runs."""


def page(setting: Setting) -> None:
    """Controls, verdict, scrubber; loss and gradient over training."""
    visit = training.visit()
    layout.unseen_heading(texts("train")["question"])
    layout.link_messages(setting.experiment)
    refusal = _refusal(setting.experiment)
    if not refusal:
        _follow(visit, setting.experiment)
    controls.forget_lesson()
    idle = _idle(refusal)
    visit.playing = visit.playing and not idle
    controls.draw(visit, idle)
    if controls.lesson() == INFLUENCE:
        _figures(visit, influence.REVISION, _influence)
    elif refusal:
        layout.refused(refusal)
    elif visit.training is not None:
        _figures(visit, visit.training.zoom, _learning)


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
    visit.follow(experiment, st.session_state["train_steps"])
    if visit.playing and time.monotonic() - visit.worked > LEFT_ALONE:
        visit.playing = False


@state.fragment(key=LEARNING)
def _learning() -> None:
    """Some training if it plays, then the figures. The browser asks for it again and again."""
    visit = training.visit()
    if visit.training is None:
        return
    if visit.due:
        visit.advance(controls.speed().updates)
        if not visit.playing:
            st.rerun()  # the button says Play again, and the table has the run
    saving.save(visit)
    _offer(visit, visit.training)
    _first_screen(visit, visit.training)


def _choices(visit: Visit, run: Training) -> TrainingChoices:
    of_page = Choices(visit.playing, controls.log_loss())
    return TrainingChoices(of_page, controls.hidden_states(), controls.speed().every, run.zoom)


def _offer(visit: Visit, run: Training) -> None:
    """Past the script: what a knob would begin, where nothing is drawn beside it that this visit
    alone has, and a slice while it plays."""
    choices = _choices(visit, run)
    stage = Stage(
        visit,
        controls.speed().updates,
        choices,
        playing.stopped(run),
        definitions.so_far(),
        language(),
        saving.saver(),
    )
    slices = partial(playing.slice_frames, stage) if visit.playing else None
    alone = not (ghosts(visit) or visit.ahead.job)
    offers.offer(Setting(run.experiment, None), choices if alone else None, playing=slices)


def _influence() -> None:
    show.show(influence.pictures(), influence.STYLES, revision=influence.REVISION)


def _first_screen(visit: Visit, run: Training) -> None:
    """Verdict, scrubber, loss and metric, gradient over training."""
    choices = _choices(visit, run)
    shown = playing.view_of(visit, run, choices)
    layout.sentence(shown.example, shown.styles)
    layout.verdict(shown.verdict, shown.styles)
    controls.troubles(run)
    scrubber(packed(run, shown, choices.every), _command)
    address.say_what_is_drawn(trained.trained(run))
    show.show(first_screen(shown), shown.styles, revision=run.zoom)


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
        said = texts("lessons")[name] if name else text["waiting"]
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
    if not visit.due:
        st.rerun(state.WHOLE_PAGE)
    elif visit.ahead.job is None and visit.work.is_due():
        st.rerun((LEARNING, state.DETAILS))


def details(setting: Setting) -> None:
    """Gradient through time, its norm, weights and gates; this visit's runs."""
    visit = training.visit()
    run = visit.training
    if run is None or controls.lesson() == INFLUENCE:
        return
    address.say_what_is_drawn(trained.trained(run))
    choices = _choices(visit, run)
    shown = view(run, choices.of_page, compute.levels(run.experiment, choices.states))
    pairs = [("profile", "norms")]
    show.show(below_the_fold(shown), shown.styles, pairs, revision=run.zoom)
    # While it plays the last checkpoint alone; else more of them, for the scrubber.
    most = 1 if visit.playing else train_networks.CHECKPOINTS
    networks = train_networks.view(run, compute.plan(run.experiment).batch, most)
    show.show(train_networks.pictures(networks), networks.styles, revision=run.zoom)
    if not visit.playing:
        _try_out(run)
    if not visit.playing:
        runs_table(visit)


def _try_out(run: Training) -> None:
    """What the networks that are shown make of held-out weeks, or of a sentence of one's own."""
    text, task = texts("train"), run.experiment.task
    if task == forecast.TASK:
        found = forecast.view(run, layout.chosen(COMPANY))
        layout.choice(text["company"], found.companies, COMPANY, found.company)
        show.show(forecast.pictures(found), found.styles, revision=run.zoom)
        layout.data_button("forecast", lambda: _forecasts(found))
    elif task == own_sentence.TASK:
        sentence = st.text_input(
            text["own_sentence"],
            own_sentence.EXAMPLE,
            key=SENTENCE,
            max_chars=300,
            persist_state="session",
        )
        try:
            said = own_sentence.view(run, sentence)
        except ValueError as error:
            layout.warn(str(error))
        else:
            show.show(own_sentence.pictures(said), said.styles, revision=run.zoom)
            layout.data_button("sentence", lambda: frames.sentence_frame(said.words, said.positive))


def _forecasts(of: forecast.View) -> pd.DataFrame:
    return frames.forecast_frame(of.forecasts, of.companies, of.known, of.week)
