"""A story that asks before it shows: scenes, one question, one picture, one sentence, one knob."""

from __future__ import annotations

import html
from dataclasses import asdict
from typing import Any

import streamlit as st

from rnnviz.dashboard import address, compute, hall, layout, offers, scene, show, state, words_html
from rnnviz.dashboard.asked import Asked
from rnnviz.dashboard.components import desk as desks
from rnnviz.dashboard.frames import drawn
from rnnviz.dashboard.knobs import slider
from rnnviz.dashboard.memory import Crowded
from rnnviz.dashboard.server import url
from rnnviz.experiment.fields import show as field_text
from rnnviz.lecture import pictures
from rnnviz.lecture.pictures import Choices
from rnnviz.lecture.scenes import (
    CLIPPED,
    INFLUENCE,
    LAST,
    QUIZ,
    SCENES,
    Question,
    Scene,
)
from rnnviz.lecture.words import BALLOT, Words, holds, verdict, words
from rnnviz.wording.lists import sentences
from rnnviz.wording.texts import fill, say, texts

STYLE = layout.CSS.with_name("lecture.css")
KEYS = ("previous", "next", "reveal", "note", "clock", "room", "bars", "cards", "full")
OF_ROOM = ("room", "bars", "back")
"""What is done to the room, whichever the scene."""


def show_scene() -> None:
    """The whole page. It is one script, without parts that run alone: a scene changes all of it."""
    offers.begin()
    scene.follow()
    st.html(STYLE)
    if said := scene.refusals():
        layout.warn(sentences(said))
    hall.say_problem()
    now = scene.current()
    hall.ask(hall.of_quiz() if now is None else now)
    if now is None:
        _quiz()
    else:
        _scene(now)
    offers.tell_sliders(url(f"/{state.LECTURE}"))


def _scene(now: Scene) -> None:
    said, shown = words(now), scene.is_shown(now.name)
    _heading(said.question)
    _ballot(now, said)
    try:
        _picture(now, shown)
    except Crowded as crowded:
        layout.refused(fill(texts("layout")["refused"], reason=crowded))
    if shown:
        _answer(now, said)
    elif now.first is not None:
        _vote_line()
    _desk(now.name, said.note, now.choices)


def _heading(question: str) -> None:
    number = say("lecture", "number", number=scene.number(), count=LAST)
    st.html(
        f'<div class="rnnviz-scene"><span class="number">{html.escape(number)}</span>'
        f'<h1 class="rnnviz-asks">{words_html.marked(question)}</h1></div>'
    )


def _ballot(question: Question, said: Words) -> None:
    text, shown = texts("lecture"), scene.is_shown(question.name)
    desks.ballot(
        question.name,
        [words_html.marked(choice) for choice in said.choices],
        taken=scene.answers().get(question.name, 0),
        right=question.answer if shown else 0,
        guess=asdict(question.guess) if question.guess else None,
        words={name: text[name] for name in BALLOT},
        votes=hall.votes(question.name),
        on_act=lambda: _act(question.name),
    )


def _act(question: str = "") -> None:
    """What the ballot of a question, or the desk, was told: unless it is of the scene, and that was
    another one."""
    state.speak_here()
    told, now = desks.told(question), scene.current()
    open_now = "quiz" if now is None else now.name
    if told is None or (told.action not in OF_ROOM and told.question != (question or open_now)):
        return
    led = hall.room() is not None
    if told.action == "answer":
        scene.answer(told.question, told.number, reveals=not led)
    elif told.action == "reveal":
        scene.reveal(hall.of_quiz() if led else None)
    elif told.action == "room":
        hall.turn()
    elif told.action == "bars":
        hall.turn_bars()
    elif told.action == "back":
        hall.come_back(told.code, told.secret)
    elif told.action == "go":
        scene.go(told.number)
    elif told.action in ("next", "previous"):
        scene.go(scene.number() + (1 if told.action == "next" else -1))


