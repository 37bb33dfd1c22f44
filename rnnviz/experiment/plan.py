"""From an experiment to what is to be run: task, networks, cost; made once and handed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from rnnviz.core import CELLS, Cell, checks
from rnnviz.core.cost import Estimate, Speed
from rnnviz.core.network import Network, NetworkTrace
from rnnviz.experiment import cost
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import Model, cell_options
from rnnviz.tasks import TASKS, Batch, Task, stream
from rnnviz.tasks.batch import HELD_OUT

MAX_BYTES = 1 << 30
MAX_SECONDS = 10.0
MOST_LAYERS = 1000
"""Layers of a network: each is made before its cost is known."""
JUDGED_ON = 64
"""Held-out sequences on which networks in training are judged."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What an experiment comes to: all of it is made when it is first asked for, once. A pickled
    plan is its experiment; where it is read back, plans of the same experiment are one.

    Examples
    --------
    >>> planned = plan(experiment)
    >>> planned.task, list(planned.networks)
    (DelayedRecall(distractor=1.0), ['rnn', 'lstm'])
    """

    experiment: Experiment

    @cached_property
    def task(self) -> Task:
        return make_task(self.experiment)

    @cached_property
    def networks(self) -> Mapping[str, Network]:
        """Label -> Network, in the order of the models."""
        return make_networks(self.experiment, *self._shape[1:])

    @property
    def seq_len(self) -> int:
        """T of the batch, which is the experiment's or what the task makes of it."""
        return self._shape[0]

    @cached_property
    def _shape(self) -> tuple[int, int, int]:
        """T, D and O of the batch."""
        return self.task.shape(self.experiment.seq_len)

    @cached_property
    def batch(self) -> Batch:
        """What every model is given: the first B sequences of the task."""
        return self.batch_at(0)

    def batch_at(self, step: int) -> Batch:
        """What every model is given in training step `step`: the B sequences from step · B on, so
        that step 0 sees `batch` and no sequence comes twice."""
        e = self.experiment
        return self.task.batch(
            e.seed, e.seq_len, e.batch_size, e.loss_at, first=step * e.batch_size
        )

    @cached_property
    def held_out_batch(self) -> Batch | None:
        """What networks are judged on: sequences that training never sees; None where there are
        none (`Task.unseen`)."""
        e = self.experiment
        if not self.task.unseen:
            return None
        return self.task.batch(e.seed, e.seq_len, JUDGED_ON, e.loss_at, first=HELD_OUT)

    def __reduce__(self) -> tuple[Callable[[Experiment], Plan], tuple[Experiment]]:
        return _read_back, (self.experiment,)

    def init_params(self, label: str) -> dict[str, np.ndarray]:
        """The initial parameters of one model."""
        return init_params(self.experiment, Model(label), self.networks[label])

    @cached_property
    def cost(self) -> Estimate:
        """What running it takes, training and the gradients of the parameters included; figures
        come on top."""
        e, networks = self.experiment, list(self.networks.values())
        working = cost.working_bytes(networks, *self._sizes, trained=e.train_steps > 0)
        once = cost.run_time(networks, *self._sizes[:2])
        exponents = cost.exponent_bytes(networks, *self._sizes[:2])
        kept = Estimate(self.recorded_bytes + exponents + working)
        if not e.train_steps:
            return kept + once
        step = cost.training_time(networks, *self._sizes[:2], e.window, e.stride)
        return kept + once + step.times(e.train_steps)

    @cached_property
    def recorded_bytes(self) -> int:
        """All arrays that the run holds once it is done, from their shapes; on top come lengths of
        padded batches, exponents of direct gradients, and those of single entries where a step's
        lie too far apart for one."""
        return cost.recorded_bytes(list(self.networks.values()), *self._sizes)

    def held_bytes(self, traces: Iterable[NetworkTrace]) -> int:
        """What its run does hold, the exponents of single entries with it."""
        return self.recorded_bytes + cost.held_exponent_bytes(traces)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """T, B and the bytes of a number."""
        return self.seq_len, self.experiment.batch_size, np.dtype(self.experiment.dtype).itemsize


@lru_cache(maxsize=4)
def _read_back(experiment: Experiment) -> Plan:
    """A worker is given the same plan again with every slice of its training."""
    return Plan(experiment)


def plan(experiment: Experiment) -> Plan:
    """Make the task and the networks; no sequence and no weight is drawn.

    Raises ValueError where the task cannot be made (a text with fewer than 2 characters).

    Examples
    --------
    >>> plan(experiment).seq_len
    20
    """
    planned = Plan(experiment)
    assert planned.networks  # now: what cannot be made is refused here
    return planned


