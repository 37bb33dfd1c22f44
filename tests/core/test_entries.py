"""Every entry of a gradient is true, however far it lies below the largest of its sequence.

The oracle multiplies the transposed Jacobians of the recorded states in decimal arithmetic without
a range, and carries Σ|terms| beside the sum: κ = Σ|terms| / |sum| of an entry.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal

import numpy as np
import pytest

from rnnviz.core import CELLS, LSTM, RNN, backward, bptt, forward
from tests.core.jacobian import jacobian
from tests.core.support import KINDS, problem
from tests.core.test_scaling import entries_log10, last

EXACT = Context(prec=50, Emin=-(10**9), Emax=10**9)


def log10(values):
    """log10 |v| of a list of decimals; −inf for 0."""
    return np.array([float(EXACT.log10(abs(v))) if v else -np.inf for v in values])


def true_entries(trace, b=0):
    """log10 of every entry of ∂L/∂h_t, (T+1, H), and their κ."""
    wide = {k: v.astype(float) for k, v in vars(trace).items() if isinstance(v, np.ndarray)}
    params = {k: v.astype(float) for k, v in trace.params.items()}
    states = replace(trace, params=params, **wide)
    H, zero = trace.cell.hidden_size, Decimal(0)
    S = H if trace.c is None else 2 * H
    v, size, found = [zero] * S, [zero] * S, []
    for t in range(trace.seq_len, -1, -1):
        if t < trace.seq_len:
            J = [[Decimal(float(x)) for x in row] for row in jacobian(states, t + 1, b)]
            v, size = (
                [sum((EXACT.multiply(f(J[i][j]), u[i]) for i in range(S) if J[i][j]), zero)
                 for j in range(S)]
                for f, u in ((lambda x: x, v), (abs, size))
            )  # fmt: skip
        if t > 0:
            for i, e in enumerate(trace.d_h_direct[t - 1, :, b]):
                v[i], size[i] = v[i] + Decimal(float(e)), size[i] + abs(Decimal(float(e)))
        kappa = [float(s / abs(x)) if x else 1.0 for s, x in zip(size[:H], v, strict=False)]
        found.append((log10(v[:H]), kappa))
    logs, kappas = zip(*found[::-1], strict=True)
    return np.array(logs), np.array(kappas)


def assert_entries_true(trace, least):
    """1e-9 decades and eps T κ (1e-5 in float32); some entry lies `least` decades below another
    of its step."""
    wide = trace.h.dtype == np.float64
    true, kappa = true_entries(trace)
    found = entries_log10(trace.d_h, trace.d_log2)[:, :, 0]
    alive = np.isfinite(true)
    tolerance = (1e-9 if wide else 1e-5) + np.finfo(trace.h.dtype).eps * trace.seq_len * kappa
    np.testing.assert_array_equal(np.isfinite(found), alive)
    assert (np.abs(found[alive] - true[alive]) <= tolerance[alive]).all()
    lowest = np.where(alive, true, np.inf).min(axis=1)
    assert (true.max(axis=1) - lowest)[np.isfinite(lowest)].max() > least


@pytest.mark.parametrize(
    ("dtype", "T", "u", "expected"),
    [
        (np.float64, 1600, 0.6, -354.96),
        (np.float64, 3600, 0.8, -348.88),
        (np.float32, 400, 0.7, -61.96),
        (np.float64, 1000, 0.1, -1000.0),
    ],
)
def test_a_unit_beside_one_that_keeps_all(dtype, T, u, expected):
    params = {"W_xh": np.ones((2, 1)), "W_hh": np.diag([1.0, u]), "b_h": np.zeros(2)}
    params = {name: value.astype(dtype) for name, value in params.items()}
    direct = last(T, 2).astype(dtype)
    trace = bptt(RNN(1, 2, activation="identity"), params, np.zeros((T, 1, 1), dtype), direct)
    found = entries_log10(trace.d_h, trace.d_log2)[0, :, 0]
    exact = T * np.log10(float(dtype(u)))
    assert found[1] == pytest.approx(exact, abs=1e-9 if dtype == np.float64 else 1e-5)
    assert found[1] == pytest.approx(expected, abs=0.01)
    assert found[0] == 0


@pytest.mark.parametrize(
    ("dtype", "T", "expected"), [(np.float64, 1100, -331.43), (np.float32, 300, -90.61)]
)
def test_a_cell_state_beside_one_that_keeps_nearly_all(dtype, T, expected):
    """f = 0.5 and 0.999, i = g = 0 and o = 0.5: ∂L/∂c_0 is ½ Π f, of ∂L/∂h_T = 1."""
    params = {name: np.zeros(shape) for name, shape in LSTM(1, 2).param_shapes().items()}
    params["b_h"][2:4] = [0.0, np.log(0.999 / 0.001)]
    params = {name: value.astype(dtype) for name, value in params.items()}
    trace = bptt(LSTM(1, 2), params, np.zeros((T, 1, 1), dtype), last(T, 2).astype(dtype))
    found = entries_log10(trace.d_c, trace.d_c_log2)[0, :, 0]
    f = trace.gates["f"][0, :, 0].astype(float)
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, np.log10(0.5) + T * np.log10(f), rtol=0, atol=tolerance)
    assert found[0] == pytest.approx(expected, abs=0.01)


def shifting(cell, memory_bias, dtype=np.float64, T=100):
    """A delay line of H units behind gates that nearly forget, a loss at the last step."""
    rng, H = np.random.default_rng(5), cell.hidden_size
    params = cell.init_params(rng, init="delay_line", memory_bias=memory_bias)
    params = {name: value.astype(dtype) for name, value in params.items()}
    x = rng.standard_normal((T, cell.input_size, 1)).astype(dtype)
    direct = last(T, H)
    direct[-1] = rng.standard_normal((H, 1))
    return bptt(cell, params, x, direct.astype(dtype))


@pytest.mark.parametrize("options", [("LSTM", {}), ("LSTM", {"peepholes": True}), ("GRU", {}),
                                     ("GRU", {"reset": "before"})], ids=str)  # fmt: skip
@pytest.mark.parametrize(
    ("dtype", "bias", "H", "least"), [(np.float64, -90, 16, 120), (np.float32, -14, 13, 40)]
)
def test_a_delay_line_behind_gates_that_forget(options, dtype, bias, H, least):
    kind, more = options
    assert_entries_true(shifting(CELLS[kind.lower()](2, H, **more), bias, dtype), least)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rnn relu"])
def test_units_that_do_not_touch_each_other(kind):
    """W_hh diagonal: each unit vanishes or grows at its own rate, over thousands of decades."""
    p = problem(kind, T=400, B=1, D=2, H=3)
    blocks = p.params["W_hh"].reshape(-1, 3, 3)
    gains = np.diag([1e-14, 1e-3, 1e3]) if p.cell.MEMORY_GATE is None else np.diag([1e-12, 1, 1e2])
    params = {
        **p.params,
        "W_hh": np.concatenate([gains for _ in blocks]),
        "b_h": p.params["b_h"].copy(),
    }
    if p.cell.MEMORY_GATE:
        params["b_h"][p.cell.gate_rows(p.cell.MEMORY_GATE)] = [-30.0, -2.0, 1.0]
    direct = np.zeros_like(p.direct)
    direct[-1] = 1.0
    states = {name: 0 * value for name, value in p.states.items()}
    assert_entries_true(bptt(p.cell, params, 0 * p.x, direct, **states), 500)


def test_a_skip_sends_small_entries_too():
    T, u = 2000, np.array([1.0, 0.5])
    cell = RNN(1, 2, activation="identity", skip=3)
    params = {"W_xh": np.ones((2, 1)), "b_h": np.zeros(2), "W_hh": np.diag([1.0, 0.0]),
              "W_skip": np.diag([0.0, 0.5])}  # fmt: skip
    trace = bptt(cell, params, np.zeros((T, 1, 1)), last(T, 2))
    found = entries_log10(trace.d_h, trace.d_log2)[:, 1, 0]
    steps = np.arange(T, -1, -1)
    np.testing.assert_allclose(found[steps % 3 == 0], (steps / 3 * np.log10(u[1]))[steps % 3 == 0])
    assert np.isneginf(found[steps % 3 != 0]).all()
    assert found[T % 3] < -190


def test_small_entries_reach_the_layer_below():
    """∂L/∂x of a layer whose units read one input each, and the same through a layer above."""
    T = 1100
    params = {"W_xh": np.eye(2), "W_hh": np.diag([1.0, 0.5]), "b_h": np.zeros(2)}
    cell = RNN(2, 2, activation="identity")
    above = bptt(cell, params, np.zeros((T, 2, 1)), last(T, 2))
    expected = np.arange(T - 1, -1, -1) * np.log10(0.5)
    found = entries_log10(above.d_x, above.d_x_log2)[:, 1, 0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    record = forward(cell, {**params, "W_hh": np.zeros((2, 2))}, np.zeros((T, 2, 1)))
    below = backward(record, above.d_x, above.d_x_log2)
    found = entries_log10(below.d_h, below.d_log2)[1:, 1, 0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_an_entry_that_a_single_step_takes_out_of_range():
    """f = e^−300 a step: 10^−130.3, between two looks at the gradients."""
    T = 41
    params = {name: np.zeros(shape) for name, shape in LSTM(1, 2).param_shapes().items()}
    params["b_h"][2:4] = [-300.0, 1.0]
    trace = bptt(LSTM(1, 2), params, np.zeros((T, 1, 1)), last(T, 2))
    found = entries_log10(trace.d_c, trace.d_c_log2)[0, 0, 0]
    assert found == pytest.approx(np.log10(0.5) - 300 * T / np.log(10), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_gradients_keep_one_exponent_for_each_step_and_sequence(kind):
    trace = problem(kind, T=20, B=3, D=2, H=4).trace()
    assert trace.d_log2.shape == (21, 1, 3)
