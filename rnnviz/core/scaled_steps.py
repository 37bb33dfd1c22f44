"""The backward pass beyond the range of its dtype: steps as linear functions of gradients in
float64, and gradients kept with their exponents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from rnnviz.core.cell import Cell, Views, Weights
from rnnviz.core.layouts import zero_padding
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import Scaled, by_bands, fitted, total
from rnnviz.core.skips import ScaledArrivals
from rnnviz.core.trace import Record, Trace

LinearStep = Callable[..., list[Array]]
"""(∂L/∂h_t, and what reaches c_t from later steps) -> gradients of the gates and of h_{t-1}; with
a cell state also the total ∂L/∂c_t, and what reaches c_{t-1}."""


def linear_steps(
    record: Record,
    params: dict[str, Array],
    w: Weights,
    start: int,
    stop: int,
    held: bool = False,
) -> list[LinearStep]:
    """The steps from h[start] to h[stop]; w is made of `params`, which are the record's in
    float64. held: with every pre-activation held where it is, so that nothing goes through W_hh."""
    cell, block = record.cell, steps_in_float64(record, params, start, stop)
    n, (H, B) = stop - start, record.h.shape[1:]
    local, extra, s = (
        np.empty((n, len(cell.D_GATE_ROWS) * H, B)),
        np.empty((n, H, B)),
        np.empty((H, B)),
    )
    cell.local_derivatives(block, 0, n, local, extra)
    if held:
        local[...] = 0
    views = cell.backward_views(block, 0, local, extra)
    return [partial(_step, cell, w, s, d_a, v) for d_a, v in zip(local, views, strict=True)]


def steps_in_float64(record: Record, params: dict[str, Array], start: int, stop: int) -> Record:
    """What a record has of the steps from h[start] to h[stop], with these parameters."""

    def wide(values: Array | None, more: int = 0) -> Array | None:
        return None if values is None else values[start : stop + more].astype(float, copy=False)

    h, gates = wide(record.h, 1), wide(record.gate_values)
    assert h is not None
    assert gates is not None
    return replace(record, params=params, x=record.x[start:stop], h=h, c=wide(record.c, 1),
                   gate_values=gates, saved=wide(record.saved), delayed=None,
                   remainders=wide(record.remainders))  # fmt: skip


def _step(
    cell: Cell,
    w: Weights,
    s: Array,
    d_a: Array,
    views: Views,
    d_h_next: Array,
    d_c_next: Array | None = None,
) -> list[Array]:
    local, d_h = d_a.copy(), np.empty_like(d_h_next)
    d_c = None if d_c_next is None else np.empty_like(d_c_next)
    cell.backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
    of_gates = d_a.copy()
    d_a[...] = local  # the step may be taken again
    found = [of_gates, d_h]
    if d_c_next is not None and d_c is not None:
        found += [d_c_next, d_c]
    return found


def scaled_backward(
    record: Record,
    direct: Array,
    direct_of_c: Array | None,
    direct_log2: Array | None,
    blocks: Sequence[tuple[int, int]],
    tell: Callable[[], None] | None,
) -> Trace:
    """The backward pass in float64, every entry with an exponent of its own while it is on its
    way. blocks: (start, stop) of the steps that are taken together, the first ones first."""
    cell, T = record.cell, record.seq_len
    params = {name: value.astype(np.float64) for name, value in record.params.items()}
    w, kept = cell.backward_weights(params), ScaledGradients(record)
    arrivals = ScaledArrivals(cell, w, direct, direct_log2)
    d_h: Scaled = total(arrivals.at(T))
    d_c: Scaled = (np.zeros_like(direct[-1]) if direct_of_c is None else direct_of_c[-1]), 0
    for start, stop in reversed(blocks):
        steps, done = linear_steps(record, params, w, start, stop), list[tuple[Scaled, ...]]()
        for t in range(stop, start, -1):
            states = (d_h,) if record.c is None else (d_h, d_c)
            d_a, d_h_before, *of_c = by_bands(steps[t - 1 - start], *states)
            done.insert(0, (d_h, *of_c[:1], d_a))
            arrivals.after(t - 1, d_a)
            d_h = total([d_h_before, *arrivals.at(t - 1)])
            d_c = of_c[1] if of_c else d_c
            if direct_of_c is not None and t > 1:
                d_c = total([d_c, (direct_of_c[t - 2], 0)])
        kept.put(start + 1, done)
        if tell is not None:
            tell()
    kept.put(0, [(d_h,) if record.c is None else (d_h, d_c)])
    return _traced(record, kept, direct, direct_of_c, direct_log2)


def _traced(
    record: Record,
    kept: ScaledGradients,
    direct: Array,
    direct_of_c: Array | None,
    direct_log2: Array | None,
) -> Trace:
    """The record with the gradients of all its steps."""
    zero_padding(record.lengths, kept.d_a, kept.d_h[1:],
                 None if kept.d_c is None else kept.d_c[1:])  # fmt: skip
    log2 = kept.log2("d_h")
    c_log2 = log2 if kept.d_c is None else _one_of(kept.log2("d_c"), log2)
    gate_log2 = _one_of(kept.log2("d_a"), log2[1:])
    return Trace(**vars(record), d_h_direct=direct, d_h=kept.d_h, d_c=kept.d_c, d_log2=log2,
                 d_c_log2=c_log2, d_gate_values=kept.d_a, d_gate_log2=gate_log2,
                 direct_log2=direct_log2, d_c_direct=direct_of_c)  # fmt: skip


def _one_of(own: Array, other: Array) -> Array:
    """Exponents that are the same as others need not be kept twice."""
    return other if np.array_equal(own, other) else own


class ScaledGradients:
    """Gradients of every state and gate in the dtype of a record, and their exponents."""

    def __init__(self, record: Record) -> None:
        rows = len(record.cell.D_GATE_ROWS) * record.cell.hidden_size
        steps, _, batch_size = record.h.shape
        self.d_h = np.empty_like(record.h)
        self.d_a = np.empty((steps - 1, rows, batch_size), record.h.dtype)
        self.d_c = None if record.c is None else np.empty_like(record.c)
        self._names = ("d_h", "d_a") if record.c is None else ("d_h", "d_c", "d_a")
        self._log2: dict[str, list[Array]] = {name: [] for name in self._names}

    def put(self, t: int, steps: Sequence[tuple[Scaled, ...]]) -> None:
        """Of h[t], c[t] if there is one, and the gates of the step that led there (not of t = 0),
        and of the indices after t; the last ones first."""
        stacks = [_stacked(one) for one in zip(*steps, strict=True)]
        found = fitted(self.d_h.dtype, *stacks)
        for name, (values, log2) in zip(self._names, found, strict=False):
            first = t - (name == "d_a")
            getattr(self, name)[first : first + len(steps)] = values
            one_each = log2.shape[1] > 1
            self._log2[name].insert(0, log2.astype(np.int32) if one_each else log2)

    def log2(self, name: str) -> Array:
        """The exponents of "d_h", "d_c" or "d_a": one a column, (·, 1, B), where that will do for
        all steps, else one an entry. To be asked for once."""
        blocks = self._log2.pop(name)
        if all(log2.shape[1] == 1 for log2 in blocks):
            return np.concatenate(blocks)
        result, start = np.empty(getattr(self, name).shape, np.int32), 0
        while blocks:
            log2 = blocks.pop(0)
            result[start : start + len(log2)] = log2
            start += len(log2)
        return result


def _stacked(steps: Sequence[Scaled]) -> Scaled:
    values = np.stack([v for v, _ in steps])
    several = any(np.ndim(log2) and np.shape(log2)[0] > 1 for _, log2 in steps)
    shape = values.shape[1:] if several else (1, values.shape[2])
    return values, np.stack([np.broadcast_to(log2, shape) for _, log2 in steps])
