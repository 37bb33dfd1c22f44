"""The true gradients of a run whose units saturate, beside those that its format computes.

A slope is read off the recorded value of a unit: 1 − y² of a tanh. In float32 y is 1 from |a| = 9
on, in float64 from 19, its slope 0, before that a few roundings, and so is autograd's. Of the same
states every gate can be worked out again in float64, with what is left of it to ±1 apart
(`Cell.remainders`): then slopes have all digits up to |a| = 350. What a format makes 0
`saturation` counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.layers import sent_back
from rnnviz.analysis.reachability import told_what_arrives
from rnnviz.core import Cell, Record, Trace, backward
from rnnviz.core.activations import Activation
from rnnviz.core.bptt import unroll
from rnnviz.core.layers import Traces
from rnnviz.core.layouts import zero_padding
from rnnviz.core.numerics import LN_10, Array, log10_norm, log10_rms
from rnnviz.core.trace import rms_over_batch, state_log10

TRUE = 1e-9
"""Decades by which slopes that are read off recorded values may move a gradient, at most."""
SEEN = 5e-3
"""And decades that a page would show, at most."""
STEPS = 16
"""Of a record, whose remainders are worked out at once."""
MOST_NUMBERS = 1_000_000
"""Of the states before some steps, of which a record in float64 is made at once."""
LOST = np.log10(TRUE * LN_10)
SATURATES = ("tanh", "logistic")
"""Nonlinearities whose derivative is nowhere 0 in truth, and is where the value is rounded to 1."""


@dataclass(frozen=True)
class Saturation:
    """Derivatives of gates that a run's format makes exactly 0, as 1 − 1·1, and that are not.

    zeros of `total`: over units, steps that are no padding, and sequences. least, most: log10 of
    the true ones, from the pre-activations; None of a cell with several gates.
    """

    zeros: int
    total: int
    least: float | None = None
    most: float | None = None


def with_true_slopes(trace: Trace) -> Trace:
    """The trace of the same states with the slopes of their pre-activations, and gradients, in
    float64; `trace` itself if its slopes have all their digits, its cell does not say its
    pre-activations, or it is not of a full backward pass."""
    if trace.window or not loses_slopes(trace):
        return trace
    direct = trace.d_h_direct.astype(np.float64)
    of_c = None if trace.d_c_direct is None else trace.d_c_direct.astype(np.float64)
    with np.errstate(all="ignore"):
        return backward(true_record(trace), direct, trace.direct_log2, d_c_direct=of_c)


def record_with_true_slopes(trace: Trace) -> Record:
    """`true_record` where rounding may move by what a page would show what the steps make of any
    error, such as ∂c_T/∂c_0; else the trace itself. The loss's own error has no part in it."""
    rounded = trace.remainders is None and shows_rounding(trace)
    return true_record(trace) if rounded else trace


def layers_with_true_slopes(layers: Traces, to_inputs: bool = False) -> Traces:
    """`with_true_slopes` of a layer and all above it, together: what arrives in the lower ones has
    gone through such slopes, too. Where it is still rounded to 0 they are told. to_inputs: whether
    what the lowest one hands down to its inputs counts as well."""
    every = [(trace, to_inputs or k > 0) for k, layer in enumerate(layers) for trace in layer]
    if any(t.window for t, _ in every) or not any(loses_slopes(*each) for each in every):
        return layers
    with np.errstate(all="ignore"):
        true = sent_back(layers, [[true_record(trace) for trace in layer] for layer in layers])
        return told_what_arrives(true)


def shows_rounding(trace: Trace) -> bool:
    """Whether rounded slopes may move a gradient by what a page would show; a quick look at the
    values alone."""
    lost = trace.seq_len * float(np.finfo(trace.h.dtype).eps) / (SEEN * LN_10)
    return nearest_to_one(trace) < lost


def loses_slopes(trace: Trace, below: bool = False) -> bool:
    """Whether rounding may take more than `TRUE` decades from gradients, which `true_record` has:
    a slope is off by eps / (1 − |y|) of itself, a product of T of them T times as far, but what
    went through others may be all that counts. Of float32 always, of a `true_record` never. below:
    also of those that go on to a layer below."""
    cell, dtype = trace.cell, trace.h.dtype
    if trace.remainders is not None:
        return False
    if dtype != np.float64 or type(cell).preactivations is Cell.preactivations:
        return bool(dtype == np.float32)
    near = nearest_to_one(trace) < trace.seq_len * np.finfo(dtype).eps / (TRUE * LN_10)
    return near and bool((share_of_rounding(trace, below) > LOST).any())


def nearest_to_one(trace: Trace) -> float:
    """The least that is left to ±1 of the recorded values that slopes are read off."""
    cell = trace.cell
    values = [trace.gates[g] for g in cell.trainable_gates if _smooth(cell.activation_of(g))]
    if trace.saved is not None and cell.HAS_CELL_STATE and _smooth(cell.saved_activation):
        values.append(trace.saved)
    return min((1 - float(max(v.max(), -v.min())) for v in values), default=1.0)


def share_of_rounding(trace: Trace, below: bool = False) -> Array:
    """log10 of what rounding puts into slopes over what is left of the error, (T+1,): eps times all
    error that has come by, if it stayed as it is, over the lesser of ∂L/∂s_t and ∂L/∂h_t. +inf
    where nothing is left; −inf before any error enters. below: and over ∂L/∂x_t, which goes on to a
    layer below."""
    largest = 0.0 if trace.c is None else float(np.abs(trace.c).max())
    state = rms_over_batch(trace, state_log10(trace))
    left = np.minimum(state, rms_over_batch(trace, log10_norm(trace.d_h, 1, trace.d_log2)))
    with np.errstate(all="ignore"):
        if below:
            left[1:] = np.minimum(left[1:], log10_rms(log10_norm(trace.d_x, 1, trace.d_x_log2)))
        W = np.linalg.norm(trace.params["W_hh"].astype(np.float64))
        come_by = np.logaddexp.accumulate(state[::-1] * LN_10)[::-1] / LN_10
        share = come_by - left + np.log10(np.finfo(trace.h.dtype).eps * (1 + W) * (1 + largest))
    return np.where(np.isneginf(come_by), -np.inf, share)


