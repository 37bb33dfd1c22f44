"""What a cell says about itself is what its steps do: slopes, constants, Jacobian, bound."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, forward
from rnnviz.core.activations import ACTIVATIONS
from tests.core.support import KINDS, TINY, Problem, problem_of
from tests.core.variants import VARIANTS

EVERY = {**KINDS, **VARIANTS}
SIMPLE = {
    "plain": RNN(2, 3),
    "relu": RNN(2, 3, "relu"),
    "leaky": RNN(2, 3, leak=0.3),
    "skip": RNN(2, 3, "logistic", skip=4),
    "leak and skip": RNN(2, 3, leak=0.6, skip=2),
}


def problem(cell) -> Problem:
    return problem_of(cell, T=1, B=1, seed=5)


@pytest.mark.parametrize("name", EVERY)
def test_the_slope_of_every_gate(name):
    p = problem(EVERY[name](2, 3))
    for gate in p.cell.trainable_gates:
        shift = np.zeros(p.params["b_h"].shape, complex)
        shift[p.cell.gate_rows(gate)] = 1j * TINY
        moved = p.moved("b_h", shift)
        values = forward(p.cell, moved.params, p.x, **p.states).gates[gate]
        slope = np.empty(values.shape)
        p.cell.activation_of(gate).slope(values.real, slope)
        np.testing.assert_allclose(slope, values.imag / TINY, rtol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_constant_gates_are_constant(name):
    p = problem(EVERY[name](2, 3))
    for gate, value in p.cell.constant_gates.items():
        assert (forward(p.cell, p.params, p.x, **p.states).gates[gate] == value).all()
    assert not set(p.cell.constant_gates) & set(p.cell.trainable_gates)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_slope_is_above_gamma_and_one_comes_close(name):
    y, slope = np.empty((2, 2001))
    ACTIVATIONS[name].value(np.linspace(-10, 10, 2001), y)
    ACTIVATIONS[name].slope(y, slope)
    assert slope.max() == pytest.approx(ACTIVATIONS[name].lipschitz, rel=1e-12)


def by_complex_step(p: Problem):
    """∂(h_1, h_0, ...)/∂(h_0, h_{−1}, ...), a column for each unit of the state."""
    before = np.atleast_3d(p.states["h0"]).reshape(-1, p.cell.hidden_size)[::-1].ravel()
    columns = []
    for unit in np.eye(len(before)):
        state = before + 1j * TINY * unit
        h0 = state.reshape(-1, p.cell.hidden_size, 1)[::-1]
        after = forward(p.cell, p.params, p.x, h0 if p.cell.skip else h0[0]).h[1, :, 0]
        columns.append(np.concatenate([after, state])[: len(before)].imag / TINY)
    return np.array(columns).T


@pytest.mark.parametrize("name", SIMPLE)
def test_the_state_jacobian_of_a_simple_cell_is_that_of_its_step(name):
    p = problem(SIMPLE[name])
    y = forward(p.cell, p.params, p.x, **p.states).gates["a"][0, :, 0]
    slopes = np.empty(y.shape)
    p.cell.activation_of("a").slope(y, slopes)
    J = p.cell.state_jacobian(p.params, slopes)
    np.testing.assert_allclose(J, by_complex_step(p), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cell", [LSTM(2, 3), GRU(2, 3)])
def test_a_gated_cell_has_no_jacobian_of_one_block(cell):
    assert not cell.SIMPLE
    assert cell.state_jacobian(problem(cell).params, np.ones(3)) is None
