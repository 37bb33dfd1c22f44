"""Slopes of saturated units, from their pre-activations."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import slopes
from rnnviz.analysis.gradients import gradient_flow, state_curve
from rnnviz.analysis.jacobian.norms import log_determinants
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.slopes import (
    SATURATES,
    Saturation,
    layers_with_true_slopes,
    saturation,
    slopes_rounded_to_zero,
    true_record,
    with_true_slopes,
)
from rnnviz.core import GRU, LSTM, RNN, backward, bptt, forward
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


def with_biases(cell, **biases):
    """The parameters of a cell of one unit that are all 0 but these biases of gates."""
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    for gate, bias in biases.items():
        params["b_h"][cell.gate_rows(gate)] = bias
    return params


LEFT = 1 / (1 + np.exp(40.0))
"""What σ(40) leaves of 1; tanh(20) leaves twice as much."""


@pytest.mark.parametrize(
    ("cell", "biases", "h0", "gate", "expected"),
    [
        (GRU(1, 1), {"z": 40.0}, 0.5, "n", LEFT),
        (GRU(1, 1), {"n": 20.0}, 1.0, "z", 0.25 * 2 * LEFT),
        (LSTM(1, 1, coupled=True), {"f": 40.0}, 0.0, "g", 0.5 * LEFT),
        (LSTM(1, 1, coupled=True), {"g": 20.0}, 1.0, "f", 0.5 * 0.25 * 2 * LEFT),
    ],
    ids=["1 − z", "h − n", "1 − f", "c − g"],
)
def test_differences_of_values_near_one_have_all_their_digits(cell, biases, h0, gate, expected):
    """float64 makes each of them 0. h or c is 1 at the start, ∂L/∂h 1 at the end, a step later."""
    direct, states = np.ones((1, 1, 1)), {"h0": [[h0]]}
    if cell.HAS_CELL_STATE:
        states = {"c0": [[h0]]}
    trace = bptt(cell, with_biases(cell, **biases), np.zeros((1, 1, 1)), direct, **states)
    assert trace.d_gates[gate].item() == 0
    exact = backward(true_record(trace), direct)
    if cell.HAS_CELL_STATE:  # what c sends to h, 1 − tanh²
        expected *= 1 - np.tanh(trace.c[1].item()) ** 2
    assert exact.d_gates[gate].item() == pytest.approx(expected, rel=1e-12, abs=0)


def shut(**W_xh):
    """An LSTM of one unit that holds c, and adds to it by units that float64 holds at 1."""
    cell = LSTM(1, 1)
    params = with_biases(cell, f=40.0, i=40.0, g=20.0)
    for gate, weight in W_xh.items():
        params["W_xh"][cell.gate_rows(gate)] = weight
    return cell, params


def test_what_is_lost_of_h_alone_is_seen_where_c_carries_the_error():
    cell, params = shut()
    params["b_h"][cell.gate_rows("o")] = 40.0
    params["W_hh"][:] = 1.0
    trace = bptt(cell, params, np.zeros((3, 1, 1)), last(3))
    assert state_curve(trace).log10[1] > -3
    assert not trace.d_h[1].any()
    assert with_true_slopes(trace).d_h[1].item() > 1e-22


def test_what_is_lost_on_the_way_to_the_layer_below_is_seen():
    """x goes in by the candidate, which float64 holds at 1, h by the open output gate."""
    cell, params = shut(g=1.0)
    params["W_hh"][cell.gate_rows("o")] = 1.0
    low = forward(RNN(1, 1), with_biases(RNN(1, 1)), np.ones((3, 1, 1)))
    high = bptt(cell, params, low.h[1:], last(3))
    layers = ((backward(low, high.d_x),), (high,))
    assert high.d_h[1].any()
    assert not high.d_x.any()
    assert layers_with_true_slopes(layers)[0][0].d_h[1:].all()


def test_the_determinants_of_a_true_record_are_of_its_slopes():
    """ln (w / cosh²(a)); read off tanh(a) = 1 it is −∞."""
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1), params, np.full((3, 1, 1), 40.0), np.ones((3, 1, 1)))
    found = log_determinants(true_record(trace))
    a = np.array([40.0, 40.5, 40.5])
    np.testing.assert_allclose(found.logs, np.log(0.5) - 2 * np.log(np.cosh(a)), rtol=1e-12)
    assert np.isneginf(log_determinants(trace).logs).all()


@pytest.mark.parametrize("options", [{}, {"peepholes": True}, {"coupled": True}])
def test_the_determinants_of_a_true_lstm_are_those_of_its_jacobians(options):
    cell = LSTM(1, 1, **options)
    params = cell.init_params(np.random.default_rng(0), input_scale=5.0)
    trace = bptt(cell, params, np.full((3, 1, 1), 14.0), np.ones((3, 1, 1)))
    record = true_record(trace)
    steps = linearize(record, 0, 0, 3)
    true = [np.linalg.slogdet(steps.matrix(k).reshape(2, 2))[1] for k in range(3)]
    np.testing.assert_allclose(log_determinants(record).logs, true, rtol=1e-3)


@pytest.mark.parametrize("label", ["rnn:skip=3", "lstm:skip=3", "gru", "lstm"])
def test_a_true_record_is_the_same_in_parts(label, monkeypatch):
    e = Experiment((label,), gain=8.0, input_scale=50.0, hidden_size=6, seq_len=23, batch_size=3)
    trace = run(e)[label].trace
    whole = true_record(trace)
    monkeypatch.setattr(slopes, "MOST_NUMBERS", 100)
    parts = true_record(trace)
    np.testing.assert_allclose(parts.gate_values, whole.gate_values, rtol=1e-12)
    np.testing.assert_allclose(parts.remainders, whole.remainders, rtol=1e-9)


def test_a_true_record_of_a_long_skip_does_not_hold_all_states_before_each_step_at_once():
    e = Experiment(("rnn:skip=90",), hidden_size=32, seq_len=120, batch_size=16)
    trace = run(e)["rnn:skip=90"].trace
    tracemalloc.start()
    true_record(trace)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 90 * trace.h.nbytes


@pytest.mark.parametrize("gain", [1e-200, 1e200])
def test_weights_whose_squares_are_no_numbers_need_no_warning(gain):
    cell, rng = RNN(1, 3), np.random.default_rng(0)
    params = cell.init_params(rng, gain=gain)
    trace = bptt(cell, params, rng.standard_normal((9, 1, 1)), last(9, 3, 1))
    assert (with_true_slopes(trace) is not trace) == (gain > 1)
