"""The layers and directions of a network, each as a trace with a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnnviz.core import Record, Trace, backward
from rnnviz.core.layers import Traces, arriving, backward_layers
from rnnviz.core.network import NetworkTrace
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import add_scaled

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


def sent_back(
    layers: Traces, records: Sequence[Sequence[Record]], back: Callable[..., Trace] = backward
) -> Traces:
    """The traces of other records of these layers, lowest first: the error enters the last one as
    it does in its traces, and the others from above, with what enters them beside that. back:
    `backward`, or another of its form."""
    if len(layers) == 1:
        return (
            tuple(
                back(record, t.d_h_direct, direct_log2=t.direct_log2, d_c_direct=t.d_c_direct)
                for t, record in zip(layers[0], records[0], strict=True)
            ),
        )
    top = [trace.d_h_direct for trace in layers[-1]]
    of_c = [[trace.d_c_direct for trace in layer] for layer in layers]
    direct = np.concatenate(top, axis=1).astype(records[-1][0].h.dtype)
    found = tuple(tuple(layer) for layer in records)
    none: list[Array | None] = [None] * len(layers[-1])
    own = [*_own_errors(layers), none]
    return backward_layers(found, direct, aligned=False, backward=back, d_h=own, d_c=of_c)


def _own_errors(layers: Traces) -> list[list[Array | None]]:
    """What enters the states of each layer below the last one beside what arrives from above, by
    layer and direction, (T, H, B); None where nothing does."""
    return [
        [
            beside_arrived(trace, *share)
            for trace, share in zip(low, arriving(low, high), strict=True)
        ]
        for low, high in pairwise(layers)
    ]


def beside_arrived(trace: Trace, arrived: Array, log2: Array | None) -> Array | None:
    """What enters a layer beside what arrives from above: the difference, as far as it is none of
    rounding."""
    if np.array_equal(trace.d_h_direct, arrived, equal_nan=True):
        return None
    zero = np.zeros((len(arrived), 1, arrived.shape[2]), np.int64)
    whole = trace.d_h_direct, zero if trace.direct_log2 is None else trace.direct_log2
    own, exponents = add_scaled(whole, (-arrived, zero if log2 is None else log2))
    own = np.ldexp(own, exponents)
    rounding = np.finfo(own.dtype).eps * np.ldexp(np.abs(arrived), 0 if log2 is None else log2)
    return np.where(np.abs(own) > rounding, own, 0)


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
