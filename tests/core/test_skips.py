"""Skips through time: every gradient by complex step, and B14's closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, backward, bptt, forward
from tests.core.support import Problem, direction_error, entry_error, problem

KINDS = {"rnn tanh": RNN, "lstm": LSTM, "gru": GRU}


def with_skip(kind: str, d: int, T: int = 7, B: int = 3, D: int = 2, H: int = 4) -> Problem:
    """A problem with a d-skip and d different initial states."""
    p, rng = problem(kind, T, B, D, H, seed=d), np.random.default_rng(d)
    cell = KINDS[kind](D, H, skip=d)
    W_skip = rng.standard_normal(cell.param_shapes()["W_skip"]) / np.sqrt(H)
    states = {**p.states, "h0": rng.standard_normal((d, H, B))}
    return replace(p, cell=cell, params={**p.params, "W_skip": W_skip}, states=states)


@pytest.mark.parametrize("d", [2, 3, 7, 8, 12])
@pytest.mark.parametrize("kind", KINDS)
def test_every_gradient_by_complex_step(kind, d):
    """d below, equal to and above T = 7; the d initial states included."""
    assert entry_error(with_skip(kind, d)) <= 1e-12


@pytest.mark.parametrize("sizes", [(1, 3, 2, 4), (7, 1, 2, 4), (7, 3, 1, 4), (7, 3, 2, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_every_size_of_one(kind, sizes):
    assert direction_error(with_skip(kind, 3, *sizes), np.random.default_rng(0)) <= 1e-12


def test_a_long_sequence_of_several_blocks():
    p = with_skip("lstm", 90, T=200, B=8, H=32)
    assert direction_error(p, np.random.default_rng(0)) <= 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_without_weights_a_skip_changes_nothing(kind):
    p = with_skip(kind, 3)
    p = replace(p, params={**p.params, "W_skip": 0 * p.params["W_skip"]})
    params = {name: value for name, value in p.params.items() if name != "W_skip"}
    plain = bptt(KINDS[kind](2, 4), params, p.x, p.direct, **{**p.states, "h0": p.states["h0"][-1]})
    for name in ("h", "d_h", "d_x"):
        np.testing.assert_array_equal(getattr(p.trace(), name), getattr(plain, name))


def test_one_initial_state_means_zeros_before_it():
    p = with_skip("gru", 3)
    h0 = p.states["h0"].copy()
    h0[:-1] = 0
    one = replace(p, states={"h0": h0[-1]}).trace()
    assert (one.h_before == 0).all()
    np.testing.assert_array_equal(one.h, replace(p, states={"h0": h0}).trace().h)


def test_what_w_skip_acts_on_is_recorded():
    trace = with_skip("rnn tanh", 3).trace()
    states = np.concatenate([trace.h_before, trace.h])
    np.testing.assert_array_equal(trace.delayed, states[: trace.seq_len])
    a = trace.x[2].T @ trace.params["W_xh"].T + trace.h[2].T @ trace.params["W_hh"].T
    a += trace.h[0].T @ trace.params["W_skip"].T + trace.params["b_h"]
    np.testing.assert_allclose(trace.h[3], np.tanh(a.T), rtol=1e-14)


def only_a_skip(g: float, d: int, T: int):
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.zeros((1, 1)), "b_h": np.zeros(1)}
    e = np.zeros((T, 1, 1))
    e[-1] = 1
    cell = RNN(1, 1, "identity", skip=d)
    return bptt(cell, {**params, "W_skip": np.full((1, 1), g)}, np.zeros((T, 1, 1)), e)


@pytest.mark.parametrize(("g", "d"), [(0.5, 2), (2.0, 3), (-0.5, 7), (0.5, 60)])
def test_b14_the_gradient_takes_t_over_d_steps(g, d):
    """W_hh = 0: ∂L/∂h_{T-k} is g^{k/d} at multiples of d and exactly 0 elsewhere."""
    T = 50
    trace = only_a_skip(g, d, T)
    k = np.arange(T, -1, -1)
    expected = np.where(k % d == 0, float(g) ** (k // d), 0.0)
    np.testing.assert_array_equal(trace.d_h[:, 0, 0], expected)
    before = np.arange(T + d - 1, T, -1)
    expected = np.where(before % d == 0, float(g) ** (before // d), 0.0)
    np.testing.assert_array_equal(trace.d_h_before[:, 0, 0], expected)


@pytest.mark.parametrize("g", [1e-20, 1e20])
def test_b14_far_outside_the_range_of_float64(g):
    """The power of two is carried over the skip: 100 factors of 10^±20."""
    T, d = 200, 2
    trace = only_a_skip(g, d, T)
    even = trace.d_h[::2, 0, 0]
    log10 = np.log10(even) + trace.d_log2[::2, 0, 0] * np.log10(2.0)
    np.testing.assert_allclose(log10, np.arange(100, -1, -1) * np.log10(g), rtol=1e-13, atol=1e-12)
    assert (trace.d_h[1::2] == 0).all()


def test_carried_exponents_do_not_change_the_gradients():
    """2^-3 times a direct gradient, with the exponent 3, is the same gradient."""
    p = with_skip("lstm", 3)
    record = forward(p.cell, p.params, p.x, **p.states)
    direct, log2 = np.ldexp(p.direct, -3), np.full(p.direct.shape[::2], 3)
    found = backward(record, direct, log2)
    for name in ("d_h", "d_c", "d_gate_values", "d_x", "d_h_before"):
        np.testing.assert_allclose(getattr(found, name), getattr(p.trace(), name), rtol=1e-11)


def test_states_of_a_wrong_shape_are_refused():
    p = with_skip("gru", 3)
    with pytest.raises(ValueError, match=r"h0 must have shape \(3, 4, 3\)"):
        replace(p, states={"h0": p.states["h0"][1:]}).trace()
    with pytest.raises(ValueError, match=r"h0 must have shape \(4, 3\)"):
        forward(GRU(2, 4), problem("gru", 7, 3, 2, 4).params, p.x, h0=p.states["h0"])


@pytest.mark.parametrize("T", [1, 9, 30])
def test_the_states_before_have_gradients_where_every_entry_has_an_exponent(T):
    """Single precision, whose range units leave in both directions, as double has it."""
    cell, rng = RNN(1, 4, "identity", skip=3), np.random.default_rng(0)
    params, sizes = cell.init_params(rng), np.array([1e-30, 1e-10, 1e10, 1e20])
    params |= {name: sizes * params[name] for name in ("W_hh", "W_skip")}
    x, direct = np.zeros((T, 1, 3)), rng.standard_normal((T, 4, 3))
    found, true = (bptt(cell, {k: v.astype(dtype) for k, v in params.items()}, x.astype(dtype),
                        direct.astype(dtype)) for dtype in (np.float32, np.float64))  # fmt: skip
    apart = found.d_h_before_log2 - true.d_h_before_log2
    values = np.ldexp(found.d_h_before.astype(float), apart)
    np.testing.assert_allclose(values, true.d_h_before, rtol=1e-4)
    assert values.any()
