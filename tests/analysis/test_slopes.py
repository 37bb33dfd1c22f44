"""Slopes of saturated units, from their pre-activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.slopes import (
    SATURATES,
    Saturation,
    saturation,
    slopes_rounded_to_zero,
    true_record,
    with_true_slopes,
)
from rnnviz.core import LSTM, RNN, backward, bptt
from rnnviz.core.numerics import log10_rms
from tests.analysis.cells import EVERY, any_problem
from tests.core.test_scaling import last


@pytest.mark.parametrize("change", [{"gain": 8.0, "seq_len": 100}, {"gain": 7.5, "seq_len": 400}])
def test_units_that_saturate(change):
    """W_hh = g I: ∂L/∂h_0 of a unit is Π g sech²(a_t) times that of h_T. Read off the values of
    float32 it is 2 to 4 decades off."""
    e = Experiment(("rnn",), init="identity", dtype="float32", **change)
    trace = run(e)["rnn"].trace
    params = {name: value.astype(float) for name, value in trace.params.items()}
    a = params["W_xh"] @ trace.x.astype(float) + params["b_h"][:, None]
    a += params["W_hh"] @ trace.h[:-1].astype(float)
    slopes = np.log10(e.gain) - 2 * np.logaddexp(a, -a) / np.log(10) + 2 * np.log10(2)
    expected = log10_rms(slopes.sum(axis=0) + np.log10(np.abs(trace.d_h[-1])))
    exact = with_true_slopes(trace)
    np.testing.assert_allclose(gradient_flow(exact, "rnn").units[:, 0], expected, atol=1e-3)
    np.testing.assert_array_equal(exact.h, trace.h)
    off = np.abs(
        gradient_flow(trace, "rnn").state.log10[1] - gradient_flow(exact, "rnn").state.log10[1]
    )
    assert off > 2


def test_one_unit_by_hand():
    """h = tanh(a), a = 10: float32 holds 1 and the slope 0, the true one is 8.2e-9."""
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
    params = {name: value.astype(np.float32) for name, value in params.items()}
    x = np.full((3, 1, 1), 10.0, np.float32)
    trace = bptt(RNN(1, 1), params, x, last(3).astype(np.float32))
    assert (trace.d_h[:3] == 0).all()
    exact = with_true_slopes(trace)
    slopes = 1 / np.cosh([10.5, 10.5, 10.0]) ** 2
    expected = np.cumprod(0.5 * slopes)
    np.testing.assert_allclose(exact.d_h[2::-1, 0, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(slopes_rounded_to_zero(trace, exact), [True, True, True, False])


@pytest.mark.parametrize("name", EVERY)
def test_ordinary_units_keep_their_gradients(name):
    p = any_problem(name, 7, 3)
    trace = p.cast(np.float32).trace()
    exact = with_true_slopes(trace)
    assert exact.d_h.dtype == np.float64
    np.testing.assert_allclose(exact.d_h, trace.d_h, atol=1e-5 * np.abs(trace.d_h).max())
    assert not slopes_rounded_to_zero(trace, exact).any()


def test_units_that_do_not_saturate_are_left_alone_in_double_precision():
    trace = any_problem("lstm", 5).trace()
    assert with_true_slopes(trace) is trace


@pytest.mark.parametrize("name", EVERY)
def test_what_is_left_to_one_is_that_of_the_values(name):
    """Of units that are open 1 − |y| has all its digits, and gradients are those of the values."""
    trace = any_problem(name, 7, 3).trace()
    record = true_record(trace)
    rows = record.gate_values.shape[1]
    names = trace.cell.trainable_gates
    H, order = trace.cell.hidden_size, trace.cell.GATE_ROWS
    assert record.remainders.shape[1] == rows + H * trace.cell.HAS_CELL_STATE
    for gate in (g for g in names if trace.cell.activation_of(g).name in SATURATES):
        left = record.remainders[:, order.index(gate) * H :][:, :H]
        np.testing.assert_allclose(left, 1 - np.abs(trace.gates[gate]), atol=1e-15)
    exact = backward(record, trace.d_h_direct, d_c_direct=trace.d_c_direct)
    np.testing.assert_allclose(exact.d_h, trace.d_h, atol=1e-13 * np.abs(trace.d_h).max())


def test_padding_stays_padding():
    p = any_problem("lstm", 6, 2).cast(np.float32)
    x = p.x.copy()
    x[3:, :, 1] = 0
    trace = bptt(p.cell, p.params, x, p.direct, lengths=[6, 3], **p.states)
    exact = with_true_slopes(trace)
    assert (exact.gate_values[3:, :, 1] == 0).all()
    np.testing.assert_allclose(exact.d_h, trace.d_h, atol=1e-5 * np.abs(trace.d_h).max())
    assert replace(exact).lengths is not None


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_slopes_that_float64_makes_zero(activation):
    """a = 40, a + 4, a + 4: beyond 19 and 37 the values are 1."""
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 4.0), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1, activation=activation), params, np.full((3, 1, 1), 40.0), last(3))
    assert (trace.d_h[:3] == 0).all()
    exact = with_true_slopes(trace)
    of_tanh = activation == "tanh"
    slopes = (1 if of_tanh else 0.25) / np.cosh(np.array([44, 44, 40]) / (1 if of_tanh else 2)) ** 2
    np.testing.assert_allclose(exact.d_h[2::-1, 0, 0], np.cumprod(4 * slopes), rtol=1e-13)
    found = saturation(trace)
    assert (found.zeros, found.total) == (3, 3)
    half = np.array([44.0, 40.0]) / (1 if activation == "tanh" else 2)
    true = 1 / np.cosh(half) ** 2 / (1 if activation == "tanh" else 4)
    least, most = np.log10(true)
    assert (found.least, found.most) == pytest.approx((least, most), abs=1e-12)


def test_open_units_are_not_saturated():
    assert saturation(any_problem("lstm", 5).trace()) is None


def test_gates_that_float64_holds_at_1_are_counted():
    params = {name: np.zeros(shape) for name, shape in LSTM(1, 2).param_shapes().items()}
    params["b_h"][2:4] = 40.0
    trace = bptt(LSTM(1, 2), params, np.zeros((5, 1, 3)), last(5, 2).repeat(3, axis=2))
    assert saturation(trace) == Saturation(zeros=5 * 2 * 3, total=4 * 5 * 2 * 3)


def test_padding_is_not_saturated():
    """Nor is it counted among the values."""
    params = {"W_xh": np.full((1, 1), 40.0), "W_hh": np.zeros((1, 1)), "b_h": np.zeros(1)}
    x = np.ones((4, 1, 2))
    x[1:, :, 1] = 0
    trace = bptt(RNN(1, 1), params, x, last(4).repeat(2, axis=2), lengths=[4, 1])
    assert saturation(trace).total == saturation(trace).zeros == 5
