"""What an experiment's networks are after its training, which was done in this visit or comes with
them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnnviz.core.bptt import Tell
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.training import visit
from rnnviz.experiment import Experiment
from rnnviz.experiment.checkpoints import shipped
from rnnviz.jobs.training import Training


def untrained(experiment: Experiment) -> Experiment:
    """The experiment before any training: what a run is known by."""
    return replace(experiment, train_steps=0)


def trained(run: Training) -> Experiment:
    """The experiment after as much training: what figures of the run are of."""
    return replace(run.experiment, train_steps=run.updates)


def beginning(setting: Setting) -> Setting:
    """What the Train page starts from: no training yet."""
    return replace(setting, experiment=untrained(setting.experiment))


def still_to_do(experiment: Experiment) -> Experiment:
    """The experiment whose cost is what showing this one takes: with the training that is not
    done already, counted from the checkpoints that are kept."""
    run, steps = _trained_here(experiment), experiment.train_steps
    if run is not None:
        kept_at = [t.history.nearest(steps).step for t in run.trainees.values()]
        return replace(experiment, train_steps=steps - min(kept_at))
    done = steps and len(shipped(experiment)) == len(experiment.models)
    return untrained(experiment) if done else experiment


def trained_params(experiment: Experiment, tell: Tell | None = None) -> dict[str, Any]:
    """Label -> parameters after `train_steps`, of the models that this visit has trained that
    far or that come trained."""
    run = _trained_here(experiment)
    if run is None:
        return shipped(experiment)
    steps = experiment.train_steps
    return {label: run.params_at(label, steps, tell) for label in run.trainees}


def _trained_here(experiment: Experiment) -> Training | None:
    if not experiment.train_steps:
        return None
    run = visit().training
    if run is None or run.experiment != untrained(experiment):
        return None
    return run if experiment.train_steps <= run.updates else None
