"""Small networks to train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network
from rnnviz.tasks import Batch, DelayedRecall
from rnnviz.training import TrainState

GOLDEN = Path(__file__).parents[1] / "reference" / "training.npz"


def recall(step: int) -> Batch:
    """Delayed recall over six steps, three sequences."""
    return DelayedRecall(0.3).batch(0, 6, 3, "last", first=3 * step)


def small_lstm() -> tuple[Network, TrainState]:
    network = Network((LSTM(8, 4),), 8)
    return network, TrainState(0, network.init_params(np.random.default_rng(1)))


def linear_rnn(weight: float) -> tuple[Network, TrainState]:
    """One identity unit that multiplies its state by `weight` at every step."""
    network = Network((RNN(1, 1, "identity"),), 1)
    params = {name: np.ones(shape) for name, shape in network.param_shapes().items()}
    return network, TrainState(0, {**params, "0.forward.W_hh": np.array([[weight]])})


def ones(seq_len: int, target: float = 0.0) -> Batch:
    """x_t = 1 throughout, one sequence, a target at the last step."""
    x = np.ones((seq_len, 1, 1))
    mask = np.zeros((seq_len, 1))
    mask[-1] = 1
    return Batch(x, np.full((seq_len, 1, 1), target), mask, "squared_error", 1, 1,
                 np.array([seq_len]))  # fmt: skip


def without_loss(batch: Batch) -> Batch:
    return replace(batch, mask=np.zeros_like(batch.mask))


def equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two dicts of arrays are the same bits."""
    return set(first) == set(second) and all(
        np.asarray(value).tobytes() == np.asarray(second[name]).tobytes()
        for name, value in first.items()
    )
