"""A network that somebody brought, with what it is run on: what that takes, its run, and beside it
the run of a network of the same shape that is freshly drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rnnviz.core.bptt import Tell
from rnnviz.core.cost import Estimate
from rnnviz.core.network import Network, NetworkTrace
from rnnviz.core.numerics import Array
from rnnviz.experiment import cost
from rnnviz.experiment.runs import Run
from rnnviz.models.diagnosis import Finding, find, find_in
from rnnviz.models.inputs import size_of
from rnnviz.models.load import Loaded
from rnnviz.models.replay import (
    alone,
    label_of,
    losses_of,
    own_batch,
    with_batch,
)
from rnnviz.models.sequences import Sequences
from rnnviz.models.watched import Passage
from rnnviz.tasks.batch import Batch, stream

READOUT = ("W_hy", "b_y")
FRESH, SEED = "network=fresh", 1
"""What the fresh network's label has besides; the seed that it is drawn with."""
ALONE, BESIDE = (3, 5), (4, 8)
"""How much a run and its diagnosis take, alone and beside a fresh network: records alive at once,
and times of a run."""


class Brought(Protocol):
    """One network, and what it is run on."""

    @property
    def networks(self) -> tuple[Network, ...]:
        """Its layers; several where something stands between them."""

    @property
    def size(self) -> tuple[int, int]:
        """T, B."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Those it may be run with, first the one that it is run with unless another is said; none
        where that is its own."""

    @property
    def params(self) -> int:
        """How many numbers its file holds of the recurrent layers and the readout."""

    @property
    def unbiased(self) -> bool:
        """Whether it comes without biases."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, widened or not read, and what stands in for what nobody gave."""

    def run(self, tell: Tell | None = None) -> tuple[NetworkTrace, Batch]:
        """Forward and back, and the batch that says what was asked."""

    def fresh(self) -> Brought:
        """The same with weights and biases drawn anew, but the readout's; without biases where it
        has none."""

    def findings(self, run: Run, lag: int | None) -> tuple[Finding, ...]:
        """What is wrong with its gradients, in its own run."""


@dataclass(frozen=True, eq=False)
class FromWeights:
    """A network from weights, with data from elsewhere or none. loss: None for the first of its
    `losses`."""

    model: Loaded
    data: Sequences
    loss: str | None = None

    @property
    def networks(self) -> tuple[Network, ...]:
        return (self.model.network,)

    @property
    def size(self) -> tuple[int, int]:
        return size_of(self.data)

    @property
    def losses(self) -> tuple[str, ...]:
        return losses_of(self.data, self.model.network.output_size)

    @property
    def params(self) -> int:
        if self.model.held is not None:
            return self.model.held
        own = self.model.params
        count = sum(array.size for name, array in own.items() if name not in READOUT)
        return count + sum(own[name].size for name in READOUT if self.has_readout)

    @property
    def has_readout(self) -> bool:
        """Whether y is more than what the last layer puts out."""
        W_hy, b_y = (self.model.params[name] for name in READOUT)
        return bool(b_y.any()) or not np.array_equal(W_hy, np.eye(len(W_hy)))

    @property
    def unbiased(self) -> bool:
        return self.model.unbiased

    @property
    def notes(self) -> tuple[str, ...]:
        return self.model.notes

    def run(self, tell: Tell | None = None) -> tuple[NetworkTrace, Batch]:
        return with_batch(self.model, self.data, self.loss, tell=tell)

    def fresh(self) -> FromWeights:
        model = self.model
        drawn = _drawn(model.params, model.network.cells[0].hidden_size, kept=model.absent)
        return replace(self, model=replace(model, params=drawn))

    def findings(self, run: Run, lag: int | None) -> tuple[Finding, ...]:
        return find(run, lag)


@dataclass(frozen=True, eq=False)
class FromPassage:
    """A module that was watched, by its name in the model."""

    name: str
    passage: Passage
    own: bool = True

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(self.passage.loaded(part).network for part in self.passage.parts)

    @property
    def size(self) -> tuple[int, int]:
        x = self.passage.parts[0].x
        return len(x), x.shape[-1]

    @property
    def losses(self) -> tuple[str, ...]:
        return ()

    @property
    def params(self) -> int:
        return sum(w.size for part in self.passage.parts for w in part.weights.values())

    @property
    def unbiased(self) -> bool:
        return self.passage.unbiased

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def run(self, tell: Tell | None = None) -> tuple[NetworkTrace, Batch]:
        trace = self.passage.replayed(tell, checked=self.own)
        return trace, own_batch(trace)

    def fresh(self) -> FromPassage:
        H = self.networks[0].cells[0].hidden_size
        parts = tuple(
            replace(part, weights=_drawn(part.weights, H, k))
            for k, part in enumerate(self.passage.parts)
        )
        return replace(self, passage=replace(self.passage, parts=parts), own=False)

    def findings(self, run: Run, lag: int | None) -> tuple[Finding, ...]:
        return find_in(self.passage, self.name, lag, run)


def _drawn(
    params: Mapping[str, Array],
    hidden_size: int,
    number: int = 0,
    kept: Collection[str] = (),
) -> dict[str, Array]:
    """Each array anew, uniform ±1/√H, but the readout's and those that are kept."""
    rng = stream(SEED, "weights", number)
    return {
        name: array
        if name in READOUT or name in kept
        else (rng.uniform(-1, 1, array.shape) / np.sqrt(hidden_size)).astype(array.dtype)
        for name, array in params.items()
    }


def estimate(brought: Brought, fresh: bool = True) -> Estimate:
    """What its run and the diagnosis take, and with them the run of a fresh network; nothing is
    allocated."""
    steps, batch_size = brought.size
    records, times = BESIDE if fresh else ALONE
    networks = list(brought.networks)
    recorded = cost.recorded_bytes(networks, steps, batch_size, itemsize=8)
    recorded += cost.exponent_bytes(networks, steps, batch_size)
    working = cost.working_bytes(networks, steps, batch_size, itemsize=8, trained=False)
    once = cost.run_time(networks, steps, batch_size)
    return once.times(times) + Estimate(records * recorded + 2 * working)


def own_run(brought: Brought, tell: Tell | None = None) -> Run:
    """Its own run alone."""
    return alone(*brought.run(tell), brought.unbiased)


def beside(own: Run, brought: Brought, tell: Tell | None = None) -> Run:
    """Its own run, "lstm", and "lstm:network=fresh", of a fresh network on the same data."""
    trace, _ = brought.fresh().run(tell)
    fresh = {fresh_label(label_of(trace.network)): trace}
    return Run({**own, **fresh}, own.batch, unbiased=own.unbiased)


def fresh_label(label: str) -> str:
    """What the fresh network beside this one is called."""
    return f"{label}{',' if ':' in label else ':'}{FRESH}"
