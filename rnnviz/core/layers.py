"""Layers upon each other, each in one or two directions of time.

The backward direction of a layer is an ordinary cell that reads each sequence reversed by
itself; its record stays in that order, its own order of processing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from rnnviz.core.bptt import Tell, unroll
from rnnviz.core.cell import Cell
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import add_scaled, rows_of
from rnnviz.core.trace import Record, Trace

Layers = tuple[tuple[Record, ...], ...]
Traces = tuple[tuple[Trace, ...], ...]

DIRECTIONS = ("forward", "backward")


States = Sequence[Sequence[Array | None]]
"""Of each layer and direction one array, or None."""


class Backward(Protocol):
    """`backward`, or a variant of it such as a `truncated_backward` with its window. Where a loss
    reads cell states it is given `d_c_direct`, too."""

    def __call__(
        self, record: Record, d_h_direct: Array, *, direct_log2: Array | None
    ) -> Trace: ...


def key(layer: int, name: str, direction: int = 0) -> str:
    """The name of a cell's parameter in its network's: "0.forward.W_hh"."""
    return f"{layer}.{DIRECTIONS[direction]}.{name}"


def of_cell(params: Mapping[str, Array], layer: int, direction: int) -> dict[str, Array]:
    """A cell's own parameters, by its own names."""
    prefix = key(layer, "", direction)
    return {name.removeprefix(prefix): p for name, p in params.items() if name.startswith(prefix)}


def reverse(values: Array, lengths: Array | None) -> Array:
    """Steps (T, B) or (T, F, B), each sequence in reverse order, its padding where it was."""
    if lengths is None:
        return values[::-1]
    t = np.arange(len(values))[:, None]
    index = np.where(t < lengths, lengths - 1 - t, t)
    return np.take_along_axis(values, index if values.ndim == 2 else index[:, None], axis=0)


def forward_layers(
    cells: Sequence[Cell],
    params: Mapping[str, Array],
    x: Array,
    directions: int,
    h0: States | None = None,
    lengths: Array | None = None,
    tell: Tell | None = None,
    c0: States | None = None,
) -> Layers:
    """The records of every layer and direction, from the initial states h0 and c0."""
    none = [(None,) * directions] * len(cells)
    layers: list[tuple[Record, ...]] = []
    for k, (cell, h, c) in enumerate(zip(cells, h0 or none, c0 or none, strict=True)):
        runs = [unroll(cell, of_cell(params, k, 0), x, h[0], c[0], lengths, tell)]
        if directions == 2:
            turned = reverse(x, lengths)
            runs.append(unroll(cell, of_cell(params, k, 1), turned, h[1], c[1], lengths, tell))
        layers.append(tuple(runs))
        x = outputs(layers[-1])
    return tuple(layers)


def outputs(layer: Sequence[Record], aligned: bool = True) -> Array:
    """[h→_t; h←_t] of every step, (T, H·directions, B); h← in its own order if not `aligned`."""
    h = [record.h[1:] for record in layer]
    if len(h) == 1:
        return h[0]
    h[1] = reverse(h[1], layer[1].lengths) if aligned else h[1]
    return np.concatenate(h, axis=1)


def backward_layers(
    layers: Layers,
    direct: Array,
    aligned: bool,
    backward: Backward,
    d_h: States | None = None,
    d_c: States | None = None,
) -> Traces:
    """The traces of every layer and direction. direct (T, H·directions, B): the gradient of
    `outputs(layers[-1], aligned)`. d_h, d_c: what reaches the states of each layer and direction
    besides, (T, H, B) in its own order."""
    none = [(None,) * len(layers[0])] * len(layers)
    traces: list[tuple[Trace, ...]] = []
    log2: Array | None = None
    for layer, of_h, of_c in zip(
        reversed(layers), reversed(d_h or none), reversed(d_c or none), strict=True
    ):
        turned = _turned(layer, direct, log2, aligned)
        traces.append(tuple(
            _back(backward, record, _with_own(*share, own), c)
            for (record, share), own, c in zip(turned, of_h, of_c, strict=True)
        ))  # fmt: skip
        if len(traces) < len(layers):
            direct, log2 = _below(traces[-1])
        aligned = True
    return tuple(reversed(traces))


def arriving(low: Sequence[Record], high: Sequence[Trace]) -> list[tuple[Array, Array | None]]:
    """What a layer sends to each direction of the one below it, in its order, and its exponents."""
    return [share for _, share in _turned(low, *_below(high), aligned=True)]


def _turned(
    layer: Sequence[Record], direct: Array, log2: Array | None, aligned: bool
) -> list[tuple[Record, tuple[Array, Array | None]]]:
    """Each direction's share of a gradient of outputs, in its own order."""
    if len(layer) == 1:
        return [(layer[0], (direct, log2))]
    lengths, H = layer[0].lengths, layer[0].cell.hidden_size
    ahead, back = direct[:, :H], direct[:, H:]
    if not aligned:
        return [(layer[0], (ahead, log2)), (layer[1], (back, log2))]
    ahead_log2, back_log2 = (None if log2 is None else rows_of(log2, rows)
                             for rows in (slice(H), slice(H, None)))  # fmt: skip
    if back_log2 is not None:
        back_log2 = reverse(back_log2, lengths)
    return [(layer[0], (ahead, ahead_log2)), (layer[1], (reverse(back, lengths), back_log2))]


def _back(
    backward: Backward, record: Record, direct: tuple[Array, Array | None], of_c: Array | None
) -> Trace:
    more: Any = {} if of_c is None else {"d_c_direct": of_c}
    return backward(record, direct[0], direct_log2=direct[1], **more)


def _with_own(direct: Array, log2: Array | None, own: Array | None) -> tuple[Array, Array | None]:
    """A gradient and its exponents, with one more that has none."""
    if own is None:
        return direct, log2
    if log2 is None:
        return direct + own, None
    with np.errstate(all="ignore"):
        return add_scaled((direct, log2), (own, np.zeros_like(log2)))


def _below(layer: Sequence[Trace]) -> tuple[Array, Array]:
    """∂L/∂x of a layer, summed over its directions, and its exponents."""
    first = layer[0]
    d_x = first.d_x, first.d_x_log2
    if len(layer) == 2:
        other, log2 = (reverse(v, first.lengths) for v in (layer[1].d_x, layer[1].d_x_log2))
        with np.errstate(all="ignore"):
            d_x = add_scaled(d_x, (other, log2))
    return d_x
