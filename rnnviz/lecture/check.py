"""Whether the lecture says what its runs say: every number of every reveal, measured anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnnviz.lecture.measures import Bench, measured
from rnnviz.lecture.scenes import QUIZ, SCENES, Number, Question


@dataclass(frozen=True)
class Checked:
    """One number of a reveal: what is said, and what the run says."""

    question: str
    name: str
    number: Number
    measured: float

    @property
    def agrees(self) -> bool:
        return self.number.agrees(self.measured)


def check(questions: Sequence[Question] = (*SCENES, *QUIZ)) -> Iterator[Checked]:
    """Measure every number, one after the other: about a minute, most of it for the scene on
    clipping, which trains two networks."""
    bench = Bench()
    for question in questions:
        for name, number in question.numbers.items():
            yield Checked(question.name, name, number, measured(bench, question, number))
