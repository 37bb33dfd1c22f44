"""NaN and infinity by the place where a run first stops being numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.trouble import troubles
from rnnviz.core import LSTM, RNN, bptt, forward
from rnnviz.core.places import first_in, first_not_finite
from rnnviz.wording.trouble import trouble_words
from tests.core.support import KINDS, problem


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_numbers_has_no_such_place(kind):
    assert first_not_finite(problem(kind, T=5, B=2, D=2, H=3).trace()) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_is_named_before_what_it_spoils(kind):
    p = problem(kind, T=5, B=2, D=2, H=3)
    params = {name: value.copy() for name, value in p.params.items()}
    params["W_hh"][1, 2] = np.nan
    place = first_not_finite(forward(p.cell, params, p.x))
    assert (place.name, place.index, place.kind) == ("W_hh", (1, 2), "NaN")


def test_an_input_that_single_precision_does_not_hold():
    x = np.zeros((4, 2, 3))
    x[2, 1, 0] = -1e300
    params = {name: np.zeros(shape, np.float32) for name, shape in RNN(2, 2).param_shapes().items()}
    place = first_not_finite(forward(RNN(2, 2), params, x.astype(np.float64)))
    assert place is None  # the input decides the precision
    with np.errstate(over="ignore"):
        narrow = x.astype(np.float32)
    assert first_in({"x": narrow}) == first_in({"y": x, "x": narrow})
    assert (first_in({"x": narrow}).index, first_in({"x": narrow}).kind) == ((2, 1, 0), "-inf")


def test_the_first_overflowing_state_and_its_step():
    cell = RNN(1, 2, activation="identity")
    params = {"W_xh": np.zeros((2, 1)), "W_hh": np.diag([1.0, 1e10]), "b_h": np.zeros(2)}
    record = forward(cell, params, np.zeros((60, 1, 3)), h0=np.outer([1, 1], [0, 1, 0]))
    place = first_not_finite(record)
    assert (place.name, place.index, place.kind) == ("h", (31, 1, 1), "inf")


def test_a_cell_state_comes_before_the_state_made_of_it():
    cell = LSTM(1, 1, candidate="identity", output="identity")
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][:] = [800.0, 800.0, 1e308, 800.0]
    place = first_not_finite(forward(cell, params, np.zeros((5, 1, 1))))
    assert (place.name, place.index) == ("c", (2, 0, 0))


def test_a_nan_weight_is_no_overflow():
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), np.nan), "b_h": np.zeros(1)}
    direct = np.zeros((5, 1, 1))
    direct[-1] = 1
    flow = gradient_flow(bptt(RNN(1, 1), params, np.ones((5, 1, 1)), direct), "rnn")
    said = trouble_words(troubles([flow]))
    assert said.startswith("W_hh of the RNN is NaN at [0, 0]. ")
    assert "overflow" not in said
