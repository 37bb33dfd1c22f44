"""The pattern of gradients that exact arithmetic can make other than zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.reachability import is_logistic, reachable, told_what_arrives
from rnnviz.core import GRU, LSTM, RNN, bptt
from rnnviz.core.numerics import Status
from rnnviz.experiment import Run
from rnnviz.views import gradient_flow
from tests.analysis.support import last_step, simple
from tests.core.networks import SETTINGS
from tests.core.support import KINDS, problem


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_zero_is_reachable(kind):
    trace = problem(kind, T=70, B=2, D=3, H=4).trace()
    found = reachable(trace)
    assert (found.h | (trace.d_h == 0)).all()
    if trace.d_c is not None:
        assert (found.c | (trace.d_c == 0)).all()
        assert found.carry[:-1].all()
        assert not found.carry[-1].any()


def test_the_pattern_of_a_sparse_linear_net_is_that_of_its_powers():
    rng = np.random.default_rng(0)
    W = rng.uniform(0.5, 1, (6, 6)) * (rng.uniform(size=(6, 6)) < 0.2)
    trace = simple(W, last_step(5, 6, value=np.eye(6)[:, :1]))
    assert (reachable(trace).h == (trace.d_h != 0)).all()


@pytest.mark.parametrize("cell", [LSTM(1, 2), GRU(1, 2)], ids=["lstm", "gru"])
def test_weights_of_zero_block_every_gate_path(cell):
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    trace = bptt(cell, params, np.ones((3, 1, 1)), last_step(3, 2))
    found = reachable(trace)
    through_h = isinstance(cell, GRU)
    assert found.h[0].all() == through_h
    assert found.h[0].any() == through_h
    if found.carry is not None:
        assert found.carry[0].all()


def test_only_values_between_zero_and_one_are_logistic():
    record = problem("lstm", T=2, B=1, D=1, H=1).trace()
    assert [is_logistic(record, gate) for gate in "ifgo"] == [True, True, False, True]
    logistic = simple(np.eye(1), last_step(2, 1), "logistic")
    assert is_logistic(logistic, "a")
    assert not is_logistic(simple(np.eye(1), last_step(2, 1), "relu"), "a")
    assert isinstance(logistic.cell, RNN)


@pytest.mark.parametrize("name", ["three layers", "deep and bidirectional",
                                  "deep, bidirectional, padded"])  # fmt: skip
def test_a_layer_is_told_what_arrives_from_above_where_it_is_rounded_to_zero(name):
    layers = SETTINGS[name]().trace().layers
    rounded = [[replace(t, d_h_direct=0 * t.d_h_direct) for t in layer] for layer in layers[:-1]]
    told = told_what_arrives((*map(tuple, rounded), layers[-1]))
    for low, was in zip(told[:-1], layers[:-1], strict=True):
        for trace, exact in zip(low, was, strict=True):
            np.testing.assert_array_equal(trace.direct_reaches, exact.d_h_direct != 0)


def saturated(W_xh: float) -> Run:
    """Two layers of one unit whose slopes are 10^−870 in the second, of which nothing is left."""
    e = Experiment(("rnn",), layers=2, gain=1000.0, hidden_size=2, init="identity", seq_len=8,
                   batch_size=1)  # fmt: skip
    made = run(e)["rnn"].params
    params = {k: W_xh * v if k == "1.forward.W_xh" else v for k, v in made.items()}
    return run(e, trained={"rnn": params})


def test_below_a_layer_that_rounds_to_zero_nothing_is_exactly_zero():
    (flow,) = gradient_flow.view(saturated(1.0), gradient_flow.Choices(layer="1")).flows
    assert np.isneginf(flow.state.log10).all()
    assert (flow.state.status == Status.ROUNDED).all()
    assert (flow.direct.status[1:] == Status.ROUNDED).all()


def test_below_a_layer_that_hears_nothing_all_is_exactly_zero():
    (flow,) = gradient_flow.view(saturated(0.0), gradient_flow.Choices(layer="1")).flows
    assert (flow.state.status == Status.ZERO).all()
