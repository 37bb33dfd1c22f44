"""Files of trained networks: what `python -m rnnviz train` writes, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.experiment.config import FIELDS, Experiment
from rnnviz.experiment.model import Model
from rnnviz.experiment.npz import Limits, read_bytes, read_npz, write_npz
from rnnviz.experiment.plan import plan, setting
from rnnviz.training import TrainState

ABOUT = "about"
"""The file's array with a JSON text: label, experiment (fields not at their defaults), steps."""
MOMENT = "optimizer:"
"""How the names of the arrays begin that an optimizer remembers."""


@dataclass(frozen=True, eq=False)
class Weights:
    """One model of an experiment after so many training steps."""

    label: str
    experiment: Experiment
    state: TrainState

    @property
    def network(self) -> Network:
        return plan(self.experiment).networks[self.label]


def save(weights: Weights, path: Path) -> None:
    """Write a file that `load` reads: parameters by their names, "about", the optimizer's moments.
    `numpy.load` reads it, too."""
    write_npz(path, _arrays(weights))


def write(weights: Weights, file: IO[bytes]) -> None:
    """The same into a file that is open."""
    np.savez_compressed(file, **_arrays(weights))


def _arrays(weights: Weights) -> dict[str, Any]:
    state = weights.state
    about = {"label": weights.label, "experiment": settings(weights.experiment),
             "steps": state.step}  # fmt: skip
    arrays: dict[str, Any] = {**state.params, ABOUT: np.array(json.dumps(about))}
    return arrays | {MOMENT + name: moment for name, moment in state.moments.items()}


def load(path: Path) -> Weights:
    """Read a file that `save` has written.

    Raises ValueError naming the file and what of it does not fit, OSError where there is none.
    """
    try:
        arrays = read_npz(read_bytes(path, Limits()), Limits())
    except ValueError as error:
        raise ValueError(f"{path} must be a file of weights (.npz): {error}") from error
    try:
        return from_arrays(arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def from_arrays(arrays: Mapping[str, Any]) -> Weights:
    """What the arrays of such a file are. Raises ValueError for what of them does not fit."""
    label, experiment, steps = _about(arrays)
    network = plan(experiment).networks[label]
    params = checks.params(parameters(arrays), network.param_shapes())
    moments = {n.removeprefix(MOMENT): m for n, m in arrays.items() if n.startswith(MOMENT)}
    return Weights(label, experiment, TrainState(steps, params, moments))


def settings(experiment: Experiment) -> dict[str, Any]:
    """The fields of an experiment that are not at their defaults, as JSON holds them."""
    given = {name: getattr(experiment, name) for name in FIELDS}
    changed = {name: v for name, v in given.items() if v != FIELDS[name].default}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in changed.items()}


def parameters(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters among the arrays of a file."""
    return {n: a for n, a in arrays.items() if n != ABOUT and not n.startswith(MOMENT)}


def fitting(network: Network, arrays: Mapping[str, Any], name: str) -> dict[str, Array]:
    """The parameters for `network` among arrays that may be those of a file.

    Raises ValueError, beginning with `name`, where a file says that it is of another network, and
    for a wrong key or shape.
    """
    if not isinstance(arrays, Mapping):
        raise ValueError(f"{name} must be a mapping from names to arrays, got {arrays!r:.80}")
    try:
        if ABOUT in arrays:
            label, experiment, _ = _about(arrays)
            same(network, plan(experiment).networks[label])
        return checks.params(parameters(arrays), network.param_shapes())
    except ValueError as error:
        raise ValueError(f"{name} does not fit: {error}") from error


def same(network: Network, theirs: Network) -> None:
    """Raise ValueError unless both are the same network; it names the first difference."""
    for f in fields(Network):
        here, there = getattr(network, f.name), getattr(theirs, f.name)
        if here == there:
            continue
        if f.name != "cells":
            raise ValueError(f"{f.name} must be {here!r}, the file's network has {there!r}")
        if len(here) != len(there):
            raise ValueError(f"layers must be {len(here)}, the file's network has {len(there)}")
        layer = next(k for k, pair in enumerate(zip(here, there, strict=True)) if len({*pair}) > 1)
        raise ValueError(_difference(layer, here[layer], there[layer]))


def _difference(layer: int, cell: Any, theirs: Any) -> str:
    kinds = type(cell).__name__, type(theirs).__name__
    where = f" of layer {layer + 1}" * (layer > 0)
    if kinds[0] != kinds[1]:
        return f"the cell{where} must be a {kinds[0]}, the file's is a {kinds[1]}"
    names = (f.name for f in fields(cell))
    name = next(n for n in names if getattr(cell, n) != getattr(theirs, n))
    here, there = getattr(cell, name), getattr(theirs, name)
    return f"{name}{where} must be {here!r}, the file's network has {there!r}"


def _about(arrays: Mapping[str, Any]) -> tuple[Model, Experiment, int]:
    """Label, experiment and training steps that a file says it is of."""
    if ABOUT not in arrays:
        raise ValueError(f"a file of weights must have {ABOUT!r}, got {', '.join(arrays)}")
    try:
        about = json.loads(str(arrays[ABOUT]))
        label, given, steps = about["label"], dict(about["experiment"]), about["steps"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{ABOUT!r} must be JSON with label, experiment and steps, got "
                         f"{str(arrays[ABOUT])!r:.80}") from error  # fmt: skip
    if unknown := [name for name in given if name not in FIELDS]:
        raise ValueError(f"experiment has {', '.join(map(str, unknown))}, not a field here")
    experiment = Experiment(**given)
    layers = max(setting(experiment, model, "layers") for model in experiment.models)
    if layers > len(arrays):  # each has some; before so many cells are made
        raise ValueError(f"layers must be at most {len(arrays)}, as many as there are arrays, got "
                         f"{layers}")  # fmt: skip
    if Model(label) not in experiment.models:
        raise ValueError(f"label must be one of {', '.join(experiment.models)}, got {label!r}")
    return Model(label), experiment, checks.size("steps", steps, 0)
