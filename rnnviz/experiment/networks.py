"""From an experiment to its networks and their initial parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.core import CELLS, Cell
from rnnviz.core.network import Network
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import NETWORK_FIELDS, Model, cell_options
from rnnviz.tasks import TASKS, stream

LARGEST_MATCH = 4 * int(NETWORK_FIELDS["hidden_size"].high)


def make_networks(experiment: Experiment, input_size: int, output_size: int) -> dict[str, Network]:
    """Label -> Network. Hidden sizes are equal, or chosen for equal parameter counts."""
    networks: dict[str, Network] = {}
    for model in experiment.models:
        own = dict(model.overrides)
        width = own.get("hidden_size", experiment.hidden_size)
        network = _make_network(experiment, model, width, input_size, output_size)
        if experiment.match == "parameters" and networks and "hidden_size" not in own:
            target = next(iter(networks.values())).param_count()
            network = _nearest(experiment, model, target, input_size, output_size)
        networks[model.label] = network
    return networks


def _make_network(
    experiment: Experiment, model: Model, hidden_size: int, input_size: int, output_size: int
) -> Network:
    """Bidirectional layers whose answer counts at the last step alone hand it the two states
    that have seen the whole sequence."""
    both = setting(experiment, model, "bidirectional") == "yes"
    cls: Any = CELLS[model.kind]
    options = _cell_options(experiment, model)
    further = setting(experiment, model, "layers") - 1
    inputs = [input_size] + [hidden_size * (2 if both else 1)] * further
    cells: tuple[Cell, ...] = tuple(cls(D, hidden_size, **options) for D in inputs)
    readout = "final" if both and experiment.loss_at == "last" else "aligned"
    return Network(cells, output_size, both, readout, TASKS[experiment.task].context_size)


def _cell_options(experiment: Experiment, model: Model) -> dict[str, Any]:
    """The cell's own fields, each at the setting of the same name, then what its variant is."""
    skip = setting(experiment, model, "skip")
    variant = dict(model.overrides).get("variant", "plain")
    return {
        "skip": skip if skip > 1 else 0,
        **{name: setting(experiment, model, name) for name in cell_options(model.kind)},
        **CELLS[model.kind].VARIANTS[variant],
    }


def _nearest(
    experiment: Experiment, model: Model, target: int, input_size: int, output_size: int
) -> Network:
    """The network of this kind whose parameter count comes nearest to `target`; by bisection,
    for the count grows with the hidden size."""
    low, high = 1, LARGEST_MATCH
    while high - low > 1:
        middle = (low + high) // 2
        network = _make_network(experiment, model, middle, input_size, output_size)
        low, high = (middle, high) if network.param_count() <= target else (low, middle)
    pair = [_make_network(experiment, model, h, input_size, output_size) for h in (low, high)]
    return min(pair, key=lambda network: abs(network.param_count() - target))


def setting(experiment: Experiment, model: Model, name: str) -> Any:
    """A network setting of one model: its own, or else the experiment's."""
    return dict(model.overrides).get(name, getattr(experiment, name))


def init_params(experiment: Experiment, model: Model, network: Network) -> dict[str, np.ndarray]:
    """The initial parameters of one model."""
    own_bias = model.bias()
    gate_init = setting(experiment, model, "gate_init")
    if own_bias is not None and "gate_init" not in dict(model.overrides):
        gate_init = "constant"
    return network.init_params(
        stream(experiment.seed, "weights"),
        dtype=np.dtype(experiment.dtype).type,
        init=setting(experiment, model, "init"),
        gain=setting(experiment, model, "gain"),
        input_scale=setting(experiment, model, "input_scale"),
        memory_bias=experiment.memory_bias if own_bias is None else own_bias,
        chrono=max(3, experiment.seq_len) if gate_init == "chrono" else None,
    )
