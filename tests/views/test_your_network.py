"""What the page of a brought network says first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Run
from rnnviz.models import load, read_data
from rnnviz.models.brought import FromWeights, beside, own_run
from rnnviz.views.your_network import fresh_words, understood, view

LAG = 30


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (2, "Backpropagation is truncated too soon: a window spans 1 step back, the lag is 30."),
        (10, "Backpropagation is truncated too soon: a window spans 9 steps back, the lag is 30."),
        (25, "Backpropagation is truncated too soon: a window spans 24 steps back, the lag is 30."),
        (31, "Nothing is wrong with the gradient over 30 steps"),
    ],
)
def test_nothing_is_wrong_is_not_said_of_a_window_that_does_not_hold_the_lag(
    window: int, said: str
) -> None:
    rng, H = np.random.default_rng(0), 4
    shapes = {"weight_ih_l0": (4 * H, 2), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,)}
    arrays = {name: rng.uniform(-0.2, 0.2, shape) for name, shape in shapes.items()}
    arrays["bias_ih_l0"][H : 2 * H] += 5
    brought = FromWeights(load(arrays), read_data())
    whole = own_run(brought)
    trace = whole["lstm"]
    cut = truncated_backward(trace.trace.record, trace.trace.d_h_direct, window)
    run = Run({"lstm": replace(trace, layers=((cut,),))}, whole.batch)
    verdict = view(run, brought, brought.findings(run, LAG), LAG).verdict
    assert verdict[0].startswith(said)


@pytest.mark.parametrize(("biases", "said"), [(True, "weights and biases drawn anew"),
                                              (False, "without biases as yours")])  # fmt: skip
def test_what_the_fresh_network_is_follows_yours(biases: bool, said: str) -> None:
    arrays = {"weight_ih_l0": np.ones((8, 2)), "weight_hh_l0": np.eye(8, 2)}
    arrays |= {"bias_ih_l0": np.zeros(8)} if biases else {}
    brought = FromWeights(load(arrays), read_data(lengths=[5]))
    own = own_run(brought)
    shown = view(beside(own, brought), brought, brought.findings(own, None))
    assert said in fresh_words(shown)


def test_padding_is_a_sentence_of_its_own() -> None:
    arrays = {"weight_ih_l0": np.ones((8, 2)), "weight_hh_l0": np.eye(8, 2)}
    brought = FromWeights(load(arrays), read_data(lengths=[5, 3]))
    own = own_run(brought)
    shown = view(own, brought, brought.findings(own, None))
    assert shown.padding == "Sequences have 3 to 5 steps; padding is not drawn."
    assert "x is white noise; the loss is the last output in a random direction" in shown.notes


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "RNN, 1 input, 1 unit, 1 layer, one direction; 3 parameters. Run on sequences of 1 step"),
     (2, "RNN, 2 inputs, 2 units, 1 layer, one direction; 10 parameters. Run on sequences of 2 ")],
)  # fmt: skip
def test_one_of_a_thing_is_said_in_the_singular(size: int, said: str) -> None:
    shapes = {"W_xh": (size, size), "W_hh": (size, size), "b_h": (size,)}
    weights = {name: np.zeros(shape) for name, shape in shapes.items()}
    data = read_data(np.zeros((3, size, size)), layout="btd")
    assert said in understood(FromWeights(load(weights, cell="rnn"), data), "one.npz")
