"""Other ways back through a stack: truncated, and beyond the range of float64."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, bptt, forward
from rnnviz.core.layers import key
from rnnviz.core.network import Network, run_network
from rnnviz.core.truncation import truncated_backward
from tests.core.networks import SETTINGS, setting
from tests.core.support import same


def test_another_backward_pass_may_be_given():
    s = SETTINGS["deep and bidirectional"]()
    one_step = partial(truncated_backward, window=1)
    found = run_network(s.network, s.params, s.batch, backward=one_step)
    top = found.layers[-1][0]
    np.testing.assert_array_equal(top.d_h[1:-1] != 0, np.ones_like(top.d_h[1:-1], bool))
    record = forward(top.cell, top.params, top.x)
    same(top, truncated_backward(record, top.d_h_direct, window=1))
    whole = run_network(s.network, s.params, s.batch, partial(truncated_backward, window=5))
    for name, expected in s.trace().grads.items():
        np.testing.assert_array_equal(whole.grads[name], expected)


def test_windows_that_do_not_overlap_truncate_the_whole_stack():
    """The definition: every layer's states before a window are constants."""
    s = setting(Network((LSTM(2, 3), GRU(3, 4)), 2), T=9, B=3)
    found = run_network(s.network, s.params, s.batch, partial(truncated_backward, window=3))
    low, high = (layer[0] for layer in found.layers)
    expected = {}
    for start, stop in ((0, 3), (3, 6), (6, 9)):
        above = bptt(
            high.cell, high.params, high.x[start:stop], high.d_h_direct[start:stop], high.h[start]
        )
        below = bptt(low.cell, low.params, low.x[start:stop], above.d_x, low.h[start], low.c[start])
        for k, part in enumerate((below, above)):
            for name, gradient in part.grads.items():
                expected[key(k, name)] = expected.get(key(k, name), 0) + gradient
    for name, gradient in expected.items():
        np.testing.assert_allclose(found.grads[name], gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("w", [1e-30, 1e30])
def test_gradients_outside_the_range_go_down_with_their_exponents(w):
    """Two scalar linear layers, loss at the last of 40 steps: ∂L/∂h_t of the lower one is
    (T − t + 1) w^(T−t), for each step up to the upper layer may be taken at any time."""
    T = 40
    net = Network((RNN(1, 1, "identity"), RNN(1, 1, "identity")), 1)
    s = setting(net, T, 1)
    params = {name: np.zeros_like(value) for name, value in s.params.items()}
    params |= {name: np.ones_like(v) for name, v in params.items() if "W_xh" in name}
    params |= {name: np.full_like(v, w) for name, v in params.items() if "W_hh" in name}
    mask = np.zeros((T, 1))
    mask[-1] = 1
    params["W_hy"] = np.ones((1, 1))
    batch = replace(s.batch, x=0 * s.batch.x, target=-np.ones((T, 1, 1)), mask=mask)
    lower = run_network(net, params, batch).trace
    log10 = np.log10(lower.d_h[1:, 0, 0]) + lower.d_log2[1:, 0, 0] * np.log10(2.0)
    k = T - np.arange(1, T + 1)
    np.testing.assert_allclose(log10, np.log10(k + 1) + k * np.log10(w), rtol=1e-12, atol=1e-12)


def test_a_loss_at_the_last_step_needs_no_exponents_in_the_backward_direction():
    """h← of the last step has seen one input alone: later states of its own order get nothing,
    and that is not an underflow."""
    s = SETTINGS["bidirectional lstm"]()
    mask = np.zeros_like(s.batch.mask)
    mask[-1] = 1
    back = replace(s, batch=replace(s.batch, mask=mask)).trace().layers[0][1]
    assert (back.d_h[2:] == 0).all()
    assert (back.d_h[1] != 0).all()
    assert not back.d_log2.any()