def _smooth(activation: Activation) -> bool:
    return activation.name in SATURATES


def slopes_rounded_to_zero(trace: Trace, true: Trace) -> Array:
    """(T+1,) of bool: at which steps ∂L/∂h_t is exactly 0 as the format computes it and other than
    0 in the true trace."""
    of_format, of_truth = (t.d_h.any(axis=(1, 2)) for t in (trace, true))
    return np.logical_and(of_truth, np.logical_not(of_format))


def saturation(trace: Trace) -> Saturation | None:
    """How many derivatives of a trace's gates its format makes 0; None if none."""
    values = trace.gate_values
    if max(values.max(), -values.min()) < 1:
        return None
    cell = trace.cell
    names = [g for g in cell.trainable_gates if cell.activation_of(g).name in SATURATES]
    zero = {g: np.abs(trace.gates[g]) == 1 for g in names}  # at padded steps gates are 0
    zeros = sum(int(some.sum()) for some in zero.values())
    if not zeros:
        return None
    total = len(names) * cell.hidden_size * int(trace.present.sum())
    if not cell.SIMPLE:
        return Saturation(zeros, total)
    gate = cell.CANDIDATE_GATE
    true = _log10_slope(cell.activation_of(gate).name, _preactivation(trace)[zero[gate]])
    return Saturation(zeros, total, float(true.min()), float(true.max()))


def _preactivation(trace: Trace) -> Array:
    """W_xh x + W_hh h + b_h in float64, of the recorded states."""
    p = {name: value.astype(np.float64) for name, value in trace.params.items()}
    a: Array = p["W_xh"] @ trace.x + p["W_hh"] @ trace.h[:-1] + p["b_h"][:, None]
    return a if trace.delayed is None else a + p["W_skip"] @ trace.delayed


def _log10_slope(name: str, a: Array) -> Array:
    """log10 of 1/cosh²(a), or of the logistic function's slope, which is 1/(4 cosh²(a/2))."""
    half = np.abs(a) / (1 if name == "tanh" else 2)
    result: Array = 2 * (np.log(2) - half - np.log1p(np.exp(-2 * half))) / LN_10
    return result if name == "tanh" else result - np.log10(4)


def true_record(trace: Trace) -> Record:
    """The record in float64: its states, the gates that they make, what is left of these to ±1."""
    cell = trace.cell
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}
    x, h = trace.x.astype(np.float64), trace.h.astype(np.float64)
    c = None if trace.c is None else trace.c.astype(np.float64)
    before = None if trace.h_before is None else trace.h_before.astype(np.float64)
    delayed = None if trace.delayed is None else trace.delayed.astype(np.float64)
    made = _made(cell, params, x, h, c, before)
    gates, saved = (None if made[0][k] is None else np.concatenate([each[k] for each in made])
                    for k in (0, 1))  # fmt: skip
    assert gates is not None
    zero_padding(trace.lengths, gates, saved)
    record = Record(cell, params, x, h, c, gates, saved, lengths=trace.lengths, h_before=before,
                    delayed=delayed)  # fmt: skip
    with np.errstate(all="ignore"):
        return replace(record, remainders=_remainders(record))


def _made(
    cell: Cell,
    params: dict[str, Array],
    x: Array,
    h: Array,
    c: Array | None,
    before: Array | None,
) -> list[tuple[Array, Array | None]]:
    """The gates that recorded states make, and what the cell keeps for the way back, (t, ·, B) of
    so many steps at a time. These are one batch; with a skip of d steps each needs d states."""
    (T, _, B), made = x.shape, []
    many = max(1, MOST_NUMBERS // (cell.hidden_size * B * max(cell.skip, 1)))
    history = h if before is None else np.concatenate([before, h])
    for t in range(0, T, many):
        some = slice(t, min(t + many, T))
        start = _columns(h[some])
        if before is not None:
            ahead = (slice(t + j, some.stop + j) for j in range(cell.skip))
            start = np.stack([_columns(history[each]) for each in ahead])
        memory = None if c is None else _columns(c[some])
        done = unroll(cell, params, _columns(x[some])[None], start, memory)
        gates, saved = (None if v is None else v[0].reshape(-1, some.stop - t, B).transpose(1, 0, 2)
                        for v in (done.gate_values, done.saved))  # fmt: skip
        made.append((np.array(gates), None if saved is None else np.array(saved)))
    return made


def _remainders(record: Record) -> Array | None:
    """Of some steps after the others: on the way to them a cell makes several arrays as large."""
    found: Array | None = None
    for start in range(0, record.seq_len, STEPS):
        few = slice(start, start + STEPS)
        to = slice(start, start + STEPS + 1)
        some = replace(
            record,
            x=record.x[few],
            h=record.h[to],
            c=None if record.c is None else record.c[to],
            gate_values=record.gate_values[few],
            saved=None if record.saved is None else record.saved[few],
            delayed=None if record.delayed is None else record.delayed[few],
        )
        left = record.cell.remainders(some)
        if left is None:
            return None
        if found is None:
            found = np.empty((record.seq_len, *left.shape[1:]))
        found[few] = left
    return found


def _columns(steps: Array) -> Array:
    """(T, F, B) as (F, T·B)."""
    return steps.transpose(1, 0, 2).reshape(steps.shape[1], -1)
