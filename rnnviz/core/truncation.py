"""Truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.bptt import Tell, backward, checked_direct, checked_direct_of_c
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import add_scaled
from rnnviz.core.trace import Record, Trace, cell_carry


def truncated_backward(
    record: Record,
    d_h_direct: Any,
    window: int,
    stride: int = 0,
    direct_log2: Any = None,
    tell: Tell | None = None,
    *,
    d_c_direct: Any = None,
) -> Trace:
    """Every `stride` steps the losses since the last time are sent back through the last
    `window` steps at most; gradients are summed over these windows.

    Each window's gradients are those that autograd gives if the states before it are constants;
    d_h[t] counts what came through the steps of every window that holds t. window >= T is
    `backward` itself. stride 0, or one above `window`, means `window`: no loss is left out.
    The sum is biased: what a loss owes to earlier steps is missing. In a stack each layer is
    truncated by itself: windows that do not overlap (stride = window, T a multiple of it) are the
    truncation of the whole network; others let a loss reach further back in each layer below.
    Source: Williams and Peng 1990, Neural Computation 2(4), 490-501 (BPTT(h; h')); bias: Tallec
    and Ollivier 2017, arXiv:1705.08209. Raises ValueError for a window below 1, a stride below 0,
    and where `backward` does.
    """
    checks.size("window", window)
    every = min(checks.size("stride", stride, 0) or window, window)
    if window >= record.seq_len:
        return backward(record, d_h_direct, direct_log2, tell, d_c_direct=d_c_direct)
    direct, log2 = checked_direct(record, d_h_direct, direct_log2)
    of_c = checked_direct_of_c(record, d_c_direct)
    total = _Sum(record)
    for done, start, stop in windows(record.seq_len, window, every):
        recent = direct[start:stop].copy()
        recent[: done - start] = 0
        exponents = None if log2 is None else log2[start:stop]
        recent_c = None if of_c is None else of_c[start:stop].copy()
        if recent_c is not None:
            recent_c[: done - start] = 0
        steps = _steps(record, start, stop)
        total.add(start, backward(steps, recent, exponents, tell, d_c_direct=recent_c))
    return replace(total.trace(direct, log2), d_c_direct=of_c, window=window, stride=every)


def windows(seq_len: int, window: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """(done, start, stop) of each window of a truncated pass: from h[start] to h[stop], with the
    losses of the states after h[done] alone."""
    done = 0
    for stop in (*range(stride, seq_len, stride), seq_len):
        yield done, max(0, stop - window), stop
        done = stop


class _Sum:
    """The gradients of a record, summed over windows. What belongs to a step is kept at the index
    of the state that the step leads to."""

    def __init__(self, record: Record) -> None:
        steps, _, batch_size = record.h.shape
        slabs = len(record.cell.D_GATE_ROWS) * record.cell.hidden_size
        d_a = np.zeros((steps, slabs, batch_size), record.h.dtype)
        cell_states = () if record.c is None else (record.c, record.c)
        self._record = record
        arrays = [d_a, *(np.zeros_like(s) for s in (record.h, *cell_states))]
        none = np.zeros((steps, 1, batch_size), np.int64)
        self._sums = [(values, none.copy()) for values in arrays]

    def add(self, start: int, window: Trace) -> None:
        """Add a window whose first state is h[start]."""
        indices = slice(start, start + window.seq_len + 1)
        new = [
            (_after(window.d_gate_values), _after(window.d_gate_log2)),
            (window.d_h, window.d_log2),
        ]
        carry = cell_carry(window)
        if carry is not None and window.d_c is not None:
            new += [(window.d_c, window.d_c_log2), (_after(carry[0]), _after(carry[1]))]
        with np.errstate(all="ignore"):
            self._sums = [
                _added(total, indices, part) for total, part in zip(self._sums, new, strict=True)
            ]

    def trace(self, direct: Array, direct_log2: Array | None) -> Trace:
        (d_a, d_a_log2), (d_h, log2), *of_c = self._sums
        (d_c, d_c_log2), (d_carry, carry_log2) = of_c or ((None, log2), (None, None))
        return Trace(
            **vars(self._record),
            d_h_direct=direct,
            direct_log2=direct_log2,
            d_h=d_h,
            d_c=d_c,
            d_log2=log2,
            d_c_log2=d_c_log2,
            d_gate_values=d_a[1:],
            d_gate_log2=d_a_log2[1:],
            d_carry=None if d_carry is None else d_carry[1:],
            d_carry_log2=None if carry_log2 is None else carry_log2[1:],
        )


def _added(
    total: tuple[Array, Array], indices: slice, part: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Add to some steps of a total, in place unless it needs an exponent for each entry now."""
    values, log2 = total
    values[indices], new = add_scaled((values[indices], log2[indices]), part)
    if new.shape[1] > log2.shape[1]:
        log2 = np.broadcast_to(log2, values.shape).astype(np.int32)
    log2[indices] = new
    return values, log2


def _after(steps: Array) -> Array:
    """Prepend a zero row: step t (T rows) moves to index t + 1 (T + 1 rows), where its state is."""
    return np.concatenate((np.zeros_like(steps[:1]), steps))


def _steps(record: Record, start: int, stop: int) -> Record:
    """The record of the steps from h[start] to h[stop], as views."""

    def of(values: Array | None, more: int = 0) -> Array | None:
        return None if values is None else values[start : stop + more]

    lengths = None if record.lengths is None else (record.lengths - start).clip(0, stop - start)
    return replace(
        record,
        x=record.x[start:stop],
        h=record.h[start : stop + 1],
        c=of(record.c, 1),
        gate_values=record.gate_values[start:stop],
        saved=of(record.saved),
        lengths=lengths,
        delayed=of(record.delayed),
    )
