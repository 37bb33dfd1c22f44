"""One loss of each sequence, sent back alone through a whole stack: from where it enters through
every layer and direction, with all that each layer hands down to the one below on the way.

In one layer it is enough to send back the direct gradient of one step. In a layer below, that is
not what a loss sends: a single loss arrives there at every step, by way of the layer above.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnnviz.analysis.layers import beside_arrived
from rnnviz.core import Record, Trace, backward
from rnnviz.core.layers import Traces, arriving, outputs, reverse
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import add_scaled


class Outside(NamedTuple):
    """What enters a layer and direction otherwise than from the layer above, in its own order.

    h, c (T, H, B): into its states, None where nothing does. steps (T, B): at which. factor
    (T, H, B): what its outputs are multiplied with before the layer above reads them, as dropout
    does; None where it reads them as they are.
    """

    h: Array | None
    c: Array | None
    steps: Array
    factor: Array | None = None


Entries = tuple[tuple[Outside, ...], ...]
"""Of each layer and direction."""


def entries(layers: Traces) -> Entries:
    """What enters the layers of a network from outside, the input's layer first."""
    found = [_below(low, high) for low, high in pairwise(layers)]
    top = (Outside(t.d_h_direct, t.d_c_direct, t.enters & t.present) for t in layers[-1])
    return (*found, tuple(top))


def last_entry(outside: Entries, direction: int) -> Array:
    """The last step of each sequence, (B,), in a direction's own order, at which an error enters
    this direction of any layer from outside; 0 where none does."""
    some = np.logical_or.reduce([layer[direction].steps for layer in outside])
    return (some * np.arange(1, len(some) + 1)[:, None]).max(axis=0)


def sent_alone(
    layers: Traces,
    outside: Entries,
    at: Sequence[Array],
    records: Sequence[Sequence[Record]] | None = None,
) -> Traces:
    """The traces of what enters at some steps alone, from full backward passes. at: of each
    direction, (T, B) of bool. records: of the same layers, where slopes are not to be theirs."""
    records = [[t.record for t in layer] for layer in layers] if records is None else records
    found: list[tuple[Trace, ...]] = []
    for layer, of, kept in zip(reversed(layers), reversed(outside), reversed(records), strict=True):
        shares = _handed_down(layer, of, found[-1]) if found else [None] * len(layer)
        found.append(tuple(
            _back(trace, record, one, steps[:, None], share)
            for trace, record, one, steps, share in zip(layer, kept, of, at, shares, strict=True)
        ))  # fmt: skip
    return tuple(reversed(found))


def _below(low: tuple[Trace, ...], high: tuple[Trace, ...]) -> tuple[Outside, ...]:
    factors = _between(low, high)
    return tuple(
        _beside(trace, *share, factor)
        for trace, share, factor in zip(low, arriving(low, high), factors, strict=True)
    )


def _beside(trace: Trace, arrived: Array, log2: Array | None, factor: Array | None) -> Outside:
    """Of one direction. Where a factor was read off two recordings, what differs from the product
    is of their rounding: only where nothing arrives is it said that something enters."""
    own = beside_arrived(trace, arrived if factor is None else arrived * factor, log2)
    steps = np.zeros(trace.present.shape, bool) if own is None else own.any(axis=1)
    if factor is not None:
        steps = steps & ~arrived.any(axis=1)
    if trace.d_c_direct is not None:
        steps = steps | trace.d_c_direct.any(axis=1)
    return Outside(own, trace.d_c_direct, steps & trace.present, factor)


def _between(low: Sequence[Record], high: Sequence[Record]) -> list[Array | None]:
    """What stands between two layers, as a factor of each output: 0, or the same for all."""
    read, given = high[0].x, outputs(low)
    if np.array_equal(read, given, equal_nan=True):
        return [None] * len(low)
    kept = (read != 0) & (given != 0)
    scale = float(np.median(read[kept] / given[kept])) if kept.any() else 1.0
    factor, H = np.where(kept, scale, 0.0), low[0].cell.hidden_size
    return [factor[:, :H], *(reverse(factor[:, H:], one.lengths) for one in low[1:])]


def _handed_down(
    low: Sequence[Trace], outside: Sequence[Outside], high: Sequence[Trace]
) -> list[tuple[Array, Array | None] | None]:
    return [
        (d if one.factor is None else d * one.factor, log2)
        for one, (d, log2) in zip(outside, arriving(low, high), strict=True)
    ]


def _back(
    trace: Trace,
    record: Record,
    one: Outside,
    at: Array,
    share: tuple[Array, Array | None] | None,
) -> Trace:
    """One layer and direction, of what enters at some steps and of its share from above."""
    of_c = None if one.c is None else np.where(at, one.c, 0)
    own = None if one.h is None else np.where(at, one.h, 0)
    direct, log2 = _together(trace, own, share)
    with np.errstate(all="ignore"):
        return backward(record, direct, log2, d_c_direct=of_c)


def _together(
    trace: Trace, own: Array | None, share: tuple[Array, Array | None] | None
) -> tuple[Array | None, Array | None]:
    if share is None:
        return own, trace.direct_log2
    if own is None or not own.any():
        return share
    arrived, log2 = share
    zero = np.zeros((len(own), 1, own.shape[2]), np.int64)
    with np.errstate(all="ignore"):
        return add_scaled((arrived, zero if log2 is None else log2), (own, zero))
