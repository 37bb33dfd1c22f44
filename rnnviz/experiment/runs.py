"""Running an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from rnnviz.core.bptt import Tell, backward
from rnnviz.core.network import NetworkTrace, run_network
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import Model
from rnnviz.experiment.plan import Plan, plan, setting
from rnnviz.experiment.training import params_after
from rnnviz.tasks import Batch


class Run(Mapping[str, NetworkTrace]):
    """Label -> NetworkTrace, in the order of the models; with the batch they all saw.

    Where the traces come from does not matter to a page: from an `experiment`, or from weights and
    a batch made by hand (then `experiment` is None). A label begins with the cell's name and may
    be written in any way that means the same model: "lstm", "lstm:forget_bias=0".
    """

    def __init__(
        self,
        traces: Mapping[str, NetworkTrace],
        batch: Batch,
        experiment: Experiment | None = None,
    ) -> None:
        self.experiment, self.batch = experiment, batch
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
    trained: Mapping[str, dict[str, np.ndarray]] | None = None,
    tell: Tell | None = None,
) -> Run:
    """Every model of the experiment on the same batch, forward and backward, all recorded.

    The weights' stream depends on the seed alone: models of one kind start from the same draw,
    and no task, length or batch size redraws W_hh. With train_steps > 0 each model is trained
    that long first, on batches of which this one is the first; where the parameters that this
    leads to are known already, `trained` has them by label. tell: is called again and again on
    the way, training too; what it raises ends the run.
    Raises ValueError where the task cannot be made (a text with fewer than 2 characters).
    """
    return run_plan(plan(experiment), trained, tell)


def run_plan(
    planned: Plan,
    trained: Mapping[str, dict[str, np.ndarray]] | None = None,
    tell: Tell | None = None,
) -> Run:
    """`run` of an experiment whose task and networks are made already."""
    known, traces = trained or {}, {}
    for label, network in planned.networks.items():
        params = known[label] if label in known else _params(planned, label, tell)
        traces[label] = run_network(
            network, params, planned.batch, partial(backward, tell=tell), tell
        )
    return Run(traces, planned.batch, planned.experiment)


def _params(planned: Plan, label: str, tell: Tell | None) -> dict[str, np.ndarray]:
    experiment = planned.experiment
    if experiment.train_steps:
        return params_after(experiment, label, experiment.train_steps, tell)
    return planned.init_params(label)
