"""What the tests of every row share: a link such as a reader opens, and what it runs."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.core.network import NetworkTrace, run_network
from rnnviz.experiment import (
    Experiment,
    Model,
    Run,
    init_params,
    make_batch,
    make_networks,
    make_task,
    run,
)
from rnnviz.experiment.links import from_query
from rnnviz.experiment.runs import scores_on
from rnnviz.tasks import HELD_OUT

Array = np.ndarray
STEP = 1e-30


def link(**query: str) -> Experiment:
    """The experiment that a link chooses; nothing in it was replaced."""
    experiment, messages = from_query(query)
    assert messages == ()
    return experiment


def small(**query: str) -> Experiment:
    """A link to something that runs at once."""
    return link(**{"seq_len": "12", "hidden_size": "6", "batch_size": "3", **query})


def flow(experiment: Experiment, label: str) -> GradientFlow:
    return gradient_flow(run(experiment)[label].trace, label, experiment.batch_size)


def only(result: Run) -> NetworkTrace:
    (trace,) = result.values()
    return trace


def complex_step_error(experiment: Experiment) -> float:
    """Largest |derivative along a random direction − its complex step| of any model, relative."""
    return max(_error(experiment, Model(label)) for label in run(experiment))


def _error(experiment: Experiment, model: Model) -> float:
    batch = make_batch(experiment)
    network = make_networks(experiment, batch.input_size, batch.output_size)[model.label]
    params = init_params(experiment, model, network)
    rng = np.random.default_rng(0)
    way = {name: rng.standard_normal(p.shape) for name, p in params.items()}
    grads = run_network(network, params, batch).grads
    expected = sum(float(np.sum(grads[name] * v)) for name, v in way.items())
    stepped = {name: p + 1j * STEP * way[name] for name, p in params.items()}
    found = complex(run_network(network, stepped, batch).loss).imag / STEP
    return abs(found - expected) / abs(expected)


def trained(experiment: Experiment, label: str) -> dict[str, float]:
    """The scores of a run of it."""
    return scores(experiment, run(experiment)[label])


def scores(e: Experiment, trained: NetworkTrace) -> dict[str, float]:
    """On sequences that training never saw; of counting, which has none, on others of its nine."""
    batch = make_task(e).batch(e.seed, e.seq_len, 256, e.loss_at, first=HELD_OUT)
    return scores_on(e, trained.network, trained.params, batch)
