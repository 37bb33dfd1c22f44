"""How a visit's scripts share the work of a job, and how often its picture is drawn."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from threading import Event, Thread

import pytest

from rnnviz.dashboard.jobs import CLAIMS, TRAINING, Work
from rnnviz.dashboard.training import Visit, changes
from rnnviz.jobs import training
from tests.dashboard.training_support import SMALL


def one_more(job: int, seconds: float) -> tuple[int, int]:
    return job + 1, 1


def test_a_slice_takes_as_long_as_the_pace_says() -> None:
    given: list[float] = []
    work: Work[int] = Work(CLAIMS, 0)
    work.advance(lambda job, seconds: (given.append(seconds) or job, ()))
    work.advance(lambda job, seconds: (given.append(seconds) or job, ()), 1.5)
    assert given == [CLAIMS.slice, 1.5]
    assert work.slices == 2


def test_two_scripts_take_turns() -> None:
    """Streamlit starts a script before the one that it replaces has ended."""
    work: Work[int] = Work(CLAIMS, 0)
    inside, ends = Event(), []
    other = Thread(target=lambda: ends.append(work.advance(one_more)))

    def slow(job: int, seconds: float) -> tuple[int, int]:
        other.start()
        assert not inside.wait(0.2)
        assert not ends
        return one_more(job, seconds)

    assert work.advance(slow) == 1
    other.join()
    assert ends == [2]


def test_a_slice_of_a_job_that_was_left_changes_nothing() -> None:
    work: Work[int] = Work(CLAIMS, 0)

    def left(job: int, seconds: float) -> tuple[int, int]:
        work.follow(100)
        return one_more(job, seconds)

    assert work.advance(left) is None
    assert work.job == 100


def test_a_picture_is_drawn_anew_after_a_while_or_at_the_end() -> None:
    work: Work[int] = Work(CLAIMS, 0)
    made, late = count(), 2 * CLAIMS.draw_every

    def picture(of: str, size: int, now: float, growing: bool = True) -> int:
        return work.picture(of, size, growing, lambda: next(made), lambda: now)

    assert [picture("slope", 1, 100), picture("slope", 2, 100)] == [0, 0]
    assert picture("slope", 2, 100 + late) == 1
    assert picture("slope", 2, 100 + 9 * late) == 1  # of the same results it is the same
    assert picture("reach", 2, 100 + late) == 2
    assert [picture("reach", 3, 100 + late, False), picture("reach", 3, 999, False)] == [3, 3]
    work.follow(7)
    assert picture("reach", 3, 999, False) == 4


def test_what_is_below_the_fold_is_drawn_now_and_then() -> None:
    work: Work[int] = Work(TRAINING, 0)
    assert [work.is_due(t * TRAINING.draw_every) for t in (1, 1.5, 2, 2.5)] == [True, False] * 2


@pytest.mark.trained
def test_a_slice_of_a_run_that_was_left_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, step = Visit(), training.advance
    first = seen.begin(SMALL, goal=2)
    seen.play()

    def left(run: training.Training, seconds: float, updates: int | None = None) -> object:
        done = step(run, 1000, updates)
        seen.begin(replace(SMALL, seed=1))
        return done

    monkeypatch.setattr("rnnviz.dashboard.training.advance", left)
    seen.advance(5)
    assert seen.playing
    assert seen.training is not None
    assert seen.training.experiment != first.experiment


@pytest.mark.trained
def test_a_visit_keeps_the_last_dozen_runs() -> None:
    seen = Visit()
    for seed in range(14):
        seen.begin(replace(SMALL, seed=seed))
        seen.step(10)
    assert [run.experiment.seed for run in seen.runs] == list(range(1, 13))


def test_changes_are_told_in_words() -> None:
    assert changes(SMALL, replace(SMALL, models=("gru",))) == "Models rnn, lstm → gru"
    many = replace(SMALL, gain=2.0, seed=3, init="identity", seq_len=9)
    assert changes(SMALL, many).endswith("…")
