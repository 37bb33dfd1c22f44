"""Gradient norms through time: closed forms, exact rational arithmetic, and what each zero is."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.core import RNN, bptt
from rnnviz.core.numerics import Status
from tests.analysis.support import exact_log10_norms, last_step, quiet_lstm, simple
from tests.core.support import KINDS, problem

DECADES = 1e-9


def statuses(curve):
    return [Status(s) for s in curve.status]


@pytest.mark.parametrize("gain", [0.1, 0.9, 1.0, 1.1, 10.0])
def test_orthogonal_linear_net_scales_by_the_gain_at_every_step(gain):
    """E1: ‖∂L/∂h_{T−k}‖ = g^k ‖∂L/∂h_T‖, to 2,000 decades."""
    T, H = 2000, 3
    W = gain * np.eye(H)[[1, 2, 0]]
    flow = gradient_flow(simple(W, last_step(T, H)), "rnn")
    expected = np.arange(T, -1, -1) * np.log10(gain) + np.log10(H) / 2
    np.testing.assert_allclose(flow.state.log10, expected, rtol=0, atol=DECADES)
    assert flow.reach_log10 == pytest.approx((T - 1) * np.log10(gain), abs=DECADES)
    assert flow.rate.factor_per_step == pytest.approx(gain)


@pytest.mark.parametrize("scale", [2.0**-11, 1.0, 2.0**11])
def test_any_linear_net_against_exact_rational_arithmetic(scale):
    W = scale * np.array([[0.5, -0.25], [0.375, 0.8125]])
    T = 700
    flow = gradient_flow(simple(W, last_step(T, 2)), "rnn")
    np.testing.assert_allclose(flow.state.log10, exact_log10_norms(W, T), rtol=0, atol=DECADES)


def test_scalar_linear_net():
    """E5: ∂L/∂h_0 = w^T h_T with h_T = w^T."""
    w, T = 1.25, 50
    direct = last_step(T, 1, value=w**T)
    flow = gradient_flow(simple(np.array([[w]]), direct, h0=np.ones((1, 1))), "rnn")
    assert flow.state.log10[0] == pytest.approx(2 * T * np.log10(w), abs=1e-12)


@pytest.mark.parametrize("forget_bias", [-5.0, 0.0, 3.0])
def test_lstm_carries_by_its_forget_gate_alone_without_recurrent_weights(forget_bias):
    """E9: with U = 0 the state gradient is f^(T−t) o, and ∂L/∂h_t is exactly zero before T."""
    T, H = 1200, 2
    flow = gradient_flow(quiet_lstm(T, H, forget_bias), "lstm")
    log10_f = -np.log10(1 + np.exp(-forget_bias))
    at_T = np.log10(0.5 * np.sqrt(H))
    expected = at_T + log10_f * np.arange(T, 0, -1)
    np.testing.assert_allclose(flow.state.log10[:-1], expected, rtol=0, atol=DECADES)
    assert flow.state.log10[T] == pytest.approx(np.log10(H) / 2)
    np.testing.assert_allclose(flow.c.log10[:-1], expected, rtol=0, atol=DECADES)
    assert flow.c.log10[T] == pytest.approx(at_T)
    assert set(statuses(flow.h)[:-1]) == {Status.ZERO}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("t", [0, 1, 4, 7])
def test_state_gradient_is_that_of_a_run_that_starts_there(kind, t):
    """s_t = (h_t, c_t) as the initial state of the rest; e_t is what h_t's own output adds."""
    p = problem(kind, T=7, B=3, D=2, H=5)
    trace = p.trace()
    flow = gradient_flow(trace, kind)
    h, c = p.direct[t - 1] if t else np.zeros((5, 3)), np.zeros((5, 3))
    if t < 7:
        states = {"h0": trace.h[t]} | ({} if trace.c is None else {"c0": trace.c[t]})
        rest = bptt(p.cell, p.params, p.x[t:], p.direct[t:], **states)
        h, c = h + rest.d_h[0], c if rest.d_c is None else rest.d_c[0]
    norms = np.linalg.norm(np.concatenate([h, c]), axis=0)
    assert flow.state.log10[t] == pytest.approx(np.log10(np.sqrt(np.mean(norms**2))), abs=1e-12)