def estimate(experiment: Experiment) -> Estimate:
    """What `run(experiment)` takes. Raises ValueError where the task cannot be made, and for more
    than `MOST_LAYERS` layers.

    Examples
    --------
    >>> estimate(Experiment(seq_len=2000)).seconds > estimate(experiment).seconds
    True
    """
    return plan(experiment).cost


def check_size(
    experiment: Experiment,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = MAX_SECONDS,
    speed: Speed = Speed(),  # noqa: B008
    cost_of: Callable[[Experiment], Estimate] = estimate,
) -> str:
    """Why this experiment should not be run here, in one sentence; "" if nothing speaks
    against it. Nothing is allocated. Also says why a task cannot be made. cost_of: of the
    run and what is done with it at once.

    Examples
    --------
    >>> check_size(experiment)
    ''
    >>> check_size(Experiment(seq_len=5000, hidden_size=1024))[:30]
    'This run would take 26,173 MiB'
    """
    try:
        taken = cost_of(experiment).on(speed)
    except ValueError as error:
        return f"This cannot be run: {error}."
    if taken.bytes <= max_bytes and taken.seconds <= max_seconds:
        return ""
    return (
        f"This run would take {taken.bytes / 2**20:,.0f} MiB and about "
        f"{taken.seconds:,.1f} s; the limits are {max_bytes / 2**20:,.0f} MiB and "
        f"{checks.exact(max_seconds)} s. Make the sequence length, the batch, the hidden size or "
        "the number of models smaller"
        + (", or train for fewer steps." if experiment.train_steps else ".")
    )


def make_networks(experiment: Experiment, input_size: int, output_size: int) -> dict[str, Network]:
    """Label -> Network. Hidden sizes are equal, or chosen for equal parameter counts.

    Raises ValueError for more than `MOST_LAYERS` layers.

    Examples
    --------
    >>> list(make_networks(experiment, input_size=8, output_size=8))
    ['rnn', 'lstm']
    """
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
    layers = int(checks.number("layers", setting(experiment, model, "layers"), 1, MOST_LAYERS))
    inputs = [input_size] + [hidden_size * (2 if both else 1)] * (layers - 1)
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

    def made(hidden_size: int) -> Network:
        return _make_network(experiment, model, hidden_size, input_size, output_size)

    low, high = 1, 2
    while made(high).param_count() <= target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if made(middle).param_count() <= target else (low, middle)
    pair = [made(low), made(high)]
    return min(pair, key=lambda network: abs(network.param_count() - target))


def setting(experiment: Experiment, model: Model, name: str) -> Any:
    """A network setting of one model: its own, or else the experiment's."""
    return dict(model.overrides).get(name, getattr(experiment, name))


def init_params(experiment: Experiment, model: Model, network: Network) -> dict[str, np.ndarray]:
    """The initial parameters of one model.

    Examples
    --------
    >>> networks = make_networks(experiment, input_size=8, output_size=8)
    >>> sorted(init_params(experiment, experiment.models[0], networks["rnn"]))
    ['0.forward.W_hh', '0.forward.W_xh', '0.forward.b_h', 'W_hy', 'b_y']
    """
    return network.init_params(
        stream(experiment.seed, "weights"),
        dtype=np.dtype(experiment.dtype).type,
        **draw_options(experiment, model),
    )


def draw_options(experiment: Experiment, model: Model) -> dict[str, Any]:
    """How the parameters of one model are drawn: options of `Network.init_params`."""
    own_bias = model.bias()
    gate_init = setting(experiment, model, "gate_init")
    if own_bias is not None and "gate_init" not in dict(model.overrides):
        gate_init = "constant"
    return {
        "init": setting(experiment, model, "init"),
        "gain": setting(experiment, model, "gain"),
        "input_scale": setting(experiment, model, "input_scale"),
        "memory_bias": experiment.memory_bias if own_bias is None else own_bias,
        "chrono": max(3, experiment.seq_len) if gate_init == "chrono" else None,
    }


def make_task(experiment: Experiment) -> Task:
    """The task with the options that the experiment has for it.

    Examples
    --------
    >>> make_task(experiment)
    DelayedRecall(distractor=1.0)
    """
    cls: Any = TASKS[experiment.task]
    return cls(**{f.name: getattr(experiment, f.name) for f in fields(cls)})


def make_batch(experiment: Experiment) -> Batch:
    """The first B sequences of the experiment's task.

    Examples
    --------
    >>> make_batch(experiment).x.shape
    (20, 8, 16)
    """
    e = experiment
    return make_task(e).batch(e.seed, e.seq_len, e.batch_size, e.loss_at)
