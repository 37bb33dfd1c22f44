"""The trainer: what a record says, going on to the bit, and divergence as an event."""

from __future__ import annotations

import weakref
from dataclasses import replace
from itertools import islice
from typing import Any
from unittest import mock

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.spectra import weight_spectra
from rnnviz.core import RNN
from rnnviz.core.network import Network, NetworkTrace, run_network
from rnnviz.experiment import Experiment
from rnnviz.experiment.runs import batches_of, options_of
from rnnviz.experiment.runs import start as start_training
from rnnviz.training import (
    OPTIMIZERS,
    TrainOptions,
    TrainState,
    advance,
    global_norm,
    train,
    trainer,
)
from rnnviz.training.records import metric
from tests.training.support import equal, linear_rnn, ones, recall, small_lstm, without_loss

pytestmark = pytest.mark.trained

OPTIONS = TrainOptions(learning_rate=0.01, clip="norm", clip_at=0.1)


def test_a_record_says_what_the_network_before_the_update_does() -> None:
    network, start = small_lstm()
    after, record = next(train(network, start, recall, OPTIONS))
    trace = run_network(network, start.params, recall(0))
    assert (record.step, after.step) == (0, 1)
    assert record.loss == record.loss_per_answer == trace.loss
    assert record.metric == metric(recall(0), trace.y)
    assert record.norm_before == global_norm(trace.grads)
    assert record.norm_after == pytest.approx(0.1, rel=1e-12)
    assert record.clipped
    assert record.event == record.sentence == ""
    flow = gradient_flow(trace.trace, "lstm", scale=3)
    np.testing.assert_allclose(record.log10_state, flow.state.log10, rtol=1e-6)
    spectrum = weight_spectra(trace.trace, "lstm", ["f"])["f"]
    np.testing.assert_allclose(record.singular_values, spectrum.singular_values, rtol=1e-12)
    assert record.spectral_radius == pytest.approx(spectrum.spectral_radius, rel=1e-12)
    moved = {name: after.params[name] - start.params[name] for name in start.params}
    assert record.update_ratio == pytest.approx(global_norm(moved) / global_norm(start.params))


def test_spectra_are_recorded_every_so_many_steps() -> None:
    network, start = small_lstm()
    records = [record for _, record in islice(train(network, start, recall, OPTIONS, 3), 7)]
    assert [r.step for r in records if r.singular_values is not None] == [0, 3, 6]
    assert [r.step for r in records if r.spectral_radius is not None] == [0, 3, 6]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adagrad", "adam"])
def test_going_on_gives_the_same_bits_as_not_having_stopped(optimizer: str) -> None:
    network, start = small_lstm()
    options = TrainOptions(optimizer, 0.01)
    through = list(islice(train(network, start, recall, options), 9))
    middle = through[3][0]
    again = list(islice(train(network, middle, recall, options), 5))
    assert equal(again[-1][0].params, through[-1][0].params)
    assert equal(again[-1][0].moments, through[-1][0].moments)
    assert [r.loss for _, r in again] == [r.loss for _, r in through[4:]]
    silent = advance(network, middle, recall, options, 9)
    assert equal(silent.params, through[-1][0].params)


def test_nothing_given_is_changed() -> None:
    network, start = small_lstm()
    before = {name: value.copy() for name, value in start.params.items()}
    states = [state for state, _ in islice(train(network, start, recall, OPTIONS), 3)]
    assert equal(start.params, before)
    assert all(value.flags.writeable for value in start.params.values())
    first = {name: value.copy() for name, value in states[0].moments.items()}
    list(islice(train(network, states[0], recall, OPTIONS), 3))
    assert equal(states[0].moments, first)


def test_the_first_thing_that_is_not_finite_ends_training_with_its_name() -> None:
    network, start = linear_rnn(2.0)
    steps = list(islice(train(network, start, lambda n: ones(400 if n < 2 else 1100),
                              TrainOptions("sgd", 0.0)), 10))  # fmt: skip
    assert len(steps) == 3
    state, record = steps[-1]
    assert record.sentence == (
        "the state h of layer 1 is inf (from time step 1023 on; first unit 1 of sequence 1) "
        "at training step 2"
    )
    assert state is steps[1][0]
    assert np.isfinite(state.params["0.forward.W_hh"]).all()


