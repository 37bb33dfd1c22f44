"""The Lecture page asks before it shows, and shows what its scene's run says."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import run
from rnnviz.dashboard import compute
from rnnviz.dashboard.asked import Asked, Move, moved
from rnnviz.dashboard.frames import frames
from rnnviz.experiment.lessons import LESSONS
from rnnviz.lecture.measures import Lesson, trained
from rnnviz.lecture.pictures import HEIGHT, Choices
from rnnviz.lecture.scenes import CLIPPED, LAST, QUIZ, SCENES, Scene
from rnnviz.lecture.words import words
from rnnviz.plots.training import running_mean
from rnnviz.views import gradient_flow
from tests.dashboard.support import (
    charts,
    experiment,
    go_to,
    line,
    numbers,
    said,
    same,
    send,
    sliders,
    visit,
)

BY_NAME = {scene.name: scene for scene in SCENES}
UNTRAINED = [scene for scene in SCENES if scene.name != "clipping"]
SAYS, TRY = 'class="rnnviz-says', 'class="rnnviz-try"'


def number_of(name: str) -> int:
    return SCENES.index(BY_NAME[name]) + 1


def open_scene(name: str, **more: str) -> AppTest:
    return visit("lecture", {"scene": str(number_of(name)), **more})


def press(app: AppTest, action: str, question: str, number: int = 0) -> AppTest:
    told = {"action": action, "question": question, "number": number}
    return send(app, "rnnviz_desk", "act", told)


def ballot(app: AppTest) -> dict[str, Any]:
    """What the first ballot was told."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_ballot"]
    told: dict[str, Any] = json.loads(found[0].proto.json)
    return told


def page(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.get("html"))


def tried(app: AppTest) -> str:
    """What the page says is to be tried, without its markup."""
    (found,) = re.findall(rf"<p {TRY}>(.*?)</p>", page(app))
    return html.unescape(re.sub(r"<[^>]*>", "", found))


def name_of(scene: Scene) -> str:
    return scene.name


@pytest.mark.parametrize("scene", UNTRAINED, ids=name_of)
def test_a_scene_asks_before_it_shows(scene: Scene) -> None:
    app = open_scene(scene.name)
    assert not app.exception
    assert ballot(app)["right"] == 0
    assert SAYS not in page(app)
    assert TRY not in page(app)
    assert not sliders(app)
    assert list(charts(app)) == ([] if scene.first is None else [scene.picture])
    assert experiment(app) == (scene.first or scene.experiment)
    press(app, "reveal", scene.name)
    assert not app.exception
    assert ballot(app)["right"] == scene.answer
    assert SAYS in page(app)
    assert tried(app) == words(scene).to_try.replace("**", "")
    assert list(charts(app)) == [scene.picture]
    assert len(sliders(app)) == bool(scene.knob)
    if scene.page != "influence":  # which is no experiment
        assert experiment(app) == scene.experiment


@pytest.fixture
def lesson(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lesson]:
    """The clipping lesson up to its first steps; what comes of it in the end is told by
    tests/lecture/test_scenes.py."""
    monkeypatch.setitem(LESSONS, "clipping", replace(LESSONS["clipping"], goal=40))
    compute.clipping_lesson.clear()
    yield trained()
    compute.clipping_lesson.clear()


@pytest.mark.trained
def test_the_clipping_scene_draws_both_runs_of_the_lesson(lesson: Lesson) -> None:
    app = press(open_scene("clipping"), "reveal", "clipping")
    (chart,) = charts(app).values()
    for name, which in (("RNN", "clipped"), ("earlier not clipped", "free")):
        losses = running_mean(np.asarray(lesson.course(which).curves.loss_per_answer))
        np.testing.assert_allclose(line(chart, name), losses, rtol=1e-5)
    assert line(chart, "RNN")[-1] != line(chart, "earlier not clipped")[-1]


