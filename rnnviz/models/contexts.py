"""What the first state of a network is made of, where it reads a context."""

from __future__ import annotations

import numpy as np

from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.models.fitting import as_given
from rnnviz.models.sequences import Sequences
from rnnviz.tasks.batch import stream


def context_of(
    network: Network, data: Sequences, batch_size: int, seed: int, notes: list[str]
) -> Array | None:
    """What the first state is made of (V, B): noise where there are no data; None of a network that
    has no use for it."""
    _check(network, data, batch_size)
    if data.context is not None or not network.context_size:
        return None if data.context is None else data.context.copy()
    notes.append("the context is white noise")
    streams = [stream(seed, "direction", 1 + b) for b in range(batch_size)]
    return np.stack([rng.standard_normal(network.context_size) for rng in streams], axis=-1)


def _check(network: Network, data: Sequences, batch_size: int) -> None:
    """Raise ValueError for what the first state is made of that is missing, of another size, or of
    a network that does not read it."""
    given, size = data.context, network.context_size
    if given is None:
        if size and data.x is not None:
            raise ValueError(f"context must be given for a network whose first state is made of "
                             f"{size} numbers, got None")  # fmt: skip
        return
    if not size:
        raise ValueError(f"context must be None for a network whose first state is made of none, "
                         f"got shape {as_given('db', given.shape, data.layout)}")  # fmt: skip
    if given.shape != (size, batch_size):
        own, got = (
            as_given("db", shape, data.layout) for shape in ((size, batch_size), given.shape)
        )
        raise ValueError(f"context must have shape {own}, got {got}")
