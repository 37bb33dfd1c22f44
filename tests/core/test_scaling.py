"""`d_log2`: gradients stay true to 1e-9 decades far outside the range of their dtype.

The oracle multiplies the transposed Jacobians of the recorded states one after the other and
carries the magnitude as a sum of logarithms.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, bptt
from tests.core.jacobian import jacobian, lstm_C_c
from tests.core.support import KINDS, problem

LOG10_2 = np.log10(2.0)


def entries_log10(values, log2):
    """log10 |values · 2**log2| of every entry; −inf for 0."""
    with np.errstate(divide="ignore"):
        return np.log10(np.abs(values.astype(float))) + log2 * LOG10_2


def state_entries_log10(trace, t, b):
    """log10 of the entries of ∂L/∂s_t, h and c as independent coordinates. What comes back from
    step t+1 to c_t is ∂c_{t+1}/∂c_t ∘ d_c[t+1] (f without peepholes)."""
    h = entries_log10(trace.d_h, trace.d_log2)[t, :, b]
    if trace.c is None or t == trace.seq_len:
        return h
    with np.errstate(divide="ignore"):
        carried = np.log10(np.abs(lstm_C_c(trace, t + 1, b)))
    return np.concatenate([h, carried + entries_log10(trace.d_c, trace.d_c_log2)[t + 1, :, b]])


def log10_norm(v):
    peak = np.abs(v).max()
    return np.log10(peak) + np.log10(np.linalg.norm(v / peak)) if peak > 0 else -np.inf


def found_log10(trace, b):
    """log10 ‖∂L/∂s_t‖ for t = 0 … T, from the trace."""
    entries = [state_entries_log10(trace, t, b) for t in range(trace.seq_len + 1)]
    with np.errstate(under="ignore"):
        return np.array([e.max() + log10_norm(10 ** (e - e.max())) for e in entries])


def true_log10(trace, b):
    """The same from the Jacobians: a vector of ordinary size and the log10 of its unit."""
    T, H = trace.seq_len, trace.cell.hidden_size
    v, unit, result = np.zeros(H if trace.c is None else 2 * H), 0.0, []
    for t in range(T, -1, -1):
        if t < T:
            v = jacobian(trace, t + 1, b).astype(float).T @ v
        direct = np.zeros_like(v)
        direct[:H] = trace.d_h_direct[t - 1, :, b] if t > 0 else 0
        larger = max(unit + log10_norm(v), log10_norm(direct))
        with np.errstate(under="ignore"):
            v = v * 10.0 ** (unit - larger)
        if direct.any():
            v += direct * 10.0**-larger
        unit = larger
        result.append(unit + log10_norm(v))
    return np.array(result[::-1])


def assert_true(trace, tolerance=1e-9):
    for b in range(trace.batch_size):
        found, true = found_log10(trace, b), true_log10(trace, b)
        assert np.isfinite(true).all()
        np.testing.assert_allclose(found, true, rtol=0, atol=tolerance)


def scalar(w, T, e, dtype=np.float64):
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[w]]), "b_h": np.zeros(1)}
    params = {name: value.astype(dtype) for name, value in params.items()}
    return bptt(RNN(1, 1, "identity"), params, np.zeros((T, 1, 1), dtype), e.astype(dtype))


def last(T, H=1, B=1):
    e = np.zeros((T, H, B))
    e[-1] = 1
    return e


@pytest.mark.parametrize("w", [0.1, 10.0, -0.1, 0.7, 1.3])
def test_a_scalar_net_over_3000_steps(w):
    """∂L/∂h_t = w^(T-t): up to ±3,000 decades."""
    T = 3000
    trace = scalar(w, T, last(T))
    log10 = np.log10(np.abs(trace.d_h[:, 0, 0])) + trace.d_log2[:, 0, 0] * LOG10_2
    np.testing.assert_allclose(log10, np.arange(T, -1, -1) * np.log10(abs(w)), rtol=0, atol=1e-9)
    assert (np.sign(trace.d_h[:, 0, 0]) == np.sign(w) ** np.arange(T, -1, -1)).all()


@pytest.mark.parametrize("w", [0.1, 10.0])
def test_gradients_of_gates_and_inputs_go_with_the_exponent_of_the_state_after_the_step(w):
    T = 600
    params = {"W_xh": np.array([[2.0]]), "W_hh": np.array([[w]]), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1, "identity"), params, np.zeros((T, 1, 1)), last(T))
    assert trace.d_log2.any()
    np.testing.assert_array_equal(trace.d_gates["a"], trace.d_h[1:])
    np.testing.assert_array_equal(trace.d_x, 2 * trace.d_h[1:])


def at_rest(kind, gain, T):
    """No input, no bias: every gate is half open and every slope is 1 (1/4 for the logistic)."""
    cell, rng = problem(kind, T=1, B=1, D=1, H=3).cell, np.random.default_rng(3)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["W_hh"] = gain * np.abs(rng.standard_normal(params["W_hh"].shape))
    if kind == "rnn relu":
        params["b_h"] += 1e-3
    if cell.MEMORY_GATE is not None and gain < 1:
        params["b_h"][cell.gate_rows(cell.MEMORY_GATE)] = -25.0
    e = np.concatenate([np.zeros((T - 1, 3, 2)), rng.standard_normal((1, 3, 2))])
    return bptt(cell, params, np.zeros((T, 1, 2)), e)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_vanishing(kind):
    trace = at_rest(kind, 1e-3, 300)
    assert_true(trace)
    assert found_log10(trace, 0)[0] < -600


@pytest.mark.parametrize("kind", ["rnn tanh", "rnn identity", "lstm", "gru"])
def test_every_cell_exploding(kind):
    trace = at_rest(kind, 300.0, 300)
    assert_true(trace)
    assert found_log10(trace, 0)[0] > 400


def test_a_vanishing_an_exploding_and_an_ordinary_sequence_in_one_batch():
    """One unit, w = 10: at rest the gradient grows tenfold a step, saturated it dies, and at
    10 (1 − h²) = 1 it stays."""
    T, h = 700, np.sqrt(0.9)
    x = np.zeros((T, 1, 3))
    x[:, 0, 1], x[:, 0, 2] = 5.0, np.arctanh(h) - 10 * h
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 10.0), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1), params, x, last(T, 1, 3), h0=[[0.0, 1.0, h]])
    assert_true(trace)
    explodes, vanishes, stays = (found_log10(trace, b)[0] for b in range(3))
    assert explodes == pytest.approx(700, abs=1e-9)
    assert vanishes < -5000
    assert abs(stays) < 300
    assert not trace.d_log2[..., 2].any()


@pytest.mark.parametrize("gain", [1e-4, 0.3, 20.0])
@pytest.mark.parametrize("cell", [RNN(2, 3), LSTM(2, 3), GRU(2, 3)], ids=["rnn", "lstm", "gru"])
def test_direct_gradients_at_every_step_refill(cell, gain):
    T, B, rng = 400, 2, np.random.default_rng(8)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["W_hh"] = gain * rng.standard_normal(params["W_hh"].shape)
    trace = bptt(cell, params, np.zeros((T, 2, B)), rng.standard_normal((T, 3, B)))
    assert_true(trace)
    assert trace.d_log2.any() == (gain > 1)


def test_direct_gradients_of_very_different_sizes():
    """1e-290 at the end, 1 in the middle, 1e200 near the start, decaying 1,000-fold a step."""
    T = 300
    e = np.zeros((T, 1, 1))
    e[[T - 1, T // 2, 20]] = [[[1e-290]], [[1.0]], [[1e200]]]
    assert_true(scalar(1e-3, T, e))


@pytest.mark.parametrize("w", [0.1, 10.0])
def test_float32_has_the_same_range(w):
    T = 300
    trace = scalar(w, T, last(T), np.float32)
    assert trace.d_h.dtype == np.float32
    log10 = np.log10(np.abs(trace.d_h[:, 0, 0]).astype(float)) + trace.d_log2[:, 0, 0] * LOG10_2
    expected = np.arange(T, -1, -1) * np.log10(abs(float(np.float32(w))))
    np.testing.assert_allclose(log10, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru"])
def test_float32_cells(kind):
    p = problem(kind, T=200, B=2, D=2, H=3)
    params = {name: np.float32(0.05) * value.astype(np.float32) for name, value in p.params.items()}
    if p.cell.MEMORY_GATE:
        params["b_h"][p.cell.gate_rows(p.cell.MEMORY_GATE)] = -4
    e = np.zeros_like(p.direct, np.float32)
    e[-1] = p.direct[-1]
    trace = bptt(p.cell, params, p.x.astype(np.float32), e)
    assert trace.d_log2.any()
    assert_true(trace, 1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_run_is_not_scaled(kind):
    assert not problem(kind, T=30, B=3, D=2, H=4).trace().d_log2.any()


def test_an_exact_zero_stays_zero_and_is_not_scaled():
    n, T = 4, 1200
    params = {"W_xh": np.zeros((n, 1)), "W_hh": np.eye(n, k=-1), "b_h": np.zeros(n)}
    trace = bptt(RNN(1, n, "identity"), params, np.zeros((T, 1, 2)), last(T, n, 2))
    assert (trace.d_h[: T - n + 1] == 0).all()
    assert (trace.d_h[T - n + 1 :] != 0).any(axis=1).all()
    assert not trace.d_log2.any()


def test_parameter_gradients_are_the_true_sums_where_they_fit():
    """w = 0.1 over 400 steps: terms below 1e-300 add nothing, the sum is that of the others."""
    T, rng = 400, np.random.default_rng(0)
    x = rng.standard_normal((T, 1, 1))
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.1), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1, "identity"), params, x, last(T))
    assert trace.d_log2.any()
    weights = 0.1 ** np.arange(T - 1, -1, -1.0)
    assert trace.grads["W_xh"][0, 0] == pytest.approx((weights * x[:, 0, 0]).sum(), rel=1e-12)
    assert trace.grads["b_h"][0] == pytest.approx(weights.sum(), rel=1e-12)


def test_parameter_gradients_are_the_true_sums_of_scaled_steps():
    """w = 10 over 250 steps: steps beyond 2^512 carry an exponent, the sum 10^249 fits."""
    T = 250
    trace = scalar(10.0, T, last(T))
    assert trace.d_log2.any()
    assert trace.grads["b_h"][0] == pytest.approx((10.0**T - 1) / 9, rel=1e-12)


def test_parameter_gradients_beyond_the_range_are_infinite():
    T = 400
    trace = scalar(10.0, T, last(T))
    assert np.isinf(trace.grads["b_h"]).all()