def test_the_picture_is_the_page_s_own_and_the_one_before_stands_behind() -> None:
    scene = BY_NAME["gate"]
    chart = charts(press(open_scene("gate"), "reveal", "gate"))["flow-state"]
    own = gradient_flow.view(run(scene.experiment), pinned=run(scene.first))  # type: ignore[arg-type]
    drawn = next(p for p in gradient_flow.pictures(own) if p.key == "flow-state")
    told = [trace["y"] for trace in drawn.drawing["data"]]  # type: ignore[union-attr]
    assert [values.tolist() for values in numbers(chart)] == [list(map(float, y)) for y in told]
    assert chart["layout"]["height"] == HEIGHT
    assert "before: " in json.dumps(chart["layout"]["annotations"])


def test_an_answer_reveals_and_stands_beside_the_truth() -> None:
    app = press(open_scene("travel"), "answer", "travel", 2)
    assert (ballot(app)["taken"], ballot(app)["right"]) == (2, 4)
    assert "Not so." in page(app)
    app = press(app, "answer", "travel", 4)  # it is late for another one
    assert ballot(app)["taken"] == 2
    assert "Right." in page(press(open_scene("travel"), "answer", "travel", 4))


def test_a_guess_is_a_place_on_a_scale_and_stands_beside_the_true_number() -> None:
    scene = BY_NAME["weights"]
    assert scene.guess is not None
    app = open_scene("weights")
    told = ballot(app)
    assert told["choices"] == []
    assert (told["guess"]["low"], told["guess"]["high"]) == (-30, 5)
    for silly in (0, -3, scene.answers + 1, 10**12):
        assert ballot(press(app, "answer", "weights", silly))["taken"] == 0
    app = press(app, "answer", "weights", scene.guess.place(-8))
    assert (ballot(app)["taken"], ballot(app)["right"]) == (221, 80)
    assert "Not so: −8.0 is off by 14.1." in page(app)
    near = press(open_scene("weights"), "answer", "weights", scene.answer + 11)
    assert "Near enough: −21.0 is off by 1.1." in page(near)


@pytest.mark.parametrize("number", [0, 5, -1])
def test_no_other_choice_than_those_is_taken(number: int) -> None:
    assert ballot(press(open_scene("travel"), "answer", "travel", number))["taken"] == 0


def test_keys_turn_the_scenes_and_stop_at_both_ends() -> None:
    app = open_scene("travel")
    assert press(app, "previous", "travel").query_params == {"scene": "1"}
    assert press(app, "next", "travel").query_params == {"scene": "2"}
    assert experiment(app) == BY_NAME["cells"].experiment
    last = visit("lecture", {"scene": str(LAST)})
    assert press(last, "next", "quiz").query_params == {"scene": str(LAST)}


def test_a_key_that_was_meant_for_another_scene_does_nothing() -> None:
    app = press(open_scene("gate"), "reveal", "cells")
    assert ballot(app)["right"] == 0


def test_what_was_revealed_stays_so_and_a_turned_scene_begins_as_it_was() -> None:
    app = press(open_scene("travel"), "reveal", "travel")
    app.session_state["seq_len"] = 300
    app.run()
    assert app.query_params == {"scene": "1", "seq_len": "300"}
    press(app, "next", "travel")
    assert experiment(app).seq_len == 100
    assert ballot(app)["right"] == 0
    press(app, "previous", "cells")
    assert ballot(app)["right"] == 4


def test_a_link_says_where_the_knob_stands() -> None:
    app = open_scene("gate", memory_bias="1.5")
    assert experiment(app).memory_bias == 1.5
    assert ballot(app)["right"] == 3
    assert app.query_params == {"scene": "3", "memory_bias": "1.5"}


