"""Rows 1 to 9: the plain network, backpropagation through time, and what is done to it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from rnnviz.analysis.spectra import stretch
from rnnviz.core import RNN, bptt
from rnnviz.core.network import run_network
from rnnviz.core.numerics import Status
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Model, init_params, make_batch, make_networks, run
from rnnviz.experiment.presets import PRESETS
from rnnviz.experiment.runs import batches_of, options_of, start
from rnnviz.training import clip_by_norm, clip_by_value, global_norm, train
from tests.sources.support import complex_step_error, flow, link, only, small


def test_row_01_elman_network_with_a_loss_at_every_step() -> None:
    experiment = small(models="rnn", loss_at="every")
    result = only(run(experiment))
    assert (result.loss_by_step > 0).all()
    assert result.loss == pytest.approx(result.loss_by_step.sum(), rel=1e-14)
    assert complex_step_error(experiment) < 1e-12


def test_row_02_the_gradient_is_the_sum_over_all_pairs_of_steps() -> None:
    """∂L/∂h_k = Σ_s ∂L_s/∂h_k: one backward pass for the loss of each step s alone."""
    trace = only(run(small(models="rnn", loss_at="every"))).trace
    total = np.zeros_like(trace.d_h)
    for s in range(trace.seq_len):
        alone = np.zeros_like(trace.d_h_direct)
        alone[s] = trace.d_h_direct[s]
        total += bptt(trace.cell, trace.params, trace.x, alone).d_h
    np.testing.assert_allclose(total, trace.d_h, rtol=1e-12, atol=1e-18)


def test_row_03_vanishing_and_exploding_are_seen_with_their_rate() -> None:
    falls, grows = flow(link(), "rnn"), flow(link(init="orthogonal", gain="2"), "rnn")
    assert falls.reach_log10 < -20
    assert falls.slope is not None
    assert falls.slope.decades_per_step < -0.2
    assert grows.reach_log10 > 4


def test_row_04_a_largest_singular_value_above_one_only_permits_explosion() -> None:
    experiment = link(models="rnn")
    assert stretch(run(experiment)["rnn"].trace, "a").sigma_max > 1
    assert flow(experiment, "rnn").reach_log10 < -20


def test_row_05_clipping_by_norm_keeps_the_direction_and_by_value_does_not() -> None:
    grads = {"a": np.array([30.0, 0.4]), "b": np.array([-40.0])}
    by_norm, by_value = clip_by_norm(grads, 5.0), clip_by_value(grads, 5.0)
    assert global_norm(by_norm) == pytest.approx(5)
    np.testing.assert_allclose(by_norm["a"] / grads["a"], 0.1, rtol=1e-3)
    np.testing.assert_array_equal(by_value["a"], [5.0, 0.4])
    np.testing.assert_array_equal(by_value["b"], [-5.0])
    assert link(clip="value", clip_at="5").clip_at == 5


@pytest.mark.trained
def test_row_06_the_first_value_that_is_not_finite_is_named() -> None:
    experiment = small(models="rnn", activation="identity", init="orthogonal", gain="4",
                       optimizer="sgd", learning_rate="10", seq_len="60")  # fmt: skip
    network, state = start(experiment)["rnn"]
    *_, (last, record) = train(network, state, batches_of(experiment), options_of(experiment))
    assert record.sentence.endswith(f"at training step {record.step}")
    assert all(np.isfinite(p).all() for p in last.params.values())


@pytest.mark.parametrize("init", ["orthogonal", "gaussian", "identity", "glorot", "uniform"])
def test_row_07_initializers_and_relu(init: str) -> None:
    assert complex_step_error(small(models="rnn", init=init, activation="relu")) < 1e-11


def test_row_07_relu_with_the_identity_hands_the_error_back_unchanged() -> None:
    state = flow(PRESETS["relu_identity"].experiment(), "rnn").state.log10
    np.testing.assert_allclose(state[1:-1], state[-2], atol=1e-9)


def test_row_08_truncated_bptt_stops_and_is_biased() -> None:
    experiment = link(models="rnn", window="20", seq_len="40", init="orthogonal")
    batch = make_batch(experiment)
    network = make_networks(experiment, batch.input_size, batch.output_size)["rnn"]
    params = init_params(experiment, Model("rnn"), network)
    full = run_network(network, params, batch)
    cut = run_network(network, params, batch, partial(truncated_backward, window=20))
    assert not cut.trace.d_h[:20].any()
    np.testing.assert_array_equal(cut.trace.d_h[21:], full.trace.d_h[21:])
    bias = cut.grads["0.forward.W_hh"] - full.grads["0.forward.W_hh"]
    assert np.linalg.norm(bias) > 0


def test_row_09_a_skip_carries_the_error_in_fewer_steps() -> None:
    """A scalar linear network with nothing but a skip of 5 steps and weight g: g^(k/5) at
    multiples of 5 steps back, exactly zero between (Zhang et al. 2016, arXiv:1602.08210)."""
    cell = RNN(1, 1, activation="identity", skip=5)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["W_skip"] = np.full((1, 1), 0.5)
    direct = np.zeros((20, 1, 1))
    direct[-1] = 1
    d_h = bptt(cell, params, np.zeros((20, 1, 1)), direct).d_h[::-1, 0, 0]
    np.testing.assert_array_equal(d_h[:20:5], [1, 0.5, 0.25, 0.125])
    assert not np.delete(d_h, np.s_[::5]).any()
    assert complex_step_error(small(models="rnn,lstm,gru", skip="5")) < 1e-12


def test_row_09_a_leaky_unit_forgets_by_its_leak_alone() -> None:
    result = only(run(small(models="rnn", leak="0.25", gain="0.01", init="identity")))
    back = flow(small(models="rnn", leak="0.25", gain="0.01", init="identity"), "rnn")
    assert back.state.status[1] == Status.FINITE
    rate = np.diff(back.state.log10)[1:-1]
    np.testing.assert_allclose(10**-rate, 0.75, atol=0.01)
    assert result.trace.cell.leak == 0.25
