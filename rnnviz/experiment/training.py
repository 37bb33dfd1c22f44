"""From an experiment to training: its batches, its starting points, its networks later on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from rnnviz.core.bptt import Tell
from rnnviz.core.losses import LOSSES
from rnnviz.core.network import Network, predict
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import Model
from rnnviz.experiment.plan import make_task, plan
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import METRICS, TrainOptions, TrainState, advance
from rnnviz.training.records import loss_per_answer, metric, share_within


def batches_of(experiment: Experiment) -> Callable[[int], Batch]:
    """Training step n -> its batch; see `Plan.batch_at`."""
    return plan(experiment).batch_at


def start(experiment: Experiment) -> dict[str, tuple[Network, TrainState]]:
    """Label -> its network and the state before the first step: the initial parameters of
    `run(experiment)`."""
    planned = plan(experiment)
    return {
        label: (network, TrainState(0, planned.init_params(label)))
        for label, network in planned.networks.items()
    }


def options_of(experiment: Experiment) -> TrainOptions:
    """How the experiment trains its models."""
    given: dict[str, Any] = {f.name: getattr(experiment, f.name) for f in fields(TrainOptions)}
    return TrainOptions(**given)


def params_after(
    experiment: Experiment, label: str, steps: int, tell: Tell | None = None
) -> dict[str, Any]:
    """The parameters of one model after that many training steps; the last finite ones if
    training diverges before."""
    network, state = start(experiment)[Model(label)]
    options = options_of(experiment)
    return advance(network, state, batches_of(experiment), options, steps, tell).params


def held_out(
    experiment: Experiment, network: Network, params: dict[str, Any], sequences: int = 256
) -> dict[str, float]:
    """How good the network is on sequences that training never sees: loss (as minimised), loss
    per answer, the metric by its name, and for adding the share of answers within 0.04."""
    e = experiment
    batch = make_task(e).batch(e.seed, e.seq_len, sequences, e.loss_at, first=HELD_OUT)
    y = predict(network, params, batch)
    loss, _ = LOSSES[batch.loss](y, batch.target, batch.mask)
    scores = {
        "loss": loss,
        "loss_per_answer": loss_per_answer(batch, loss),
        METRICS[batch.loss]: metric(batch, y),
    }
    if e.task == "adding":
        scores["share within 0.04"] = share_within(batch, y)
    return scores
