"""Where a visit is in the lecture: its scene, what it has answered, and what is shown.

The knobs are those of every page: a scene sets them, and its own may then be moved. So the page
that is opened next shows the scene's experiment.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.dashboard import address, state
from rnnviz.dashboard.address import REVEALED
from rnnviz.dashboard.state import SCENE, Setting
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.fields import show as field_text
from rnnviz.experiment.links import inert
from rnnviz.lecture.scenes import LAST, QUIZ, SCENES, Question, Scene
from rnnviz.wording.library import translated
from rnnviz.wording.texts import say

ANSWERS, SHOWN = "lecture.answers", "lecture.shown"
"""Where a visit has the choices it took, by question, and the questions that are revealed."""


def number() -> int:
    """Of the scene that is open, from 1; the first where a link asks for one that is not there."""
    said = _said()
    return int(said) if said in map(str, range(1, LAST + 1)) else 1


def refusals() -> tuple[str, ...]:
    """What the link asked for and did not get."""
    said, (_, messages) = _said(), st.session_state[address.MESSAGES]
    of_knobs = tuple(map(translated, messages))
    if said == str(number()):
        return of_knobs
    asked = inert(said[: address.SHOWN_OF_LINK])
    return (say("lecture", "no_scene", asked=asked, last=LAST), *of_knobs)


def _said() -> str:
    return str(st.session_state.get(SCENE) or "1")


def current() -> Scene | None:
    """The scene that is open; None for the quiz."""
    return SCENES[number() - 1] if number() < LAST else None


def answers() -> dict[str, int]:
    """Question -> the choice that was taken, from 1."""
    return dict(st.session_state.get(ANSWERS, {}))


def is_shown(name: str) -> bool:
    """Whether a question's answer is revealed."""
    return name in st.session_state.get(SHOWN, ())


def prepare(linked: bool) -> None:
    """In every run, before the page: the knobs are the scene's, but for the one that may move.
    linked: a link has just set them; one that says where that knob stands shows the answer, and so
    does one that says so."""
    scene = current()
    if scene is None:
        return
    now, _ = state.read()
    set_by_link = linked and bool(scene.knob) and FIELDS[scene.knob].url in st.query_params
    if set_by_link or (linked and st.query_params.get(REVEALED) == "1"):
        _show(scene.name)
    wanted = _wanted(scene)
    if is_shown(scene.name) and scene.knob and (set_by_link or not linked):
        moved = {scene.knob: getattr(now, scene.knob)}
        if now == replace(wanted, **moved):
            return
        wanted = replace(wanted, **moved) if set_by_link else wanted
    if now != wanted:
        state.adopt(wanted)


def _wanted(scene: Scene) -> Experiment:
    return scene.experiment if is_shown(scene.name) else scene.first or scene.experiment


def setting(scene: Scene) -> Setting:
    """What is drawn, and faintly behind it what it was before."""
    experiment, _ = state.read()
    return Setting(experiment, scene.first if is_shown(scene.name) else None)


def follow() -> None:
    """Let the address say which scene is open, and of one whose answer is shown where its knob
    stands, or that it is shown."""
    scene, query = current(), {"scene": str(number())}
    if scene is not None and is_shown(scene.name):
        query |= _moved(scene) or {REVEALED: "1"}
    address.write_address({**address.of_visit(), **query})


def _moved(scene: Scene) -> dict[str, str]:
    """Where the scene's knob stands, if it has been moved."""
    if not scene.knob:
        return {}
    value = getattr(state.read()[0], scene.knob)
    same = value == getattr(scene.experiment, scene.knob)
    return {} if same else {FIELDS[scene.knob].url: field_text(value)}


def go(to: int) -> None:
    """Open another scene. A callback, as those below are."""
    st.session_state[SCENE] = str(min(max(to, 1), LAST))
    address.forget_messages()
    if (scene := current()) is not None:
        state.adopt(_wanted(scene))


def reveal(of_quiz: Question | None = None) -> None:
    """Show the answer of the scene that is open, of the quiz that of one question or of all."""
    scene = current()
    if scene is None:
        for question in QUIZ if of_quiz is None else (of_quiz,):
            _show(question.name)
    elif not is_shown(scene.name):
        _show(scene.name)
        state.adopt(scene.experiment)


def answer(name: str, choice: int, reveals: bool = True) -> None:
    """Take a choice. reveals: whether that shows the answer."""
    question = next((q for q in (*SCENES, *QUIZ) if q.name == name), None)
    if question is None or not 1 <= choice <= question.answers or is_shown(name):
        return
    st.session_state[ANSWERS] = {**answers(), name: choice}
    if reveals and question in QUIZ:
        _show(name)
    elif reveals:
        reveal()


def _show(name: str) -> None:
    st.session_state[SHOWN] = st.session_state.get(SHOWN, frozenset()) | {name}
