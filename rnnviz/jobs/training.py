"""Models in training side by side, slice by slice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce
from math import inf
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
Do = Callable[..., Any]
"""do(function, *args) -> what function(*args) returns."""
Step = tuple[str, TrainState, StepRecord]
"""A step of training: the model's label, where it led to, and its record."""
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
    run = Training(plan, trainees, number, goal, zoom)
    return _further(run, taken(plan, _stages(run), 0, inf))[0]


def advance(
    run: Training,
    seconds: float,
    updates: int | None = None,
    clock: Clock = time.perf_counter,
    do: Do = lambda function, *args: function(*args),
) -> tuple[Training, Records]:
    """Train one model after the other until so many updates are done, the time is up or nothing is
    left to do; at least one step of one model. do: where the steps are taken, maybe in another
    process; the time is that of the work."""
    return (run, ()) if run.done else _further(run, do(*call(run, seconds, updates, clock)))


def call(
    run: Training, seconds: float, updates: int | None = None, clock: Clock = time.perf_counter
) -> tuple[Any, ...]:
    """The function and its arguments that take the steps of such a slice."""
    ends = (run.goal, None if updates is None else run.updates + updates)
    target = min((end for end in ends if end is not None), default=None)
    return taken, run.plan, _stages(run), target, seconds, clock


def catch_up(run: Training) -> Training:
    """The models that are behind come as far as the others."""
    furthest = max((t.updates for t in run.going.values()), default=0)
    return _further(run, taken(run.plan, _stages(run), furthest, inf))[0]


@dataclass(frozen=True, eq=False)
class Stage:
    """From where a model goes on, and the training step of its last record; -1 before the first."""

    state: TrainState
    recorded: int


def _stages(run: Training) -> dict[str, Stage]:
    return {
        label: Stage(t.state, t.updates if t.history.records else -1)
        for label, t in run.going.items()
    }


def taken(
    plan: Plan,
    stages: Mapping[str, Stage],
    target: int | None,
    seconds: float,
    clock: Clock = time.perf_counter,
) -> tuple[Step, ...]:
    """Step after step, of the model that is furthest behind, until all have recorded `target`
    (None: no end), all have stopped or, after at least one step, the time is up."""
    end, going, found = clock() + seconds, dict(stages), list[Step]()
    # All models take the same batch one after the other; it is made once.
    make_batch, options = lru_cache(maxsize=2)(plan.batch_at), options_of(plan.experiment)
    while going and (target is None or min(s.recorded for s in going.values()) < target):
        label, behind = min(going.items(), key=lambda item: item[1].state.step)
        network = plan.networks[label]
        state, record = next(train(network, behind.state, make_batch, options))
        record = judged(plan, network, behind.state, record)
        found.append((label, state, record))
        going[label] = Stage(state, record.step)
        if record.sentence:
            del going[label]
        if clock() >= end:
            break
    return tuple(found)


def _further(run: Training, steps: Iterable[Step]) -> tuple[Training, Records]:
    """The run after these steps. `run` stays as it is: its histories are copied once."""
    trainees, records = dict(run.trainees), list[tuple[str, StepRecord]]()
    for label in run.going:
        trainees[label] = replace(trainees[label], history=trainees[label].history.copy())
    for label, state, record in steps:
        before = trainees[label]
        before.history.add(state, record)
        trainees[label] = replace(before, state=state, shown=before.state, event=record.sentence)
        records.append((label, record))
    return replace(run, trainees=trainees), tuple(records)
