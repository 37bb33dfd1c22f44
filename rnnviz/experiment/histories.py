"""The histories that `python -m rnnviz train` writes beside its files of weights, to go on with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from rnnviz.experiment.config import Experiment
from rnnviz.experiment.weights import Weights
from rnnviz.training import History
from rnnviz.training.export import from_json


def beside(path: Path, weights: Weights) -> History | None:
    """The history of the training that has led to a file of weights, if it is there: in the .json
    of the same name, of the same model, experiment and training step. weights: what the file holds.
    """
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        whose = told["label"], Experiment(**told["experiment"]), told["steps"]
        if whose != (weights.label, weights.experiment, weights.state.step):
            return None
        return from_json(told, weights.state)
    except (OSError, KeyError, TypeError, ValueError):
        return None


def check_kept(path: Path, first: int, last: int) -> None:
    """Raise ValueError where a history of training steps from `first` to `last`, written to a .csv,
    would take the place of one with other steps, or of another file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        steps = [row.get("step") or "" for row in csv.DictReader(file)]
    if not all(step.isdecimal() and first <= int(step) <= last for step in steps):
        there = f"training steps {steps[0]} to {steps[-1]}" if all(steps) else "something else"
        raise ValueError(f"{path} has {there}, and a history of steps {first} to {last} would take "
                         "its place: name another folder with --out")  # fmt: skip
