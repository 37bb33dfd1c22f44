"""What formats would hold of a gradient, and what float32 itself comes to."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.precision import (
    FORMATS,
    Held,
    float32_recursion,
    held_by_formats,
    precision,
)
from rnnviz.core import LSTM, RNN, bptt
from rnnviz.core.network import Network, NetworkTrace, run_network
from rnnviz.tasks import Batch
from tests.core.support import KINDS, problem
from tests.core.test_scaling import last, scalar


def held(trace):
    return {h.format: (h.zero_from, h.infinite_from) for h in held_by_formats(trace)}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_half_a_step(dtype):
    """0.5^(T − t): 2^−150 and 2^−25 are halfway to the smallest numbers and round to 0."""
    trace = scalar(0.5, 200, last(200), dtype)
    assert held(trace) == {
        "float64": (None, None),
        "float32": (50, None),
        "bfloat16": (66, None),
        "float16": (175, None),
    }
    found = float32_recursion(trace)
    assert found.held == Held("float32", 50, None)
    assert (found.sticks_from, found.sticks_at) == (None, 0.0)


def test_where_float64_ends():
    assert held(scalar(0.5, 1200, last(1200)))["float64"] == (125, None)


def test_growth():
    """2^(T − t): 2^128 and 2^16 are beyond the largest numbers, 65504 of float16."""
    trace = scalar(2.0, 200, last(200))
    assert held(trace) == {
        "float64": (None, None),
        "float32": (None, 72),
        "bfloat16": (None, 72),
        "float16": (None, 184),
    }
    assert float32_recursion(trace).held == Held("float32", None, 72)


def test_growth_that_cancels_comes_to_no_number():
    """A rotation by 45° times 4√2, whose largest entry is 2^128 after 51 steps. ∞ − ∞, soon after,
    is NaN."""
    W = 4 * np.array([[1.0, -1.0], [1.0, 1.0]])
    params = {"W_xh": np.zeros((2, 1)), "W_hh": W, "b_h": np.zeros(2)}
    trace = bptt(RNN(1, 2, activation="identity"), params, np.zeros((80, 1, 1)), last(80, 2))
    assert held(trace)["float32"] == (None, 80 - 51)
    vector, steps = np.ones((2, 1), np.float32), []
    with np.errstate(all="ignore"):
        for k in range(80):
            if np.isnan(vector).any():
                steps.append(80 - k)
            vector = W.T.astype(np.float32) @ vector
    found = float32_recursion(trace).held
    assert found.no_number_from == steps[0]
    assert found.infinite_from >= found.no_number_from


def test_a_product_that_sticks():
    """0.7^400 multiplied in float32 stays at the smallest number; rounded once it is 0."""
    trace = scalar(0.7, 400, last(400))
    value, products = np.float32(1), []
    for _ in range(400):
        products.append(value)
        value = np.float32(value * np.float32(0.7))
    assert value == np.float32(1.4e-45)
    found = float32_recursion(trace)
    assert held(trace)["float32"] == (400 - 292, None)
    assert found.held == Held("float32", None, None)
    assert found.sticks_from == 108
    assert found.sticks_at == float(products[-1]) == float(np.float32(1.4e-45))


@pytest.mark.parametrize("f", FORMATS[1::2], ids=lambda f: f.name)
def test_rounding_once_is_what_a_cast_does(f):
    dtype = np.dtype(f.name)
    largest, half = float(np.finfo(dtype).max), np.ldexp(1.0, f.largest - f.bits)
    for value in (*np.ldexp([1.0, 1 + 2.0**-40, 1 - 2.0**-40], f.smallest - 1),
                  largest, largest + half, (largest + half) * (1 - 2.0**-40)):  # fmt: skip
        with np.errstate(over="ignore"):
            cast = np.float64(value).astype(dtype)
        expected = (1 if cast == 0 else None, 1 if np.isinf(cast) else None)
        assert held(scalar(0.5, 1, np.full((1, 1, 1), value)))[f.name] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_run_is_held_by_the_wide_formats(kind):
    trace = problem(kind, T=9, B=2, D=2, H=3).trace()
    assert held(trace)["float64"] == held(trace)["float32"] == (None, None)
    found = float32_recursion(trace)
    assert (found.held, found.sticks_from) == (Held("float32", None, None), None)


def test_the_cell_state_counts():
    """f = 1 keeps c although h is gone."""
    params = {name: np.zeros(shape) for name, shape in LSTM(1, 1).param_shapes().items()}
    params["b_h"][1] = 40.0
    trace = bptt(LSTM(1, 1), params, np.zeros((300, 1, 1)), last(300))
    assert held(trace)["float16"] == (None, None)


def test_an_exact_zero_is_no_matter_of_precision():
    params = {"W_xh": np.zeros((2, 1)), "W_hh": np.eye(2, k=-1), "b_h": np.zeros(2)}
    trace = bptt(RNN(1, 2, activation="identity"), params, np.zeros((9, 1, 1)), last(9, 2))
    assert set(held(trace).values()) == {(None, None)}


def test_what_a_loss_at_every_step_refills_is_not_zero():
    trace = scalar(1e-30, 20, np.ones((20, 1, 1)))
    assert held(trace)["float16"] == (None, None)


def test_a_single_precision_run_is_judged_by_its_true_gradients():
    """Read off tanh(10) = 1 of float32 they are 0; in truth 4e-9 a step, which bfloat16 and float16
    would hold, or not. What float32 itself comes to is 0."""
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
    params = {name: value.astype(np.float32) for name, value in params.items()}
    x = np.full((4, 1, 1), 10.0, np.float32)
    found = precision(bptt(RNN(1, 1), params, x, last(4).astype(np.float32)), "rnn")
    assert {h.format: h.zero_from for h in found.held} == {
        "float64": None,
        "float32": None,
        "bfloat16": None,
        "float16": 3,
    }
    assert found.recursion.held.zero_from == 3


def test_what_is_no_number_is_held_by_no_format():
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 1e200), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1, activation="identity"), params, np.ones((4, 1, 1)), last(4) * np.nan)
    found = precision(trace, "rnn")
    assert (found.held, found.recursion) == (None, None)


def stack(x: float, dtype: type) -> NetworkTrace:
    """Two layers of one unit with W_hh = 0 and W_xh = 1: the error of layer 1 at step t is
    that of layer 2 there, times its slope. A loss at the last of 3 steps."""
    network = Network((RNN(1, 1, activation="identity"), RNN(1, 1)), 1)
    params = {name: np.ones(shape, dtype) for name, shape in network.param_shapes().items()}
    for name in params:
        if "b_" in name or "W_hh" in name:
            params[name] = np.zeros_like(params[name])
    batch = Batch(
        x=np.full((3, 1, 1), x, dtype),
        target=np.zeros((3, 1, 1), dtype),
        mask=np.array([[0], [0], [1]], dtype),
        loss="squared_error",
        input_size=1,
        output_size=1,
        lengths=np.full(1, 3),
    )
    return run_network(network, params, batch)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_the_slopes_above_lose_is_no_exact_zero_below(dtype):
    """1/cosh²(40) is 7e-35, and float64 makes it 0: what arrives below float16 cannot hold."""
    layers = stack(40.0, dtype).layers
    (below,), _ = layers
    assert not below.d_h.any()
    found = precision(below, "layer 1", layers)
    held = {each.format: each.zero_from for each in found.held}
    assert held == {"float64": None, "float32": None, "bfloat16": None, "float16": 3}
    assert found.recursion.held.zero_from == 3
    assert found.saturation is None
