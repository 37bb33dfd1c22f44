"""What each variant reduces to, in closed form or as another cell (THEORY.md A0 claim 2, B8, B14,
E10 to E12)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, LSTM_VARIANTS, RNN, bptt
from tests.core.support import over_time, problem_of
from tests.core.test_reductions import OPEN, SHUT, elman

T, B, D, H = 12, 3, 2, 5


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def with_gates(cell, **values):
    """A problem whose named gates have no weights but a bias of +-800 or any other value."""
    p = problem_of(cell, T, B, seed=3)
    params = {name: value.copy() for name, value in p.params.items()}
    for gate, bias in values.items():
        rows = cell.gate_rows(gate)
        for name in ("W_xh", "W_hh"):
            params[name][rows] = 0
        params["b_h"][rows] = bias
    return replace(p, params=params)


def without(p, cell):
    """The same problem for a cell that has fewer parameters of the same names."""
    params = {}
    for name in cell.param_shapes():
        value = p.params[name]
        if name in ("W_xh", "W_hh", "b_h"):
            value = np.concatenate([value[p.cell.gate_rows(gate)] for gate in cell.trainable_gates])
        params[name] = value
    return replace(p, cell=cell, params=params)


def same_dynamics(p, q):
    found, expected = p.trace(), q.trace()
    for name, values in over_time(found).items():
        close(values, over_time(expected)[name])
    return found, expected


@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.9])
def test_a_leaky_unit_without_weights_decays_by_one_minus_the_leak(alpha):
    """B14: W = 0: ∂L/∂h_{T-k} = (1 − α)ᵏ ∂L/∂h_T, and the state itself fades alike."""
    cell, e = RNN(1, 2, leak=alpha), np.zeros((40, 2, 1))
    e[-1] = [[1.0], [-2.0]]
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    trace = bptt(cell, params, np.zeros((40, 1, 1)), e, h0=[[1.0], [3.0]])
    powers = (1 - alpha) ** np.arange(41.0)[:, None]
    np.testing.assert_allclose(trace.h[:, :, 0], powers * [1.0, 3.0], rtol=1e-12)
    np.testing.assert_allclose(trace.d_h[::-1, :, 0], powers * [1.0, -2.0], rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 0.75])
def test_a_leaky_rnn_is_a_gru_whose_update_gate_is_a_constant(candidate, alpha):
    """z = 1 − α by its bias, r = 1 (Tallec and Ollivier 2018, eq. 5)."""
    params, x, direct = candidate
    gru, leaky = GRU(D, H, reset="before"), RNN(D, H, leak=alpha)
    stacked = {name: np.zeros(shape) for name, shape in gru.param_shapes().items()}
    stacked["b_h"][gru.gate_rows("r")] = OPEN
    stacked["b_h"][gru.gate_rows("z")] = np.log((1 - alpha) / alpha)
    for name, value in params.items():
        stacked[name][gru.gate_rows("n")] = value
    one, other = bptt(leaky, params, x, direct), bptt(gru, stacked, x, direct)
    for name in ("h", "d_h", "d_x"):
        close(getattr(one, name), getattr(other, name))
    close(one.gates["a"], other.gates["n"])
    for name, gradient in one.grads.items():
        close(gradient, other.grads[name][gru.gate_rows("n")])


def test_a_leak_of_1_is_the_plain_rnn_bit_for_bit():
    p = problem_of(RNN(D, H), T, B)
    found, expected = same_dynamics(replace(p, cell=RNN(D, H, leak=1)), p)
    np.testing.assert_array_equal(found.d_h, expected.d_h)


def test_no_gates_gives_tanh_of_tanh(candidate):
    """A0, claim 2: f = 0, i = o = 1 leaves h = tanh(tanh(a)), within ±tanh 1 = ±0.7616."""
    params, x, direct = candidate
    trace = bptt(LSTM(D, H, **LSTM_VARIANTS["no_gates"]), params, x, direct)
    h, g, d_h = elman(params, x, direct)
    close(trace.h, h)
    close(trace.c[1:], g)
    close(trace.d_h, d_h)
    assert np.abs(trace.h).max() < np.tanh(1)


def test_no_gates_and_no_output_activation_is_exactly_the_tanh_rnn(candidate):
    params, x, direct = candidate
    trace = bptt(LSTM(D, H, **LSTM_VARIANTS["no_gates_noaf"]), params, x, direct)
    rnn = bptt(RNN(D, H), params, x, direct)
    for name in ("h", "d_h", "d_x"):
        np.testing.assert_allclose(getattr(trace, name), getattr(rnn, name), rtol=1e-13, atol=1e-15)
    close(trace.d_gates["g"], rnn.d_gates["a"])
    for name, gradient in rnn.grads.items():
        close(trace.grads[name], gradient)


HELD = [
    ("i", 1.0, OPEN),
    ("f", 1.0, OPEN),
    ("o", 1.0, OPEN),
    ("f", 0.0, SHUT),
    ("i", 0.7, np.log(0.7 / 0.3)),
    ("o", 0.4, np.log(0.4 / 0.6)),
]


@pytest.mark.parametrize(("gate", "value", "bias"), HELD)
def test_a_fixed_gate_is_a_gate_whose_bias_alone_decides(gate, value, bias):
    p = with_gates(LSTM(D, H), **{gate: bias})
    cell = LSTM(D, H, fixed=((gate, value),))
    q, whole = without(p, cell).trace(), p.trace()
    assert (q.gates[gate] == value).all()
    assert gate not in q.d_gates
    for name in ("h", "c", "d_h", "d_c", "d_x"):
        close(getattr(q, name), getattr(whole, name))
    for g in cell.trainable_gates:
        close(q.d_gates[g], whole.d_gates[g])
        for name, gradient in q.grads.items():
            close(gradient[cell.gate_rows(g)], whole.grads[name][p.cell.gate_rows(g)])


def test_coupled_gates_are_an_lstm_whose_input_gate_has_the_forget_gate_s_weights_negated():
    """1 − σ(a) = σ(−a), so CIFG is the plain LSTM with W_i = −W_f, and ∂L/∂W_f its ∂L/∂W_f −
    ∂L/∂W_i."""
    p = problem_of(LSTM(D, H), T, B)
    i, f = p.cell.gate_rows("i"), p.cell.gate_rows("f")
    params = {name: value.copy() for name, value in p.params.items()}
    for value in params.values():
        value[i] = -value[f]
    tied, cell = replace(p, params=params), LSTM(D, H, coupled=True)
    one, other = without(tied, cell).trace(), tied.trace()
    for name in ("h", "c", "d_h", "d_c", "d_x"):
        close(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.gates["i"], 1 - one.gates["f"])
    close(one.d_gates["f"], other.d_gates["f"] - other.d_gates["i"])
    for name, gradient in other.grads.items():
        close(one.grads[name][cell.gate_rows("f")], gradient[f] - gradient[i])


@pytest.mark.parametrize("options", [{}, {"coupled": True}, {"output": "identity"}])
def test_peepholes_of_zero_change_nothing(options):
    p = problem_of(LSTM(D, H, peepholes=True, **options), T, B)
    zero = {name: value * (name[:2] != "p_") for name, value in p.params.items()}
    same_dynamics(replace(p, params=zero), without(p, LSTM(D, H, **options)))


def test_without_forgetting_and_without_weights_the_cell_is_the_carousel():
    """NFG, W_hh = 0: ∂c_T/∂c_t = 1 for every t (E9, E10), and what enters stays: c_t = Σ i g."""
    cell = LSTM(1, 1, **LSTM_VARIANTS["nfg"])
    p = problem_of(cell, 50, 1)
    direct = np.zeros_like(p.direct)
    direct[-1] = 1
    trace = replace(p, params={**p.params, "W_hh": 0 * p.params["W_hh"]}, direct=direct).trace()
    np.testing.assert_array_equal(trace.d_c[:-1], np.broadcast_to(trace.d_c[-1], (50, 1, 1)))
    written = np.cumsum(trace.gates["i"] * trace.gates["g"], axis=0)
    np.testing.assert_allclose(trace.c[1:], p.states["c0"] + written, rtol=1e-12)


@pytest.mark.parametrize("b_f", [0.0, 1.0, 3.0, 5.0])
def test_a_peephole_that_closes_the_forget_gate_shortens_its_memory(b_f):
    """E12 with a peephole: f = σ(b_f + p c) and ∂c_t/∂c_{t-1} = f + c f (1 − f) p, with i g = 0."""
    cell, p_f = LSTM(1, 1, peepholes=True), -0.5
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][cell.gate_rows("f")] = b_f
    params["p_f"] += p_f
    direct = np.zeros((30, 1, 1))
    direct[-1] = 1
    trace = bptt(cell, params, np.zeros((30, 1, 1)), direct, c0=[[2.0]])
    f, c = trace.gates["f"], trace.c[:-1]
    np.testing.assert_allclose(f, 1 / (1 + np.exp(-b_f - p_f * c)), rtol=1e-13)
    np.testing.assert_allclose(
        trace.d_c[:-1] / trace.d_c[1:], f + c * f * (1 - f) * p_f, rtol=1e-12
    )


@pytest.mark.parametrize("reset", ["after", "before"])
def test_a_gru_with_r_open_and_z_shut_is_exactly_the_tanh_rnn(candidate, reset):
    params, x, direct = candidate
    cell = GRU(D, H, reset=reset)
    stacked = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    stacked["b_h"][cell.gate_rows("r")], stacked["b_h"][cell.gate_rows("z")] = OPEN, SHUT
    for name, value in params.items():
        stacked[name][cell.gate_rows("n")] = value
    gru, rnn = bptt(cell, stacked, x, direct), bptt(RNN(D, H), params, x, direct)
    for name in ("h", "d_h", "d_x"):
        close(getattr(gru, name), getattr(rnn, name))
    close(gru.grads["W_hh"][cell.gate_rows("n")], rnn.grads["W_hh"])


def test_where_the_reset_gate_is_open_its_place_does_not_matter():
    before = with_gates(GRU(D, H, reset="before"), r=OPEN)
    params = {**before.params, "b_hn": np.zeros(H)}
    one, other = same_dynamics(before, replace(before, cell=GRU(D, H), params=params))
    for name, gradient in one.grads.items():
        close(gradient, other.grads[name])


def test_elsewhere_it_does():
    before = problem_of(GRU(D, H, reset="before"), T, B)
    after = replace(before, cell=GRU(D, H), params={**before.params, "b_hn": np.zeros(H)})
    assert np.abs(before.trace().h - after.trace().h).max() > 0.01
