"""Models in training side by side, and what a visit keeps of them."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.dashboard.trainees import begin
from rnnviz.dashboard.training import Visit, changes
from tests.dashboard.training_support import SMALL


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


def test_a_visit_keeps_the_last_dozen_runs() -> None:
    seen = Visit()
    for seed in range(14):
        seen.begin(replace(SMALL, seed=seed)).advance(10, seconds=60)
    assert [run.experiment.seed for run in seen.runs] == list(range(1, 13))


def test_changes_are_told_in_words() -> None:
    assert changes(SMALL, replace(SMALL, models=("gru",))) == "Models rnn, lstm → gru"
    many = replace(SMALL, gain=2.0, seed=3, init="identity", seq_len=9)
    assert changes(SMALL, many).endswith("…")
