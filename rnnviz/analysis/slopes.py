"""The true gradients of a single-precision run whose units saturate, beside those of its format.

A slope is read off the recorded value of a unit: 1 − y² of a tanh. In float32 y is 1 from |a| = 9
on, its slope 0 or a few roundings, and so is autograd's. The same states with every gate worked
out again in float64, from the recorded state before it, have slopes that are right up to
|a| = 19; from there on float64's are 0, too, and count as rounded: `saturation` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.layers import own_error_below, sent_back
from rnnviz.core import Record, Trace, backward
from rnnviz.core.bptt import unroll
from rnnviz.core.layers import Traces
from rnnviz.core.layouts import zero_padding
from rnnviz.core.numerics import Array

NOTHING = 1e-6
"""Decades that no picture shows."""
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


def with_slopes_in_float64(trace: Trace) -> Trace:
    """The trace of the same states with slopes, and gradients, of float64; `trace` itself if it is
    not float32, or not of a full backward pass."""
    if trace.h.dtype != np.float32 or trace.window:
        return trace
    direct = trace.d_h_direct.astype(np.float64)
    of_c = None if trace.d_c_direct is None else trace.d_c_direct.astype(np.float64)
    with np.errstate(all="ignore"):
        return backward(_wide(trace), direct, trace.direct_log2, d_c_direct=of_c)


def layers_with_slopes_in_float64(layers: Traces) -> Traces:
    """`with_slopes_in_float64` of a layer and all above it, together: what arrives in the lower
    ones has gone through such slopes, too. The layers themselves where an error of their own
    enters below the last one."""
    every = [trace for layer in layers for trace in layer]
    if any(trace.h.dtype != np.float32 or trace.window for trace in every):
        return layers
    with np.errstate(all="ignore"):
        if own_error_below(layers):
            return layers
        return sent_back(layers, [[_wide(trace) for trace in layer] for layer in layers])


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


def lost_decades(trace: Trace, log10: Array) -> Array:
    """By how much rounding may have moved log10 ‖∂L/∂h_t‖ of a `SIMPLE` cell, (T+1,), at most, to
    first order. log10 (T+1,): the curve itself.

    A slope 1 − y² or y(1 − y) is off by eps, whatever is left of it: ∂L/∂h_t by no more than
    eps·‖W_hh‖₂·‖∂L/∂h_{t+1}‖, and what was off before stays so, in the mean. Little where the
    error goes through units that are not saturated; all digits where all units are.
    """
    W_hh = trace.params["W_hh"].astype(np.float64)
    with np.errstate(all="ignore"):
        of_step = np.finfo(trace.h.dtype).eps * 10.0 ** (log10[1:] - log10[:-1])
    bound = np.zeros(len(log10))
    if not np.isfinite(W_hh).all():
        return bound  # what is no number says so itself
    bound[:-1] = np.cumsum(np.nan_to_num(of_step, posinf=0.0)[::-1])[::-1] / np.log(10)
    loose = np.linalg.norm(W_hh) * bound
    # Singular values take longer than all the rest; where nothing is lost an upper bound will do.
    return loose if loose.max() < NOTHING else np.linalg.norm(W_hh, 2) * bound


def _preactivation(trace: Trace) -> Array:
    """W_xh x + W_hh h + b_h in float64, of the recorded states."""
    p = {name: value.astype(np.float64) for name, value in trace.params.items()}
    a: Array = p["W_xh"] @ trace.x + p["W_hh"] @ trace.h[:-1] + p["b_h"][:, None]
    return a if trace.delayed is None else a + p["W_skip"] @ trace.delayed


def _log10_slope(name: str, a: Array) -> Array:
    """log10 of 1/cosh²(a), or of the logistic function's slope, which is 1/(4 cosh²(a/2))."""
    half = np.abs(a) / (1 if name == "tanh" else 2)
    result: Array = 2 * (np.log(2) - half - np.log1p(np.exp(-2 * half))) / np.log(10)
    return result if name == "tanh" else result - np.log10(4)


def _wide(trace: Trace) -> Record:
    """The record in float64: its states, and gates that they make. All steps as one batch."""
    cell, T, B = trace.cell, trace.seq_len, trace.batch_size
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}
    x, h = trace.x.astype(np.float64), trace.h.astype(np.float64)
    c = None if trace.c is None else trace.c.astype(np.float64)
    before = None if trace.h_before is None else trace.h_before.astype(np.float64)
    start = _columns(h[:-1])
    if before is not None:
        history = np.concatenate([before, h])
        start = np.stack([_columns(history[j : j + T]) for j in range(cell.skip)])
    done = unroll(cell, params, _columns(x)[None], start, None if c is None else _columns(c[:-1]))
    gates, saved = (
        None if v is None else v[0].reshape(-1, T, B).transpose(1, 0, 2).copy()
        for v in (done.gate_values, done.saved)
    )
    assert gates is not None
    zero_padding(trace.lengths, gates, saved)
    delayed = None if trace.delayed is None else trace.delayed.astype(np.float64)
    return Record(cell, params, x, h, c, gates, saved, lengths=trace.lengths, h_before=before,
                  delayed=delayed)  # fmt: skip


def _columns(steps: Array) -> Array:
    """(T, F, B) as (F, T·B)."""
    return steps.transpose(1, 0, 2).reshape(steps.shape[1], -1)
