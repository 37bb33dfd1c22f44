"""From an experiment to its task and the batch that its pages show."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rnnviz.experiment.config import Experiment
from rnnviz.tasks import TASKS, Batch, Task


def make_task(experiment: Experiment) -> Task:
    """The task with the options that the experiment has for it."""
    cls: Any = TASKS[experiment.task]
    return cls(**{f.name: getattr(experiment, f.name) for f in fields(cls)})


def make_batch(experiment: Experiment) -> Batch:
    """The first B sequences of the experiment's task."""
    e = experiment
    return make_task(e).batch(e.seed, e.seq_len, e.batch_size, e.loss_at)
