"""Many experiments: the same one with some fields changed, on all cores or on a cluster.

    for result in sweep(Experiment(), over={"gain": [0.5, 1, 2], "seq_len": [50, 100]}):
        print(result.row())

A script that is run as a file needs `if __name__ == "__main__":` around this, for the workers
import it. `pandas.DataFrame(r.row() for r in sweep(...))` is a table of everything.

On a Dask cluster (the extra `dask`: `pip install ".[dask]"`; its workers need rnnviz, too):

    with distributed.Client("tcp://scheduler:8786") as client:
        results = list(sweep(experiment, over, executor=client.get_executor(pure=False)))
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf
from typing import Any

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.measures import Measures, measures
from rnnviz.core import checks
from rnnviz.core.cost import Estimate
from rnnviz.experiment import (
    FIELDS,
    Experiment,
    Field,
    check_size,
    estimate,
    make_networks,
    make_task,
    run,
)
from rnnviz.experiment.effects import acted_on, why_idle
from rnnviz.sweep.pool import Jobs, Pool, chunked, cores

Pairs = tuple[tuple[str, Any], ...]

CHUNK_SECONDS = 0.2
"""Estimated work that travels to a worker at once: enough to outweigh the way."""
MAX_SECONDS = 600.0
"""Estimated seconds from which on a point is refused."""
STATUSES = ("reach_status", "final_status", "lambda_1_status")
NO_FIELDS = {
    "models": "every model has results of its own; choose models in the experiment",
    "seed": "give seeds=",
}


@dataclass(frozen=True)
class Point:
    """One experiment of a sweep, and in which fields it differs from the one swept over."""

    at: Pairs
    experiment: Experiment


@dataclass(frozen=True)
class Result:
    """One model at one point. measures: its numbers; None if it was refused or failed, and then
    `message` says why. seconds: what it took, on one core."""

    at: Pairs
    seed: int
    model: str
    measures: Measures | None
    seconds: float
    message: str = ""

    @property
    def key(self) -> tuple[Pairs, int, str]:
        """What no other result of the sweep has."""
        return self.at, self.seed, self.model

    def row(self) -> dict[str, Any]:
        """The result as a row of a table: the changed fields, seed, model, then the numbers, None
        where there is none. A status is its name."""
        numbers = dict.fromkeys(Measures.__dataclass_fields__)
        if self.measures is not None:
            numbers = asdict(self.measures)
            for name in STATUSES:
                numbers[name] = numbers[name].name.lower()
        return {**dict(self.at), "seed": self.seed, "model": self.model, **numbers,
                "seconds": self.seconds, "message": self.message}  # fmt: skip


def sweep(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    seeds: Iterable[int] | None = None,
    executor: Executor | None = None,
    max_seconds: float = MAX_SECONDS,
) -> Iterator[Result]:
    """Run every combination of the values in `over`, with every seed; results as they finish.

    over: field of `Experiment` -> its values. seeds: the experiment's own unless given. executor:
    any of `concurrent.futures`; without one, a process a core. max_seconds: estimated time from
    which on a point is refused.
    Everything is checked before anything runs; points are made, sent and forgotten as the results
    are asked for. A point that is refused (too large) or fails has a result with a message; so has
    one whose worker died three times.
    Raises ValueError naming the field, what came and what is allowed.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as executor:
    ...     results = list(sweep(experiment, {"gain": [0.5, 2.0]}, executor=executor))
    >>> [(result.model, dict(result.at)["gain"]) for result in results]
    [('rnn', 0.5), ('lstm', 0.5), ('rnn', 2.0), ('lstm', 2.0)]
    """
    return run_points(points(experiment, over, seeds), executor, max_seconds)


def points(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    seeds: Iterable[int] | None = None,
) -> Iterator[Point]:
    """Every point of a sweep, the last field's values changing first, the seeds before them.
    Raises ValueError as `sweep` does, before the first point."""
    if not isinstance(over, Mapping):
        raise ValueError(f"over must be a mapping from fields to their values, got {over!r:.80}")
    axes = {name: axis(experiment, name, values) for name, values in over.items()}
    for name, values in axes.items():
        if len(values) > 1 and not acted_on(experiment, axes, name):
            raise ValueError(
                f"over must hold fields that act on a model, {name} acts on none of "
                f"{', '.join(experiment.models)}: {why_idle(experiment, name)}"
            )
    every = [experiment.seed] if seeds is None else _listed("seeds", seeds)
    seeds_ = _different(experiment, "seed", every, "seeds")
    return (
        Point(tuple(zip(axes, values, strict=True)),
              replace(experiment, **dict(zip(axes, values, strict=True)), seed=seed))
        for *values, seed in itertools.product(*axes.values(), seeds_)
    )  # fmt: skip


def count(over: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> int:
    """How many points a sweep has."""
    total = len(seeds)
    for values in over.values():
        total *= len(values)
    return total


def axis(experiment: Experiment, name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """The values of one field, checked and in the field's own type."""
    if name in NO_FIELDS:
        raise ValueError(f"over must not hold {name}: {NO_FIELDS[name]}")
    if name not in FIELDS:
        known = ", ".join(field for field in FIELDS if field not in NO_FIELDS)
        raise ValueError(f"over must hold fields of an experiment ({known}), got {name!r}")
    said = f"over[{name!r}]"
    return _different(experiment, name, _listed(said, values), said)