def test_a_gradient_that_overflows_is_named_by_its_parameter() -> None:
    network, start = linear_rnn(2.0)
    ((state, record),) = train(network, start, lambda n: ones(509), TrainOptions("sgd", 0.1))
    assert record.event == "∂L/∂(0.forward.W_hh) is inf at [0, 0]"
    assert np.isfinite(record.loss)
    assert state is start


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_parameter_that_is_fixed_stays_and_counts_for_no_norm(optimizer: str) -> None:
    network, start = small_lstm()
    options, fixed = TrainOptions(optimizer, 0.1, "norm", 1e-3), ("0.forward.b_h", "b_y")
    grads = run_network(network, start.params, recall(0)).grads
    steps = list(islice(train(network, start, recall, options, fixed=fixed), 5))
    for name, value in steps[-1][0].params.items():
        assert np.array_equal(value, start.params[name]) == (name in fixed)
    moving = {name: grad for name, grad in grads.items() if name not in fixed}
    assert steps[0][1].norm_before == pytest.approx(global_norm(moving))


def test_a_loss_that_overflows_is_named() -> None:
    network, start = linear_rnn(2.0)
    ((_, record),) = train(network, start, lambda n: ones(900), TrainOptions("sgd", 0.1))
    assert record.sentence == (
        "the loss is inf (the state h of layer 1 reaches 10^271.2 at time step 900, before there "
        "is a gradient that could be clipped) at training step 0"
    )
    assert np.isnan(record.update_ratio)


def test_moments_that_overflow_are_named() -> None:
    """√inf would freeze Adam without a word."""
    network, start = linear_rnn(2.0)
    ((state, record),) = train(network, start, lambda n: ones(300), TrainOptions("adam", 0.1))
    assert record.event.startswith("v.")
    assert "of the optimizer is inf at [" in record.event
    assert state is start


def test_parameters_that_overflow_are_named() -> None:
    network, start = linear_rnn(2.0)
    ((state, record),) = train(network, start, lambda n: ones(400), TrainOptions("sgd", 1e100))
    assert record.event == "W_hy after the update is -inf at [0, 0]"
    assert state is start


def test_a_parameter_that_is_no_number_is_named_with_its_index() -> None:
    network, start = small_lstm()
    start.params["0.forward.W_hh"][3, 1] = np.nan
    ((state, record),) = train(network, start, recall, OPTIONS)
    assert record.event == "the parameter 0.forward.W_hh is NaN at [3, 1]"
    assert state is start


def test_states_that_no_clipping_can_help_are_named() -> None:
    """A ReLU network whose states are finite but have infinite squares: clipping acts later."""
    e = Experiment(models=("rnn",), task="adding", activation="relu", init="orthogonal", gain=2.5,
                   hidden_size=32, seq_len=1000, batch_size=4, optimizer="sgd",
                   learning_rate=0.01, clip="norm", clip_at=0.1)  # fmt: skip
    ((network, begin),) = start_training(e).values()
    ((_, record),) = train(network, begin, batches_of(e), options_of(e))
    assert record.event == (
        "the loss is inf (the state h of layer 1 reaches 10^258.8 at time step 1000, before there "
        "is a gradient that could be clipped)"
    )


def event_of(**settings: Any) -> str:
    """What ends the training of one model with the adding problem over ten steps."""
    e = Experiment(task="adding", hidden_size=8, seq_len=10, batch_size=8, **settings)
    ((network, begin),) = start_training(e).values()
    steps = islice(train(network, begin, batches_of(e), options_of(e)), 600)
    return next(record.event for _, record in steps if record.event)


