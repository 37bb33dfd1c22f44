"""Trainings of a few small networks, and what two of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from rnnviz import Experiment
from rnnviz.experiment import plan
from rnnviz.jobs.training import Trainee, Training, advance, begin, catch_up
from rnnviz.training import Curves


def trained(experiment: Experiment, steps: int, run: Training | None = None) -> Training:
    """That far, or further on from `run`."""
    run = run or begin(plan(experiment))
    now, _ = advance(run, 1000, steps - run.updates)
    return catch_up(now)


def same_training(left: Training, right: Training) -> bool:
    """To the bit: parameters, what the optimizer remembers, curves, checkpoints."""
    pairs = [(left.trainees[name], right.trainees[name]) for name in left.trainees]
    return left.updates == right.updates and all(
        a.event == b.event
        and all(equal(x, y) for x, y in zip(states(a), states(b), strict=True))
        and equal(curves(a), curves(b))
        for a, b in pairs
    )


def states(trainee: Trainee) -> Iterator[dict[str, np.ndarray]]:
    for state in (*trainee.history.checkpoints, trainee.state):
        yield {"step": np.array(state.step), **state.params, **state.moments}


def curves(trainee: Trainee) -> dict[str, np.ndarray]:
    return {f.name: getattr(trainee.history.curves(), f.name) for f in fields(Curves)}


def equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[n], right[n], equal_nan=right[n].dtype.kind == "f") for n in left
    )
