"""Forecasts against whole runs of the same network: none goes on from where another has been."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, forward_network
from rnnviz.training import forecast
from rnnviz.training.sampling import captions

NETWORKS = {
    "rnn": Network((RNN(3, 4),), 3),
    "leaky rnn with a skip": Network((RNN(3, 4, leak=0.5, skip=3),), 3),
    "lstm on gru": Network((LSTM(3, 4), GRU(4, 5)), 3),
}
RNG = np.random.default_rng(0)
HISTORY, KNOWN = RNG.standard_normal((7, 3)), RNG.standard_normal((5, 3))


def drawn(network: Network) -> dict[str, np.ndarray]:
    return network.init_params(np.random.default_rng(3), gain=1.2, input_scale=2.0)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_step_ahead_is_the_answer_of_a_run_over_the_true_series(name: str) -> None:
    network = NETWORKS[name]
    y = forward_network(network, drawn(network), np.concatenate([HISTORY, KNOWN])[:, :, None]).y
    found = forecast(network, drawn(network), HISTORY, KNOWN)
    np.testing.assert_allclose(found.one_step, y[6:11, :, 0], atol=1e-14)


@pytest.mark.parametrize("name", NETWORKS)
def test_free_running_reads_its_own_answers(name: str) -> None:
    network, series = NETWORKS[name], HISTORY
    for expected in forecast(network, drawn(network), HISTORY, KNOWN).free:
        y = forward_network(network, drawn(network), series[:, :, None]).y[-1, :, 0]
        np.testing.assert_allclose(expected, y, atol=1e-13)
        series = np.concatenate([series, y[None]])


def test_a_network_that_reads_the_future_or_has_blown_up_is_refused() -> None:
    both = Network((RNN(3, 4),), 3, bidirectional=True)
    with pytest.raises(ValueError, match="must not be bidirectional"):
        forecast(both, drawn(both), HISTORY, KNOWN)
    lost = drawn(NETWORKS["rnn"]) | {"b_y": np.full(3, 1.7e308), "W_hy": np.full((3, 4), 1e308)}
    lost["0.forward.b_h"] = np.full(4, 50.0)  # h = 1
    with pytest.raises(ValueError, match="has blown up"):
        forecast(NETWORKS["rnn"], lost, HISTORY, KNOWN)


def test_captions_are_the_likeliest_symbols_up_to_the_end() -> None:
    """Answers by the context alone: a linear network whose first unit holds it."""
    labels = ("a", "b", "\u27e8start\u27e9", "\u27e8end\u27e9")
    network = Network((RNN(4, 1, "identity"),), 4, context_size=1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params |= {"0.forward.W_hh": np.full((1, 1), 0.5), "W_vh": np.ones((1, 1))}
    params |= {"W_hy": np.array([[1.0], [0], [0], [0]]), "b_y": np.array([0.0, -1, -1, 0.2])}
    contexts = np.array([[0.9, 0.3, 1.7, 1e9]])  # halved at each step; "a" as long as h > 0.2
    assert captions(network, params, contexts, labels) == ["aa", "\u2013", "aaa", "aaaaaa"]
