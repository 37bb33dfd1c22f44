"""The pattern of gradients that exact arithmetic can make other than zero."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.reachability import is_logistic, reachable
from rnnviz.core import GRU, LSTM, RNN, bptt
from tests.analysis.support import last_step, simple
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
