"""The lecture as a page: its pictures are the Lecture page's, its words are there in each language,
its arrays once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import rnnviz.report
from rnnviz.__main__ import main
from rnnviz.experiment import Run, run
from rnnviz.lecture.pictures import Choices, of_scene
from rnnviz.lecture.scenes import CLIPPED, QUIZ, SCENES, Scene
from rnnviz.lecture.words import words
from rnnviz.plots.drawing import Drawing
from rnnviz.report import knobs, lecture_page
from rnnviz.report.lecture import VIEWS
from rnnviz.wording.markup import as_html
from rnnviz.wording.texts import ENGLISH, PSEUDO, speak_in, texts
from tests.report.opened import ADDRESS, NAMESPACE, asked_for, data_of, same, whole

LANGUAGES = (ENGLISH, PSEUDO)
SOME = tuple(scene for scene in SCENES if scene.name in ("edge", "sigma", "truncation"))
WITH_KNOB = [scene for scene in SCENES if scene.knob]
VALUES = knobs.VALUES
AT = (0, 3, -1)
"""Places of a knob."""


def some(knob: str, every: int) -> tuple[float, ...]:
    """Of the knob's values so many, and those that a scene begins with or marks."""
    asked = {getattr(scene.experiment, knob) for scene in WITH_KNOB}
    asked |= {tick for scene in WITH_KNOB for tick in scene.ticks if scene.knob == knob}
    values = VALUES[knob]
    return tuple(value for k, value in enumerate(values) if k % every == 0 or value in asked)