def test_h_c_direct_and_units_of_an_lstm():
    p = problem("lstm", T=6, B=3, D=2, H=5)
    trace, flow = p.trace(), gradient_flow(p.trace(), "lstm")
    for curve, values in ((flow.h, trace.d_h), (flow.c, trace.d_c)):
        rms = np.sqrt(np.mean(np.sum(values**2, axis=1), axis=1))
        np.testing.assert_allclose(curve.log10, np.log10(rms), atol=1e-12)
    rms = np.sqrt(np.mean(np.sum(p.direct**2, axis=1), axis=1))
    np.testing.assert_allclose(flow.direct.log10[1:], np.log10(rms), atol=1e-12)
    assert statuses(flow.direct)[0] == Status.NOT_RECORDED
    units = np.log10(np.sqrt(np.mean(trace.d_h**2, axis=2))).T
    np.testing.assert_allclose(flow.units, units, atol=1e-12)
    assert flow.units.shape == flow.units_status.shape == (5, 7)


def test_units_beyond_the_range_of_float64():
    W = np.diag([1e-3, 1.1e-3])
    flow = gradient_flow(simple(W, last_step(1600, 2, 2)), "rnn")
    k = np.arange(1600, -1, -1)
    expected = np.outer(np.log10(np.diag(W)), k)
    np.testing.assert_allclose(flow.units, expected, rtol=0, atol=DECADES)
    assert Status(flow.units_status[0, 0]) == Status.BELOW


def test_units_of_sequences_that_live_on_different_scales():
    """Unit 1 has error in sequence 1 alone, unit 2 in sequence 2, up to 1,200 decades below."""
    trace = simple(np.diag([1.0, 1e-3]), last_step(400, 2, 2, value=np.eye(2)))
    flow = gradient_flow(trace, "rnn")
    k = np.arange(400, -1, -1)
    expected = np.outer([0, -3], k) - np.log10(2) / 2
    np.testing.assert_allclose(flow.units, expected, rtol=0, atol=DECADES)


def test_a_unit_far_below_another_is_not_lost():
    flow = gradient_flow(simple(np.diag([1.0, 1e-5]), last_step(100, 2)), "rnn")
    assert statuses(flow.state) == [Status.FINITE] * 101
    assert Status(flow.units_status[1, 0]) == Status.BELOW
    assert flow.units[1, 0] == pytest.approx(-500, abs=1e-9)


def test_the_batch_size_does_not_move_the_curves():
    p = problem("gru", T=5, B=2, D=2, H=4)
    flow = gradient_flow(p.trace(), "gru", scale=2)
    twice = {name: np.concatenate([v, v], axis=1) for name, v in p.states.items()}
    x, direct = np.concatenate([p.x, p.x], axis=2), np.concatenate([p.direct, p.direct], axis=2)
    # The mean over a batch of twice the size gives each sequence half the gradient.
    doubled = gradient_flow(bptt(p.cell, p.params, x, direct / 2, **twice), "gru", scale=4)
    np.testing.assert_allclose(flow.state.log10, doubled.state.log10, atol=1e-12)
    np.testing.assert_allclose(flow.units, doubled.units, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf, "1"])
def test_a_wrong_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        gradient_flow(simple(np.eye(2), last_step(3, 2)), "rnn", scale=scale)


def test_delay_line_ends_in_exact_zero():
    """E3: of H units a signal survives H − 1 steps, then nothing is left."""
    T, H = 10, 4
    flow = gradient_flow(simple(np.eye(H, k=-1), last_step(T, H)), "rnn")
    assert statuses(flow.state) == [Status.ZERO] * (T - H + 1) + [Status.FINITE] * H
    assert flow.reach_status == Status.ZERO
    assert flow.reach_log10 == -np.inf


