"""Training loops of the reproductions: a schedule in, the last network and its scores out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.core import Cell
from rnnviz.core.network import Network, predict
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import TrainOptions, TrainState, advance
from rnnviz.training.records import metric

Array = np.ndarray
MakeBatch = Callable[[int], Batch]


@dataclass(frozen=True)
class Schedule:
    """`steps` training steps; the learning rate is halved after every `halve` of them."""

    steps: int
    options: TrainOptions
    halve: int | None = None

    def parts(self) -> Iterator[tuple[int, TrainOptions]]:
        """(the step up to which, options) one after another."""
        length = self.halve or self.steps
        for k, start in enumerate(range(0, self.steps, length)):
            rate = self.options.learning_rate / 2**k
            yield min(start + length, self.steps), replace(self.options, learning_rate=rate)


def network_of(cell: Cell, batch: Batch) -> Network:
    """One layer with a linear readout for this batch's answers."""
    return Network((cell,), batch.output_size)


def learn(
    network: Network, seed: int, make_batch: MakeBatch, schedule: Schedule, **init: Any
) -> dict[str, Array]:
    """The parameters after the schedule, or the last finite ones."""
    state = TrainState(0, network.init_params(np.random.default_rng([seed, 0]), **init))
    for stop, options in schedule.parts():
        state = advance(network, state, make_batch, options, stop)
    return state.params


def held_out(task: Any, seed: int, seq_len: int, batch_size: int, loss_at: str = "last") -> Batch:
    """Sequences that no training step has seen."""
    return task.batch(seed, seq_len, batch_size, loss_at, first=HELD_OUT)


def drawn(task: Any, seed: int, seq_len: int, batch_size: int, loss_at: str = "last") -> MakeBatch:
    """Fresh sequences at every training step."""
    return lambda n: task.batch(seed, seq_len, batch_size, loss_at, first=n * batch_size)


def score(network: Network, params: dict[str, Array], batch: Batch) -> float:
    """Accuracy, or the mean squared error, of the steps that are asked."""
    return metric(batch, predict(network, params, batch))