FEW = {knob: some(knob, every=8) for knob in VALUES}


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def few() -> Iterator[None]:
    """A picture takes as long as a page: some places of each knob will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knobs, "VALUES", FEW)
        yield


@pytest.fixture(scope="module")
def page(few: None, told: list[tuple[int, int, str]]) -> str:
    return lecture_page(SOME, LANGUAGES, lambda *drawn: told.append(drawn))


@pytest.fixture(scope="module")
def data(page: str) -> Any:
    return data_of(page)


def figure(data: Any, number: int) -> Any:
    return whole(data["figures"][number]["figure"], data["arrays"])


def test_nothing_is_asked_for(page: str) -> None:
    assert asked_for(page).found == []
    plain = "\n".join(part for part in page.split("\n") if 'type="text/plain"' not in part)
    assert set(ADDRESS.findall(plain)) <= {NAMESPACE}


def pictured(scene: Scene, made: Run, language: str, **pinned: Run) -> Drawing:
    """What the Lecture page draws of a scene."""

    def draw() -> Drawing:
        page = VIEWS[scene.page]
        view = page.view(made, Choices(scene.name).of_page, **pinned)
        return next(of_scene(scene, page.pictures(view))).drawing

    return speak_in(language, draw)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_are_those_of_the_scene_s_page(data: Any, language: str) -> None:
    said = data["languages"][LANGUAGES.index(language)]
    assert said["code"] == language
    for at, scene in enumerate(SOME[:2]):
        pinned = {} if scene.first is None else {"pinned": run(scene.first)}
        drawn, settings = said["drawn"][at], knobs.settings(scene)
        assert len(drawn["shown"]) == len(settings)
        for place in AT:
            found = figure(data, drawn["shown"][place])
            assert same(found, pictured(scene, run(settings[place]), language, **pinned))
        assert (drawn["first"] is None) == (not pinned)
        for before in pinned.values():
            assert same(figure(data, drawn["first"]), pictured(scene, before, language))


def test_arrays_are_in_it_once_for_all_languages(data: Any) -> None:
    arrays = [str(each) for each in data["arrays"]]
    assert len(arrays) == len(set(arrays)) > 20
    english, other = (said["drawn"] for said in data["languages"])
    for one, two in zip(english, other, strict=True):
        for numbers in zip(one["shown"], two["shown"], strict=True):
            used = [sorted(places(data["figures"][k]["figure"])) for k in numbers]
            assert used[0] == used[1] != []


def places(value: Any) -> list[int]:
    """The numbers of the arrays that a figure has."""
    if isinstance(value, dict):
        return [value["$"]] if "$" in value else [k for v in value.values() for k in places(v)]
    return [k for v in value for k in places(v)] if isinstance(value, list) else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_there(data: Any, language: str) -> None:
    said = data["languages"][LANGUAGES.index(language)]
    assert ("⟦" in str(said["scenes"])) == (language == PSEUDO)
    for scene, found in zip(SOME, said["scenes"], strict=True):
        own = speak_in(language, partial(words, scene))
        assert found["choices"] == [as_html(choice) for choice in own.choices]
        assert found["note"] == as_html(own.note)
        for part in ("question", "reveal", "sentence", "to_try"):
            assert without_terms(found[part]) == as_html(getattr(own, part))
    quiz = [speak_in(language, partial(words, question)) for question in QUIZ]
    found = said["quiz"]["questions"]
    assert [without_terms(each["reveal"]) for each in found] == [as_html(q.reveal) for q in quiz]
    assert [each["right"] for each in data["quiz"]] == [question.answer for question in QUIZ]
    assert set(said["hand"]["given"]["words"]) <= set(speak_in(language, lambda: texts("chain")))


def without_terms(text: str) -> str:
    parts = [part.partition("</dfn>") for part in text.split("<dfn ")]
    return parts[0][0] + "".join(p.partition(">")[2] + rest for p, _, rest in parts[1:])


def test_it_is_told_how_far_it_is(page: str, told: list[tuple[int, int, str]]) -> None:
    count = sum(len(knobs.settings(scene)) for scene in SOME)
    assert [done for done, _, _ in told] == list(range(1, count + 1))
    assert {every for _, every, _ in told} == {count}
    assert told[-1][2] == "truncation"


@pytest.mark.parametrize("scene", WITH_KNOB, ids=lambda scene: scene.name)
def test_a_knob_has_25_places_and_its_own_among_them(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knobs, "VALUES", VALUES)
    values, settings = knobs.VALUES[scene.knob], knobs.settings(scene)
    assert len(settings) == len(values) >= 25
    assert list(values) == sorted(set(values))
    assert settings[knobs.start(scene)] == scene.experiment
    assert [values[place] for place in knobs.ticks(scene)] == list(scene.ticks)
    for number in scene.numbers.values():
        if set(number.changes) == {scene.knob}:
            assert number.changes[scene.knob] in values


def test_the_whole_lecture_is_below_12_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From some places of each knob, were the others as large; but for one picture, whose lesson
    trains."""
    scenes = [scene for scene in SCENES if scene.page != CLIPPED]
    monkeypatch.setattr(knobs, "VALUES", VALUES)
    places = sum(len(knobs.settings(scene)) for scene in scenes)
    monkeypatch.setattr(knobs, "VALUES", {knob: some(knob, every=32) for knob in VALUES})
    page = lecture_page(scenes, [ENGLISH])
    shown = [len(each["shown"]) for each in data_of(page)["languages"][0]["drawn"]]
    assert shown == [len(knobs.settings(scene)) for scene in scenes]
    without = len(lecture_page([], [ENGLISH]).encode())
    assert without + (len(page.encode()) - without) * places / sum(shown) < 12_000_000


def test_the_command_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rnnviz.report, "lecture_page", lambda tell: tell(1, 1, "edge") or "page")
    out = tmp_path / "lecture.html"
    assert main(["lecture", "--out", str(out)]) == 0
    assert out.read_text("utf-8") == "page"
    said = capsys.readouterr()
    assert said.out == ""
    assert "1 of 1 pictures" in said.err
    with pytest.raises(SystemExit) as ended:
        main(["lecture", "--out", str(tmp_path / "no" / "lecture.html")])
    assert ended.value.code == 2
    assert "lecture.html cannot be written: there is no folder" in capsys.readouterr().err
