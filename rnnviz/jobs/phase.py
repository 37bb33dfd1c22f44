"""The phase diagram: which points it has, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from rnnviz.analysis.phase import Axis
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.sweep import Point, Result, measure, parts, spaced

Clock = Callable[[], float]
Measure = Callable[[Experiment], Iterable[Result]]

MOST_SECONDS = 1.0
"""Estimated, of one model at one point: a slice of work cannot be shorter."""
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


def make_axis(name: str, number: int) -> Axis:
    """So many values of a knob; fewer where it has no more."""
    known, (low, high) = FIELDS[name], RANGES[name]
    return Axis(name, spaced(known, low, high, number, known.log), known.log)


@dataclass(frozen=True, eq=False)
class Diagram:
    """A diagram of one experiment over two knobs. done: runs of single models that are measured,
    of all together where sizes depend on each other."""

    experiment: Experiment
    x: Axis
    y: Axis
    results: tuple[Result, ...] = ()
    done: int = 0

    @cached_property
    def total(self) -> int:
        """Runs that it takes."""
        return len(self.x.values) * len(self.y.values) * len(parts(Point((), self.experiment)))

    @property
    def finished(self) -> bool:
        return self.done >= self.total

    def todo(self) -> Iterator[Point]:
        """What is not measured yet. Coarse first: every fourth cell, every second, all, each with
        all models."""
        cells = dict.fromkeys(
            (j, i)
            for stride in (4, 2, 1)
            for j, i in product(*(range(0, len(a.values), stride) for a in (self.y, self.x)))
        )
        each = self.total // len(cells)
        for number, (j, i) in enumerate(cells):
            done = self.done - number * each
            if done < each:
                yield from parts(self._point(i, j))[max(done, 0) :]

    def _point(self, i: int, j: int) -> Point:
        at: dict[str, Any] = {self.x.name: self.x.values[i], self.y.name: self.y.values[j]}
        return Point(tuple(at.items()), replace(self.experiment, **at))


def follow(now: Diagram | None, experiment: Experiment, x: Axis, y: Axis) -> Diagram:
    """The diagram of these settings: `now` if it is of them, or a new one. The two knobs' own
    values do not matter."""
    least: dict[str, Any] = {axis.name: axis.values[0] for axis in (x, y)}
    base = replace(experiment, train_steps=0, **least)
    if now is not None and (now.experiment, now.x, now.y) == (base, x, y):
        return now
    return Diagram(base, x, y)


def few_numbers(experiment: Experiment) -> list[Result]:
    """A result for each model of an experiment; why there is none if it would take long."""
    return measure(Point((), experiment), MOST_SECONDS)


def advance(
    diagram: Diagram,
    seconds: float,
    measure: Measure = few_numbers,
    clock: Clock = time.perf_counter,
) -> tuple[Diagram, tuple[Result, ...]]:
    """Measure points until the time is up or none is left; at least one."""
    end, done, results = clock() + seconds, diagram.done, list[Result]()
    for point in diagram.todo():
        results += [replace(result, at=point.at) for result in measure(point.experiment)]
        done += 1
        if clock() >= end:
            break
    record = tuple(results)
    return replace(diagram, results=diagram.results + record, done=done), record
