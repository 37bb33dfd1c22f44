"""The right answers to the questions about the lecture are the numbers that its scenes say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnnviz.lecture.scenes import SCENES
from rnnviz.lecture.words import said

FOLDER = Path(__file__).parent / "lecture"
SAID = {
    1: (1, ("reach", "factor")),
    2: (2, ("lstm", "rnn", "gru")),
    3: (3, ("lstm", "gru", "rnn")),
    4: (4, ("low", "level", "high")),
    5: (5, ("at_1", "slope")),
    6: (6, ("factor", "radius")),
    7: (7, ("slope_small", "slope_large", "small", "large")),
    8: (8, ("true",)),
    9: (10, ("true", "at_20", "last_wrong")),
    10: (12, ("alone",)),
}
"""Question -> its scene, and which of the scene's numbers the answer has."""


def sections(name: str) -> dict[int, str]:
    parts = re.split(r"^## (\d+)\n", (FOLDER / name).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {int(n): text for n, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.parametrize("question", SAID)
def test_an_answer_has_the_numbers_of_its_scene(question: int) -> None:
    number, names = SAID[question]
    answer, numbers = sections("answers.md")[question], SCENES[number - 1].numbers
    missing = [name for name in names if said(numbers[name]) not in answer]
    assert missing == []


def test_every_question_names_its_scene_and_has_an_answer() -> None:
    questions = sections("questions.md")
    assert list(questions) == list(sections("answers.md")) == list(SAID)
    named = {n: text.strip().partition(".")[0] for n, text in questions.items()}
    assert named == {n: f"Scene {scene}" for n, (scene, _) in SAID.items()}
