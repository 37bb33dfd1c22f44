"""A number to guess: its scale, what is near enough, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rnnviz.lecture.check import check
from rnnviz.lecture.scenes import SCENES, Guess, Question
from rnnviz.lecture.words import verdict, words
from rnnviz.wording.texts import OFFERED, speak_in

GUESSED = [scene for scene in SCENES if scene.guess]
SCALE = Guess("x", low=-30.0, high=5.0, step=0.1, within=2.0)


def test_there_is_a_number_to_guess_and_it_has_no_choices() -> None:
    assert GUESSED
    for scene in GUESSED:
        assert scene.choices == scene.right == 0
        assert words(scene).choices == ()
        assert scene.answers == scene.guess.places


def test_a_scale_has_a_place_for_every_number_on_it() -> None:
    assert SCALE.places == 351
    assert [SCALE.place(v) for v in (-30, -29.9, 0, 5)] == [1, 2, 301, 351]
    assert [SCALE.place(v) for v in (-1e9, 1e9)] == [1, 351]
    for place in (1, 80, 351):
        assert SCALE.place(SCALE.value(place)) == place


@pytest.mark.parametrize("scene", GUESSED, ids=lambda scene: scene.name)
def test_the_true_number_is_on_the_scale_and_is_the_run_s(scene: Question) -> None:
    guess = scene.guess
    assert guess is not None
    true = scene.numbers[guess.of].value
    assert guess.low + guess.within <= true <= guess.high - guess.within
    assert guess.value(scene.answer) == pytest.approx(true, abs=1e-9)
    (found,) = (each for each in check([scene]) if each.name == guess.of)
    assert found.agrees
    wrong = {**scene.numbers, guess.of: replace(scene.numbers[guess.of], value=true + 0.1)}
    (lie,) = (each for each in check([replace(scene, numbers=wrong)]) if each.name == guess.of)
    assert not lie.agrees


@pytest.mark.parametrize("scene", GUESSED, ids=lambda scene: scene.name)
def test_near_enough_is_right_and_further_is_not(scene: Question) -> None:
    guess = scene.guess
    assert guess is not None
    steps = round(guess.within / guess.step)
    for off, right in ((0, True), (steps, True), (-steps, True), (steps + 1, False)):
        assert scene.is_right(scene.answer + off) is right
    for nothing in (0, -1, guess.places + 1):
        assert not scene.is_right(nothing)


def test_an_answer_stands_beside_the_truth_in_every_language() -> None:
    (scene, *_) = GUESSED
    guess = scene.guess
    assert guess is not None
    taken = guess.place(-8.0)
    assert verdict(scene, taken) == "Not so: −8.0 is off by 14.1."
    assert verdict(scene, guess.place(-21.0)) == "Near enough: −21.0 is off by 1.1."
    assert verdict(scene, 0) == ""
    for language in OFFERED:
        said = speak_in(language, lambda: verdict(scene, taken))
        assert "−8.0" in said
        assert "14.1" in said
    (choices, *_) = (scene for scene in SCENES if not scene.guess)
    assert verdict(choices, choices.right) == "Right."
    assert verdict(choices, choices.right % choices.choices + 1) == "Not so."
