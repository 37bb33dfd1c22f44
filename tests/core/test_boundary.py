"""A bad value raises a ValueError that names it, says what came and what is allowed."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from rnnviz.core import CELLS, GRU, LSTM, RNN, backward, bptt, forward

T, B, D, H = 4, 3, 2, 5


def given(cell=LSTM):
    """Good arguments of `forward` by name."""
    cell = cell(D, H)
    rng = np.random.default_rng(0)
    params = cell.init_params(rng)
    states = {"h0": np.zeros((H, B))} | ({"c0": np.zeros((H, B))} if cell.HAS_CELL_STATE else {})
    return {"cell": cell, "params": params, "x": np.ones((T, D, B)), **states}


def with_param(name, value):
    return {**given()["params"], name: value}


def without(name):
    return {key: value for key, value in given()["params"].items() if key != name}


def spoiled(shape, value):
    array = np.zeros(shape)
    array.flat[-1] = value
    return array


ROWS = 4 * H
# (argument, bad value, what the message must say: name, allowed, what came)
BAD = [
    ("x", np.ones((T, D + 1, B)), "x must have shape (T, 2, B)", "(4, 3, 3)"),
    ("x", np.ones((T, B)), "x must have shape (T, 2, B)", "(4, 3)"),
    ("x", np.ones(D), "x must have shape (T, 2, B)", "(2,)"),
    ("x", 1.0, "x must have shape (T, 2, B)", "()"),
    ("x", np.ones((0, D, B)), "x must have shape (T, 2, B)", "(0, 2, 3)"),
    ("x", np.ones((T, D, 0)), "x must have shape (T, 2, B)", "(4, 2, 0)"),
    ("x", spoiled((T, D, B), np.nan), "x must be finite", "nan at [3, 1, 2]"),
    ("x", spoiled((T, D, B), np.inf), "x must be finite", "inf at [3, 1, 2]"),
    ("x", np.full((T, D, B), "a"), "x must be float32, float64 or complex128", "<U1"),
    ("x", np.ones((T, D, B), object), "x must be float32, float64 or complex128", "object"),
    ("x", np.ones((T, D, B), bool), "x must be float32, float64 or complex128", "bool"),
    ("x", np.ones((T, D, B), np.float16), "x must be float32, float64 or complex128", "float16"),
    ("x", np.ones((T, D, B), "c8"), "x must be float32, float64 or complex128", "complex64"),
    ("x", None, "x must be float32, float64 or complex128", "object"),
    ("x", [[1.0, 2.0], [3.0]], "x must be an array", "[[1.0, 2.0], [3.0]]"),
    ("x", np.full((T, B), D), "x must hold tokens from 0 to 1", "2 to 2"),
    ("x", np.full((T, B), -1), "x must hold tokens from 0 to 1", "-1 to -1"),
    ("x", np.zeros((0, B), int), "x must have at least one step and one sequence", "(0, 3)"),
    ("h0", np.zeros((B, H)), "h0 must have shape (5, 3)", "(3, 5)"),
    ("h0", np.zeros(H), "h0 must have shape (5, 3)", "(5,)"),
    ("h0", spoiled((H, B), np.nan), "h0 must be finite", "nan at [4, 2]"),
    ("c0", np.zeros((H, B + 1)), "c0 must have shape (5, 3)", "(5, 4)"),
    ("c0", spoiled((H, B), -np.inf), "c0 must be finite", "-inf at [4, 2]"),
    ("params", without("W_hh"), "params must have the keys W_xh, W_hh, b_h", "W_xh, b_h"),
    ("params", with_param("b_hn", np.zeros(H)), "params must have the keys", "b_hn"),
    ("params", None, "params must be a mapping", "None"),
    ("params", with_param("W_hh", np.zeros((H, ROWS))),
     "params['W_hh'] must have shape (20, 5)", "(5, 20)"),
    ("params", with_param("W_xh", np.zeros((H, D))),
     "params['W_xh'] must have shape (20, 2)", "(5, 2)"),
    ("params", with_param("b_h", np.zeros((ROWS, 1))),
     "params['b_h'] must have shape (20)", "(20, 1)"),
    ("params", with_param("b_h", np.zeros(ROWS, "S1")), "params['b_h'] must be float32", "|S1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "allowed", "came"), BAD)
def test_forward(name, value, allowed, came):
    with pytest.raises(ValueError, match=re.escape(allowed)) as error:
        forward(**{**given(), name: value})
    assert came in str(error.value)


@pytest.mark.parametrize("cell", [RNN, GRU])
def test_a_cell_state_for_a_cell_that_has_none(cell):
    with pytest.raises(ValueError, match=f"c0 must be None for {cell.__name__}"):
        forward(**given(cell), c0=np.zeros((H, B)))


@pytest.mark.parametrize(
    ("value", "allowed", "came"),
    [
        (np.zeros((T + 1, H, B)), "d_h_direct must have shape (4, 5, 3)", "(5, 5, 3)"),
        (np.zeros((T, B, H)), "d_h_direct must have shape (4, 5, 3)", "(4, 3, 5)"),
        (np.zeros((T, H, B), "U1"), "d_h_direct must be float32", "<U1"),
        (np.zeros((T, H, B), complex), "d_h_direct must be real", "complex128"),
        (None, "d_h_direct must be float32", "object"),
    ],
)
def test_backward(value, allowed, came):
    record = forward(**given())
    with pytest.raises(ValueError, match=re.escape(allowed)) as error:
        backward(record, value)
    assert came in str(error.value)


@pytest.mark.parametrize("cell", CELLS.values())
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True, np.nan])
def test_sizes(cell, value):
    with pytest.raises(ValueError, match="input_size must be an integer of at least 1") as error:
        cell(value, 3)
    assert repr(value) in str(error.value)
    with pytest.raises(ValueError, match="hidden_size must be an integer of at least 1"):
        cell(3, value)


@pytest.mark.parametrize("value", ["Tanh", "sigmoid", "", None, 3])
def test_activation(value):
    allowed = "activation must be one of tanh, relu, logistic, identity"
    with pytest.raises(ValueError, match=allowed) as error:
        RNN(2, 3, value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("init", "normal", "init must be one of uniform, orthogonal, gaussian"),
        ("init", None, "init must be one of"),
        ("gain", np.nan, "gain must be a finite number"),
        ("gain", "1", "gain must be a number"),
        ("memory_bias", np.inf, "memory_bias must be a finite number"),
        ("memory_bias", None, "memory_bias must be a number"),
        ("input_scale", -1.0, "input_scale must be a finite number from 0"),
        ("chrono", 2, "chrono must be an integer of at least 3"),
        ("chrono", 10.5, "chrono must be an integer of at least 3"),
        ("dtype", int, "dtype must be float32, float64 or complex128"),
        ("dtype", "float16", "dtype must be float32, float64 or complex128"),
        ("dtype", "no such", "dtype must be float32, float64 or complex128"),
    ],
)
def test_init_params(name, value, allowed):
    with pytest.raises(ValueError, match=re.escape(allowed)) as error:
        LSTM(2, 3).init_params(np.random.default_rng(0), **{name: value})
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("cell", CELLS.values())
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
def test_weights_that_have_blown_up_are_let_through_without_a_warning(cell, bad):
    arguments = given(cell)
    params = {**arguments["params"], "W_hh": np.full_like(arguments["params"]["W_hh"], bad)}
    trace = bptt(arguments["cell"], params, arguments["x"], np.ones((T, H, B)))
    assert trace.h.shape == (T + 1, H, B)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_direct_gradient_that_is_not_finite_is_recorded(bad):
    arguments = given(GRU)
    direct = np.ones((T, H, B))
    direct[1, 0, 0] = bad
    trace = backward(forward(**arguments), direct)
    assert not np.isfinite(trace.d_h[2, 0, 0])
    assert np.isfinite(trace.d_h[3:]).all()
    assert np.isfinite(trace.d_h[:, :, 1:]).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, ">f8", np.float32])
def test_numbers_of_other_kinds_are_taken(dtype):
    arguments = given()
    record = forward(**{**arguments, "x": np.ones((T, D, B), dtype)})
    assert record.h.dtype == np.float64
    np.testing.assert_array_equal(record.h, forward(**arguments).h)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_tokens_of_any_integer_type(dtype):
    tokens = (np.arange(T * B).reshape(T, B) % D).astype(dtype)
    record = forward(**{**given(), "x": tokens})
    assert record.x.shape == (T, D, B)
    np.testing.assert_array_equal(record.x.argmax(axis=1), tokens)


def test_lists_will_do():
    arguments = given()
    params = {name: value.tolist() for name, value in arguments["params"].items()}
    record = forward(arguments["cell"], params, arguments["x"].tolist())
    np.testing.assert_array_equal(record.h, forward(**arguments).h)


def test_cells_are_small_frozen_values():
    cell = LSTM(2, 3)
    assert cell == LSTM(2, 3) != LSTM(2, 4)
    assert len({cell, LSTM(2, 3), GRU(2, 3)}) == 2
    with pytest.raises(FrozenInstanceError):
        cell.hidden_size = 4


def test_relu_of_a_sum_that_overflows_below_is_zero_and_not_nan():
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.full((1, 1), -1e200), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1, "relu"), params, np.zeros((2, 1, 1)), np.ones((2, 1, 1)), [[1e200]])
    assert (trace.h[1:] == 0).all()
    assert (trace.d_h[:-1, 0, 0] == [0, 1]).all()
