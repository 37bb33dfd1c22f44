"""The lessons' sentences hold in numbers."""

from __future__ import annotations

import pytest

from rnnviz.analysis.courses import BEATEN
from rnnviz.experiment import Experiment, make_task, plan
from rnnviz.experiment.lessons import LESSONS
from rnnviz.jobs.training import advance, begin

pytestmark = [pytest.mark.trained, pytest.mark.slow]


def losses(experiment: Experiment, updates: int) -> dict[str, float]:
    run, _ = advance(begin(plan(experiment), goal=updates), 600)
    return {course.label: course.loss for course in run.courses()}


def baseline(experiment: Experiment) -> float:
    found = make_task(experiment).baseline_at(experiment.seq_len, experiment.loss_at)
    assert found is not None
    return found


def test_in_the_clipping_lesson_clipping_decides() -> None:
    """Over 12 to 20 seeds under each of four kernels: below 0.001, and above 0.9 of a guess. Seed 0
    is that of the lecture's scene, whose numbers are checked in tests/lecture."""
    lesson = LESSONS["clipping"]
    clipped, free = lesson.experiment(1), lesson.experiment(1, first=True)
    assert losses(clipped, lesson.goal or 0)["rnn"] < 0.2
    assert losses(free, lesson.goal or 0)["rnn"] > baseline(free) / 2


def test_in_the_quick_lesson_some_losses_leave_the_line_within_200_steps() -> None:
    experiment = LESSONS["quick"].experiment(0)
    found = losses(experiment, 200)
    assert min(found.values()) < BEATEN * baseline(experiment)


def test_in_the_closed_lesson_gated_losses_are_on_the_line_after_100_steps() -> None:
    experiment = LESSONS["closed"].experiment(0)
    found = losses(experiment, 100)
    assert min(found["lstm"], found["gru"]) > BEATEN * baseline(experiment)
