"""Structural sparsity of the backward pass: tells exact zeros from rounded ones.

A recorded zero may be structural (a dead ReLU, the end of a delay line) or made by rounding
(1 − tanh² is 0.0 in float64 from |a| ≈ 19 on). This pass tells them apart: it runs the cell's
own backward steps on patterns of 0 and 1, in which every smooth slope and every logistic gate is
open, so that nothing can cancel, overflow or underflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import reduce
from typing import NamedTuple

import numpy as np

from rnnviz.core import Record, Trace
from rnnviz.core.bptt import backward_in_range
from rnnviz.core.cell import Weights
from rnnviz.core.layers import Traces, reverse
from rnnviz.core.numerics import Array
from rnnviz.core.truncation import windows

BLOCK = 64
GENERIC = 0.5
"""A value at which no factor of any cell is zero."""


class Reachable(NamedTuple):
    """Where a gradient can be other than zero, (T+1, H, B) booleans: ∂L/∂h_t, ∂L/∂c_t in total,
    and ∂L/∂c_t with h_t held fixed (`carry`). c and carry are None without a cell state. x: of
    ∂L/∂x_t, (T, D, B), if it was asked for."""

    h: Array
    c: Array | None
    carry: Array | None
    x: Array | None = None


def reachable(trace: Trace, inputs: bool = False) -> Reachable:
    """The pattern of non-zero gradients of `trace` in exact arithmetic without cancellation.

    Zero weights, zero activities and closed ReLUs block; smooth slopes and logistic gates never
    do. An exact cancellation of non-zero terms counts as reachable. Of a truncated pass: what its
    windows reach. inputs: whether that of ∂L/∂x_t is wanted, too.
    """
    weights = trace.cell.backward_weights(trace.params)
    pattern = Weights(
        (weights.input != 0).astype(float),
        (weights.hidden != 0).astype(float),
        skip=None if weights.skip is None else (weights.skip != 0).astype(float),
    )
    if not trace.window:
        return _within(trace, pattern, 0, 0, trace.seq_len, inputs)
    every = windows(trace.seq_len, trace.window, trace.stride)
    return reduce(_either, (_within(trace, pattern, *window, inputs) for window in every))


def reached_from(record: Record, d_h_direct: Array, d_c_direct: Array | None = None) -> Reachable:
    """What these direct gradients alone can reach, whatever else the record holds."""
    plain = Record(**{field.name: getattr(record, field.name) for field in fields(Record)})
    return reachable(backward_in_range(plain, d_h_direct, d_c_direct))


def enters_in_truth(trace: Trace) -> Array:
    """(T, H, B): where a direct gradient can be other than 0."""
    direct = trace.d_h_direct != 0
    return direct if trace.direct_reaches is None else direct | trace.direct_reaches


def told_what_arrives(layers: Traces) -> Traces:
    """The traces, lowest layer first, each below the last with what can arrive from above
    (`Trace.direct_reaches`), where some of it is 0: a layer above that rounds it to 0 sends zeros
    that are none."""
    found = [layers[-1]]
    if any(_has_zeros(trace) for layer in layers[:-1] for trace in layer):
        for low in reversed(layers[:-1]):
            shares = _shares(found[0], low[0].cell.hidden_size)
            found.insert(0, tuple(replace(t, direct_reaches=share)
                                  for t, share in zip(low, shares, strict=True)))  # fmt: skip
        return tuple(found)
    return layers


def _has_zeros(trace: Trace) -> bool:
    return bool((trace.present[:, None] & (trace.d_h_direct == 0)).any())


def _shares(high: Sequence[Trace], size: int) -> list[Array]:
    """What a layer can send to each direction of the one below, in its order, (T, H, B)."""
    sent = [reachable(trace, inputs=True).x for trace in high]
    of, *back = [each for each in sent if each is not None]
    lengths = high[0].lengths
    for each in back:
        of = of | reverse(each, lengths)
    return [of] if of.shape[1] == size else [of[:, :size], reverse(of[:, size:], lengths)]


def _either(one: Reachable, other: Reachable) -> Reachable:
    pairs = zip(one, other, strict=True)
    return Reachable(*(None if a is None else a | b for a, b in pairs))  # type: ignore[arg-type]


def _within(trace: Trace, w: Weights, done: int, first: int, last: int, inputs: bool) -> Reachable:
    """Between h[first] and h[last], of the direct gradients after h[done]."""
    enter, of = slice(done + 1, last + 1), slice(done, last)
    d_h = np.zeros(trace.h.shape, bool)
    d_h[enter] = enters_in_truth(trace)[of]
    has_c = trace.c is not None
    d_c, carry = (np.zeros(trace.h.shape, bool) if has_c else None for _ in range(2))
    if carry is not None and trace.d_c_direct is not None:
        carry[enter] = trace.d_c_direct[of] != 0
    x = np.zeros(trace.x.shape, bool) if inputs else None
    result = Reachable(d_h, d_c, carry, x)
    for start in reversed(range(first, last, BLOCK)):
        _block(trace, w, result, first, start, min(start + BLOCK, last))
    if d_c is not None and carry is not None:
        d_c[first] = carry[first]
    return result


def _block(trace: Trace, w: Weights, to: Reachable, first: int, start: int, stop: int) -> None:
    """Fill `to` at the indices start to stop − 1 (c: start + 1 to stop), none before `first`."""
    cell, record = trace.cell, generic(trace, start, stop)
    shape = to.h.shape[1:]
    d_a = np.empty((stop - start, len(cell.D_GATE_ROWS) * shape[0], shape[1]))
    extra = np.ones((stop - start, *shape))
    cell.local_derivatives(record, 0, stop - start, d_a, extra)
    np.abs(d_a, out=d_a)
    steps = list(cell.backward_views(record, 0, d_a, extra))
    scratch = np.empty(shape)
    for t in reversed(range(start, stop)):
        d_h, d_h_next = np.empty(shape), to.h[t + 1].astype(float)
        if to.c is None or to.carry is None:
            cell.backward_step(w, scratch, d_h_next, None, d_h, None, *steps[t - start])
        else:
            d_c, d_c_next = np.empty(shape), to.carry[t + 1].astype(float)
            cell.backward_step(w, scratch, d_h_next, d_c_next, d_h, d_c, *steps[t - start])
            to.c[t + 1] = d_c_next > 0
            to.carry[t] |= d_c > 0
        to.h[t] |= d_h > 0
        if to.x is not None:
            to.x[t] = w.input @ d_a[t - start, cell.x_rows] > 0
        if w.skip is not None and t + 1 - cell.skip >= first:
            to.h[t + 1 - cell.skip] |= w.skip @ d_a[t - start, cell.x_rows] > 0


def generic(trace: Record, start: int, stop: int) -> Record:
    """The steps from start to stop with every value replaced by its pattern."""
    block, states = slice(start, stop), slice(start, stop + 1)
    gates = GENERIC * (trace.gate_values[block] != 0)
    H, held = trace.cell.hidden_size, trace.cell.constant_gates
    for k, gate in enumerate(trace.cell.GATE_ROWS):
        rows = slice(k * H, (k + 1) * H)
        if is_logistic(trace, gate) and gate not in held:
            gates[:, rows] = GENERIC
        elif trace.cell.activation_of(gate).name == "hard_sigmoid":  # flat where it is 0 or 1
            gates[:, rows][trace.gate_values[block, rows] == 1] = 1
    return Record(
        cell=trace.cell,
        # A peephole may be negative and must not cancel what goes beside it.
        params={k: (v != 0).astype(float) if k[:2] == "p_" else v for k, v in trace.params.items()},
        x=trace.x[block],
        # Twice the candidate's: h − n and c − g are zero only where both are.
        h=2 * GENERIC * (trace.h[states] != 0),
        c=None if trace.c is None else 2 * GENERIC * (trace.c[states] != 0),
        gate_values=gates,
        saved=None if trace.saved is None else GENERIC * (trace.saved[block] != 0),
    )


def is_logistic(trace: Record, gate: str) -> bool:
    """Whether a gate's values lie between 0 and 1 (candidates and most RNN states do not)."""
    return trace.cell.activation_of(gate).name == "logistic"
