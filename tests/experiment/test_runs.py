"""Experiments are trained on the batches of the pages, from the weights of the pages."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from rnnviz.core import GRU_VARIANTS, LSTM_VARIANTS
from rnnviz.experiment import Experiment, Model, make_batch, run
from rnnviz.experiment.runs import batches_of, held_out, options_of, params_after, start
from rnnviz.tasks import TASKS
from rnnviz.training import TrainOptions, train
from tests.training.support import equal

SMALL = Experiment(seq_len=6, hidden_size=4, batch_size=3, distractor=0.3, learning_rate=0.02)


@pytest.mark.trained
def test_step_0_sees_the_batch_of_the_pages_and_their_weights() -> None:
    first, result = batches_of(SMALL)(0), run(SMALL)
    page = make_batch(SMALL)
    np.testing.assert_array_equal(first.x, page.x)
    np.testing.assert_array_equal(first.target, page.target)
    for label, (network, state) in start(SMALL).items():
        assert state.step == 0
        assert equal(state.params, result[label].params)
        _, record = next(train(network, state, batches_of(SMALL), options_of(SMALL)))
        assert record.loss == result[label].loss


def test_batches_follow_each_other_without_a_gap() -> None:
    small, large = batches_of(SMALL), make_batch(Experiment(**{**vars(SMALL), "batch_size": 9}))
    joined = np.concatenate([small(n).x for n in range(3)], axis=-1)
    np.testing.assert_array_equal(joined, large.x)
    np.testing.assert_array_equal(small(7).x, batches_of(SMALL)(7).x)


@pytest.mark.trained
@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_be_trained(task: str) -> None:
    text = "abc abd " * 20 if task == "text" else ""
    experiment = Experiment(models=("gru",), task=task, seq_len=5, hidden_size=3, batch_size=2,
                            text=text)  # fmt: skip
    network, state = start(experiment)["gru"]
    losses = []
    for after, record in train(network, state, batches_of(experiment), options_of(experiment)):
        losses.append(record.loss)
        if after.step == 3:
            break
    assert np.isfinite(losses).all()
    scores = held_out(experiment, network, after.params, 4)
    assert all(np.isfinite(value) for value in scores.values())
    assert ("share within 0.04" in scores) == (task == "adding")


MODELS = [
    *(f"lstm:variant={name}" for name in LSTM_VARIANTS),
    *(f"gru:variant={name}" for name in GRU_VARIANTS),
    "rnn:leak=0.2",
    "rnn:skip=3",
    "gru:layers=2",
    "lstm:bidirectional=yes,layers=2",
]


@pytest.mark.trained
@pytest.mark.parametrize("model", MODELS)
def test_every_network_can_be_trained(model: str) -> None:
    """It learns one batch by heart, and the block of W_hh that is followed is there."""
    experiment = replace(SMALL, models=(Model(model),), seq_len=4, learning_rate=0.05)
    ((network, state),) = start(experiment).values()
    batch = batches_of(experiment)(0)
    steps = train(network, state, lambda step: batch, options_of(experiment))
    losses = []
    for _, record in islice(steps, 25):
        losses.append(record.loss)
        if record.step % 8 == 0:
            assert record.singular_values is not None
            assert record.singular_values.shape == (4,)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.trained
def test_params_after_are_those_of_the_trainer_and_learning_is_seen_on_held_out_sequences() -> None:
    network, state = start(SMALL)["lstm"]
    for after, _ in train(network, state, batches_of(SMALL), options_of(SMALL)):
        if after.step == 200:
            break
    assert equal(params_after(SMALL, "lstm", 200), after.params)
    before = held_out(SMALL, network, state.params)
    later = held_out(SMALL, network, after.params)
    assert later["accuracy"] > 0.8 > 0.3 > before["accuracy"]


def test_an_experiment_says_how_it_trains() -> None:
    experiment = Experiment(optimizer="momentum", learning_rate=0.1, clip="value", clip_at=0.5,
                            window=20, stride=5)  # fmt: skip
    assert options_of(experiment) == TrainOptions("momentum", 0.1, "value", 0.5, 20, 5)
    assert options_of(Experiment()) == TrainOptions()


def test_no_steps_are_the_initial_parameters() -> None:
    assert equal(params_after(SMALL, "gru", 0), start(SMALL)["gru"][1].params)
    with pytest.raises(KeyError):
        params_after(SMALL, "gru:gain=2", 0)
