"""Which settings act: two experiments that differ in nothing that acts are the same run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from rnnviz.core import CELLS
from rnnviz.core.cell import Cell
from rnnviz.experiment.config import FIELDS, Experiment
from rnnviz.experiment.fields import show
from rnnviz.experiment.model import Model, overrides_of
from rnnviz.experiment.plan import draw_options, make_networks, make_task
from rnnviz.tasks import TASKS
from rnnviz.training import TrainOptions

TRAINING = tuple(f.name for f in fields(TrainOptions))
"""Fields that act in training alone."""
ALWAYS = ("models", "seed", "train_steps")
"""Fields that act whatever the others are."""
DECIDING = ("models", "task", "seq_len", "match", "gate_init", "clip", "window", "train_steps",
            "skip")  # fmt: skip
"""Fields on which it depends whether others act."""
COUNTING = ("hidden_size", "layers", "bidirectional", "text")
"""Further fields on which it depends whether `match` acts: parameters are counted with them."""
SIZES = 8, 8
"""Input and output of the networks that are compared where the task cannot be made."""


def idle(
    experiment: Experiment, axes: Mapping[str, Sequence[Any]] = MappingProxyType({})
) -> tuple[str, ...]:
    """The fields that are not at their defaults and act on no model: with any one of them at its
    default the same networks are run on the same batch. axes: fields that are swept, and their
    values.

    Examples
    --------
    >>> idle(Experiment(models=("rnn",), memory_bias=1.0))
    ('memory_bias',)
    """
    changed = {n: (getattr(experiment, n), f.default) for n, f in FIELDS.items() if n not in axes}
    return tuple(
        name
        for name, (value, default) in changed.items()
        if value != default and not acted_on(experiment, {**axes, name: (value, default)}, name)
    )


def acted_on(
    experiment: Experiment, axes: Mapping[str, Sequence[Any]], name: str
) -> tuple[str, ...]:
    """The models on which the values of axes[name] act, somewhere among those of the others."""
    known = (*DECIDING, *COUNTING) if name == "match" else DECIDING
    deciding = {n: v for n, v in axes.items() if n != name and n in known}
    models = [str(model) for model in experiment.models]
    if name in ALWAYS:
        return tuple(models)
    acting: set[str] = set()
    for values in itertools.product(*deciding.values()):
        base = replace(experiment, **dict(zip(deciding, values, strict=True)))
        first, *rest = axes[name]
        before = effects(replace(base, **{name: first}))
        for value in rest:
            after = effects(replace(base, **{name: value}))
            acting |= {label for label in models if after[label] != before[label]}
            if len(acting) == len(models):
                return tuple(models)
    return tuple(label for label in models if label in acting)


def why_idle(experiment: Experiment, name: str) -> str:
    """Of a field that acts on no model: what it would need, in a few words."""
    e = experiment
    if name in TRAINING and not e.train_steps:
        return "it acts in training, and train_steps is 0"
    if name == "seq_len":
        return f"the task {e.task} has {_shape(e)[0]:,} steps"
    tasks = [task for task in TASKS if name in _task_settings(task)]
    if tasks:
        return f"it is a setting of the task {' or '.join(tasks)}, and the task is {e.task}"
    kinds = [kind for kind in CELLS if name in overrides_of(kind)]
    if kinds and not {model.kind for model in e.models} & set(kinds):
        return f"it is a setting of {' and '.join(kinds)}"
    return "the other settings leave it nothing to act on"


def value_words(experiment: Experiment, name: str) -> str:
    """The value of a field in a message: a long text by its length."""
    value = getattr(experiment, name)
    return f"of {len(value):,} characters" if name == "text" else show(value)


def effects(experiment: Experiment) -> dict[str, tuple[Any, ...]]:
    """Label -> all that a run of this model depends on but the seed; equal where runs are."""
    e, (steps, *sizes) = experiment, _shape(experiment)
    networks = make_networks(e, *sizes)
    own = tuple(getattr(e, name) for name in _task_settings(e.task))
    shared = (e.task, own, steps, e.batch_size, e.loss_at, e.dtype, _training(e, steps))
    return {
        label: (shared, network, _draws(e, Model(label), network.cells[0]))
        for label, network in networks.items()
    }


def _task_settings(task: str) -> tuple[str, ...]:
    cls: Any = TASKS[task]
    return tuple(f.name for f in fields(cls))


def _draws(experiment: Experiment, model: Model, cell: Cell) -> tuple[Any, ...]:
    """The options by which parameters are drawn, None for those that this cell does not read."""
    options = draw_options(experiment, model)
    with_weights = [gate in cell.trainable_gates for gate in (cell.MEMORY_GATE, cell.INPUT_GATE)]
    if cell.MEMORY_GATE is None or not any(with_weights):
        options["chrono"] = None
    if options["chrono"] is not None or not with_weights[0]:
        options["memory_bias"] = None
    return tuple(options.items())


def _shape(experiment: Experiment) -> tuple[int, int, int]:
    """(T, D, O) as the task makes them; of one that cannot be made, T as it was asked for."""
    try:
        return make_task(experiment).shape(experiment.seq_len)
    except ValueError:
        return experiment.seq_len, *SIZES


def _training(experiment: Experiment, steps: int) -> tuple[Any, ...]:
    """How the models are trained over so many steps of time, None for what does not act."""
    e = experiment
    if not e.train_steps:
        return ()
    truncated = 0 < e.window < steps
    every = min(e.stride or e.window, e.window) if truncated else None
    clip_at = None if e.clip == "none" else e.clip_at
    window = e.window if truncated else None
    return e.train_steps, e.optimizer, e.learning_rate, e.clip, clip_at, window, every
