"""Padding at the wrong end and axes in another order are noticed, or said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from rnnviz.core import LSTM, RNN, bptt, forward, right_padded
from rnnviz.core.network import Network, run_network

LEFT = np.reshape([0.0, 0.0, 0.0, 1.0, -2.0, 0.5], (6, 1, 1))
LAST = 0.037727833441160  # of the three steps 1, −2, 0.5 alone (PyTorch)
RNN_PARAMS = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Asked:
    """A batch that asks at the last step."""

    x: Any
    lengths: Any
    loss: str = "squared_error"
    target: Any = field(default_factory=lambda: np.zeros((6, 1, 1)))
    mask: Any = field(default_factory=lambda: np.ones((6, 1)))


def test_numbers_in_the_padding_are_refused() -> None:
    message = re.escape("x must be 0 where lengths says padding, after step 3 of sequence 0, got "
                        "1.0 at [3, 0, 0]; if the padding comes first")  # fmt: skip
    with pytest.raises(ValueError, match=message):
        forward(RNN(1, 1), RNN_PARAMS, LEFT, lengths=[3])
    network = Network((RNN(1, 1),), 1)
    params = network.init_params(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        run_network(network, params, Asked(LEFT, np.array([3])))


def test_several_tokens_in_the_padding_are_refused() -> None:
    cell = RNN(4, 2)
    params = cell.init_params(np.random.default_rng(0))
    tokens = np.array([[0, 1], [0, 2], [3, 0], [2, 0]])
    with pytest.raises(ValueError, match=r"must be one token .* sequence 0, got 3 at \[2, 0\]"):
        forward(cell, params, tokens, lengths=[2, 2])
    ends = np.array([[1, 1], [2, 3], [3, 3]])
    assert forward(cell, params, ends, lengths=[2, 1]).h.shape == (4, 2, 2)


def test_padding_may_come_first() -> None:
    record = forward(RNN(1, 1), RNN_PARAMS, LEFT, lengths=[3], padding="left")
    alone = forward(RNN(1, 1), RNN_PARAMS, LEFT[3:])
    np.testing.assert_array_equal(record.h[:4], alone.h)
    assert record.h[3, 0, 0] == pytest.approx(LAST, abs=1e-15)
    direct = np.zeros((6, 1, 1))
    direct[5] = 1  # at the end, where the last step is
    found = bptt(RNN(1, 1), RNN_PARAMS, LEFT, direct, lengths=[3], padding="left")
    expected = bptt(RNN(1, 1), RNN_PARAMS, LEFT[3:], direct[3:])
    np.testing.assert_array_equal(found.d_h[:4], expected.d_h)
    with pytest.raises(ValueError, match="padding must be one of right, left, got 'pre'"):
        forward(RNN(1, 1), RNN_PARAMS, LEFT, lengths=[3], padding="pre")


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3)])
def test_right_padded_moves_each_sequence_by_its_own_padding(shape: tuple[int, ...]) -> None:
    lengths = np.array([5, 2, 1])
    left = RNG.standard_normal(shape)
    for b, n in enumerate(lengths):
        left[: 5 - n, ..., b] = 0
    right = right_padded(left, lengths)
    for b, n in enumerate(lengths):
        np.testing.assert_array_equal(right[:n, ..., b], left[5 - n :, ..., b])
        assert (right[n:, ..., b] == 0).all()


@pytest.mark.parametrize(("layout", "axes"), [("btd", (2, 0, 1)), ("tbd", (0, 2, 1))])
def test_a_layout_that_is_said_is_turned(layout: str, axes: tuple[int, ...]) -> None:
    cell = LSTM(2, 3)
    params = cell.init_params(np.random.default_rng(0))
    x, direct = RNG.standard_normal((5, 2, 4)), RNG.standard_normal((5, 3, 4))
    expected = bptt(cell, params, x, direct)
    found = bptt(cell, params, x.transpose(axes), direct.transpose(axes), layout=layout)
    np.testing.assert_array_equal(found.h, expected.h)
    np.testing.assert_array_equal(found.d_h, expected.d_h)
    tokens = RNG.integers(0, 2, (5, 4))
    given = tokens.T if layout == "btd" else tokens
    np.testing.assert_array_equal(
        forward(cell, params, given, layout=layout).h, forward(cell, params, tokens).h
    )
    with pytest.raises(ValueError, match="layout must be one of tdb, btd, tbd, got 'bdt'"):
        forward(cell, params, x, layout="bdt")


@pytest.mark.parametrize("shape", [(7, 4, 4), (4, 4, 4)])
def test_where_both_readings_fit_it_is_said_how_x_was_read(shape: tuple[int, int, int]) -> None:
    cell = LSTM(4, 2)
    params = cell.init_params(np.random.default_rng(0))
    T, D, B = shape
    note = forward(cell, params, np.ones(shape)).note
    assert note == (f"x {shape} is read as (T, D, B), {T} steps of {B} sequences; if it is "
                    f"{T} sequences of {D} steps, say layout='btd'")  # fmt: skip
    assert bptt(cell, params, np.ones(shape), np.ones((T, 2, B))).note == note
    for layout in ("tdb", "btd", "tbd"):
        assert forward(cell, params, np.ones(shape), layout=layout).note == ""
    assert forward(cell, params, np.ones((7, 4, 5))).note == ""
    assert forward(cell, params, np.zeros((7, 4), int)).note == ""


def test_the_message_of_another_layout_says_how_to_turn_it() -> None:
    cell = LSTM(10, 2)
    params = cell.init_params(np.random.default_rng(0))
    x = np.ones((4, 50, 10))
    with pytest.raises(ValueError, match=r"x must have shape \(T, 10, B\)") as error:
        forward(cell, params, x)
    assert "got (4, 50, 10)" in str(error.value)
    assert "x.transpose(1, 2, 0)" in str(error.value)
    assert forward(cell, params, x.transpose(1, 2, 0)).h.shape == (51, 2, 4)
