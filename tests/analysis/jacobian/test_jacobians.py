"""State Jacobians of any cell: against the formulas, a complex step, and backpropagation."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.jacobian.norms import log10_spectral_norm, singular_values
from rnnviz.analysis.jacobian.sequence import state_jacobians
from rnnviz.core import RNN, bptt, forward
from tests.analysis.support import last_step, simple
from tests.core.support import KINDS, TINY, problem
from tests.core.test_jacobians import jacobian

T, B, D, H = 6, 3, 2, 5


@pytest.fixture(params=KINDS)
def trace(request):
    return problem(request.param, T, B, D, H).trace()


@pytest.mark.parametrize("sequence", [0, 2])
def test_formulas(trace, sequence):
    """THEORY E9 and E11."""
    found = state_jacobians(trace, sequence=sequence)
    for t in range(1, T + 1):
        np.testing.assert_allclose(found[t - 1], jacobian(trace, t, sequence), atol=1e-13)


def test_complex_step(trace):
    t, b = 4, 1
    size = H if trace.c is None else 2 * H
    before = np.concatenate([s[t - 1, :, b] for s in (trace.h, trace.c) if s is not None])
    columns = before[:, None] + 1j * TINY * np.eye(size)
    states = {"h0": columns[:H]} | ({} if trace.c is None else {"c0": columns[H:]})
    x = np.repeat(trace.x[t - 1 : t, :, b : b + 1], size, axis=2)
    after = forward(trace.cell, trace.params, x, **states)
    states_after = [s[1] for s in (after.h, after.c) if s is not None]
    expected = np.concatenate(states_after).imag / TINY
    np.testing.assert_allclose(
        state_jacobians(trace, [t], sequence=b)[0], expected, rtol=1e-12, atol=1e-14
    )


def test_a_subset_of_steps(trace):
    every = state_jacobians(trace)
    np.testing.assert_array_equal(state_jacobians(trace, [6, 2]), every[[5, 1]])


def test_their_product_is_backpropagation(trace):
    """∂L/∂h_0 of a loss at the last step, by a product of Jacobians."""
    direct = last_step(T, H, B, value=trace.d_h_direct[-1])
    states = {"h0": trace.h[0]} | ({} if trace.c is None else {"c0": trace.c[0]})
    final = bptt(trace.cell, trace.params, trace.x, direct, **states)
    v = np.zeros(H if trace.c is None else 2 * H)
    v[:H] = direct[-1, :, 0]
    for J in state_jacobians(trace)[::-1]:
        v = J.T @ v
    np.testing.assert_allclose(v[:H], final.d_h[0, :, 0], rtol=1e-11, atol=1e-14)


def test_the_record_is_not_touched(trace):
    kept = trace.d_gate_values.copy(), trace.gate_values.copy()
    state_jacobians(trace)
    np.testing.assert_array_equal(trace.d_gate_values, kept[0])
    np.testing.assert_array_equal(trace.gate_values, kept[1])


@pytest.mark.parametrize("steps", [[], [0], [T + 1], [1.5]])
def test_a_wrong_step_is_refused(trace, steps):
    with pytest.raises(ValueError, match="steps"):
        state_jacobians(trace, steps)


@pytest.mark.parametrize("sequence", [-1, B, 0.5])
def test_a_wrong_sequence_is_refused(trace, sequence):
    with pytest.raises(ValueError, match="sequence"):
        state_jacobians(trace, sequence=sequence)


def test_nilpotent_weights_can_double_at_every_step():
    """L1: ρ(W) = 0, σ_max(W) = 16, yet ‖∂h_{t+l}/∂h_t‖₂ = 2^(l−1) √200 at the fixed point."""
    W = np.array([[8.0, 8.0], [-8.0, -8.0]])
    params = {"W_xh": np.zeros((2, 1)), "W_hh": W, "b_h": np.array([-4, np.arctanh(0.5) + 4])}
    h0 = np.array([[0.0], [0.5]])
    record = forward(RNN(1, 2), params, np.zeros((12, 1, 1)), h0)
    product = np.eye(2)
    for step, J in enumerate(state_jacobians(record), start=1):
        product = J @ product
        norm = np.linalg.norm(product, 2)
        assert norm == pytest.approx(2.0 ** (step - 1) * np.sqrt(200), rel=1e-9)


def test_sandwich():
    """E7: σ_min(J) <= ‖Jᵀv‖/‖v‖ <= σ_max(J) <= γ σ_max(W)."""
    trace = problem("rnn tanh", 20, 1, D, H).trace()
    W_max = np.linalg.norm(trace.params["W_hh"], 2)
    for J, sigma in zip(
        state_jacobians(trace), singular_values(state_jacobians(trace)), strict=True
    ):
        v = np.random.default_rng(0).standard_normal(H)
        stretch = np.linalg.norm(J.T @ v) / np.linalg.norm(v)
        assert sigma[-1] * (1 - 1e-12) <= stretch <= sigma[0] * (1 + 1e-12)
        assert sigma[0] <= W_max * (1 + 1e-12)


def test_singular_values_of_what_is_not_finite_are_nan():
    stack = np.stack([np.eye(2), np.full((2, 2), np.nan), np.diag([3.0, 4.0])])
    np.testing.assert_array_equal(singular_values(stack), [[1, 1], [np.nan, np.nan], [4, 3]])


def test_spectral_norm_over_the_whole_range():
    M = np.random.default_rng(0).standard_normal((4, 3))
    expected = np.log10(np.linalg.norm(M, 2))
    stack = np.stack([M, M * 1e-300, M * 1e300, 0 * M, np.inf * M])
    found = log10_spectral_norm(stack)
    np.testing.assert_allclose(found[:3], expected + np.array([0, -300, 300]), atol=1e-12)
    assert found[3] == -np.inf
    assert np.isnan(found[4])


def test_a_linear_net_has_its_weights_as_jacobian():
    W = np.random.default_rng(0).standard_normal((3, 3))
    found = state_jacobians(simple(W, last_step(2, 3)))
    np.testing.assert_allclose(found, [W, W], atol=1e-15)
