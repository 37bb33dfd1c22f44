"""Forward and backward through time: the only loops over time.

Work that does not depend on the recurrence is done for a block of steps at once, small enough
to stay in the cache: input products before the steps, the factors of the backward recursion.
With a skip of d steps a block has at most d − 1 of them: the states that W_skip acts on are then
known before the block, and what W_skip sends back arrives at states before the block alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz.core import checks, layouts
from rnnviz.core.cell import Cell, Weights
from rnnviz.core.layouts import zero_padding
from rnnviz.core.numerics import Array
from rnnviz.core.scaled_steps import scaled_backward
from rnnviz.core.scaling import needs_scaling
from rnnviz.core.skips import Arrivals, delay, delay_arrays
from rnnviz.core.trace import Record, Trace

Tell = Callable[[], None]
"""Is called again and again while work goes on; what it raises ends the work."""

# Measured: elements of a block of gates that still profit from the second-level cache.
BLOCK_ELEMENTS = 1 << 15
OBJECTS = 2000
"""Bytes of Python's own for the views that a step has of arrays, of each state that it carries."""


def forward(
    cell: Cell,
    params: dict[str, Any],
    x: Any,
    h0: Any = None,
    c0: Any = None,
    lengths: Any = None,
    *,
    layout: str | None = None,
    padding: str = "right",
) -> Record:
    """Run `cell` over x (T, D, B), or integer tokens (T, B) that stand for one-hot columns.

    h0, c0 (H, B) are the initial states, zeros if not given; of a cell with a skip of d steps h0
    may also be (d, H, B), the last of them h[0]. lengths (B,): steps of each sequence that are
    not padding; there x is 0, or one and the same token.
    layout: "tdb", or how else the axes of x are meant: "btd" (batch first), "tbd"; where nobody
    has said it and (B, T, D) would fit as well, the Record has a `note`. padding: at which end of
    x it is; from the "left" it is moved to the end. Records are always (T, ·, B), padding last.
    float32 in gives float32 out; complex values give a complex Record (for complex-step
    derivatives).
    Raises ValueError for a wrong key, shape or dtype, and for NaN or inf in x, h0 or c0.

    Examples
    --------
    >>> cell = GRU(3, 5)
    >>> record = forward(cell, cell.init_params(rng), x)
    >>> record.h.shape, sorted(record.gates)
    ((21, 5, 4), ['n', 'r', 'z'])
    """
    x = layouts.turned("x", x, layout)
    if checks.choice("padding", padding, layouts.PADDING) == "left" and lengths is not None:
        x = layouts.right_padded(x, lengths)
    params, given, h0, c0 = _checked(cell, params, x, h0, c0)
    steps = checks.lengths(lengths, len(given), given.shape[2])
    layouts.check_padding(x, steps)
    record = unroll(cell, params, given, h0, c0, steps)
    note = layouts.both_ways(given, layout) if np.ndim(x) == 3 else ""
    return replace(record, note=note) if note else record


def unroll(
    cell: Cell,
    params: dict[str, Array],
    x: Array,
    h0: Array | None = None,
    c0: Array | None = None,
    lengths: Array | None = None,
    tell: Tell | None = None,
) -> Record:
    """`forward` without its checks, which also takes states that have blown up: arrays of one
    dtype, lengths None or (B,)."""
    seq_len, input_size, batch_size = x.shape
    tape = cell.allocate(seq_len, batch_size, x.dtype)
    tape.h[0] = 0 if h0 is None else h0 if h0.ndim == 2 else h0[-1]
    if tape.c is not None:
        tape.c[0] = 0 if c0 is None else c0
    x1 = np.ones((seq_len, input_size + 1, batch_size), x.dtype)
    x1[:, :input_size] = x
    zero_padding(lengths, x1[:, :input_size])
    before, delayed = delay_arrays(cell, tape.h, h0)
    w = cell.forward_weights(params, batch_size)
    s = np.empty((len(w.hidden), batch_size), x.dtype)
    with np.errstate(all="ignore"):
        for start, stop in _blocks(seq_len, s.size, cell.skip):
            np.matmul(w.input, x1[start:stop], out=tape.gates[start:stop])
            if before is not None and delayed is not None and w.skip is not None:
                delay(before, tape.h, start, delayed[start:stop])
                tape.gates[start:stop] += np.matmul(w.skip, delayed[start:stop])
            for views in cell.forward_views(tape, start, stop):
                cell.forward_step(w, s, *views)
            if tell is not None:
                tell()
    zero_padding(lengths, tape.h[1:], tape.gates, None if tape.c is None else tape.c[1:])
    zero_padding(lengths, tape.saved, delayed)
    return Record(cell, params, x1[:, :input_size], tape.h, tape.c, tape.gates, tape.saved,
                  lengths=lengths, h_before=before, delayed=delayed)  # fmt: skip


