"""The true gradients of a single-precision run whose units saturate, beside those of its format.

A slope is read off the recorded value of a unit: 1 − y² of a tanh. In float32 y is 1 from |a| = 9
on, its slope 0 or a few roundings, and so is autograd's. The same states with every gate worked
out again in float64, from the recorded state before it, have slopes that are right up to
|a| = 19; from there on float64's are 0, too, and count as rounded.
"""

from __future__ import annotations

import numpy as np

from rnnviz.core import Record, Trace, backward
from rnnviz.core.bptt import unroll
from rnnviz.core.layouts import zero_padding
from rnnviz.core.numerics import Array


def with_slopes_in_float64(trace: Trace) -> Trace:
    """The trace of the same states with slopes, and gradients, of float64; `trace` itself if it is
    not float32. Of a full backward pass."""
    if trace.h.dtype != np.float32:
        return trace
    direct = trace.d_h_direct.astype(np.float64)
    with np.errstate(all="ignore"):
        return backward(_wide(trace), direct, trace.direct_log2)


def slopes_rounded_to_zero(trace: Trace) -> Array:
    """(T+1,) of bool: at which steps ∂L/∂h_t is exactly 0 in float32 and other than 0 in truth."""
    true = with_slopes_in_float64(trace)
    of_format, of_truth = (t.d_h.any(axis=(1, 2)) for t in (trace, true))
    return np.logical_and(of_truth, np.logical_not(of_format))


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
