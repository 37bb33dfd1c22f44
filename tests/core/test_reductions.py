"""A gated cell whose gates are held open or closed is a simple RNN (THEORY.md, A0, claim 2)."""

from __future__ import annotations

import numpy as np

from rnnviz.core import GRU, LSTM, RNN, bptt

OPEN, SHUT = 800.0, -800.0
"""Biases at which a logistic gate is exactly 1 and exactly 0 in float64."""


def gated(cell, candidate, biases):
    """The candidate's weights in one gate, no weights and the given bias in every other."""
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    for gate in cell.GATES:
        rows = cell.gate_rows(gate)
        if gate in biases:
            params["b_h"][rows] = biases[gate]
        else:
            for name, value in candidate.items():
                params[name][rows] = value
    return params


def test_a_gru_with_r_open_and_z_shut_is_exactly_the_tanh_rnn(candidate):
    params, x, direct = candidate
    cell = GRU(2, 5)
    gru = bptt(cell, gated(cell, params, {"r": OPEN, "z": SHUT}), x, direct)
    rnn = bptt(RNN(2, 5), params, x, direct)
    np.testing.assert_allclose(gru.h, rnn.h, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gru.d_h, rnn.d_h, rtol=1e-12)
    np.testing.assert_allclose(gru.d_x, rnn.d_x, rtol=1e-12)
    for name, gradient in rnn.grads.items():
        block = gru.grads[name][cell.gate_rows("n")]
        np.testing.assert_allclose(block, gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gru.grads["b_hn"], rnn.grads["b_h"], rtol=1e-12)


def test_a_gru_with_z_open_keeps_its_state_and_its_gradient(candidate):
    params, x, direct = candidate
    cell, h0 = GRU(2, 5), np.random.default_rng(5).standard_normal((5, 3))
    trace = bptt(cell, gated(cell, params, {"r": OPEN, "z": OPEN}), x, direct, h0)
    np.testing.assert_allclose(trace.h, np.broadcast_to(h0, trace.h.shape), rtol=1e-13)
    later = np.cumsum(direct[::-1], axis=0)[::-1]
    np.testing.assert_allclose(trace.d_h[1:], later, rtol=1e-13, atol=1e-14)


def test_an_lstm_that_forgets_at_once_is_an_rnn_with_tanh_of_tanh(candidate):
    """f = 0, i = o = 1: h_t = tanh(tanh(a_t)), slope (1 - h²)(1 - tanh²a)."""
    params, x, direct = candidate
    cell = LSTM(2, 5)
    trace = bptt(cell, gated(cell, params, {"i": OPEN, "f": SHUT, "o": OPEN}), x, direct)
    h, g, d_h = elman(params, x, direct)
    np.testing.assert_allclose(trace.h, h, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(trace.c[1:], g, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(trace.d_h, d_h, rtol=1e-12)
    assert np.abs(trace.h).max() < np.tanh(1)


def elman(params, x, direct):
    """h_t = tanh(tanh(a_t)) and its gradients, written out once more."""
    h, g = [np.zeros(direct.shape[1:])], []
    for x_t in x:
        a = params["W_xh"] @ x_t + params["W_hh"] @ h[-1] + params["b_h"][:, None]
        g.append(np.tanh(a))
        h.append(np.tanh(g[-1]))
    d_h = [direct[-1]]
    for t in range(len(x) - 1, -1, -1):
        before = params["W_hh"].T @ ((1 - h[t + 1] ** 2) * (1 - g[t] ** 2) * d_h[0])
        d_h.insert(0, before + (direct[t - 1] if t else 0))
    return np.array(h), np.array(g), np.array(d_h)


def test_an_lstm_that_keeps_everything_and_takes_nothing_in_carries_its_cell(candidate):
    params, x, direct = candidate
    cell, c0 = LSTM(2, 5), np.random.default_rng(6).standard_normal((5, 3))
    biases = {"i": SHUT, "f": OPEN, "o": OPEN}
    trace = bptt(cell, gated(cell, params, biases), x, direct, c0=c0)
    np.testing.assert_array_equal(trace.c, np.broadcast_to(c0, trace.c.shape))
    each = direct * (1 - np.tanh(c0) ** 2)
    np.testing.assert_allclose(trace.d_c[1:], np.cumsum(each[::-1], axis=0)[::-1], rtol=1e-12)