def backward(
    record: Record,
    d_h_direct: Any,
    direct_log2: Any = None,
    tell: Tell | None = None,
    *,
    d_c_direct: Any = None,
) -> Trace:
    """Backpropagation through time: total gradients of every state, gate, input and parameter.

    d_h_direct (T, H, B): d_h_direct[t] = ∂⁺L/∂h[t+1], what reaches h[t+1] through the output of
    its own step; it counts as 0 at padded steps. d_h[t] = d_h_direct[t-1] + (∂h[t+1]/∂h[t])ᵀ
    d_h[t+1] + ... (see `Trace`), with a skip of d steps also + W_skipᵀ d_a of the step to h[t+d].
    direct_log2, integers (T, B), or (T, H, B): the direct gradient is d_h_direct · 2**direct_log2
    then. d_c_direct (T, H, B) likewise for the cell state: d_c_direct[t] = ∂⁺L/∂c[t+1], of a loss
    that reads c itself, such as a decoder's that starts from (h_T, c_T). Without exponents.
    Where the dtype would overflow or underflow the pass is repeated in float64 with a power
    of two carried for each entry, so that none is lost beside another (`Trace.d_log2`).
    Source: Werbos 1990, Proc. IEEE 78(10), 1550-1560. Raises ValueError for a wrong shape.

    Examples
    --------
    >>> cell = LSTM(3, 5)
    >>> record = forward(cell, cell.init_params(rng), x)
    >>> backward(record, direct).d_c.shape  # ∂L/∂c_t at the steps 0 to 20
    (21, 5, 4)
    """
    direct, log2 = checked_direct(record, d_h_direct, direct_log2)
    of_c = checked_direct_of_c(record, d_c_direct)
    with np.errstate(all="ignore"):
        if log2 is None:
            trace = _backward(record, direct, of_c, tell)
            every = direct if of_c is None else np.concatenate([direct, of_c], axis=1)
            if not needs_scaling(trace.d_h, trace.d_c, every):
                return trace
            del trace  # the two are never in memory together
        elements = len(record.cell.D_GATE_ROWS) * direct[0].size
        blocks = list(_blocks(record.seq_len, elements, record.cell.skip))
        return scaled_backward(record, direct, of_c, log2, blocks, tell)


def backward_in_range(record: Record, d_h_direct: Any, d_c_direct: Any = None) -> Trace:
    """`backward` with nothing but the numbers of the record's dtype, as frameworks compute it:
    entries beyond its range become infinite, 0, or stay at its smallest numbers."""
    direct, _ = checked_direct(record, d_h_direct, None)
    with np.errstate(all="ignore"):
        return _backward(record, direct, checked_direct_of_c(record, d_c_direct), None)


def bptt(
    cell: Cell,
    params: dict[str, Any],
    x: Any,
    d_h_direct: Any,
    h0: Any = None,
    c0: Any = None,
    lengths: Any = None,
    *,
    layout: str | None = None,
    padding: str = "right",
    d_c_direct: Any = None,
) -> Trace:
    """`forward`, then `backward`. layout and padding are those of direct gradients, too.

    Examples
    --------
    >>> cell = LSTM(3, 5)
    >>> trace = bptt(cell, cell.init_params(rng), x, direct)
    >>> trace.d_h.shape, trace.d_gates["f"].shape
    ((21, 5, 4), (20, 5, 4))
    """
    record = forward(cell, params, x, h0, c0, lengths, layout=layout, padding=padding)
    given: list[Any] = []
    for name, direct in (("d_h_direct", d_h_direct), ("d_c_direct", d_c_direct)):
        given.append(None if direct is None else layouts.turned(name, direct, layout))
        if direct is not None and padding == "left" and lengths is not None:
            given[-1] = layouts.right_padded(given[-1], lengths)
    return backward(record, given[0], d_c_direct=given[1])


def _checked(
    cell: Cell, params: dict[str, Any], x: Any, h0: Any, c0: Any
) -> tuple[dict[str, Array], Array, Array, Array]:
    """Everything as fresh arrays of one dtype."""
    checked = checks.params(params, cell.param_shapes())
    x = checks.inputs(x, cell.input_size)
    shape = (cell.hidden_size, x.shape[2])
    several = cell.skip > 0 and np.ndim(h0) == 3
    if c0 is not None and not cell.HAS_CELL_STATE:
        raise ValueError(f"c0 must be None for {type(cell).__name__}, which has no cell state")
    states = [
        np.zeros(shape, np.float32) if s is None else checks.array(name, s, wanted)
        for name, s, wanted in (("h0", h0, (cell.skip, *shape) if several else shape),
                                ("c0", c0, shape))
    ]  # fmt: skip
    dtype = np.result_type(x, *states, *checked.values())
    params = {name: value.astype(dtype) for name, value in checked.items()}
    return params, x.astype(dtype, copy=False), states[0], states[1]


