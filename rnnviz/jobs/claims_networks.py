"""The networks that claims speak of: those that they train, the visitor's own, and those that other
pages open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.rates import fit_slope
from rnnviz.claims.clipping import ClippedRun, entry_limit, time_profile
from rnnviz.claims.growth import STEPS, Draw
from rnnviz.claims.truncation import WINDOWS, Agreement, cosine
from rnnviz.core.network import run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Experiment, Model, Run
from rnnviz.experiment.presets import PRESETS
from rnnviz.experiment.runs import batches_of, options_of, start
from rnnviz.training.optimizers import clip_by_value, global_norm
from rnnviz.training.trainer import Step, take_step

Array = np.ndarray

UPDATES = 30
LIMIT = 1.0
MOST_SECONDS = 0.5
"""Estimated, of a run of the visitor's models: above it they are not measured."""
SHARED: dict[str, Any] = {
    "models": ("rnn",),
    "seq_len": 30,
    "batch_size": 8,
    "distractor": 0.3,
    "optimizer": "sgd",
    "learning_rate": 0.5,
    "clip_at": LIMIT,
}
CASES: dict[str, dict[str, Any]] = {
    "exploding": {"init": "orthogonal", "gain": 2.0},
    "vanishing": {"init": "uniform", "gain": 1.0},
}
"""An RNN that learns delayed recall over 30 steps by SGD, from two kinds of initial weights."""


def case_of(number: int) -> str:
    """Runs 0, 2, 4 explode, 1, 3, 5 vanish, and so on."""
    return list(CASES)[number % len(CASES)]


def set_up(seed: int, hidden_size: int, number: int) -> Experiment:
    """The clipped run `number` of a seed; two in a row share theirs."""
    own = seed * 1000 + number // len(CASES)
    case = CASES[case_of(number)]
    return Experiment(hidden_size=hidden_size, seed=own, clip="norm", **SHARED, **case)


def clipped_run(seed: int, hidden_size: int, number: int) -> ClippedRun:
    """Train with clipping by norm, and without; compare every gradient before and after."""
    experiment = set_up(seed, hidden_size, number)
    steps = list(_updates(experiment))
    free = [step.trace.loss for step in _updates(replace(experiment, clip="none"))]
    before = np.array([global_norm(s.trace.grads) for s in steps])
    after = np.array([global_norm(s.applied) for s in steps])
    most = int(np.argmax(before))
    trace, scale = steps[most].trace.trace, after[most] / before[most]
    return ClippedRun(
        number=number,
        case=case_of(number),
        limit=LIMIT,
        before=before,
        after=after,
        cosine=np.array([cosine(s.applied, s.trace.grads) for s in steps]),
        by_value=np.array([_by_value(s) for s in steps]),
        profile_before=time_profile(trace),
        profile_after=time_profile(trace, float(scale)),
        loss=np.array([s.trace.loss for s in steps]),
        loss_free=np.array(free),
    )


def _updates(experiment: Experiment) -> Iterator[Step]:
    """The first updates; fewer if something is not finite."""
    ((network, state),) = start(experiment).values()
    batch_of, options = batches_of(experiment), options_of(experiment)
    for number in range(UPDATES):
        step = take_step(network, state, batch_of(number), options)
        if step.event:
            return
        yield step
        state = step.after


def _by_value(step: Step) -> float:
    """The cosine that clipping entry by entry, to no more than the same length, would leave."""
    grads = step.trace.grads
    return cosine(clip_by_value(grads, entry_limit(LIMIT, grads)), grads)


def not_measured(experiment: Experiment, label: str) -> Agreement:
    """In place of the agreement of a network that would take too long."""
    kind, windows = label.partition(":")[0], np.array(WINDOWS)
    return Agreement(-1, kind, experiment.loss_at, windows, windows * np.nan, np.nan, label)


def own_agreement(run: Run, label: str) -> Agreement:
    """A visitor's own model: its gradient truncated after `WINDOWS` steps against the full one."""
    full, cosines = run[label], []
    for window in WINDOWS:
        cut = partial(truncated_backward, window=window)
        truncated = run_network(full.network, full.params, run.batch, cut)
        cosines.append(cosine(truncated.grads, full.grads))
    slope = fit_slope(state_curve(full.trace))
    growth = np.nan if slope is None else slope.decades_per_step
    kind, experiment = label.partition(":")[0], run.experiment
    loss_at = "last" if experiment is None else experiment.loss_at
    return Agreement(-1, kind, loss_at, np.array(WINDOWS), np.array(cosines), growth, label)


RNN = (Model("rnn"),)
OPENS: dict[str, tuple[str, Experiment]] = {
    "nilpotent": (
        "gradient-flow",
        Experiment(
            models=RNN,
            init="delay_line",
            hidden_size=2,
            gain=10.0,
            activation="identity",
            seq_len=10,
            distractor=0.0,
        ),
    ),
    "gaussian": (
        "spectrum",
        Experiment(
            models=RNN,
            init="gaussian",
            hidden_size=200,
            gain=0.6,
            activation="identity",
            seq_len=50,
            distractor=0.0,
        ),
    ),
    "saturated": ("gradient-flow", PRESETS["all_twos"].experiment()),
}
"""Counterexample -> the page that shows it best, and its experiment. The fourth has weights and
biases of its own, which no experiment has."""


def experiment_of_draw(draw: Draw) -> Experiment:
    """The experiment that a draw was: the same weights, and the same first sequence."""
    return Experiment(
        models=RNN,
        seq_len=STEPS,
        hidden_size=draw.hidden_size,
        init=draw.init,
        gain=draw.gain,
        activation=draw.activation,
        distractor=draw.input_scale,
        seed=draw.network_seed,
    )
