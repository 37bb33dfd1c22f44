"""What a visit trains: its models, its clock, its earlier runs. No threads: a tick does the work.

All of it lives in `st.session_state`, so it ends with the visit; a page that is left does not tick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from itertools import count
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.core.network import Network
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import Experiment
from rnnviz.experiment.training import batches_of, options_of, start
from rnnviz.tasks import Batch
from rnnviz.training import (
    Curves,
    History,
    StepRecord,
    TrainOptions,
    TrainState,
    advance,
    train,
)

Clock = Callable[[], float]
SLICE = 0.08
"""Seconds of work in one tick at most, unless a single step takes longer."""
RECORDS = 600
CHECKPOINT_BYTES = 4 << 20
MOST_KEPT = 12
WORTH_KEEPING = 10
"""Training steps from which on a run goes to the table when another one begins."""
GHOST_POINTS = 200


@dataclass(eq=False)
class Trainee:
    """One model in training. `event` is why it stopped, as a sentence; "" while it goes on."""

    network: Network
    state: TrainState
    history: History
    make_batch: Callable[[int], Batch]
    options: TrainOptions
    event: str = ""

    @cached_property
    def _steps(self) -> Iterator[tuple[TrainState, StepRecord]]:
        return train(self.network, self.state, self.make_batch, self.options)

    def step(self) -> None:
        self.state, record = next(self._steps)
        self.history.add(self.state, record)
        self.event = record.sentence

    def params_at(self, step: int) -> dict[str, Any]:
        """The parameters after so many steps, from the nearest checkpoint before."""
        near = self.history.nearest(step)
        return advance(self.network, near, self.make_batch, self.options, step).params


@dataclass(eq=False)
class Training:
    """The models of an experiment, trained in lockstep on the same batches.

    goal: the number of updates at which it pauses by itself; None for never.
    """

    experiment: Experiment
    number: int
    trainees: dict[str, Trainee]
    goal: int | None = None

    @property
    def updates(self) -> int:
        """Training steps that every model which still goes on has done."""
        return min((t.state.step for t in self.going), default=self.furthest)

    @property
    def furthest(self) -> int:
        return max(t.state.step for t in self.trainees.values())

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
        end = clock() + seconds
        target = self.updates + updates if updates else None
        while not self.done and (target is None or self.updates < target):
            self._next().step()
            if clock() >= end:
                break

    def level(self) -> None:
        """Let the models that are behind catch up."""
        furthest = max((t.state.step for t in self.going), default=0)
        while self.updates < furthest and self.going:
            self._next().step()

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
    # All models take the same batch one after the other; it is made once.
    make_batch = lru_cache(maxsize=2)(batches_of(experiment))
    options = options_of(experiment)
    trainees = {}
    for label, (network, state) in start(experiment).items():
        history = History(state, RECORDS, CHECKPOINT_BYTES)
        trainees[label] = Trainee(network, state, history, make_batch, options)
    training = Training(experiment, number, trainees)
    for trainee in trainees.values():
        trainee.step()
    return training


@dataclass(frozen=True, eq=False)
class Kept:
    """An earlier run: what it was, how long it went, its curves without their details."""

    number: int
    experiment: Experiment
    updates: int
    courses: tuple[Course, ...]


def kept(training: Training) -> Kept:
    """What the table of runs remembers."""
    courses = tuple(replace(c, curves=_slim(c.curves)) for c in training.courses())
    return Kept(training.number, training.experiment, training.furthest, courses)


def _slim(curves: Any) -> Curves:
    """At most 200 recorded steps, without what is recorded per time step or singular value."""
    rows = np.unique(np.linspace(0, len(curves.steps) - 1, GHOST_POINTS).astype(int))
    values = {f.name: getattr(curves, f.name)[rows] for f in fields(curves)}
    empty = {name: values[name][:, :0] for name in ("log10_state", "singular_values")}
    return replace(curves, **{**values, **empty})


@dataclass(eq=False)
class Visit:
    """Everything that a visit trains.

    restarted: why the run began anew, for the page to say. ticked: when it was last advanced by
    the clock, in seconds. leaving: the page that is to be turned to.
    """

    training: Training | None = None
    runs: list[Kept] = field(default_factory=list)
    playing: bool = False
    restarted: str = ""
    ticked: float = 0.0
    leaving: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def follow(self, wanted: Experiment) -> Training:
        """The training of this experiment: the one that runs, or a new one from its start."""
        if self.training is not None and self.training.experiment == wanted:
            return self.training
        before = self.training
        run = self.begin(wanted)
        self.restarted = changes(before.experiment, wanted) if before else ""
        return run

    def begin(self, experiment: Experiment) -> Training:
        """A new run; the one before goes to the table."""
        self.keep()
        self.training = begin(experiment, next(self.numbers))
        self.restarted = ""
        return self.training

    def keep(self) -> None:
        """Put the run that ends into the table, if it got anywhere."""
        if self.training is not None and self.training.furthest >= WORTH_KEEPING:
            self.runs = [*self.runs, kept(self.training)][-MOST_KEPT:]
        self.training = None

    def reset(self) -> None:
        """Back to the same initial weights."""
        if self.training is not None:
            self.begin(self.training.experiment)
        self.playing = False


def visit() -> Visit:
    """What this visit trains."""
    if "training" not in st.session_state:
        st.session_state["training"] = Visit()
    found: Visit = st.session_state["training"]
    return found


def untrained(experiment: Experiment) -> Experiment:
    """The experiment before any training: what a run is known by."""
    return replace(experiment, train_steps=0)


def beginning(setting: Setting) -> Setting:
    """What the Train page starts from: no training yet, and exact even while a knob is dragged."""
    exact = replace(setting.experiment, train_steps=0, dtype=st.session_state["dtype"])
    return replace(setting, experiment=exact)


def still_to_do(experiment: Experiment) -> Experiment:
    """The experiment whose cost is what showing this one takes: without the training that this
    visit has done."""
    return untrained(experiment) if _trained_here(experiment) else experiment


def trained_params(experiment: Experiment) -> dict[str, Any] | None:
    """Label -> parameters after `train_steps`, if this visit has trained that far; else None."""
    run = _trained_here(experiment)
    if run is None:
        return None
    return {label: t.params_at(experiment.train_steps) for label, t in run.trainees.items()}


def _trained_here(experiment: Experiment) -> Training | None:
    if not experiment.train_steps:
        return None
    run = visit().training
    if run is None or run.experiment != untrained(experiment):
        return None
    return run if experiment.train_steps <= run.updates else None


def changes(before: Experiment, after: Experiment, most: int = 3) -> str:
    """What differs, in words: "gain 1 → 1.5, seq len 100 → 40"; the first few."""
    names = [f.name for f in fields(Experiment)]
    different = [n for n in names if getattr(before, n) != getattr(after, n)]
    said = [f"{name.replace('_', ' ')} {_show(getattr(before, name))} → "
            f"{_show(getattr(after, name))}" for name in different if name != "text"]  # fmt: skip
    said += ["another text"] * ("text" in different)
    return ", ".join([*said[:most], *(["…"] if len(said) > most else [])])


def _show(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
