"""The steps as linear maps: against the formulas, the forward code, and each other."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.jacobian.structured import StructuredJacobian
from rnnviz.core import RNN, forward
from tests.analysis.cells import EVERY, PLAIN, any_problem
from tests.analysis.jacobian.directions import (
    dot_test,
    jvp_through,
    largest_stretch,
    vjp_through,
)
from tests.analysis.support import last_step, simple
from tests.core.jacobian import jacobian

T, B, H = 7, 2, 4


@pytest.fixture(params=EVERY)
def trace(request):
    return any_problem(request.param, T, B, H=H).trace()


def columns(steps, m=3, seed=0):
    return np.random.default_rng(seed).standard_normal((steps.size, m))


def test_jacobians_are_the_formulas(trace):
    """E9, E11, B14: the part through s_{t−1} alone."""
    steps, size = linearize(trace, 1), H if trace.c is None else 2 * H
    for k in range(T):
        expected = jacobian(trace, k + 1, 1)
        np.testing.assert_allclose(steps.matrix(k)[:size, :size], expected, atol=1e-13)


def test_both_ways_are_products_with_the_matrix(trace):
    steps = linearize(trace)
    v = columns(steps)
    for k in range(T):
        J = steps.matrix(k)
        np.testing.assert_allclose(steps.jvp(k, v), J @ v, atol=1e-13)
        np.testing.assert_allclose(steps.vjp(k, v), J.T @ v, atol=1e-13)


def test_dot_test_of_forward_code_against_backward_code(trace):
    """E19; of a skip cell with h_{t−d} held, as its backward step has it."""
    found = dot_test(trace, "m", sequence=1)
    assert found.errors.shape == (T,)
    assert found.worst < 1e-12


@pytest.mark.parametrize("name", PLAIN)
def test_dot_test_through_500_steps(name):
    """<Φ u, v> = <u, Φᵀ v>."""
    steps = linearize(any_problem(name, 500, 1).trace())
    u, v = columns(steps, 1, seed=1), columns(steps, 1, seed=2)
    there, back = jvp_through(steps, u), vjp_through(steps, v)
    left, right = (there.columns * v).sum(), (u * back.columns).sum()
    size = np.linalg.norm(there.columns) * np.linalg.norm(v)
    assert abs(left - right * 2.0 ** int(back.log2[0] - there.log2[0])) < 1e-12 * size


def test_a_skip_cell_moves_as_its_forward_code_does():
    """The whole state (h_t, ..., h_{t−d+1}) through several steps, by a complex step."""
    for name in (n for n in EVERY if "skip" in n):
        p = any_problem(name, T, 1, H=H)
        trace, d, tiny = p.trace(), p.cell.skip, 1e-30
        steps = linearize(trace)
        u = columns(steps, 1)[:, 0]
        parts = u.reshape(-1, H, 1)
        older = parts[1 + trace.cell.HAS_CELL_STATE :]
        h0 = p.states["h0"] + 1j * tiny * np.concatenate([older[::-1], parts[:1]])
        states = {"h0": h0} | ({"c0": p.states["c0"] + 1j * tiny * parts[1]} if "c0" in p.states
                               else {})  # fmt: skip
        moved = forward(p.cell, p.params, p.x, **states)
        there = jvp_through(steps, u[:, None])
        found = (there.columns * 2.0**there.log2).reshape(-1, H)
        np.testing.assert_allclose(found[0], moved.h[-1, :, 0].imag / tiny, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(found[-1], moved.h[T + 1 - d, :, 0].imag / tiny, atol=1e-13)


def test_one_cell_alone_does_not_factor():
    for name in EVERY:
        trace = any_problem(name, T, 1).trace()
        assert StructuredJacobian(trace, np.arange(1, T + 1)).is_structured == (
            "reset_before" not in name
        ), name


def test_exact_zeros_stay_exact():
    """E3: no rounding on the diagonal of a delay line."""
    steps = linearize(simple(np.eye(4, k=-1), last_step(5, 4)))
    np.testing.assert_array_equal(steps.matrix(2), np.eye(4, k=-1))
    through = jvp_through(steps, np.eye(4))
    np.testing.assert_array_equal(through.columns, 0)


def test_directions_beyond_the_range_of_float64():
    """E1: g^T for T = 3000."""
    T, g = 3000, 3.0
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    steps = linearize(simple(g * Q, last_step(T, 5)))
    for through in (jvp_through, vjp_through):
        found = through(steps, np.eye(5)[:, :1])
        log10 = np.log10(np.linalg.norm(found.columns)) + found.log2[0] * np.log10(2)
        assert log10 == pytest.approx(T * np.log10(g), abs=1e-9)


@pytest.mark.parametrize("name", [*PLAIN, "gru reset_before", "lstm peepholes"])
def test_largest_stretch_is_the_largest_singular_value(name):
    trace = any_problem(name, 20, 2).trace()
    steps, product = linearize(trace, 1, 3, 15), np.eye(4 * (1 + (trace.c is not None)))
    for k in range(12):
        product = steps.matrix(k) @ product
    found = largest_stretch(trace, "m", 1, 3, 15)
    sigma = np.linalg.svd(product)[1][0]
    assert 10**found.log10 == pytest.approx(sigma, rel=1e-12)
    assert found.residual <= 1e-7
    assert (found.start, found.stop) == (3, 15)


def test_largest_stretch_is_a_lower_bound_and_says_how_good():
    trace = any_problem("lstm", 4, 1, H=20).trace()
    steps, product = linearize(trace), np.eye(40)
    for k in range(4):
        product = steps.matrix(k) @ product
    truth = np.linalg.svd(product)[1][0]
    found = largest_stretch(trace, "m", most=1)
    assert 10**found.log10 < truth * (1 + 1e-12)
    assert found.residual > 1e-3


def test_largest_stretch_of_nothing_is_nothing():
    found = largest_stretch(simple(np.eye(3, k=-1), last_step(5, 3)), "rnn")
    assert found.log10 == -np.inf
    assert found.residual == 0


def test_oracle_L1_through_the_analysis():
    """J = W D has the norm √200 as well; here h is held at the fixed point."""
    W = np.array([[8.0, 8.0], [-8.0, -8.0]])
    params = {"W_xh": np.zeros((2, 1)), "W_hh": W, "b_h": np.array([-4, np.arctanh(0.5) + 4])}
    h0 = np.array([[0.0], [0.5]])
    record = forward(RNN(1, 2), params, np.zeros((12, 1, 1)), h0)
    for lag in range(1, 13):
        found = largest_stretch(record, "rnn", stop=lag)
        assert 10**found.log10 == pytest.approx(2.0 ** (lag - 1) * np.sqrt(200), rel=1e-9)


@pytest.mark.parametrize(("start", "stop"), [(3, 3), (-1, 2), (0, T + 1)])
def test_a_wrong_range_is_refused(start, stop):
    with pytest.raises(ValueError, match="start and stop"):
        linearize(any_problem("gru", T).trace(), 0, start, stop)
