"""Models in training side by side, slice by slice. No threads: who calls does the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from sys import getsizeof
from threading import Lock
from typing import Any

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.bptt import Tell
from rnnviz.core.network import Network
from rnnviz.experiment import Experiment
from rnnviz.experiment.training import batches_of, options_of, start
from rnnviz.tasks import Batch
from rnnviz.training import History, StepRecord, TrainOptions, TrainState, advance, train

Clock = Callable[[], float]
SLICE = 0.05
"""Seconds of work in one slice at most, unless a single step takes longer."""
RECORDS = 600
CHECKPOINT_BYTES = 4 << 20


@dataclass(eq=False)
class Trainee:
    """One model in training. `event` is why it stopped, as a sentence; "" while it goes on."""

    network: Network
    state: TrainState
    history: History
    make_batch: Callable[[int], Batch]
    options: TrainOptions
    event: str = ""

    @property
    def updates(self) -> int:
        """Training steps of the network whose loss was recorded last; `state` is one further on,
        if nothing went wrong."""
        return self.history.last.step

    @cached_property
    def _steps(self) -> Iterator[tuple[TrainState, StepRecord]]:
        return train(self.network, self.state, self.make_batch, self.options)

    def step(self) -> None:
        self.state, record = next(self._steps)
        self.history.add(self.state, record)
        self.event = record.sentence

    def checkpoints(self, most: int) -> list[TrainState]:
        """At most so many of those that are kept, the last one among them."""
        kept = self.history.checkpoints
        rows = np.unique(np.linspace(len(kept) - 1, 0, most).astype(int))
        return [kept[row] for row in rows]

    def params_at(self, step: int, tell: Tell | None = None) -> dict[str, Any]:
        """The parameters after so many steps, from the nearest checkpoint before."""
        near = self.history.nearest(step)
        return advance(self.network, near, self.make_batch, self.options, step, tell).params


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A training as plain values: enough to go on as if it had not been interrupted.

    stands: label -> the state that is reached, what is recorded until then, why it stopped.
    """

    experiment: Experiment
    number: int
    stands: dict[str, tuple[TrainState, History, str]]

    @property
    def nbytes(self) -> int:
        """The memory it takes; the state that is reached is one of the history's."""
        text = getsizeof(self.experiment.text)
        return text + sum(history.nbytes for _, history, _ in self.stands.values())


@dataclass(eq=False)
class Training:
    """The models of an experiment, trained in lockstep on the same batches.

    goal: the number of updates at which it pauses by itself; None for never. zoom: of runs with
    the same number the charts keep what a reader zoomed to.
    Streamlit starts a script before the one that it replaces has ended: they take turns.
    """

    experiment: Experiment
    number: int
    trainees: dict[str, Trainee]
    goal: int | None = None
    zoom: int = 0
    _turn: Lock = field(default_factory=Lock)

    @property
    def updates(self) -> int:
        """Training steps that every model which still goes on shows: of the last recorded loss."""
        return min((t.updates for t in self.going), default=self.furthest)

    @property
    def furthest(self) -> int:
        return max(t.updates for t in self.trainees.values())

    @property
    def going(self) -> list[Trainee]:
        return [t for t in self.trainees.values() if not t.event]

    @property
    def done(self) -> bool:
        """Nothing is left to do: all models have stopped, or the goal is reached."""
        reached = self.goal is not None and self.updates >= self.goal
        return reached or not self.going

    def advance(self, updates: int | None = None, seconds: float = SLICE,
                clock: Clock = time.perf_counter) -> None:  # fmt: skip
        """Train one model after the other until so many updates are done, the time is up or
        nothing is left to do; at least one step of one model."""
        with self._turn:
            end = clock() + seconds
            target = self.updates + updates if updates else None
            while not self.done and (target is None or self.updates < target):
                self._next().step()
                if clock() >= end:
                    break

    def level(self) -> None:
        """Let the models that are behind catch up."""
        with self._turn:
            furthest = max((t.updates for t in self.going), default=0)
            while self.updates < furthest and self.going:
                self._next().step()

    def snapshot(self) -> Snapshot:
        """Where every model stands, between two of its steps."""
        with self._turn:
            stands = {
                label: (t.state, t.history.copy(), t.event) for label, t in self.trainees.items()
            }
        return Snapshot(self.experiment, self.number, stands)

    def _next(self) -> Trainee:
        """The models take turns, the one that is furthest behind first."""
        return min(self.going, key=lambda trainee: trainee.state.step)

    def courses(self) -> tuple[Course, ...]:
        """What is recorded of each model."""
        return tuple(
            Course(label, t.history.curves(), t.history.clipped_share, t.event)
            for label, t in self.trainees.items()
            if t.history.records
        )


def begin(experiment: Experiment, number: int = 1) -> Training:
    """Every model at its initial weights, and one step on: its record is of these weights."""
    stands = {
        label: (state, History(state, RECORDS, CHECKPOINT_BYTES), "")
        for label, (_, state) in start(experiment).items()
    }
    training = resume(Snapshot(experiment, number, stands))
    for trainee in training.trainees.values():
        trainee.step()
    return training


def resume(snapshot: Snapshot) -> Training:
    """The training that goes on from there, to the bit; the snapshot stays as it is."""
    experiment = snapshot.experiment
    # All models take the same batch one after the other; it is made once.
    make_batch = lru_cache(maxsize=2)(batches_of(experiment))
    options = options_of(experiment)
    trainees = {}
    for label, (network, _) in start(experiment).items():
        state, history, event = snapshot.stands[label]
        trainees[label] = Trainee(network, state, history.copy(), make_batch, options, event)
    return Training(experiment, snapshot.number, trainees)
