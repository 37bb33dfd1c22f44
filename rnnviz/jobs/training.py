"""Models in training side by side, slice by slice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce
from operator import or_
from sys import getsizeof
from typing import Any

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.bptt import Tell
from rnnviz.experiment import Experiment, Plan
from rnnviz.experiment.judging import judged
from rnnviz.experiment.runs import options_of, scores_on
from rnnviz.training import History, StepRecord, TrainState, state_bytes, train
from rnnviz.training import advance as train_to

Clock = Callable[[], float]
Records = tuple[tuple[str, StepRecord], ...]
"""What a slice of training has found: a model's label and one of its steps, in their order."""

RECORDS = 600
CHECKPOINT_BYTES = 4 << 20


@dataclass(frozen=True, eq=False)
class Trainee:
    """Where one model stands. state: from which it goes on; shown: that of which the last record
    is. event: why it stopped, as a sentence; "" while it goes on."""

    state: TrainState
    history: History
    shown: TrainState
    event: str = ""

    @property
    def updates(self) -> int:
        """Training steps of the network whose loss was recorded last; `state` is one further on,
        if nothing went wrong."""
        return self.history.last.step

    def checkpoints(self, most: int) -> list[TrainState]:
        """At most so many of those that are kept, the last one among them."""
        kept = self.history.checkpoints
        rows = np.unique(np.linspace(len(kept) - 1, 0, most).astype(int))
        return [kept[row] for row in rows]


@dataclass(frozen=True, eq=False)
class Training:
    """The models of a plan, trained in lockstep on the same batches.

    number: tells one run of a visit from the others. goal: the number of updates at which there is
    nothing left to do; None for never. zoom: of runs with the same number the charts keep what a
    reader zoomed to.
    """

    plan: Plan
    trainees: dict[str, Trainee]
    number: int = 1
    goal: int | None = None
    zoom: int = 0

    @property
    def experiment(self) -> Experiment:
        return self.plan.experiment

    @property
    def updates(self) -> int:
        """Training steps that every model which still goes on shows: of the last recorded loss."""
        return min((t.updates for t in self.going.values()), default=self.furthest)

    @property
    def furthest(self) -> int:
        return max(t.updates for t in self.trainees.values())

    @property
    def going(self) -> dict[str, Trainee]:
        """The models that have not stopped."""
        return {label: t for label, t in self.trainees.items() if not t.event}

    @property
    def done(self) -> bool:
        """Nothing is left to do: all models have stopped, or the goal is reached."""
        reached = self.goal is not None and self.updates >= self.goal
        return reached or not self.going

    @property
    def nbytes(self) -> int:
        """The memory it takes without its plan."""
        text = getsizeof(self.experiment.text)
        histories = sum(t.history.nbytes for t in self.trainees.values())
        return text + histories + sum(self._shown.values())

    @property
    def parts(self) -> dict[int, int]:
        """The memory of each record and each state, by its `id`: what others that train the same
        may have too, see `Alike`."""
        kept = (t.history.parts for t in self.trainees.values())
        return reduce(or_, kept, self._shown)

    @property
    def _shown(self) -> dict[int, int]:
        """Of the states that are shown and are none of their histories'; the one that is reached
        is."""
        shown = (t.shown for t in self.trainees.values() if t.shown not in t.history.checkpoints)
        return {id(state): state_bytes(state) for state in shown}

    @cached_property
    def held_out(self) -> dict[str, dict[str, float]]:
        """Label -> how good the network that is shown is on what training never sees; see
        `runs.held_out`."""
        networks, batch = self.plan.networks, self.plan.held_out_batch
        if batch is None:
            return {label: {} for label in self.trainees}
        return {
            label: scores_on(self.experiment, networks[label], trainee.shown.params, batch)
            for label, trainee in self.trainees.items()
        }

    def courses(self) -> tuple[Course, ...]:
        """What is recorded of each model."""
        return tuple(
            Course(label, t.history.curves(), t.history.clipped_share, t.event,
                   t.history.largest_norm)
            for label, t in self.trainees.items()
            if t.history.records
        )  # fmt: skip

    def params_at(self, label: str, step: int, tell: Tell | None = None) -> dict[str, Any]:
        """A model's parameters after so many steps, from the nearest checkpoint before."""
        near, network = self.trainees[label].history.nearest(step), self.plan.networks[label]
        options = options_of(self.experiment)
        return train_to(network, near, self.plan.batch_at, options, step, tell).params


def begin(plan: Plan, number: int = 1, goal: int | None = None, zoom: int = 0) -> Training:
    """Every model at its initial weights, and one step on: its record is of these weights."""
    states = {label: TrainState(0, plan.init_params(label)) for label in plan.networks}
    trainees = {
        label: Trainee(state, History(state, RECORDS, CHECKPOINT_BYTES), state)
        for label, state in states.items()
    }
    run, _ = _until(Training(plan, trainees, number, goal, zoom), _has_begun)
    return run


def _has_begun(run: Training) -> bool:
    return all(t.history.records for t in run.trainees.values())


def advance(
    run: Training,
    seconds: float,
    updates: int | None = None,
    clock: Clock = time.perf_counter,
) -> tuple[Training, Records]:
    """Train one model after the other until so many updates are done, the time is up or nothing is
    left to do; at least one step of one model."""
    end = clock() + seconds
    if updates is None:
        return _until(run, lambda now: now.done, lambda: clock() >= end)
    target = run.updates + updates
    return _until(run, lambda now: now.done or now.updates >= target, lambda: clock() >= end)


def catch_up(run: Training) -> Training:
    """The models that are behind come as far as the others."""
    furthest = max((t.updates for t in run.going.values()), default=0)
    now, _ = _until(run, lambda now: not now.going or now.updates >= furthest)
    return now


def _until(
    run: Training, enough: Callable[[Training], bool], late: Callable[[], bool] = lambda: False
) -> tuple[Training, Records]:
    """Step after step, of the model that is furthest behind, until it is `enough` or, after at
    least one step, too `late`. `run` stays as it is: its histories are copied once."""
    # All models take the same batch one after the other; it is made once.
    make_batch, options = lru_cache(maxsize=2)(run.plan.batch_at), options_of(run.experiment)
    trainees = {
        label: t if t.event else replace(t, history=t.history.copy())
        for label, t in run.trainees.items()
    }
    now, records = replace(run, trainees=trainees), list[tuple[str, StepRecord]]()
    while not enough(now):
        label, behind = min(now.going.items(), key=lambda item: item[1].state.step)
        network = run.plan.networks[label]
        state, record = next(train(network, behind.state, make_batch, options))
        record = judged(run.plan, network, behind.state, record)
        behind.history.add(state, record)
        trainees[label] = replace(behind, state=state, shown=behind.state, event=record.sentence)
        records.append((label, record))
        if late():
            break
    return now, tuple(records)
