"""A network that was brought learns its own data, from its own weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.models import load, read_data, training
from rnnviz.models.brought import FromPassage, FromWeights
from rnnviz.models.replay import make_batch, replay
from rnnviz.models.saved_runs import read_passages
from rnnviz.models.training import UPDATES, courses, is_trainable
from rnnviz.training import History, StepRecord, TrainState
from tests.models.golden import FOLDER

pytestmark = pytest.mark.trained
RNG = np.random.default_rng(3)
WEIGHTS = {
    "rnn.weight_ih_l0": RNG.normal(0, 0.5, (32, 2)),
    "rnn.weight_hh_l0": RNG.normal(0, 0.3, (32, 8)),
    "fc.weight": RNG.normal(0, 0.5, (3, 8)),
    "fc.bias": np.zeros(3),
}
X, CLASSES = RNG.standard_normal((12, 7, 2)), RNG.integers(0, 3, 12)


def brought(**data: object) -> FromWeights:
    given = {"x": X, "target": CLASSES, **data}
    return FromWeights(load(WEIGHTS), read_data(given, layout="btd"))


def test_it_begins_at_the_weights_and_learns() -> None:
    own, fresh = courses(brought())
    assert (own.label, fresh.label) == ("lstm", "lstm:network=fresh")
    first = replay(brought().model, brought().data).loss
    assert own.curves.loss[0] == pytest.approx(first, rel=1e-12)
    assert fresh.curves.loss[0] != pytest.approx(first, rel=1e-3)
    for course in (own, fresh):
        assert course.last_step == UPDATES - 1
        assert course.loss < 0.9 * course.curves.loss_per_answer[0]


def test_weights_stay_what_they_are() -> None:
    one = brought()
    before = {name: array.copy() for name, array in one.model.params.items()}
    courses(one)
    assert all(np.array_equal(one.model.params[name], array) for name, array in before.items())


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_biases_that_there_are_not_are_not_learned(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, reached = 8 * {"rnn": 1, "gru": 3, "lstm": 4}[kind], []
    weights = {**WEIGHTS, "rnn.weight_ih_l0": RNG.normal(0, 0.5, (rows, 2)),
               "rnn.weight_hh_l0": RNG.normal(0, 0.3, (rows, 8))}  # fmt: skip
    watch = training.History.add

    def add(history: History, state: TrainState, record: StepRecord) -> None:
        reached.append(state.params)
        watch(history, state, record)

    monkeypatch.setattr(training.History, "add", add)
    own, fresh = courses(replace(brought(), model=load(weights)))
    assert own.loss < own.curves.loss_per_answer[0]
    for params in reached:
        assert not any(params[name].any() for name in params if ".b_" in name)
    before, after = reached[0], reached[UPDATES - 1]
    assert all((before[name] != after[name]).all() for name in before if ".b_" not in name)
    assert fresh.last_step == UPDATES - 1


def test_it_tells_after_every_update_and_can_be_ended() -> None:
    calls: list[int] = []
    courses(brought(), lambda: calls.append(1))
    assert len(calls) == 2 * UPDATES

    def enough() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        courses(brought(), enough)


def test_what_ends_a_training_is_said() -> None:
    one = brought()
    large = {
        n: np.full_like(a, np.nan) if n.endswith("W_hh") else a for n, a in one.model.params.items()
    }
    own, _ = courses(replace(one, model=replace(one.model, params=large)))
    assert "at training step 0" in own.event


def test_only_what_has_something_to_learn_is_trained() -> None:
    assert is_trainable(brought())
    assert not is_trainable(replace(brought(), loss="projection"))
    assert not is_trainable(FromWeights(load(WEIGHTS), read_data({"x": X}, layout="btd")))
    no_readout = {name: a for name, a in WEIGHTS.items() if name.startswith("rnn")}
    assert not is_trainable(replace(brought(), model=load(no_readout)))
    assert not is_trainable(brought(h0=np.zeros((1, 12, 8))))
    ((name, passage),) = read_passages(FOLDER / "watched_packed.npz").items()
    assert not is_trainable(FromPassage(name, passage))


def test_padding_is_no_part_of_it() -> None:
    lengths = np.array([7, 3] * 6)
    x = np.where(np.arange(7)[None, :, None] < lengths[:, None, None], X, 0.0)
    one = brought(lengths=lengths, x=x)
    own, _ = courses(one)
    assert own.curves.loss[0] == pytest.approx(replay(one.model, one.data).loss, rel=1e-12)
    assert make_batch(one.model, one.data).mask.sum() == 12
