"""One step back multiplies with the transposed Jacobian that the equations give."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core.activations import ACTIVATIONS
from tests.core.jacobian import carried, jacobian, state_gradient
from tests.core.support import KINDS, problem

T, B, D, H = 6, 3, 2, 5


@pytest.fixture(params=KINDS)
def trace(request):
    return problem(request.param, T, B, D, H).trace()


@pytest.mark.parametrize("t", range(1, T + 1))
def test_one_step_back_is_the_transposed_jacobian(trace, t):
    for b in range(B):
        expected = jacobian(trace, t, b).T @ state_gradient(trace, t, b)
        np.testing.assert_allclose(carried(trace, t, b), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("t", range(1, T + 1))
def test_the_gradient_grows_no_more_than_the_singular_values_allow(trace, t):
    """E7: σ_min(J) ≤ ‖Jᵀv‖/‖v‖ ≤ σ_max(J), and ≤ γ σ_max(W) for the RNN."""
    for b in range(B):
        before, after = carried(trace, t, b), state_gradient(trace, t, b)
        growth = np.linalg.norm(before) / np.linalg.norm(after)
        s = np.linalg.svd(jacobian(trace, t, b), compute_uv=False)
        assert s[-1] * (1 - 1e-12) - 1e-12 <= growth <= s[0] * (1 + 1e-12)
        if trace.gates.keys() == {"a"}:
            gamma = ACTIVATIONS[trace.cell.activation].lipschitz
            assert s[0] <= gamma * np.linalg.norm(trace.params["W_hh"], 2) * (1 + 1e-12)
