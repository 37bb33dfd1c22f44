"""Models in training side by side: a value that goes on where it was, whoever calls."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from rnnviz.experiment import plan
from rnnviz.jobs.training import advance, begin, catch_up
from rnnviz.training import OPTIMIZERS
from tests.dashboard.training_support import SMALL, WILD
from tests.jobs.support import same_training, trained

pytestmark = pytest.mark.trained


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_is_pickled_goes_on_to_the_bit(optimizer: str) -> None:
    experiment = replace(SMALL, models=("rnn", "lstm", "gru"), optimizer=optimizer, clip="norm")
    half = trained(experiment, 10)
    again = pickle.loads(pickle.dumps(half))
    whole = trained(experiment, 20)
    assert same_training(trained(experiment, 20, again), whole)
    assert same_training(trained(experiment, 20, half), whole)


def test_a_slice_leaves_the_run_before_it_as_it_was() -> None:
    half = trained(SMALL, 12)
    trained(SMALL, 20, half)
    assert same_training(half, trained(SMALL, 12))


def test_how_it_is_sliced_changes_nothing() -> None:
    run = begin(plan(SMALL))
    while run.updates < 9:
        run, records = advance(pickle.loads(pickle.dumps(run)), 0.0)
        assert len(records) == 1
    assert same_training(catch_up(run), trained(SMALL, 9))


def test_a_model_that_stopped_stays_stopped() -> None:
    run, _ = advance(begin(plan(WILD)), 1000, 40)
    assert [t.event for t in run.trainees.values()] != ["", ""]
    again, _ = advance(pickle.loads(pickle.dumps(run)), 0.0)
    for label, before in run.trainees.items():
        after = again.trainees[label]
        assert after.event == before.event or not before.event
        assert after.updates == before.updates or not before.event


def test_a_record_is_what_the_slice_has_found() -> None:
    run, records = advance(begin(plan(SMALL)), 1000, 3)
    assert [(label, r.step) for label, r in records] == [
        (label, step) for step in (1, 2, 3) for label in ("rnn", "lstm")
    ]
    assert run.trainees["lstm"].history.last is records[-1][1]


def test_models_that_are_behind_catch_up() -> None:
    run, _ = advance(begin(plan(SMALL)), 0.0)
    assert sorted(t.state.step for t in run.trainees.values()) == [1, 2]
    assert [t.state.step for t in catch_up(run).trainees.values()] == [2, 2]


def test_a_slice_ends_when_its_time_is_up() -> None:
    now = iter(range(100))
    run, records = advance(begin(plan(SMALL)), 5, clock=lambda: next(now))
    assert len(records) == 5
    assert sum(t.state.step for t in run.trainees.values()) == 2 + 5


def test_it_ends_at_its_goal() -> None:
    run, _ = advance(begin(plan(SMALL), goal=4), 1000)
    assert run.done
    assert run.updates == 4
    assert advance(run, 1000)[1] == ()
