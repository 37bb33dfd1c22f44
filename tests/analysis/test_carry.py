"""The textbook's product of gates, the true derivative, and the two ways that it goes (E10)."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.batch_carry import batch_carry
from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.core import GRU, LSTM, bptt, forward
from rnnviz.core.numerics import Status
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, quiet_lstm
from tests.core.support import problem

T, B, H = 9, 3, 5
GATED = [name for name in EVERY if not name.startswith("rnn")]


@pytest.mark.parametrize("bias", [-5.0, 3.0])
def test_the_product_is_the_truth_where_the_recurrent_path_is_cut(bias):
    """E10, beyond the range of float64."""
    T = 600
    found = carry_paths(quiet_lstm(T, 2, bias), "lstm")
    expected = -np.log10(1 + np.exp(-bias)) * np.arange(T, -1, -1)
    np.testing.assert_allclose(found.product.log10, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.true.log10, expected, rtol=0, atol=1e-9)


def test_points_that_were_not_asked_for_are_not_recorded():
    trace = problem("gru", 10, 1, 2, 3).trace()
    every, some = carry_paths(trace, "gru"), carry_paths(trace, "gru", every=4)
    assert np.flatnonzero(some.true.status != Status.NOT_RECORDED).tolist() == [0, 2, 6, 10]
    kept = [0, 2, 6, 10]
    np.testing.assert_allclose(some.true.log10[kept], every.true.log10[kept], atol=1e-12)
    np.testing.assert_array_equal(some.product.log10, every.product.log10)


def test_a_closed_gate_is_rounded_to_zero():
    """Its product is known all the same, from what the gate is the logistic function of."""
    found = carry_paths(quiet_lstm(3, 2, -1e4), "lstm")
    for curve in (found.true, found.carry):
        assert curve.status[:3].tolist() == [Status.ROUNDED] * 3
    assert (found.through.status == Status.ZERO).all()
    np.testing.assert_allclose(found.product.log10, np.arange(-3e4, 1, 1e4) / np.log(10))


def test_a_hard_gate_that_is_shut_is_shut_in_truth():
    cell = LSTM(1, 2, gate_activation="hard_sigmoid")
    params = cell.init_params(np.random.default_rng(0)) | {"b_h": np.full(8, -10.0)}
    found = carry_paths(bptt(cell, params, np.zeros((3, 1, 1)), last_step(3, 2)), "lstm")
    for curve in (found.true, found.carry, found.product):
        assert curve.status[:3].tolist() == [Status.ZERO] * 3


@pytest.mark.parametrize(("option", "value"), [("every", 0), ("sequence", 5)])
def test_wrong_options_are_refused(option, value):
    trace = problem("gru", 3, 1, 2, 3).trace()
    with pytest.raises(ValueError, match=option):
        carry_paths(trace, "gru", **{option: value})


def test_a_gru_held_open_keeps_all():
    cell = GRU(1, 2)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][2:4] = 1e4
    trace = bptt(cell, params, np.zeros((3, 1, 1)), last_step(3, 2))
    np.testing.assert_array_equal(carry_paths(trace, "gru").true.log10, np.zeros(4))


@pytest.mark.parametrize("name", GATED)
def test_carry_and_the_rest_make_the_whole(name):
    """E10: the two parts against a product of Jacobians."""
    trace = any_problem(name, T, B, H=H).trace()
    found, steps = carry_paths(trace, name, 1), linearize(trace, 1)
    rows = slice(H, 2 * H) if trace.c is not None else slice(0, H)
    product, carry = np.eye(steps.size), np.ones(H)
    for t in range(T, -1, -1):
        M = product[rows, rows]
        expected = [
            np.abs(carry).max(),
            np.linalg.norm(M - np.diag(carry), 2),
            np.linalg.norm(M, 2),
        ]
        values = [10 ** curve.log10[t] for curve in (found.carry, found.through, found.true)]
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-14)
        gates = trace.gates[found.gate][t:, :, 1]
        assert 10 ** found.product.log10[t] == pytest.approx(gates.prod(axis=0).max())
        if t:
            J = steps.matrix(t - 1)
            z = trace.gates["z"][t - 1, :, 1] if trace.c is None else np.diag(J[rows, rows])
            product, carry = product @ J, carry * z


def test_without_peepholes_the_carry_is_the_product_of_forget_gates():
    found = carry_paths(any_problem("lstm", 30, B, H=H).trace(), "lstm", 2)
    np.testing.assert_allclose(found.carry.log10, found.product.log10, atol=1e-12)


def test_with_peepholes_the_carry_is_another():
    found = carry_paths(any_problem("lstm peepholes", 30, B, H=H).trace(), "lstm", 2)
    assert abs(found.carry.log10[0] - found.product.log10[0]) > 0.1


@pytest.mark.parametrize("bias", [-5.0, 3.0])
def test_a_cut_lstm_has_no_other_way(bias):
    """E10, U = 0, far beyond float64's range."""
    found = carry_paths(quiet_lstm(600, 2, bias), "lstm", every=100)
    lags = 600 - np.arange(0, 601, 100)
    expected = -lags * np.log10(1 + np.exp(-bias))
    np.testing.assert_allclose(found.carry.log10[::100], expected, atol=1e-9)
    np.testing.assert_allclose(found.true.log10[::100], expected, atol=1e-9)
    assert (found.through.status[::100] == Status.ZERO).all()
    assert found.carry.status[1] == Status.NOT_RECORDED


