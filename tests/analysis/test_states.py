"""h and c beside their gradients, against PyTorch's and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.analysis.gates import memory
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.states import lasting_units, layer_states
from rnnviz.core import GRU, LSTM, RNN, bptt
from rnnviz.core.numerics import Status
from tests.analysis.support import last_step, quiet_lstm, simple

FOLDER = Path(__file__).parents[1] / "reference"
CELLS = {"rnn_tanh": RNN(4, 5), "lstm": LSTM(4, 5), "gru": GRU(4, 5)}


def states_of(trace, direction=0):
    return layer_states(LayerTrace("m", 1, direction, trace))


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("name", CELLS)
def test_states_and_gradients_are_pytorch_s(name, direction):
    """The golden loss is no mean over its 3 sequences; a run's is, and L is one sequence's."""
    golden = np.load(FOLDER / f"{name}.npz")
    cell = CELLS[name]
    params = {key: golden[key] for key in cell.param_shapes()}
    c0 = golden["c0"] if name == "lstm" else None
    trace = bptt(cell, params, golden["x"], golden["direct"], golden["h0"], c0)
    found = states_of(trace, direction)
    assert [state.name for state in found] == (["h", "c"] if name == "lstm" else ["h"])
    order = slice(None, None, -1 if direction else 1)
    for state in found:
        np.testing.assert_allclose(state.values[:, order], golden[state.name][1:, :, 0].T)
        true = 3 * np.abs(golden[f"d_{state.name}"][1:, :, 0].T)
        np.testing.assert_allclose(10.0 ** state.log10[:, order], true, rtol=1e-8)
        assert (state.status == Status.FINITE).all()


def test_a_linear_network_s_gradients_are_powers_of_its_matrix():
    W = np.array([[0.5, 0.3], [-0.2, 0.9]])
    (h,) = states_of(simple(W, last_step(6, 2)))
    true = [np.linalg.matrix_power(W.T, 6 - t) @ np.ones(2) for t in range(1, 7)]
    np.testing.assert_allclose(h.log10, np.log10(np.abs(true)).T, atol=1e-12)


def test_a_memory_cell_loses_a_factor_f_a_step():
    """c_T enters the loss through h_T = o tanh(c_T), with o = 1/2 and c = 0."""
    _, c = states_of(quiet_lstm(5, 3, np.array([0.0, 1.0, 3.0])))
    f = 1 / (1 + np.exp(-np.array([0.0, 1.0, 3.0])))
    np.testing.assert_allclose(c.log10, np.log10(0.5 * f[:, None] ** np.arange(4, -1, -1)))


def test_what_is_no_number_says_what_it_is():
    dead = simple(np.array([[0.0, 0.0], [0.0, 0.5]]), last_step(3, 2))
    (h,) = states_of(dead)
    assert h.status[0].tolist() == [Status.ZERO, Status.ZERO, Status.FINITE]
    (h,) = states_of(simple(np.array([[1e200]]), last_step(4, 1)))
    assert h.status[0].tolist() == [Status.ABOVE, Status.ABOVE, Status.FINITE, Status.FINITE]
    (h,) = states_of(simple(np.eye(1), last_step(2, 1, value=np.nan)))
    assert (h.status == Status.NAN).all()
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.ones((1, 1)), "b_h": np.zeros(1)}
    rounded = bptt(RNN(1, 1), params, np.full((3, 1, 1), 40.0), last_step(3, 1))
    (h,) = states_of(rounded)
    assert h.values[0].tolist() == [1, 1, 1]
    assert h.status[0].tolist() == [Status.ROUNDED, Status.ROUNDED, Status.FINITE]


def test_the_first_sequence_is_shown_as_long_as_it_is():
    rng = np.random.default_rng(0)
    cell, direct = GRU(2, 3), np.zeros((6, 3, 2))
    direct[3, :, 0] = direct[5, :, 1] = 1
    x, params = rng.standard_normal((6, 2, 2)), cell.init_params(rng)
    x[4:, :, 0] = 0
    padded = bptt(cell, params, x, direct, lengths=np.array([4, 6]))
    alone = bptt(cell, params, x[:4, :, :1], direct[:4, :, :1])
    for shown, own in zip(states_of(padded), states_of(alone), strict=True):
        np.testing.assert_allclose(shown.values, own.values)
        np.testing.assert_allclose(shown.log10, own.log10 + np.log10(2))


def test_lasting_units_are_those_whose_gate_keeps_the_longest_or_whose_gradient_is_largest():
    quiet = quiet_lstm(4, 3, np.array([1.0, 5.0, 3.0]))
    assert lasting_units(LayerTrace("m", 1, 0, quiet)).tolist() == [1, 2, 0]
    assert memory(quiet, "m").order.tolist() == [0, 2, 1]
    plain = simple(np.diag([0.2, 0.9, 0.0, 0.5]), last_step(4, 4))
    assert lasting_units(LayerTrace("m", 1, 0, plain)).tolist() == [1, 3, 0, 2]
