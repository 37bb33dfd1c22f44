"""The phase diagram of a visit: which points it has, and how far it is. No threads: who calls
`advance` does the work, slice by slice."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from threading import Lock
from typing import Any

import streamlit as st

from rnnviz.analysis.phase import Axis, PhaseGrid, phase_grids
from rnnviz.dashboard.points import few_numbers
from rnnviz.dashboard.turning import Turning
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.sweep import Point, Result, parts, spaced

SLICE = 0.08
"""Seconds of work in one slice at most, unless a single model takes longer."""
DRAW_EVERY = 0.3
"""Seconds between two pictures while it is computed."""
RANGES: dict[str, tuple[float, float]] = {
    "gain": (0.25, 4.0),
    "seq_len": (10, 500),
    "memory_bias": (-2.0, 6.0),
    "distractor": (0.0, 3.0),
    "hidden_size": (4, 256),
    "input_scale": (0.0, 4.0),
    "batch_size": (1, 64),
    "leak": (0.05, 1.0),
    "skip": (1, 20),
    "layers": (1, 4),
}
"""The knobs that a diagram may be over, and from where to where."""
SIZES = {"coarse": (7, 5), "medium": (13, 9), "fine": (25, 17)}
"""Cells across and up."""
Clock = Callable[[], float]


def make_axis(name: str, number: int) -> Axis:
    """So many values of a knob; fewer where it has no more."""
    known, (low, high) = FIELDS[name], RANGES[name]
    return Axis(name, known.label, spaced(known, low, high, number, known.log), known.log)


@dataclass(eq=False)
class Diagram:
    """A diagram of one experiment over two knobs. slices: how many were done.

    Streamlit starts a script before the one that it replaces has ended: they take turns.
    """

    experiment: Experiment
    x: Axis
    y: Axis
    results: list[Result] = field(default_factory=list)
    done: int = 0
    slices: int = 0
    drawn: tuple[float, Hashable, Any] = (0.0, None, None)
    _turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._todo = self._points()

    @property
    def total(self) -> int:
        """Runs of single models that it takes; of all together where sizes depend on each other."""
        return len(self.x.values) * len(self.y.values) * len(parts(Point((), self.experiment)))

    @property
    def finished(self) -> bool:
        return self.done >= self.total

    def _points(self) -> Iterator[Point]:
        """Coarse first: every fourth cell, every second, all, each with all models."""
        seen = set()
        for stride in (4, 2, 1):
            rows, columns = (range(0, len(a.values), stride) for a in (self.y, self.x))
            for j, i in product(rows, columns):
                if (j, i) not in seen:
                    seen.add((j, i))
                    yield from parts(self._point(i, j))

    def _point(self, i: int, j: int) -> Point:
        at: dict[str, Any] = {self.x.name: self.x.values[i], self.y.name: self.y.values[j]}
        return Point(tuple(at.items()), replace(self.experiment, **at))

    def advance(self, seconds: float = SLICE, clock: Clock = time.perf_counter) -> None:
        """Measure points until the time is up or none is left; at least one."""
        with self._turn:
            end = clock() + seconds
            self.slices += 1
            for point in self._todo:
                found = few_numbers(point.experiment)
                self.results += [replace(result, at=point.at) for result in found]
                self.done += 1
                if clock() >= end:
                    break

    def grids(self, quantity: str) -> tuple[PhaseGrid, ...]:
        """What there is so far."""
        models = [str(model) for model in self.experiment.models]
        return phase_grids(self.results, models, self.x, self.y, quantity)

    def picture(self, of: Hashable, make: Callable[[], Any], clock: Clock = time.monotonic) -> Any:
        """What `make` makes of the results. While they grow, a picture of the same some tenths of
        a second old will do."""
        now = clock()
        at, shown, before = self.drawn
        if shown == of and not self.finished and now - at < DRAW_EVERY:
            return before
        self.drawn = now, of, make()
        return self.drawn[2]


@dataclass(eq=False)
class Visit:
    """The diagram that this visit sees, and whether it goes on being computed."""

    diagram: Diagram | None = None
    running: bool = True
    turning: Turning = field(default_factory=Turning)

    def follow(self, experiment: Experiment, x: Axis, y: Axis) -> Diagram:
        """The diagram of these settings: the one there is, or a new one. The two knobs' own
        values do not matter."""
        least: dict[str, Any] = {axis.name: axis.values[0] for axis in (x, y)}
        base = replace(experiment, train_steps=0, **least)
        now = self.diagram
        if now is None or (now.experiment, now.x, now.y) != (base, x, y):
            now = self.diagram = Diagram(base, x, y)
        return now


def visit() -> Visit:
    """What this visit computes; it ends with the visit."""
    if "diagram" not in st.session_state:
        st.session_state["diagram"] = Visit()
    found: Visit = st.session_state["diagram"]
    return found
