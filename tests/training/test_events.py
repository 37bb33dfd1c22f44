"""What is named where a loss is not finite: what is too large, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network
from rnnviz.tasks import Batch
from rnnviz.training import TrainOptions, TrainState, train
from tests.training.support import linear_rnn, ones

EARLY = ", before there is a gradient that could be clipped"


def why(network: Network, params: dict[str, Any], batch: Batch) -> str:
    """In brackets after "the loss is inf", of the first step."""
    step = train(network, TrainState(0, params), lambda _: batch, TrainOptions("sgd", 0.1))
    event = next(step)[1].event
    assert event.startswith("the loss is inf (")
    assert event.endswith(f"{EARLY})")
    return event.removeprefix("the loss is inf (").removesuffix(f"{EARLY})")


def small(dtype: Any = np.float64) -> tuple[Network, dict[str, Any]]:
    network = Network((LSTM(1, 2),), 1)
    return network, network.init_params(np.random.default_rng(0), dtype=dtype)


@pytest.mark.parametrize("size", [1e155, 1e200, 1e300])
def test_targets_that_are_too_large_are_named(size: float) -> None:
    said = why(*small(), ones(5, size))
    assert said == f"the target reaches 10^{np.log10(size):.1f} at time step 5"


def test_targets_that_are_beyond_the_range_of_the_weights_are_named() -> None:
    network, params = small()
    narrow = {name: value.astype(np.float32) for name, value in params.items()}
    assert why(network, narrow, ones(5, 1e60)) == "the target reaches 10^60.0 at time step 5"


def test_targets_that_nobody_asks_for_are_not_named() -> None:
    network, start = linear_rnn(1.0)
    params, batch = {**start.params, "b_y": np.array([1e180])}, ones(5)
    target = batch.target.copy()
    target[:-1] = 1e250
    said = why(network, params, replace(batch, target=target))
    assert said == "b_y of the readout reaches 10^180.0"


def test_a_mask_that_is_too_large_is_named() -> None:
    batch = ones(5, 1e10)
    said = why(*small(), replace(batch, mask=1e300 * batch.mask))
    assert said == "the mask reaches 10^300.0 at time step 5"


def test_inputs_that_are_too_large_are_named_and_no_state() -> None:
    network, start = linear_rnn(1.0)
    batch = ones(5)
    x = batch.x.copy()
    x[2] = -1e190
    said = why(network, start.params, replace(batch, x=x))
    assert said == "the input of layer 1 reaches 10^190.0 at time step 3"


def test_recurrent_weights_that_are_too_large_are_named_and_no_state() -> None:
    network = Network((RNN(1, 1, "identity"), RNN(1, 1, "relu")), 1)
    params = {name: np.ones(shape) for name, shape in network.param_shapes().items()}
    params["0.forward.W_xh"] *= 1e170
    assert why(network, params, ones(2)) == "the parameter 0.forward.W_xh reaches 10^170.0"


def test_a_state_that_has_grown_is_named() -> None:
    network, start = linear_rnn(1e9)
    said = why(network, start.params, ones(20, 1e90))
    assert said == "the state h of layer 1 reaches 10^171.3 at time step 20"


def test_classes_are_no_sizes() -> None:
    network, start = linear_rnn(1.0)
    batch = replace(ones(3), target=np.zeros((3, 1), int), loss="softmax_cross_entropy")
    params = {**start.params, "W_hy": np.array([[1e308]]), "b_y": np.array([1e308])}
    step = train(network, TrainState(0, params), lambda _: batch, TrainOptions("sgd", 0.1))
    assert "of the readout reaches 10^308.0" in next(step)[1].event
