"""The variants' state-to-state Jacobians: E9 with peepholes, E11 for both GRUs, leaky units."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import forward
from tests.core.jacobian import block, carried, jacobian, lstm_C_c, lstm_slopes, state_gradient
from tests.core.support import TINY
from tests.core.variants import VARIANTS, variant_problem

T, B, D, H = 6, 2, 2, 5
LSTMS = [name for name in VARIANTS if name.startswith("lstm")]


def complex_step_jacobian(p, trace, t, b):
    """∂s_t/∂s_{t-1} column by column, from the forward pass alone."""
    states = [s[t - 1, :, b, None] for s in (trace.h, trace.c) if s is not None]
    columns = []
    for k in range(len(states)):
        for unit in range(H):
            moved = [s.astype(complex) for s in states]
            moved[k][unit] += 1j * TINY
            record = forward(p.cell, p.params, p.x[t - 1 : t, :, b, None], *moved)
            after = [s[1, :, 0] for s in (record.h, record.c) if s is not None]
            columns.append(np.concatenate(after).imag / TINY)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_equations_give_the_derivative_of_the_forward_step(name):
    p = variant_problem(name, T, B, D, H)
    trace = p.trace()
    for t in range(1, T + 1):
        expected = complex_step_jacobian(p, trace, t, 1)
        np.testing.assert_allclose(jacobian(trace, t, 1), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", VARIANTS)
def test_one_step_back_is_the_transposed_jacobian(name):
    trace = variant_problem(name, T, B, D, H).trace()
    for t in range(1, T + 1):
        for b in range(B):
            expected = jacobian(trace, t, b).T @ state_gradient(trace, t, b)
            np.testing.assert_allclose(carried(trace, t, b), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LSTMS)
def test_determinant_identity(name):
    """E9: det J_t = det(diag(∂h/∂a_o) U_o) · Π_i (∂c_t/∂c_{t-1})_ii, with a one-step Jacobian taken
    from the forward pass."""
    p = variant_problem(name, T, B, D, H)
    trace = p.trace()
    for t in range(1, T + 1):
        J = complex_step_jacobian(p, trace, t, 0)
        of_o = lstm_slopes(trace, t, 0)["o"][:, None] * block(trace, "o")
        expected = np.linalg.det(of_o) * np.prod(lstm_C_c(trace, t, 0))
        scale = np.prod(np.linalg.norm(J, axis=0))
        assert np.linalg.det(J) == pytest.approx(expected, rel=1e-9, abs=1e-13 * scale)


def test_peepholes_are_part_of_the_jacobian():
    """Without p in E9 the carried gradient would be another one: the test above can fail."""
    trace = variant_problem("lstm peepholes", T, B, D, H).trace()
    f = trace.gates["f"][3, :, 0]
    assert np.abs(lstm_C_c(trace, 4, 0) - f).max() > 0.01