def test_each_part_is_right_where_the_other_is_far_larger():
    """Closed gates: the carry is 10^−300 and less of what goes through the gates."""
    cell, rng = LSTM(2, 6), np.random.default_rng(0)
    params = cell.init_params(rng, memory_bias=-30.0, gain=6.0)
    trace = bptt(cell, params, rng.standard_normal((80, 2, 1)), last_step(80, 6))
    found = carry_paths(trace, "lstm")
    np.testing.assert_allclose(found.carry.log10, found.product.log10, atol=1e-9)
    assert found.carry.log10[0] < found.through.log10[0] - 300


def test_the_table_of_E10():
    """n = 32, T = 50: at b_f = 5 the truth explodes while Π f stays below 1."""
    cell, rng = LSTM(4, 32), np.random.default_rng(0)
    params = cell.init_params(rng, memory_bias=5.0)
    found = carry_paths(forward(cell, params, rng.standard_normal((50, 4, 1))), "lstm", every=50)
    assert found.carry.log10[0] < 0
    assert found.true.log10[0] > 1
    assert found.through.log10[0] == pytest.approx(found.true.log10[0], abs=0.05)


def test_a_cell_without_memory_has_no_carry():
    assert carry_paths(any_problem("rnn tanh", 4).trace(), "rnn") is None


def test_a_gate_held_shut_is_exactly_zero():
    found = carry_paths(any_problem("lstm no_gates", 5).trace(), "lstm")
    assert (found.true.status[:5] == Status.ZERO).all()


@pytest.mark.parametrize(("name", "steps"), [("lstm", 2), ("lstm peepholes", 2), ("gru", 1)])
def test_nothing_leaves_the_memory_and_comes_back_within_a_step(name, steps):
    found = carry_paths(any_problem(name, 6).trace(), name)
    assert (found.through.status[-steps:] == Status.ZERO).all()
    assert (found.through.status[:-steps] == Status.FINITE).all()


def test_a_closed_output_keeps_all_in_the_cell_state():
    cell = LSTM(1, 2, fixed=(("o", 0.0),))
    params = cell.init_params(np.random.default_rng(0))
    found = carry_paths(forward(cell, params, np.ones((4, 1, 1))), "lstm")
    assert (found.through.status == Status.ZERO).all()
    assert (found.true.status == Status.FINITE).all()


def test_a_hard_gate_that_is_shut_on_the_way_lets_nothing_from_before_it_through():
    """Where h is nobody's input, any step's gate decides for all before it."""
    cell = LSTM(1, 2, gate_activation="hard_sigmoid")
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["W_xh"][2:4] = 10
    record = forward(cell, params, np.array([1.0, 1, -1, 1]).reshape(4, 1, 1))
    found, batch = carry_paths(record, "lstm"), batch_carry(record, "lstm", 1)
    for curve in (found.true, found.carry, found.product):
        assert curve.status.tolist() == [Status.ZERO] * 3 + [Status.FINITE] * 2
    assert batch.true_status.tolist() == [Status.ZERO]


def test_a_gate_held_shut_is_zero_by_design_where_peepholes_carry_on():
    cell = LSTM(1, 2, fixed=(("f", 0.0),), peepholes=True)
    params = cell.init_params(np.random.default_rng(0))
    found = carry_paths(forward(cell, params, np.ones((4, 1, 1))), "lstm")
    assert (found.product.status[:4] == Status.ZERO).all()
    assert (found.carry.status == Status.FINITE).all()


@pytest.mark.parametrize("reset", ["after", "before"])
def test_what_goes_through_the_gates_of_a_gru_has_its_digits_beside_a_far_larger_carry(reset):
    """W_hh matters so little that the states are the same: what goes through it is a multiple."""
    cell, rng = GRU(2, 4, reset=reset), np.random.default_rng(0)
    params, x = cell.init_params(rng), rng.standard_normal((12, 2, 1))
    large, small = (
        carry_paths(forward(cell, params | {"W_hh": params["W_hh"] * scale}, x), "gru")
        for scale in (1e-7, 1e-40)
    )
    lost = large.through.log10[:-1] - small.through.log10[:-1]
    np.testing.assert_allclose(lost, 33, rtol=0, atol=1e-6)


def test_of_a_padded_sequence_there_are_as_many_steps_as_it_has():
    cell = LSTM(1, 2)
    params = cell.init_params(np.random.default_rng(0))
    params["W_hh"] = 0 * params["W_hh"]
    found = carry_paths(forward(cell, params, np.zeros((4, 1, 2)), lengths=[2, 4]), "lstm")
    assert len(found.true.log10) == len(found.through.status) == 3
    assert set(found.through.status) == {Status.ZERO}


def test_a_gate_that_rounds_to_zero_in_the_only_step_is_not_zero_in_truth():
    cell = LSTM(1, 2)
    params = cell.init_params(np.random.default_rng(0))
    params["b_h"] = np.where(np.repeat(np.array(cell.GATES) == "f", 2), -800.0, params["b_h"])
    found = carry_paths(forward(cell, params, np.zeros((1, 1, 1))), "lstm")
    assert found.true.status.tolist() == [Status.ROUNDED, Status.FINITE]