def checked_direct(record: Record, d_h_direct: Any, direct_log2: Any) -> tuple[Array, Array | None]:
    """Fresh arrays, 0 at padded steps; no exponents if all are 0."""
    shape = (record.seq_len, record.cell.hidden_size, record.batch_size)
    direct = checks.array("d_h_direct", d_h_direct, shape, finite=False)
    direct = checks.cast("d_h_direct", direct, record.h.dtype)
    zero_padding(record.lengths, direct)
    if direct_log2 is None:
        return direct, None
    log2 = np.array(direct_log2)
    if log2.shape == shape[::2]:
        log2 = log2[:, None]
    if log2.dtype.kind not in "iu" or log2.shape not in (shape, (shape[0], 1, shape[2])):
        raise ValueError(
            f"direct_log2 must be integers of shape {shape[::2]}, got {log2.dtype} of {log2.shape}"
        )
    return direct, log2.astype(np.int64) if log2.any() else None


def checked_direct_of_c(record: Record, d_c_direct: Any) -> Array | None:
    """A fresh array, 0 at padded steps; None if all of it is 0."""
    if d_c_direct is None:
        return None
    if record.c is None:
        kind = type(record.cell).__name__
        raise ValueError(f"d_c_direct must be None for {kind}, which has no cell state")
    shape = (record.seq_len, record.cell.hidden_size, record.batch_size)
    direct = checks.array("d_c_direct", d_c_direct, shape, finite=False)
    direct = checks.cast("d_c_direct", direct, record.h.dtype)
    zero_padding(record.lengths, direct)
    return direct if direct.any() else None


def object_bytes(cell: Cell, seq_len: int, batch_size: int) -> int:
    """Bytes of Python's own while a block of steps is taken: they count where units are few."""
    elements = len(cell.D_GATE_ROWS) * cell.hidden_size * batch_size
    return OBJECTS * (1 + cell.HAS_CELL_STATE) * min(seq_len, BLOCK_ELEMENTS // elements + 1)


def _blocks(seq_len: int, elements: int, skip: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of blocks of steps with about BLOCK_ELEMENTS elements each."""
    n = max(1, BLOCK_ELEMENTS // elements)
    n = min(n, skip - 1) if skip else n
    return ((start, min(start + n, seq_len)) for start in range(0, seq_len, n))


def _backward(record: Record, direct: Array, direct_of_c: Array | None, tell: Tell | None) -> Trace:
    cell, w = record.cell, record.cell.backward_weights(record.params)
    shape = (record.seq_len, len(cell.D_GATE_ROWS) * cell.hidden_size, record.batch_size)
    d_a = np.empty(shape, direct.dtype)
    d_h = np.empty_like(record.h)
    d_c = None if record.c is None else np.empty_like(record.c)
    arrivals = Arrivals(cell, w, direct)
    d_h[-1] = direct[-1]
    if d_c is not None:
        d_c[-1] = 0 if direct_of_c is None else direct_of_c[-1]
    for start, stop in reversed(list(_blocks(shape[0], shape[1] * shape[2], cell.skip))):
        _backward_block(record, w, arrivals, (d_a, d_h, d_c), direct_of_c, start, stop)
        arrivals.after(start, d_a[start:stop])
        if tell is not None:
            tell()
    zero_padding(record.lengths, d_a, d_h[1:], None if d_c is None else d_c[1:])
    log2 = np.zeros((shape[0] + 1, 1, shape[2]), np.int64)
    return Trace(**vars(record), d_h_direct=direct, d_h=d_h, d_c=d_c, d_log2=log2, d_c_log2=log2,
                 d_gate_values=d_a, d_gate_log2=log2[1:], d_c_direct=direct_of_c)  # fmt: skip


def _backward_block(
    record: Record,
    w: Weights,
    arrivals: Arrivals,
    gradients: tuple[Array, Array, Array | None],
    direct_of_c: Array | None,
    start: int,
    stop: int,
) -> None:
    cell = record.cell
    d_a, d_h, d_c = gradients
    extra = np.empty((stop - start, *d_h.shape[1:]), d_h.dtype)
    s = np.empty(d_h.shape[1:], d_h.dtype)
    cell.local_derivatives(record, start, stop, d_a[start:stop], extra)
    steps = list(cell.backward_views(record, start, d_a[start:stop], extra))
    h = list(d_h[start : stop + 1])
    c = [None] * len(h) if d_c is None else list(d_c[start : stop + 1])
    e = arrivals.sums(start, stop)
    for t in range(stop - start - 1, -1, -1):
        cell.backward_step(w, s, h[t + 1], c[t + 1], h[t], c[t], *steps[t])
        if (arriving := e[t]) is not None:
            np.add(h[t], arriving, h[t])
        if direct_of_c is not None and d_c is not None and start + t:
            d_c[start + t] += direct_of_c[start + t - 1]
