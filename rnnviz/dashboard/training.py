"""What a visit trains: the run that goes on, and its earlier runs.

All of it lives in `st.session_state`; what outlives the session is in `saving`.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import count
from sys import getsizeof
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.dashboard import jobs
from rnnviz.dashboard.jobs import Work
from rnnviz.dashboard.store import new_token
from rnnviz.experiment import Experiment, plan
from rnnviz.jobs.alike import Alike, Shelves
from rnnviz.jobs.training import Records, Training, advance, begin, call, catch_up
from rnnviz.training import ARRAY_BYTES, Curves
from rnnviz.wording.changes import changes

MOST_KEPT = 12
WORTH_KEEPING = 10
"""Training steps from which on a run goes to the table when another one begins."""
GHOST_POINTS = 200
STEP_SECONDS = 1.0
"""Of work that a step of a click may take."""
KEPT_BYTES = 1000
"""About what Python takes for an earlier run beside its text and its arrays."""


@dataclass(frozen=True, eq=False)
class Kept:
    """An earlier run: what it was, how long it went, its curves without their details."""

    number: int
    experiment: Experiment
    updates: int
    courses: tuple[Course, ...]

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        arrays = [getattr(c.curves, f.name) for c in self.courses for f in fields(Curves)]
        text = getsizeof(self.experiment.text)
        return KEPT_BYTES + text + sum(ARRAY_BYTES + a.nbytes for a in arrays)


def kept(training: Training) -> Kept:
    """What the table of runs remembers."""
    courses = tuple(replace(c, curves=_slim(c.curves)) for c in training.courses())
    return Kept(training.number, training.experiment, training.furthest, courses)


def _slim(curves: Any) -> Curves:
    """At most 200 recorded steps and those with held-out numbers, without what is recorded per time
    step or singular value."""
    judged = np.flatnonzero(np.isfinite(curves.held_out_loss))
    some = np.linspace(0, len(curves.steps) - 1, GHOST_POINTS).astype(int)
    rows = np.unique(np.concatenate([some, judged]))
    values = {f.name: getattr(curves, f.name)[rows] for f in fields(curves)}
    # Copies: a view, even an empty one, would keep the whole array.
    empty = {name: values[name][:, :0].copy() for name in ("log10_state", "singular_values")}
    return replace(curves, **{**values, **empty})


@dataclass(eq=False)
class Visit:
    """Everything that a visit trains.

    work: on the run that the page is about, and `next`, its next slice; ahead: on one that is
    trained before it goes on, to be drawn in grey. due: whether the browser has asked for a slice
    of training that is not done yet. restarted: why the run began anew, for the page to say.
    worked: when it trained last, in seconds of the monotonic clock. leaving: the page that is to be
    turned to. ghosts: the numbers of the runs that are drawn in grey. shown: the `zoom` of the run
    whose figures the page shows, or another panel's revision. token: what it is saved under. lost:
    whether what was trained before the page was loaded again is no longer on the server.
    """

    work: Work[Training] = field(default_factory=lambda: Work(jobs.TRAINING))
    next: jobs.NextSlice = field(default_factory=jobs.NextSlice)
    ahead: Work[Training] = field(default_factory=lambda: Work(jobs.AHEAD))
    runs: list[Kept] = field(default_factory=list)
    playing: bool = False
    due: bool = False
    restarted: str = ""
    worked: float = 0.0
    leaving: str = ""
    ghosts: tuple[int, ...] = ()
    shown: int | None = None
    token: str = field(default_factory=new_token)
    lost: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def training(self) -> Training | None:
        """The run that the page is about, as far as it is."""
        return self.work.job

    @property
    def begun(self) -> bool:
        """Whether anything was trained."""
        return bool(self.runs) or (self.training is not None and self.training.furthest > 0)

    def restore(
        self, training: Training, runs: Sequence[Kept], ghosts: tuple[int, ...] = ()
    ) -> None:
        """Bring back, paused, what an earlier session had. A run that has begun meanwhile goes
        on, after the others."""
        mine, gone_on = self.training, self.begun or self.playing
        self.numbers = count(training.number + 1)
        self.runs = [*runs, *(replace(run, number=next(self.numbers)) for run in self.runs)]
        self.work.job, self.ghosts = replace(training, goal=None), ghosts
        if mine is not None and gone_on:
            self.keep()
            self.work.job = replace(mine, number=next(self.numbers))

    def follow(self, wanted: Experiment, steps: int) -> Training:
        """The training of this experiment: the one that runs, or a new one from its start, which
        is played up to the steps that the address names."""
        if self.training is not None and self.training.experiment == wanted:
            return self.training
        before = self.training
        run = self.begin(wanted, steps or None)
        self.restarted = changes(before.experiment, wanted) if before else ""
        if steps:
            self.play()
        return run

    def begin(
        self, experiment: Experiment, goal: int | None = None, fresh: bool = False
    ) -> Training:
        """A new run; the one before goes to the table. fresh: the charts keep nothing of that."""
        self.keep()
        self.ahead.job, before, number = None, self.training, next(self.numbers)
        zoom = before.zoom if before and not fresh else number
        run = self.work.job = begin(plan(experiment), number, goal, zoom)
        self.restarted = ""
        return run

    def begin_lesson(
        self, experiment: Experiment, first: Experiment | None, goal: int | None
    ) -> None:
        """A run that shows nothing of those before it, and plays; `first` is trained ahead of
        it."""
        ahead = None if first is None else begin(plan(first), next(self.numbers), goal)
        self.begin(experiment, goal, fresh=True)
        self.ahead.job, self.ghosts = ahead, ()
        self.play()

    def play(self) -> None:
        """Let it go on from where it is."""
        self.playing = self.training is not None and bool(self.training.going)
        self.worked, self.restarted, self.lost = time.monotonic(), "", False

    def pause(self) -> None:
        """Stop, with every model as far as the others."""
        self.playing = False
        self.work.change(catch_up)

    def share(self, alike: Alike) -> tuple[Training, Shelves]:
        """Take what others have trained already in place of the same of this visit, which must
        have begun."""
        run = self.training
        assert run is not None
        shared, shelves = alike.shared(run)
        self.work.change(lambda now: shared if now is run else now)
        return shared, shelves

    def set_goal(self, goal: int | None) -> None:
        """Where it is to pause by itself; None for nowhere."""
        self.work.change(lambda run: replace(run, goal=goal))

    def step(self, updates: int) -> None:
        """Pause, and train so many steps more, as far as `STEP_SECONDS` go, with every model as
        far as the others."""
        self.playing = False
        self.set_goal(None)
        clicked = partial(advance, updates=updates, do=jobs.do_anyway)
        self.work.advance(clicked, seconds=STEP_SECONDS)
        self.work.change(catch_up)

    def advance(self, updates: int | None) -> None:
        """One slice of training, of the run ahead if there is one; it pauses where nothing is
        left to do."""
        self.due, self.worked = False, time.monotonic()
        if self.ahead.job is not None:
            self._advance_ahead()
            return
        run = self.work.advance(partial(self._slice, updates=updates))
        self.worked = time.monotonic()
        if run is not None and not run.done:
            asked = call(run, self.work.pace.slice, updates)
            self.next.begin(_place(run, updates), *asked)
        # Another script of this visit may have begun another run meanwhile.
        if run is not None and run.done and run is self.training:
            self.playing = False
            self.set_goal(None)

    def _slice(
        self, run: Training, seconds: float, updates: int | None
    ) -> tuple[Training, Records]:
        return advance(run, seconds, updates, do=partial(self.next.do, _place(run, updates)))

    def _advance_ahead(self) -> None:
        run = self.ahead.advance(partial(advance, do=jobs.do))
        self.worked = time.monotonic()
        if run is not None and run.done and run is self.ahead.job:
            self.ahead.job, self.ghosts = None, (run.number,)
            self._keep(run)

    def keep(self) -> None:
        """Put the runs that end into the table, if they got anywhere."""
        for run in (self.ahead.job, self.training):
            if run is not None and run.furthest >= WORTH_KEEPING:
                self._keep(run)

    def _keep(self, run: Training) -> None:
        self.runs = [*self.runs, kept(run)][-MOST_KEPT:]

    def reset(self) -> None:
        """Back to the same initial weights."""
        ahead, self.ahead.job = self.ahead.job, None
        if self.training is not None:
            self.begin(self.training.experiment)
        self.ahead.job, self.playing = ahead, False


def _place(run: Training, updates: int | None) -> Hashable:
    """What the next slice of a run depends on."""
    return run.number, run.goal, updates, *((n, t.state.step) for n, t in run.going.items())


def visit() -> Visit:
    """What this visit trains."""
    if "training" not in st.session_state:
        st.session_state["training"] = Visit()
    found: Visit = st.session_state["training"]
    return found
