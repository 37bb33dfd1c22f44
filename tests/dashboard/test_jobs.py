"""How a visit's scripts share the work of a job, and how often its picture is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, cycle
from threading import Event, Thread

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard import jobs
from rnnviz.dashboard.jobs import CLAIMS, TRAINING, Work
from rnnviz.dashboard.memory import Crowded
from rnnviz.dashboard.training import Visit
from rnnviz.jobs import training
from rnnviz.jobs.workers import Workers
from rnnviz.wording.changes import changes
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


def test_work_is_done_here_where_there_are_no_workers() -> None:
    assert jobs.do(os.getpid, tell=lambda: None) == os.getpid()


@dataclass(frozen=True)
class OfThisProcess:
    """What can be read back where it was made alone."""

    made_in: int

    def __reduce__(self) -> tuple[Callable[[int], OfThisProcess], tuple[int]]:
        return _of_this_process, (self.made_in,)


def _of_this_process(made_in: int) -> OfThisProcess:
    if made_in != os.getpid():
        raise ValueError("made elsewhere")
    return OfThisProcess(made_in)


def test_what_workers_do_not_know_is_worked_on_here(one: Workers) -> None:
    made = OfThisProcess(os.getpid())
    assert jobs.do(str, made, tell=lambda: None) == str(made)
    assert jobs.do(os.getpid, tell=lambda: None) != os.getpid()


def test_what_is_lost_with_a_worker_is_said(one: Workers) -> None:
    assert jobs.do(os.getpid, tell=lambda: None) != os.getpid()
    with pytest.raises(Crowded, match="ended before it was done, twice"):
        jobs.do(os._exit, 1, tell=lambda: None)


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    workers = Workers(1)
    monkeypatch.setattr(jobs, "workers", lambda: workers)
    yield workers
    workers.stop()


def test_what_is_done_ahead_is_taken_where_it_is_what_is_asked_for(one: Workers) -> None:
    ahead, here = jobs.NextSlice(), lambda: None
    ahead.begin("a", divmod, 7, 2)
    assert ahead.do("a", here) == (3, 1)
    ahead.begin("a", divmod, 7, 2)
    assert ahead.do("b", divmod, 9, 2) == (4, 1)
    assert ahead.do("a", divmod, 9, 2) == (4, 1)


@pytest.mark.trained
def test_a_run_that_is_trained_ahead_is_the_same_run(one: Workers) -> None:
    seen, alone = Visit(), Visit()
    seen.begin(SMALL, goal=7)
    seen.play()
    for updates in cycle((1, 1, 2)):  # a slice ahead is of as many as the last one
        seen.advance(updates)
        if not seen.playing:
            break
    alone.begin(SMALL)
    alone.step(7)
    assert seen.training is not None
    assert alone.training is not None
    for label, trainee in seen.training.trainees.items():
        same = alone.training.trainees[label]
        assert [r.loss for r in trainee.history.records] == [r.loss for r in same.history.records]


def test_what_is_below_the_fold_is_drawn_now_and_then() -> None:
    work: Work[int] = Work(TRAINING, 0)
    assert [work.is_due(t * TRAINING.draw_every) for t in (1, 1.5, 2, 2.5)] == [True, False] * 2


@pytest.mark.trained
def test_a_slice_of_a_run_that_was_left_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, step = Visit(), training.advance
    first = seen.begin(SMALL, goal=2)
    seen.play()

    def left(run: training.Training, seconds: float, updates: int, **_: object) -> object:
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


def test_a_part_of_a_page_says_that_its_work_was_lost() -> None:
    def script() -> None:
        from rnnviz.dashboard import state
        from rnnviz.dashboard.memory import Crowded

        @state.fragment(key="part")
        def part() -> None:
            raise Crowded("The process ended twice.")

        part()

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert "The process ended twice." in app.error[0].value