@pytest.mark.parametrize("name", [scene.name for scene in SCENES if scene.page != CLIPPED])
def test_the_address_of_an_answer_that_is_shown_opens_it(name: str) -> None:
    app = press(open_scene(name), "reveal", name)
    again = visit("lecture", dict(app.query_params))
    assert app.query_params["shown"] == "1"
    assert again.query_params == app.query_params
    assert ballot(again)["right"] == ballot(app)["right"]
    assert experiment(again) == experiment(app)
    assert charts(again).keys() == charts(app).keys()
    assert all(same(charts(again)[key], chart) for key, chart in charts(app).items())
    assert SAYS in page(again)


@pytest.mark.parametrize("asked", ["99", "0", "04", "-1", "3.5", "three", "9" * 5000, "", "²"])
def test_a_scene_that_is_not_there_is_said(asked: str) -> None:
    app = visit("lecture", {"scene": asked})
    assert not app.exception
    assert words(SCENES[0]).question[:20] in page(app)
    assert ("allowed: 1 to 13; showing scene 1." in said(app)) == bool(asked)


def test_a_scene_s_experiment_is_what_other_pages_show() -> None:
    app = press(open_scene("edge"), "reveal", "edge")
    app.query_params.clear()  # as a click on a tab does
    go_to(app, "gradient-flow")
    assert experiment(app) == BY_NAME["edge"].experiment


def test_the_quiz_gives_each_answer_its_reason_and_counts() -> None:
    app = visit("lecture", {"scene": str(LAST)})
    for count, question in enumerate(QUIZ):
        assert page(app).count(SAYS) == count
        told = {"action": "answer", "question": question.name, "number": 3}
        send(app, "rnnviz_ballot", "act", told, about=f'"{question.name}"')
    right = sum(question.right == 3 for question in QUIZ)
    assert f"{right} of 5 right" in page(app)


def test_a_lecturer_reveals_the_quiz_without_a_score() -> None:
    app = press(visit("lecture", {"scene": str(LAST)}), "reveal", "quiz")
    assert page(app).count(SAYS) == len(QUIZ)
    assert "of 5 right" not in page(app)


@pytest.mark.parametrize("scene", [s for s in SCENES if s.knob], ids=name_of)
def test_a_knob_is_followed_past_the_script(scene: Scene) -> None:
    asked = Asked(scene.experiment, Choices(scene.name), scene.first)
    to = moved(asked, Move({scene.knob: 2.0 if scene.knob != "seq_len" else 50.0}))
    assert to is not None
    names = [name for name, _ in frames(to)]
    assert names == [f"chart:{scene.picture}", "words:notes", "words:warning", "end"]


def test_the_cards_open_scenes_and_know_what_was_answered() -> None:
    app = press(open_scene("travel"), "answer", "travel", 2)
    (found,) = (e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_desk")
    told = json.loads(found.proto.json)
    assert told["progress"] == {"travel": False}
    names = [name for card in told["cards"] for name in card["names"]]
    assert names == [question.name for question in (*SCENES, *QUIZ)]
    assert all(card["title"] for card in told["cards"])
    for number in (5, LAST, 99):
        asked = "quiz" if number == 99 else SCENES[0].name if number == 5 else SCENES[4].name
        press(app, "go", asked, number)
        assert app.query_params == {"scene": str(min(number, LAST))}


def test_the_lecture_is_in_the_visit_s_language() -> None:
    app = press(open_scene("gate", lang="xx"), "reveal", "gate")
    assert app.query_params == {"lang": "xx", "scene": "3", "shown": "1"}
    bodies = [str(element.proto.body) for element in app.get("html")]
    written = [body for body in bodies if '"rnnviz-asks"' in body or body.startswith(f"<p {SAYS}")]
    assert len(written) == 2
    assert all("⟦" in body for body in written)
    assert all("⟦" in choice for choice in ballot(app)["choices"])
    (desk,) = (e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_desk")
    told = json.loads(desk.proto.json)
    assert all("⟦" in word for word in (told["note"], *told["words"].values()))
    assert all("⟦" in card["title"] for card in told["cards"])
