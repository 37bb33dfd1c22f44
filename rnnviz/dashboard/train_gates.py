"""The gates of a network at the checkpoints of its training."""

from __future__ import annotations

import numpy as np

from rnnviz.core import forward
from rnnviz.core.network import Network
from rnnviz.dashboard.trainees import Trainee, Training
from rnnviz.plots.training_weights import GateCourse
from rnnviz.tasks import Batch
from rnnviz.training import TrainState

Array = np.ndarray
UNITS, STEPS = 32, 120
FIRST = "0.forward."
"""Prefix of the parameters of the first layer."""


def gate_courses(training: Training, batch: Batch, most: int) -> tuple[GateCourse, ...]:
    """The memory gate, or the state of a cell without gates, of each model's first layer for the
    first sequence of `batch`; at `most` checkpoints, the last one among them."""
    return tuple(
        _gate_course(label, trainee, batch, most) for label, trainee in training.trainees.items()
    )


def _gate_course(label: str, trainee: Trainee, batch: Batch, most: int) -> GateCourse:
    cell = trainee.network.cells[0]
    gate = cell.MEMORY_GATE or cell.GATES[0]
    chosen = trainee.checkpoints(most)
    values = [_values(trainee.network, state, gate, batch) for state in chosen]
    return GateCourse(label, gate, np.array([s.step for s in chosen]), np.stack(values))


def _values(network: Network, state: TrainState, gate: str, batch: Batch) -> Array:
    """(H, T) of the gate, thinned to what a panel shows."""
    own = {name.removeprefix(FIRST): p for name, p in state.params.items() if FIRST in name}
    record = forward(network.cells[0], own, batch.x[..., :1])
    values = record.gates[gate][:, :, 0].T
    down, across = (
        -(-size // most) for size, most in zip(values.shape, (UNITS, STEPS), strict=True)
    )
    return values[::down, ::across]
