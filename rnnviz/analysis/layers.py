"""The layers and directions of a network, each as a trace with a name of its own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.network import NetworkTrace
from rnnviz.core.numerics import Array

ARROWS = ("→", "←")
SEPARATOR = " · "


class LayerTrace(NamedTuple):
    """One layer in one direction. label: the model's and, where there are several, the layer's
    and direction's, such as "lstm · layer 2 ←". layer counts from 1; direction 0 reads forward, 1
    from the end. trace is in its own order of processing."""

    label: str
    layer: int
    direction: int
    trace: Trace

    @property
    def model(self) -> str:
        """The model's label."""
        return self.label.partition(SEPARATOR)[0]


def layer_traces(network_trace: NetworkTrace, label: str) -> tuple[LayerTrace, ...]:
    """Every layer and direction, the input's first, forward first.

    Examples
    --------
    >>> [part.label for part in analysis.layer_traces(run["lstm"], "LSTM")]
    ['LSTM']
    """
    layers = network_trace.layers
    return tuple(
        LayerTrace(label + _where(k, len(layers), d, len(layer)), k, d, trace)
        for k, layer in enumerate(layers, 1)
        for d, trace in enumerate(layer)
    )


def in_real_time(values: Array, direction: int, axis: int = 0) -> Array:
    """Values along a layer's own time (T or T+1 long on `axis`) in the order of the input, whose
    first step is the last that a backward direction reads. For sequences without padding: index t
    of its states, after t steps of its own, becomes T − t.

    Examples
    --------
    >>> analysis.in_real_time(np.array([3, 2, 1]), direction=1)
    array([1, 2, 3])
    """
    return values if direction == 0 else np.flip(values, axis)


def _where(layer: int, layers: int, direction: int, directions: int) -> str:
    parts = [f"layer {layer}"] * (layers > 1) + [ARROWS[direction]] * (directions > 1)
    return SEPARATOR + " ".join(parts) if parts else ""
