"""Models in training side by side, and what a visit keeps of them."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import pytest

from rnnviz.dashboard.trainees import Trainee, Training, begin
from rnnviz.dashboard.training import Visit, changes
from tests.dashboard.training_support import SMALL

pytestmark = pytest.mark.trained


def test_models_that_are_behind_catch_up() -> None:
    run = begin(SMALL)
    run.advance(seconds=0.0)
    assert sorted(t.state.step for t in run.trainees.values()) == [1, 2]
    run.level()
    assert [t.state.step for t in run.trainees.values()] == [2, 2]


def test_a_slice_ends_when_its_time_is_up() -> None:
    run, now = begin(SMALL), iter(range(100))
    run.advance(seconds=5, clock=lambda: next(now))
    assert sum(t.state.step for t in run.trainees.values()) == 2 + 5


def test_two_scripts_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit starts a script before the one that it replaces has ended."""
    run, ends = begin(SMALL), []
    other = Thread(target=lambda: ends.append(run.advance(1, seconds=60)))
    rnn, step = run.trainees["rnn"], Trainee.step

    def slow_step(trainee: Trainee) -> None:
        if trainee is rnn and not other.ident:
            other.start()
            other.join(0.2)
            assert other.is_alive()
        step(trainee)

    monkeypatch.setattr(Trainee, "step", slow_step)
    run.advance(1, seconds=60)
    other.join()
    assert ends == [None]
    assert run.updates == 2


def test_a_slice_of_a_run_that_was_left_stops_nothing() -> None:
    seen = Visit()
    first = seen.begin(SMALL)
    first.goal = 2
    seen.play()
    first.advance = lambda _: (Training.advance(first, 5), seen.begin(replace(SMALL, seed=1)))
    seen.advance(5)
    assert seen.playing
    assert seen.training is not first


def test_a_visit_keeps_the_last_dozen_runs() -> None:
    seen = Visit()
    for seed in range(14):
        seen.begin(replace(SMALL, seed=seed)).advance(10, seconds=60)
    assert [run.experiment.seed for run in seen.runs] == list(range(1, 13))


def test_changes_are_told_in_words() -> None:
    assert changes(SMALL, replace(SMALL, models=("gru",))) == "Models rnn, lstm → gru"
    many = replace(SMALL, gain=2.0, seed=3, init="identity", seq_len=9)
    assert changes(SMALL, many).endswith("…")
