"""Running an experiment, and training it: its batches, where it starts, its networks later on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from rnnviz.core.bptt import Tell, backward
from rnnviz.core.losses import LOSSES
from rnnviz.core.network import Network, NetworkTrace, predict, run_network
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import Model
from rnnviz.experiment.plan import Plan, make_task, plan, setting
from rnnviz.experiment.weights import fitting
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import METRICS, TrainOptions, TrainState, advance
from rnnviz.training.records import loss_per_answer, metric, share_within


class Run(Mapping[str, NetworkTrace]):
    """Label -> NetworkTrace, in the order of the models; with the batch they all saw.

    Where the traces come from does not matter to a page: from an `experiment`, or from weights and
    a batch made by hand (then `experiment` is None). A label begins with the cell's name and may
    be written in any way that means the same model: "lstm", "lstm:forget_bias=0". `unbiased` are
    labels of networks that come from a module without biases, for which zeros stand.

    Examples
    --------
    >>> made = run(experiment)
    >>> made["lstm"].trace.h.shape  # steps 0 to 20, units, sequences
    (21, 8, 16)
    >>> round(made["lstm"].loss, 4)
    2.1806
    """

    def __init__(
        self,
        traces: Mapping[str, NetworkTrace],
        batch: Batch,
        experiment: Experiment | None = None,
        unbiased: Iterable[str] = (),
    ) -> None:
        self.experiment, self.batch = experiment, batch
        self.unbiased = frozenset(unbiased)
        self._traces = dict(traces)

    def __getitem__(self, label: str) -> NetworkTrace:
        if label in self._traces:
            return self._traces[label]
        try:
            return self._traces[Model(label)]
        except ValueError as error:
            raise KeyError(label) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._traces)

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def trained_steps(self) -> int:
        """How many training steps the networks are known to have behind them."""
        return 0 if self.experiment is None else self.experiment.train_steps

    def initializer(self, label: str) -> str:
        """By which initializer the model's W_hh was drawn; "" where that is not known."""
        return "" if self.experiment is None else setting(self.experiment, Model(label), "init")


def run(
    experiment: Experiment,
    trained: Mapping[str, Mapping[str, Any]] | None = None,
    tell: Tell | None = None,
) -> Run:
    """Every model of the experiment on the same batch, forward and backward, all recorded.

    The weights' stream depends on the seed alone: models of one kind start from the same draw,
    and no task, length or batch size redraws W_hh. With train_steps > 0 each model is trained
    that long first, on batches of which this one is the first; where the parameters that this
    leads to are known already, `trained` has them by label, such as what `numpy.load` reads of a
    file that `python -m rnnviz train` wrote. tell: is called again and again on the way, training
    too; what it raises ends the run.
    Raises ValueError where the task cannot be made (a text with fewer than 2 characters), and for
    `trained` of a label that is no model's or that does not fit its network. Which settings act on
    no model, `idle` tells.

    Examples
    --------
    >>> made = run(experiment)
    >>> made["rnn"].trace.d_h.shape  # steps 0 to 20, units, sequences
    (21, 8, 16)
    >>> made["rnn"].trace.grads["W_hh"].shape
    (8, 8)
    """
    return run_plan(plan(experiment), trained, tell)


def run_plan(
    planned: Plan,
    trained: Mapping[str, Mapping[str, Any]] | None = None,
    tell: Tell | None = None,
) -> Run:
    """`run` of an experiment whose task and networks are made already.

    Examples
    --------
    >>> list(run_plan(plan(experiment)))
    ['rnn', 'lstm']
    """
    known, traces = _trained(planned, trained or {}), {}
    for label, network in planned.networks.items():
        params = known[label] if label in known else _params(planned, label, tell)
        traces[label] = run_network(
            network, params, planned.batch, partial(backward, tell=tell), tell
        )
    return Run(traces, planned.batch, planned.experiment)


def _trained(
    planned: Plan, given: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, np.ndarray]]:
    """Label -> parameters that fit its network."""
    known: dict[str, dict[str, np.ndarray]] = {}
    for name, arrays in given.items():
        label = _label(planned, name)
        if label in known:
            raise ValueError(f"trained must have each model once, got {label} twice")
        known[label] = fitting(planned.networks[label], arrays, f"trained[{name!r}]")
    return known


def _label(planned: Plan, name: str) -> str:
    """The model that a label means, however it is written."""
    try:
        label = Model(name)
    except ValueError:
        label = None
    if label not in planned.networks:
        labels = ", ".join(planned.networks)
        raise ValueError(f"trained must have labels of models of the experiment ({labels}), "
                         f"got {name!r}")  # fmt: skip
    return str(label)


def _params(planned: Plan, label: str, tell: Tell | None) -> dict[str, np.ndarray]:
    experiment = planned.experiment
    if experiment.train_steps:
        return params_after(experiment, label, experiment.train_steps, tell)
    return planned.init_params(label)


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
    per answer, the metric by its name, and for adding the share of answers within 0.04. Nothing
    where there are no such sequences (`Task.unseen`)."""
    e, task = experiment, make_task(experiment)
    if not task.unseen:
        return {}
    batch = task.batch(e.seed, e.seq_len, sequences, e.loss_at, first=HELD_OUT)
    return scores_on(e, network, params, batch)


def scores_on(
    experiment: Experiment, network: Network, params: dict[str, Any], batch: Batch
) -> dict[str, float]:
    """How good the network is on some sequences of the experiment's task; see `held_out`."""
    y = predict(network, params, batch)
    loss, _ = LOSSES[batch.loss](y, batch.target, batch.mask)
    scores = {
        "loss": loss,
        "loss_per_answer": loss_per_answer(batch, loss),
        METRICS[batch.loss]: metric(batch, y),
    }
    if experiment.task == "adding":
        scores["share within 0.04"] = share_within(batch, y)
    return scores