def test_dead_relu_is_exact_zero():
    trace = simple(np.eye(2), last_step(6, 2), "relu", h0=np.array([[1.0], [-1.0]]))
    flow = gradient_flow(trace, "rnn")
    assert statuses(flow.state) == [Status.FINITE] * 7
    assert flow.units_status[1].tolist() == [Status.ZERO] * 6 + [Status.FINITE]
    np.testing.assert_allclose(flow.units[0], 0, atol=1e-15)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_saturation_is_rounding_not_structure(activation):
    params = {"W_xh": np.full((2, 1), 1000.0), "W_hh": np.eye(2), "b_h": np.zeros(2)}
    trace = bptt(RNN(1, 2, activation), params, np.ones((4, 1, 1)), last_step(4, 2))
    flow = gradient_flow(trace, "rnn")
    assert statuses(flow.state) == [Status.ROUNDED] * 4 + [Status.FINITE]
    assert flow.reach_status == Status.ROUNDED


def test_closed_gates_of_an_lstm_are_rounding():
    flow = gradient_flow(quiet_lstm(3, 2, -1e4), "lstm")
    assert statuses(flow.state)[0] == Status.ROUNDED
    assert statuses(flow.h)[0] == Status.ZERO


def test_magnitudes_beyond_float64_have_a_status():
    below = gradient_flow(simple(np.array([[1e-4]]), last_step(200, 1)), "rnn")
    above = gradient_flow(simple(np.array([[1e4]]), last_step(200, 1)), "rnn")
    assert statuses(below.state)[0] == Status.BELOW
    assert statuses(above.state)[0] == Status.ABOVE
    assert above.state.log10[0] == pytest.approx(800, abs=DECADES)


def test_nan_and_infinity_are_told_apart():
    direct = last_step(3, 2)
    direct[-1, 0] = np.nan
    assert set(statuses(gradient_flow(simple(np.eye(2), direct), "rnn").state)) == {Status.NAN}
    direct[-1, 0] = np.inf
    flow = gradient_flow(simple(np.diag([1.0, 1.0]), direct), "rnn")
    assert statuses(flow.state)[-1] == Status.ABOVE
    assert flow.state.log10[-1] == np.inf


def test_no_error_at_all():
    flow = gradient_flow(simple(np.eye(2), np.zeros((3, 2, 1))), "rnn")
    assert set(statuses(flow.state)) == {Status.ZERO}
    assert flow.slope is None
    assert flow.rate is None
    assert np.isnan(flow.reach_log10)


def test_reach_counts_from_the_last_step_that_error_enters():
    direct = np.zeros((9, 1, 1))
    direct[6] = 1
    flow = gradient_flow(simple(np.array([[0.5]]), direct), "rnn")
    assert flow.reach_from == 7
    assert flow.reach_log10 == pytest.approx(-6 * np.log10(2))
    assert flow.rate.factor_per_step == pytest.approx(0.5)


def test_a_gradient_is_refilled_if_error_enters_more_than_once():
    direct = np.zeros((6, 1, 1))
    direct[4] = 1
    assert not gradient_flow(simple(np.eye(1), direct), "rnn").refilled
    direct[1] = 1e-300
    assert gradient_flow(simple(np.eye(1), direct), "rnn").refilled


def test_one_step_has_no_slope():
    flow = gradient_flow(simple(np.eye(2), last_step(1, 2)), "rnn")
    assert flow.slope is None
    assert flow.reach_log10 == 0
    assert flow.seq_len == 1


def test_float32_traces():
    p = problem("lstm", T=6, B=3, D=2, H=5)
    single = {name: value.astype(np.float32) for name, value in p.params.items()}
    states = {name: value.astype(np.float32) for name, value in p.states.items()}
    args = (p.x.astype(np.float32), p.direct.astype(np.float32))
    found = gradient_flow(bptt(p.cell, single, *args, **states), "lstm")
    np.testing.assert_allclose(
        found.state.log10, gradient_flow(p.trace(), "lstm").state.log10, atol=1e-5
    )
