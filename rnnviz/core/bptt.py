"""Forward and backward through time: the only loops over time.

Work that does not depend on the recurrence is done for a block of steps at once, small enough
to stay in the cache: input products before the steps, the factors of the backward recursion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.cell import Cell, Weights
from rnnviz.core.scaling import Scaler, needs_scaling
from rnnviz.core.trace import Record, Trace

Array = np.ndarray

# Measured: elements of a block of gates that still profit from the second-level cache.
BLOCK_ELEMENTS = 1 << 15


def forward(cell: Cell, params: dict[str, Any], x: Any, h0: Any = None, c0: Any = None) -> Record:
    """Run `cell` over x (T, D, B), or integer tokens (T, B) that stand for one-hot columns.

    h0, c0 (H, B) are the initial states, zeros if not given. float32 in gives float32 out;
    complex values give a complex Record (for complex-step derivatives).
    Raises ValueError for a wrong key, shape or dtype, and for NaN or inf in x, h0 or c0.
    """
    params, x, h0, c0 = _checked(cell, params, x, h0, c0)
    seq_len, input_size, batch_size = x.shape
    tape = cell.allocate(seq_len, batch_size, x.dtype)
    tape.h[0] = h0
    if tape.c is not None:
        tape.c[0] = c0
    x1 = np.ones((seq_len, input_size + 1, batch_size), x.dtype)
    x1[:, :input_size] = x
    w = cell.forward_weights(params, batch_size)
    s = np.empty((len(w.hidden), batch_size), x.dtype)
    with np.errstate(all="ignore"):
        for start, stop in _blocks(seq_len, s.size):
            np.matmul(w.input, x1[start:stop], out=tape.gates[start:stop])
            for views in cell.forward_views(tape, start, stop):
                cell.forward_step(w, s, *views)
    return Record(cell, params, x1[:, :input_size], tape.h, tape.c, tape.gates, tape.memo)


def backward(record: Record, d_h_direct: Any) -> Trace:
    """Backpropagation through time: total gradients of every state, gate, input and parameter.

    d_h_direct (T, H, B): d_h_direct[t] = ∂⁺L/∂h[t+1], what reaches h[t+1] through the output of
    its own step. d_h[t] = d_h_direct[t-1] + (∂h[t+1]/∂h[t])ᵀ d_h[t+1] + ... (see `Trace`).
    Where the dtype would overflow or underflow the pass is repeated with a power of two carried
    for each step and sequence (`Trace.d_log2`).
    Source: Werbos 1990, Proc. IEEE 78(10), 1550-1560. Raises ValueError for a wrong shape.
    """
    shape = (record.seq_len, record.cell.hidden_size, record.batch_size)
    direct = checks.array("d_h_direct", d_h_direct, shape, finite=False)
    direct = checks.cast("d_h_direct", direct, record.h.dtype)
    with np.errstate(all="ignore"):
        trace = _backward(record, direct, None)
        if needs_scaling(trace.d_h, trace.d_c):
            trace = _backward(record, direct, Scaler(record.h.dtype, *record.h.shape[::2]))
    return trace


def bptt(
    cell: Cell, params: dict[str, Any], x: Any, d_h_direct: Any, h0: Any = None, c0: Any = None
) -> Trace:
    """`forward`, then `backward`."""
    return backward(forward(cell, params, x, h0, c0), d_h_direct)


def _checked(
    cell: Cell, params: dict[str, Any], x: Any, h0: Any, c0: Any
) -> tuple[dict[str, Array], Array, Array, Array]:
    """Everything as fresh arrays of one dtype."""
    checked = checks.params(params, cell.param_shapes())
    x = checks.inputs(x, cell.input_size)
    shape = (cell.hidden_size, x.shape[2])
    if c0 is not None and not cell.HAS_CELL_STATE:
        raise ValueError(f"c0 must be None for {type(cell).__name__}, which has no cell state")
    states = [
        np.zeros(shape, np.float32) if s is None else checks.array(name, s, shape)
        for name, s in (("h0", h0), ("c0", c0))
    ]
    dtype = np.result_type(x, *states, *checked.values())
    params = {name: value.astype(dtype) for name, value in checked.items()}
    return params, x.astype(dtype, copy=False), states[0], states[1]


def _blocks(seq_len: int, elements: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of blocks of steps with about BLOCK_ELEMENTS elements each."""
    n = max(1, BLOCK_ELEMENTS // elements)
    return ((start, min(start + n, seq_len)) for start in range(0, seq_len, n))


def _backward(record: Record, direct: Array, scaler: Scaler | None) -> Trace:
    cell, w = record.cell, record.cell.backward_weights(record.params)
    shape = (record.seq_len, len(cell.D_SLABS) * cell.hidden_size, record.batch_size)
    d_a = np.empty(shape, direct.dtype)
    d_h = np.empty_like(record.h)
    d_c = None if record.c is None else np.empty_like(record.c)
    d_h[-1] = direct[-1]
    if d_c is not None:
        d_c[-1] = 0
    for start, stop in reversed(list(_blocks(shape[0], shape[1] * shape[2]))):
        _backward_block(record, w, direct, (d_a, d_h, d_c), start, stop, scaler)
    log2 = np.zeros((shape[0] + 1, shape[2]), np.int64) if scaler is None else scaler.log2
    return Trace(
        **vars(record), d_h_direct=direct, d_h=d_h, d_c=d_c, d_log2=log2, d_gate_values=d_a
    )


def _backward_block(
    record: Record,
    w: Weights,
    direct: Array,
    gradients: tuple[Array, Array, Array | None],
    start: int,
    stop: int,
    scaler: Scaler | None,
) -> None:
    cell = record.cell
    d_a, d_h, d_c = gradients
    extra = np.empty((stop - start, *d_h.shape[1:]), d_h.dtype)
    s = np.empty(d_h.shape[1:], d_h.dtype)
    cell.factors(record, start, stop, d_a[start:stop], extra)
    steps = list(cell.backward_views(record, start, d_a[start:stop], extra))
    h = list(d_h[start : stop + 1])
    c = [None] * len(h) if d_c is None else list(d_c[start : stop + 1])
    e = [None, *direct[:stop]] if start == 0 else list(direct[start - 1 : stop])
    for t in range(stop - start - 1, -1, -1):
        cell.backward_step(w, s, h[t + 1], c[t + 1], h[t], c[t], *steps[t])
        if scaler is not None:
            scaler.add(start + t, h[t], c[t], e[t])
        elif e[t] is not None:
            np.add(h[t], e[t], h[t])
