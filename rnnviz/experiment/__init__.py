"""Frozen configs and what they run: one table of fields drives validation, widgets and links.

Examples
--------
Those of what the package has go on from here.

>>> from rnnviz.experiment import *
>>> experiment = Experiment(models=("rnn", "lstm"), hidden_size=8, seq_len=20)
"""

from __future__ import annotations

from rnnviz.core.cost import Estimate, Speed
from rnnviz.experiment.config import FIELDS, MAX_MODELS, Experiment
from rnnviz.experiment.effects import idle
from rnnviz.experiment.fields import Field
from rnnviz.experiment.model import Model
from rnnviz.experiment.plan import (
    Plan,
    check_size,
    estimate,
    init_params,
    make_batch,
    make_networks,
    make_task,
    plan,
)
from rnnviz.experiment.runs import Run, run, run_plan

__all__ = [
    "FIELDS",
    "MAX_MODELS",
    "Estimate",
    "Experiment",
    "Field",
    "Model",
    "Plan",
    "Run",
    "Speed",
    "check_size",
    "estimate",
    "idle",
    "init_params",
    "make_batch",
    "make_networks",
    "make_task",
    "plan",
    "run",
    "run_plan",
]
