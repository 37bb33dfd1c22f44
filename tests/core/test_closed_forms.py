"""The core against what can be worked out on paper (THEORY.md, A1)."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import LSTM, RNN, bptt
from rnnviz.core.initializers import orthogonal


def linear(W, T, e, activation="identity", h0=None, bias=0.0):
    """A net without input whose error e (H, B) enters at the last step."""
    H, B = np.shape(e)
    params = {"W_xh": np.zeros((H, 1)), "W_hh": np.asarray(W), "b_h": np.full(H, bias)}
    direct = np.zeros((T, H, B))
    direct[-1] = e
    return bptt(RNN(1, H, activation), params, np.zeros((T, 1, B)), direct, h0)


@pytest.mark.parametrize("gain", [0.7, 1.0, 1.3])
def test_orthogonal_weights_scale_the_gradient_by_the_gain_at_every_step(gain):
    """E1: ‖∂L/∂h_{T-k}‖ = gᵏ ‖∂L/∂h_T‖."""
    T, rng = 100, np.random.default_rng(0)
    trace = linear(gain * orthogonal(rng, 12), T, rng.standard_normal((12, 3)))
    norms = np.linalg.norm(trace.d_h, axis=1)
    expected = gain ** np.arange(T, -1, -1.0)[:, None] * norms[-1]
    np.testing.assert_allclose(norms, expected, rtol=1e-12)


def test_orthogonal_weights_keep_the_norm_over_1000_steps():
    T, rng = 1000, np.random.default_rng(1)
    trace = linear(orthogonal(rng, 20), T, rng.standard_normal((20, 2)))
    norms = np.linalg.norm(trace.d_h, axis=1)
    np.testing.assert_allclose(norms, np.broadcast_to(norms[-1], norms.shape), rtol=1e-10)


def test_a_delay_line_keeps_each_component_and_then_gives_exactly_zero():
    """E3: what enters at unit j reaches j steps back, whole, and no further."""
    n, T = 5, 8
    trace = linear(np.eye(n, k=-1), T, np.eye(n))
    for k in range(T + 1):
        np.testing.assert_array_equal(trace.d_h[T - k], np.eye(n, k=k))
    assert (trace.d_h[: T - n + 1] == 0).all()
    assert not trace.d_log2.any()


def test_a_jordan_block_makes_a_hump():
    """E4: Wᵏ = [[aᵏ, k aᵏ⁻¹ c], [0, aᵏ]], which peaks at k ≈ -1/ln a."""
    a, c, T = 0.9, 3.0, 40
    trace = linear([[a, c], [0, a]], T, np.eye(2))
    for k in range(T + 1):
        power = [[a**k, k * a ** (k - 1) * c], [0, a**k]]
        np.testing.assert_allclose(trace.d_h[T - k], np.transpose(power), rtol=1e-13, atol=1e-16)
    peak = T - int(np.argmax(trace.d_h[:, 1, 0]))
    assert peak in (9, 10)  # -1/ln 0.9 = 9.49


@pytest.mark.parametrize("w", [0.5, 0.9, 1.0, 1.1])
def test_every_step_of_a_scalar_net_has_the_same_share_of_the_weight_gradient(w):
    """E5: h_0 = 1, L = h_T²/2: dL/dw = T w^(2T-1), w^(2T-1) from every step."""
    T = 30
    trace = linear([[w]], T, [[w**T]], h0=[[1.0]])
    shares = trace.d_gates["a"][:, 0, 0] * trace.h[:-1, 0, 0]
    np.testing.assert_allclose(shares, w ** (2 * T - 1), rtol=1e-12)
    assert trace.grads["W_hh"][0, 0] == pytest.approx(T * w ** (2 * T - 1), rel=1e-12)


def test_identity_relu_keeps_the_gradient_and_a_dead_step_kills_its_unit_exactly():
    """E6: W = I, ReLU."""
    H, T, dead = 4, 20, 7
    W_xh, x = np.eye(H), np.zeros((T, H, 1))
    x[dead, 2] = -100  # unit 2 has a ≤ 0 at step 8 and stays at 0 unless driven again
    x[dead + 1, 2] = 5
    params = {"W_xh": W_xh, "W_hh": np.eye(H), "b_h": np.zeros(H)}
    direct = np.zeros((T, H, 1))
    direct[-1, :, 0] = e = np.array([1.0, -2.0, 3.0, 0.5])
    trace = bptt(RNN(H, H, "relu"), params, x, direct, h0=np.ones((H, 1)))
    np.testing.assert_array_equal(trace.d_h[dead + 1 :, :, 0], np.tile(e, (T - dead, 1)))
    alive = [0, 1, 3]
    np.testing.assert_array_equal(trace.d_h[: dead + 1, alive, 0], np.tile(e[alive], (dead + 1, 1)))
    assert (trace.d_h[: dead + 1, 2] == 0).all()


@pytest.mark.parametrize("b_f", [0.0, 1.0, 2.0, 3.0, 5.0])
def test_a_constant_forget_gate_keeps_as_long_as_its_bias_says(b_f):
    """E12 and E9 with W = 0: ∂L/∂c falls by f = σ(b_f) a step; 1/(1 - f) = 1 + e^b steps."""
    T, cell = 60, LSTM(1, 1)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][cell.gate_rows("f")] = b_f
    direct = np.zeros((T, 1, 1))
    direct[-1] = 1
    trace = bptt(cell, params, np.zeros((T, 1, 1)), direct, c0=[[0.3]])
    f = trace.gates["f"]
    np.testing.assert_allclose(1 / (1 - f), 1 + np.exp(b_f), rtol=1e-12)
    np.testing.assert_allclose(trace.d_c[:-1] / trace.d_c[1:], f, rtol=1e-13)
    np.testing.assert_allclose(trace.d_c[0] / trace.d_c[-1], np.prod(f, axis=0), rtol=1e-12)


def test_a_fixed_point_of_a_nilpotent_matrix_can_explode():
    """L1: ρ(W) = 0, yet ‖∂h_{t+l}/∂h_t‖ = 2^(l-1) √200 at the fixed point (0, ½)."""
    W = np.array([[8.0, 8.0], [-8.0, -8.0]])
    bias = np.array([-4.0, np.arctanh(0.5) + 4.0])
    T = 12
    params = {"W_xh": np.zeros((2, 1)), "W_hh": W, "b_h": bias}
    direct = np.zeros((T, 2, 2))
    direct[-1] = np.eye(2)
    h0 = np.array([[0.0, 0.0], [0.5, 0.5]])
    trace = bptt(RNN(1, 2), params, np.zeros((T, 1, 2)), direct, h0)
    found = [np.linalg.norm(trace.d_h[T - k], 2) for k in range(1, T + 1)]
    expected = [2 ** (k - 1) * np.sqrt(200) for k in range(1, T + 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