def _listed(said: str, values: Any) -> list[Any]:
    """Several values. Raises ValueError for a single one, such as a text."""
    with suppress(TypeError):  # an array may be of a single value, too
        if not isinstance(values, str):
            return list(values)
    raise ValueError(f"{said} must be a list of values, got {values!r:.80}")


def spaced(known: Field, low: float, high: float, number: int, log: bool) -> tuple[Any, ...]:
    """So many values of a field from low to high, evenly or in equal ratios, of six digits; whole
    ones for a field of whole numbers, none twice.
    Raises ValueError for ends that make no range."""
    if number < 2 or not 0 < high - low < inf or (log and low <= 0):
        raise ValueError("a range must go up from one finite number to another, in at least 2 "
                         "values, and on a log scale from above 0, got "
                         f"{checks.exact(low)} to {checks.exact(high)} in {number}")  # fmt: skip
    values = (np.geomspace if log else np.linspace)(low, high, number)
    if known.kind == "int":
        return tuple(dict.fromkeys(round(v) for v in values.tolist()))
    return tuple(float(f"{v:.6g}") for v in values.tolist())


def _different(
    experiment: Experiment, name: str, values: Iterable[Any], said: str
) -> tuple[Any, ...]:
    checked = tuple(getattr(replace(experiment, **{name: v}), name) for v in values)
    if not checked:
        raise ValueError(f"{said} must hold at least one value, got none")
    for earlier, later in itertools.pairwise(sorted(checked)):
        if earlier == later:
            raise ValueError(f"{said} must be different values, got {later!r} twice")
    return checked


def run_points(
    todo: Iterable[Point], executor: Executor | None = None, max_seconds: float = MAX_SECONDS
) -> Iterator[Result]:
    """The results of these points as they finish. The points are taken one by one. Raises
    ValueError for a limit that is none."""
    work = partial(work_on, max_seconds=checked_seconds(max_seconds))
    chunks = chunked(todo, _cost, CHUNK_SECONDS)
    return Jobs(work, _lost, executor or Pool(cores())).results(chunks)


def checked_seconds(max_seconds: float) -> float:
    """A limit from 0 on, inf for none. Raises ValueError for another number, and for NaN."""
    if not (isinstance(max_seconds, int | float | np.number) and max_seconds >= 0):
        raise ValueError(f"max_seconds must be a number from 0, got {max_seconds!r}")
    return max_seconds


def work_on(chunk: Iterable[Point], attempt: int, max_seconds: float) -> list[Result]:
    """What a worker does. attempt: makes a repeated call another one for executors that remember
    what they were asked."""
    return [result for point in chunk for result in measured(point, max_seconds)]


def measured(point: Point, max_seconds: float = MAX_SECONDS) -> Iterator[Result]:
    """The results of one point, model by model, so that one model's record is held at a time."""
    for part in parts(point):
        yield from measure(part, max_seconds)


def parts(point: Point) -> tuple[Point, ...]:
    """The same with one model each; all together where their sizes depend on each other."""
    experiment = point.experiment
    if experiment.match == "parameters":
        return (point,)
    return tuple(replace(point, experiment=replace(experiment, models=(model,)))
                 for model in experiment.models)  # fmt: skip


def measure(point: Point, max_seconds: float = MAX_SECONDS) -> list[Result]:
    """Run the models of a point and take their numbers; whatever happens, a result for each.

    Of a network of several layers or directions, the last layer's first direction: what Gradient
    flow shows in front, and what error has to come through.
    """
    start, experiment = time.perf_counter(), point.experiment
    try:
        if refusal := check_size(experiment, max_seconds=max_seconds, cost_of=cost_of):
            return _without(point, refusal)
        found = {label: measures(trace.layers[-1][0], experiment.batch_size)
                 for label, trace in run(experiment).items()}  # fmt: skip
    except Exception as error:
        return _without(point, f"{type(error).__name__}: {error}")
    seconds = (time.perf_counter() - start) / len(found)
    return [Result(point.at, experiment.seed, label, numbers, seconds)
            for label, numbers in found.items()]  # fmt: skip


def cost_of(experiment: Experiment) -> Estimate:
    """Of a run and the numbers that are taken of it. Raises ValueError where the task cannot be
    made."""
    seq_len, *sizes = make_task(experiment).shape(experiment.seq_len)
    costs = [limits.measures_cost(network.cells[-1], seq_len, experiment.batch_size)
             for network in make_networks(experiment, *sizes).values()]  # fmt: skip
    numbers = replace(sum(costs, Estimate()), bytes=max(cost.bytes for cost in costs))
    return estimate(experiment) + numbers


def _without(point: Point, message: str) -> list[Result]:
    """What is said where there are no numbers."""
    e = point.experiment
    return [Result(point.at, e.seed, str(model), None, 0.0, message) for model in e.models]


def _lost(point: Point, why: str) -> list[Result]:
    return _without(point, f"the worker was lost with it every time ({why})")


def _cost(point: Point) -> float:
    """Estimated seconds; 0 for what will be refused."""
    with suppress(ValueError):
        return cost_of(point.experiment).seconds
    return 0.0
