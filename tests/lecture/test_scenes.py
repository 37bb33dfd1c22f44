"""Every scene says all that it must, and nothing of its own is false."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rnnviz.experiment import FIELDS, Experiment, check_size, run
from rnnviz.lecture import measures
from rnnviz.lecture.check import check
from rnnviz.lecture.measures import Lesson, trained
from rnnviz.lecture.pictures import Choices
from rnnviz.lecture.scenes import QUIZ, SCENES, Number, Question, Scene
from rnnviz.lecture.words import said, words
from rnnviz.views import gradient_flow
from rnnviz.wording.texts import OFFERED, speak_in, texts

QUESTIONS = (*SCENES, *QUIZ)
PARTS = ("question", "reveal")
SCENE_PARTS = ("title", *PARTS, "sentence", "try", "note")
TRAINED = "clipping"


def name_of(question: Question) -> str:
    return question.name


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.name != TRAINED], ids=name_of)
def test_the_numbers_of_a_reveal_are_those_of_its_run(question: Question) -> None:
    found = list(check([question]))
    assert [(c.name, c.measured) for c in found if not c.agrees] == []
    assert len(found) == len(question.numbers) > 0


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """Both runs of the clipping lesson."""
    return trained()


@pytest.mark.trained
@pytest.mark.slow
def test_the_numbers_of_the_clipping_scene_are_those_of_the_lesson(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "trained", lambda: lesson)
    (scene,) = (scene for scene in SCENES if scene.name == TRAINED)
    assert [(c.name, c.measured) for c in check([scene]) if not c.agrees] == []


@pytest.mark.trained
@pytest.mark.slow
def test_clipping_shortens_the_steps_above_1_and_no_others(lesson: Lesson) -> None:
    """As a student is to see who tries it."""
    curves = lesson.course("clipped").curves
    before, after = np.asarray(curves.norm_before), np.asarray(curves.norm_after)
    longer = before > 1
    assert 0 < longer.sum() < len(before)
    np.testing.assert_allclose(after[longer], 1)
    np.testing.assert_allclose(after[~longer], before[~longer])


def test_a_falsified_number_is_found() -> None:
    (scene, *_) = SCENES
    for wrong in (-24.3, 24.2, float("nan"), float("-inf")):
        changed = {**scene.numbers, "reach": replace(scene.numbers["reach"], value=wrong)}
        (first, *_) = check([replace(scene, numbers=changed)])
        assert not first.agrees


@pytest.mark.parametrize(
    ("number", "measured", "agrees"),
    [
        (Number(-24.2, "reach"), -24.249, True),
        (Number(-24.2, "reach"), -24.251, False),
        (Number(15, "memory_kept", digits=0), 15.49, True),
        (Number(15, "memory_kept", digits=0), 15.51, False),
        (Number(float("-inf"), "reach"), -300.0, False),
        (Number(15, "right_answers", within=15), 31.0, False),
    ],
)
def test_a_number_agrees_to_its_last_digit(number: Number, measured: float, agrees: bool) -> None:
    assert number.agrees(measured) is agrees


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_a_question_has_its_words_and_says_each_of_its_numbers(question: Question) -> None:
    text = texts("scenes")
    parts = SCENE_PARTS if isinstance(question, Scene) else PARTS
    names = [f"{question.name}_{part}" for part in parts]
    names += [f"{question.name}_choice_{k}" for k in range(1, question.choices + 1)]
    assert set(names) <= set(text)
    assert f"{question.name}_choice_{question.choices + 1}" not in text
    asked = set(re.findall(r"\[\[(\w+)\]\]", " ".join(text[name] for name in names)))
    assert asked == {name for name, n in question.numbers.items() if abs(n.value) < 1e300}
    assert "[[" not in " ".join([words(question).reveal, *words(question).choices])
    assert 1 <= question.answer <= question.answers


@pytest.mark.parametrize("language", OFFERED)
@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_how_far_a_run_may_be_from_a_number_is_what_the_reveal_says(
    question: Question, language: str
) -> None:
    reveal = speak_in(language, lambda: texts("scenes")[f"{question.name}_reveal"])
    said = re.findall(r"\[\[(\w+)\]\] ± (\d+)", reveal)
    assert {name: float(digits) for name, digits in said} == {
        name: n.within for name, n in question.numbers.items() if n.within and n.value < 100
    }


@pytest.mark.parametrize("language", OFFERED)
def test_what_is_to_try_begins_with_an_invitation(language: str) -> None:
    invitation, _, _ = speak_in(language, lambda: texts("lecture")["try_this"]).partition("[[")
    for scene in SCENES:
        said = speak_in(language, partial(words, scene)).to_try
        assert said.startswith(invitation)
        assert said != invitation
        assert "[[" not in said


def test_every_scene_has_something_of_its_own_to_try_in_every_language() -> None:
    tries = [speak_in(name, partial(words, scene)).to_try for name in OFFERED for scene in SCENES]
    tasks = [text.rpartition("**")[2].strip() for text in tries]
    assert len(set(tasks)) == len(SCENES) * len(OFFERED)
    assert {words(question).to_try for question in QUIZ} == {""}


def test_no_text_belongs_to_no_question() -> None:
    known = {q.name for q in QUESTIONS} | {"quiz"}
    left = [
        k for k in texts("scenes") if not any(re.fullmatch(rf"{n}_[a-z]+(_\d)?", k) for n in known)
    ]
    assert left == []


@pytest.mark.parametrize("scene", SCENES, ids=name_of)
def test_a_scene_is_small_and_its_knob_shows_both_ends(scene: Scene) -> None:
    shown = [scene.experiment, *filter(None, [scene.first])]
    assert not any(check_size(experiment) for experiment in shown)
    if scene.knob:
        known = FIELDS[scene.knob]
        assert known.kind in ("int", "float")
        assert all(known.low <= tick <= known.high for tick in scene.ticks)
    if scene.before is not None:
        assert scene.first != scene.experiment
        assert isinstance(scene.first, Experiment)


def test_names_are_unique_and_there_are_ten_scenes() -> None:
    names = [q.name for q in QUESTIONS]
    assert len(names) == len(set(names))
    assert len(SCENES) >= 10


def test_a_number_is_said_with_its_digits_and_a_real_minus() -> None:
    assert said(Number(-24.2, "reach")) == "−24.2"
    assert said(Number(15, "memory_kept", digits=0)) == "15"


@pytest.mark.parametrize("scene", [s for s in SCENES if s.decades], ids=name_of)
def test_a_curve_uses_its_axis_and_every_tick_fits_on_it(scene: Scene) -> None:
    """Between the least and the greatest of its ticks lies a third of what is shown, at least."""
    assert scene.decades is not None
    low, high = scene.decades
    made = [run(replace(scene.experiment, **{scene.knob: tick})) for tick in scene.ticks]
    views = [gradient_flow.view(each, Choices(scene.name).of_page) for each in made]
    assert {view.y_range() for view in views} == {scene.decades}
    ends = [flow.reach_log10 for view in views for flow in view.flows]
    assert low < min(ends)
    assert max(ends) < high
    assert max(ends) - min(ends) > (high - low) / 3