def test_a_readout_that_is_too_large_is_blamed_and_no_state() -> None:
    """The states of an LSTM are below 1, and there were 161 gradients that could be clipped."""
    event = event_of(models=("lstm",), optimizer="sgd", learning_rate=10.0)
    assert event == "the loss is inf (b_y of the readout reaches 10^154.8)"


def test_weights_of_the_readout_are_blamed_where_they_are_largest() -> None:
    network, start = linear_rnn(1.0)
    start.params["W_hy"][:] = 1e200
    ((_, record),) = train(network, start, lambda n: ones(3), TrainOptions("sgd", 0.1))
    assert record.event == (
        "the loss is inf (W_hy of the readout reaches 10^200.0, before there is a gradient that "
        "could be clipped)"
    )


def test_after_a_first_step_there_were_gradients_that_could_be_clipped() -> None:
    network, start = linear_rnn(2.0)
    steps = train(network, start, lambda n: ones(900 if n else 10), TrainOptions("sgd", 0.0))
    *_, (_, record) = steps
    assert record.sentence == (
        "the loss is inf (the state h of layer 1 reaches 10^271.2 at time step 900) "
        "at training step 1"
    )


def test_a_state_that_the_readout_does_not_read_is_not_blamed() -> None:
    """Layer 1 is linear and large, layer 2, whose states are below 1, is read."""
    network = Network((RNN(1, 1, "identity"), RNN(1, 1)), 1)
    params = {name: np.ones(shape) for name, shape in network.param_shapes().items()}
    start = TrainState(0, {**params, "0.forward.W_hh": np.array([[2.0]]), "b_y": np.array([1e160])})
    ((_, record),) = train(network, start, lambda n: ones(900), TrainOptions("sgd", 0.1))
    assert "b_y of the readout reaches 10^160.0" in record.event


def test_without_a_question_nothing_moves() -> None:
    network, start = small_lstm()
    state, record = next(train(network, start, lambda n: without_loss(recall(n)), OPTIONS))
    assert np.isneginf(record.log10_state).all()
    assert np.isnan(record.metric)
    assert np.isnan(record.loss_per_answer)
    assert record.norm_before == record.norm_after == record.update_ratio == 0
    assert equal(state.params, start.params)


def test_a_window_truncates_the_gradient_and_one_as_long_as_the_sequence_does_not() -> None:
    network, start = small_lstm()
    full = next(train(network, start, recall, TrainOptions("sgd", 0.1)))
    long = next(train(network, start, recall, TrainOptions("sgd", 0.1, window=6)))
    short = next(train(network, start, recall, TrainOptions("sgd", 0.1, window=2, stride=1)))
    assert equal(full[0].params, long[0].params)
    assert not equal(full[0].params, short[0].params)
    assert np.isfinite(full[1].log10_state).all()
    assert np.isneginf(short[1].log10_state[:3]).all()
    assert np.isfinite(short[1].log10_state[4:]).all()


def test_steps_before_the_state_are_refused() -> None:
    network, start = small_lstm()
    with pytest.raises(ValueError, match="steps must be an integer of at least 5"):
        advance(network, TrainState(5, start.params), recall, OPTIONS, 4)


@pytest.mark.parametrize("window", [0, 2])
@pytest.mark.parametrize("at", [1, 40])
def test_training_ends_where_it_is_told_to(window: int, at: int) -> None:
    """Within a step too: what it tells may raise after any block of any pass."""
    network, start = small_lstm()
    calls = []

    def tell() -> None:
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        advance(network, start, recall, replace(OPTIONS, window=window), 10_000, tell)
    assert len(calls) == at


def test_no_trace_is_kept_between_two_steps() -> None:
    network, start = small_lstm()
    traces: list[weakref.ref[NetworkTrace]] = []

    def remembering(*given: Any) -> NetworkTrace:
        assert not any(trace() for trace in traces)
        trace = run_network(*given)
        traces.append(weakref.ref(trace))
        return trace

    with mock.patch.object(trainer, "run_network", remembering):
        list(islice(train(network, start, recall, OPTIONS), 3))
        advance(network, start, recall, OPTIONS, 3)
    assert len(traces) == 6
