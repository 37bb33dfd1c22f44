"""What one process trains: each function is one network from start to score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.core import GRU, LSTM, RNN, Cell
from rnnviz.core.variants import LSTM_VARIANTS
from rnnviz.experiment import Experiment
from rnnviz.experiment.runs import held_out as scores_of_held_out
from rnnviz.experiment.runs import params_after, start
from rnnviz.tasks import Adding, Batch, Counting, DelayedRecall, DigitPixels, Stocks, TemporalOrder
from rnnviz.training import TrainOptions
from tests.reproduce.learning import (
    Schedule,
    drawn,
    held_out,
    learn,
    network_of,
    score,
)

DIGITS_HELD_OUT = 360


@dataclass(frozen=True)
class Job:
    """A function of this module by name, and its arguments."""

    function: str
    arguments: tuple[tuple[str, Any], ...]

    def run(self) -> float:
        return globals()[self.function](**dict(self.arguments))


def job(function: str, **arguments: Any) -> Job:
    return Job(function, tuple(arguments.items()))


def cell_of(kind: str, input_size: int, hidden_size: int) -> Cell:
    """ "rnn", "gru", "lstm", or an LSTM variant such as "nog"."""
    plain: dict[str, Any] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
    if kind in plain:
        return plain[kind](input_size, hidden_size)
    return LSTM(input_size, hidden_size, **LSTM_VARIANTS[kind])


def counting(kind: str, seed: int) -> float:
    """Accuracy on the counting sequence, T = 12, after 400 steps of Adam at 0.01."""
    make, test = (
        drawn(Counting(), seed, 12, 16, "every"),
        held_out(Counting(), seed, 12, 64, "every"),
    )
    network = network_of(cell_of(kind, 9, 16), test)
    schedule = Schedule(400, TrainOptions(learning_rate=0.01))
    return score(network, learn(network, seed, make, schedule), test)


def adding(kind: str, seed: int, seq_len: int, hidden_size: int, steps: int, halve: int) -> float:
    """Held-out mean squared error on adding with numbers from U(−1, 1): a constant answer scores
    2/3. Batches of 32, Adam at 0.005, halved every `halve` steps, gradients clipped at norm 1."""
    make, test = drawn(Adding(), seed, seq_len, 32), held_out(Adding(), seed, seq_len, 1000)
    network = network_of(cell_of(kind, 2, hidden_size), test)
    schedule = Schedule(steps, TrainOptions(learning_rate=0.005, clip="norm"), halve)
    params = learn(network, seed, lambda n: signed(make(n)), schedule, memory_bias=1.0)
    return score(network, params, signed(test))


def signed(batch: Batch) -> Batch:
    """The adding batch with its numbers u ~ U(0, 1) made U(−1, 1)."""
    x = np.array(batch.x)
    x[:, 0] = 2 * x[:, 0] - 1
    return replace(batch, x=x, target=np.cumsum(x[:, :1] * x[:, 1:], axis=0))


def temporal_order(kind: str, seed: int) -> float:
    """Held-out accuracy on temporal order, T = 50, H = 16, after 1500 steps of Adam at 0.01 on
    batches of 32, gradients clipped at norm 1. A guess scores 1/4."""
    make, test = drawn(TemporalOrder(), seed, 50, 32), held_out(TemporalOrder(), seed, 50, 1000)
    network = network_of(cell_of(kind, 6, 16), test)
    schedule = Schedule(1500, TrainOptions(learning_rate=0.01, clip="norm"))
    params = learn(network, seed, make, schedule, memory_bias=1.0)
    return score(network, params, test)


def digit_pixels(kind: str, seed: int) -> float:
    """Accuracy on the 360 held-out digits read pixel by pixel (T = 64), H = 32, after 3000 steps
    of Adam at 0.005 on batches of 32, gradients clipped at norm 1."""
    make, test = drawn(DigitPixels(), seed, 64, 32), held_out(DigitPixels(), 0, 64, DIGITS_HELD_OUT)
    network = network_of(cell_of(kind, 1, 32), test)
    schedule = Schedule(3000, TrainOptions(learning_rate=0.005, clip="norm"), 1500)
    params = learn(network, seed, make, schedule, memory_bias=1.0)
    return score(network, params, test)


SOURCES: dict[str, dict[str, Any]] = {
    "words": {"hidden_size": 24, "batch_size": 8, "loss_at": "every", "learning_rate": 0.02,
              "train_steps": 300},
    "stocks": {"seq_len": 30, "hidden_size": 32, "loss_at": "every", "learning_rate": 0.01,
               "train_steps": 200},
    "digit_rows": {"bidirectional": "yes", "hidden_size": 32, "batch_size": 64, "memory_bias": 0.0,
                   "learning_rate": 0.02, "train_steps": 400},
    "captioning": {"hidden_size": 48, "batch_size": 32, "loss_at": "every", "learning_rate": 0.01,
                   "train_steps": 400},
    "sentiment": {"hidden_size": 24, "batch_size": 32, "memory_bias": 0.0, "learning_rate": 0.02,
                  "train_steps": 300},
}  # fmt: skip
"""Experiments of the tasks that the sources describe, by task."""


def source(kind: str, task: str, score: str, seed: int) -> float:
    """A score on what the task holds out, after the training that SOURCES has for it."""
    experiment = Experiment(models=(kind,), task=task, seed=seed, **SOURCES[task])
    network, _ = start(experiment)[kind]
    params = params_after(experiment, kind, experiment.train_steps)
    return scores_of_held_out(experiment, network, params)[score]


def stocks(kind: str, seed: int) -> float:
    """The loss in the weeks held out over that of the answer 0, on the same windows."""
    batch = held_out(Stocks(), seed, SOURCES["stocks"]["seq_len"], 256, "every")
    nothing = float((batch.mask[:, None] * batch.target**2).sum() / 2 / batch.mask.sum())
    return source(kind, "stocks", "loss_per_answer", seed) / nothing


def clipping(clip: str, seed: int) -> float:
    """Held-out accuracy of a tanh RNN on delayed recall, T = 20, H = 32, orthogonal W_hh with
    gain 1.5, after 600 steps of plain SGD at 0.5 on batches of 16. A guess scores 1/8."""
    task = DelayedRecall(distractor=0.3)
    make, test = drawn(task, seed, 20, 16), held_out(task, seed, 20, 1000)
    network = network_of(cell_of("rnn", 8, 32), test)
    schedule = Schedule(600, TrainOptions(optimizer="sgd", learning_rate=0.5, clip=clip))
    params = learn(network, seed, make, schedule, init="orthogonal", gain=1.5)
    return score(network, params, test)