def _picture(now: Scene, shown: bool) -> None:
    if not shown and now.first is None:
        hidden = hall.invitation() or html.escape(texts("lecture")["hidden"])
        st.html(f'<div class="rnnviz-place" style="height:{pictures.HEIGHT}px">{hidden}</div>')
    elif now.page in (CLIPPED, INFLUENCE):
        lesson = None
        if now.page == CLIPPED:
            with st.spinner(texts("lecture")["training"]):
                lesson = compute.clipping_lesson()
        address.say_what_is_drawn(now.experiment)
        for picture in pictures.of_scene(now, pictures.lesson_pictures(now, lesson)):
            show.chart(picture)
    else:
        _figure(now, shown)


def _figure(now: Scene, shown: bool) -> None:
    setting, choices = scene.setting(now), Choices(now.name)
    address.say_what_is_drawn(setting.experiment)
    if refusal := compute.refusal(setting.experiment):
        layout.refused(refusal)
        return
    if shown:
        offers.offer(setting, choices)
    figure = drawn(Asked(setting.experiment, choices, setting.pinned))
    show.show(figure.items, figure.styles)


def _answer(now: Scene, said: Words) -> None:
    """The answer beside the truth, what to take home, what to try, and the knob."""
    beside = verdict(now, scene.answers().get(now.name, 0))
    told = words_html.marked(sentences([beside, said.reveal]))
    st.html(
        f'<p class="rnnviz-says" role="status"{_holds(now)}>{told}</p>'
        f'<p class="rnnviz-says sentence">{words_html.marked(said.sentence)}</p>'
        f'<p class="rnnviz-try">{words_html.marked(said.to_try)}</p>'
    )
    if now.knob:
        with st.container(key="lecture-knob"):
            slider(now.knob, ticks=now.ticks, whole=True)


def _holds(now: Scene) -> str:
    """Of which value of its knob a scene's answer is, as attributes: the desk says it where the
    knob stands elsewhere."""
    if not now.knob:
        return ""
    value = field_text(getattr(now.experiment, now.knob))
    return f' data-holds="{value}" data-of="{html.escape(holds(now))}"'


def _vote_line() -> None:
    if said := hall.line():
        st.html(f'<p class="rnnviz-says">{said}</p>')


def _quiz() -> None:
    text = texts("scenes")
    _heading(text["quiz_title"])
    right = sum(q.is_right(scene.answers().get(q.name, 0)) for q in QUIZ)
    for question in QUIZ:
        said = words(question)
        st.html(f'<p class="rnnviz-quiz">{words_html.marked(said.question)}</p>')
        _ballot(question, said)
        if scene.is_shown(question.name):
            st.html(f'<p class="rnnviz-says">{words_html.marked(said.reveal)}</p>')
    answered = any(question.name in scene.answers() for question in QUIZ)
    if answered and all(scene.is_shown(question.name) for question in QUIZ):
        score = say("lecture", "score", right=right, count=len(QUIZ))
        st.html(f'<p class="rnnviz-says sentence">{html.escape(score)}</p>')
    _vote_line()
    _desk("quiz", "", 0)


def _desk(question: str, note: str, choices: int) -> None:
    text, mine, led = texts("lecture"), hall.key(), hall.room() is not None
    said = {name: text[f"key_{name}"] for name in KEYS}
    said |= {name: text[name] for name in ("clock_says", "clock_means", "cards_name")}
    said["bars"] = text["key_bars_shown" if hall.shows_bars() else "key_bars"]
    said["room"] = text["key_room_open" if led else "key_room"]
    desks.desk(question=question, note=words_html.marked(note), choices=choices, words=said,
               room=(mine.code, mine.secret) if mine and led else None, heard=hall.heard(),
               cards=_cards(), progress=_progress(), on_act=_act)  # fmt: skip


def _cards() -> list[dict[str, Any]]:
    """Every scene by its title, the quiz with all of its questions."""
    scenes = [
        {"names": [each.name], "title": words_html.marked(words(each).title)} for each in SCENES
    ]
    title = words_html.marked(texts("scenes")["quiz_title"])
    return [*scenes, {"names": [q.name for q in QUIZ], "title": title}]


def _progress() -> dict[str, bool]:
    taken = scene.answers()
    shown = (q for q in (*SCENES, *QUIZ) if q.name in taken and scene.is_shown(q.name))
    return {question.name: question.is_right(taken[question.name]) for question in shown}
