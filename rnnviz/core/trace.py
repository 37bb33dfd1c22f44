"""What is recorded of one layer in one direction: `Record` after the forward pass, `Trace`
after the backward pass; and the state gradient ‖∂L/∂s_t‖, s = h or (h, c), as log10 norms.

Dimensions: T time steps, B batch, D input_size, H hidden_size, G gates. Columns are sequences,
so every array is (T, features, B).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from rnnviz.core.cell import Cell, named_rows
from rnnviz.core.numerics import Array, log10_hypot, log10_norm, log10_rms
from rnnviz.core.scaling import add_scaled, by_bands, fitted

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, eq=False)
class Record:
    """The forward pass.

    x (T, D, B); h (T+1, H, B) and c likewise (None without a cell state), index 0 is the initial
    state. gate_values (T, G·H, B) holds the gates after their nonlinearity in the order
    `cell.GATE_ROWS`; saved (T, H, B) is what a step keeps for its way back (LSTM: tanh(c), or
    c itself; GRU: W_hn h + b_hn, or r ∘ h; RNN: None). All arrays are read-only.
    lengths (B,): steps of each sequence before its padding, None if nothing is padded; at padded
    steps every array is exactly 0.
    Of a cell with a skip of d steps: h_before (d−1, H, B) holds the states before h[0], delayed
    (T, H, B) what W_skip acts on: delayed[t] is the state d steps before h[t+1]. Else None.
    remainders (T, ·, B): 1 − |y| of the values y that slopes are read off, as `Cell.remainders` has
    them, so that slopes are right where y is rounded to ±1; None: of y alone, as frameworks do.
    note: how x was read where its shape leaves that open; else "".
    """

    cell: Cell
    params: dict[str, Array]
    x: Array
    h: Array
    c: Array | None
    gate_values: Array
    saved: Array | None
    lengths: Array | None = field(default=None, kw_only=True)
    h_before: Array | None = field(default=None, kw_only=True)
    delayed: Array | None = field(default=None, kw_only=True)
    remainders: Array | None = field(default=None, kw_only=True)
    note: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            elif isinstance(value, dict):
                for array in value.values():
                    array.setflags(write=False)

    @property
    def gates(self) -> dict[str, Array]:
        """Gate name -> (T, H, B), after the nonlinearity."""
        return named_rows(self.gate_values, self.cell.GATE_ROWS, self.cell.GATES)

    @property
    def seq_len(self) -> int:
        return self.x.shape[0]

    @property
    def batch_size(self) -> int:
        return self.x.shape[2]

    @property
    def present(self) -> Array:
        """(T, B): whether a step is one of its sequence's, not padding."""
        if self.lengths is None:
            return np.ones((self.seq_len, self.batch_size), bool)
        return np.arange(self.seq_len)[:, None] < self.lengths

    @property
    def longest(self) -> int:
        """The steps of the longest sequence."""
        return self.seq_len if self.lengths is None else int(self.lengths.max())

    def steps_of(self, sequence: int) -> int:
        """How many steps a sequence has."""
        return self.seq_len if self.lengths is None else int(self.lengths[sequence])


@dataclass(frozen=True, eq=False)
class Trace(Record):
    """The forward and the backward pass.

    d_h_direct (T, H, B): d_h_direct[t] = ∂⁺L/∂h[t+1], through the output of that step alone;
    times 2**direct_log2 where these exponents are given, else they are None.
    d_h, d_c (T+1, H, B): total gradients as autograd defines them, ∂L/∂h_t and ∂L/∂c_t.
    d_gate_values (T, ·, B): ∂L/∂(pre-activation), in the order `cell.D_GATE_ROWS`.
    d_c_direct (T, H, B): d_c_direct[t] = ∂⁺L/∂c[t+1], None where no loss reads a cell state.
    d_log2, d_c_log2, d_gate_log2, integers: the true gradients are d_h · 2**d_log2, d_c ·
    2**d_c_log2 and d_gate_values · 2**d_gate_log2. All zero unless the dtype would overflow or
    underflow; one exponent a step and sequence, (·, 1, B), unless entries are too far apart for
    that: then one an entry.
    window, stride: of a truncated pass, as `truncated_backward` was asked; 0 of a full one.
    d_carry (T, H, B), d_carry_log2: of a truncated pass, what `cell_carry` says, summed over its
    windows.
    direct_reaches (T, H, B) of bool: where, of a layer below others, a direct gradient can be other
    than 0 in exact arithmetic though it is rounded to 0 on its way; None: where it is not 0.
    d_x (T, D, B) with d_x_log2, and grads (the keys and shapes of params, summed over time and
    batch), are computed when first asked for.
    """

    d_h_direct: Array
    d_h: Array
    d_c: Array | None
    d_log2: Array
    d_c_log2: Array
    d_gate_values: Array
    d_gate_log2: Array
    direct_log2: Array | None = field(default=None, kw_only=True)
    d_c_direct: Array | None = field(default=None, kw_only=True)
    d_carry: Array | None = field(default=None, kw_only=True)
    d_carry_log2: Array | None = field(default=None, kw_only=True)
    window: int = field(default=0, kw_only=True)
    stride: int = field(default=0, kw_only=True)
    direct_reaches: Array | None = field(default=None, kw_only=True)

    @property
    def record(self) -> Record:
        """The forward pass alone."""
        return Record(**{each.name: getattr(self, each.name) for each in fields(Record)})

    @property
    def enters(self) -> Array:
        """(T, B): whether a direct gradient reaches the state that a step leads to."""
        of_h = np.any(self.d_h_direct, axis=1)
        of_c = of_h if self.d_c_direct is None else np.any(self.d_c_direct, axis=1)
        return np.logical_or(of_h, of_c)

    @cached_property
    def d_x(self) -> Array:
        """∂L/∂x_t · 2**−d_x_log2, (T, D, B)."""
        d_x, _ = self._of_inputs
        d_x.setflags(write=False)
        return d_x

    @property
    def d_x_log2(self) -> Array:
        """The exponents of d_x, integers that broadcast to it."""
        return self._of_inputs[1]

    @cached_property
    def _of_inputs(self) -> tuple[Array, Array]:
        return self._through_gates(self.cell.input_gradients)

    @cached_property
    def d_h_before(self) -> Array | None:
        """∂L/∂ the states before h[0] of a cell with a skip of d steps, (d−1, H, B), times
        2**−d_h_before_log2. None without a skip."""
        if self.h_before is None:
            return None
        d_h_before, _ = self._before
        d_h_before.setflags(write=False)
        return d_h_before

    @property
    def d_h_before_log2(self) -> Array | None:
        """The exponents of d_h_before."""
        return None if self.h_before is None else self._before[1]

    @cached_property
    def _before(self) -> tuple[Array, Array]:
        """`d_h_before` and its exponents: of the first steps, 0 where there are not so many."""
        assert self.h_before is not None
        steps = min(len(self.h_before), self.seq_len)
        values, log2 = self._through_gates(self.cell.skip_gradients, steps)
        more = ((0, len(self.h_before) - steps), (0, 0), (0, 0))
        return np.pad(values, more), np.pad(log2, more)

    def _through_gates(
        self, linear: Callable[[Trace], Array], steps: int | None = None
    ) -> tuple[Array, Array]:
        """A linear function of the gates' gradients, of the first so many steps or all, and its
        exponents where each entry of a gate has its own, else the gates'."""
        first, log2 = slice(steps), self.d_gate_log2[:steps]
        if log2.shape[1] == 1:
            return linear(self)[first], log2

        def of_gates(d_a: Array) -> list[Array]:
            return [linear(replace(self, d_gate_values=d_a))[first]]

        with np.errstate(all="ignore"):
            found = by_bands(of_gates, (self.d_gate_values[first], log2))
            return fitted(self.h.dtype, *found)[0]

    @cached_property
    def grads(self) -> dict[str, Array]:
        """∂L/∂(parameter), summed over time and batch; the keys and shapes of params."""
        grads = self.cell.weight_gradients(self)
        for gradient in grads.values():
            gradient.setflags(write=False)
        return grads

    @property
    def d_gates(self) -> dict[str, Array]:
        """Gate name -> (T, H, B), the gradient with respect to the gate's pre-activation; of the
        gates that have weights (`cell.trainable_gates`)."""
        return named_rows(self.d_gate_values, self.cell.D_GATE_ROWS, self.cell.trainable_gates)


def state_log10(trace: Trace, h: Array | None = None) -> Array:
    """log10 ‖∂L/∂s_t‖ of each sequence, (T+1, B); `h` is log10 ‖d_h[t]‖ if it is known already."""
    h = log10_norm(trace.d_h, 1, trace.d_log2) if h is None else h
    carried = cell_carry(trace)
    if carried is None:
        return h
    result = h.copy()
    result[:-1] = log10_hypot(h[:-1], log10_norm(carried[0], 1, carried[1]))
    if trace.d_c_direct is not None:
        result[-1] = log10_hypot(h[-1], log10_norm(trace.d_c_direct[-1], 0))
    return result


def cell_carry(trace: Trace) -> tuple[Array, Array] | None:
    """∂L/∂c_t with h_t held fixed, (T, H, B) for t = 0 .. T−1, and its exponents.

    What reaches c_t from c_{t+1}: of an LSTM f_{t+1} ∘ d_c[t+1], and what c_t sends through the
    peepholes of i and f; and its direct gradient. None without a cell state.
    """
    if trace.d_carry is not None and trace.d_carry_log2 is not None:
        return trace.d_carry, trace.d_carry_log2
    if trace.d_c is None:
        return None

    def carried(d_c: Array, d_a: Array) -> list[Array]:
        d_c = np.concatenate([d_c[:1], d_c])
        return [trace.cell.carried(replace(trace, d_c=d_c, d_gate_values=d_a))]

    with np.errstate(all="ignore"):
        shared = trace.d_c_log2.shape[1] == trace.d_gate_log2.shape[1] == 1
        if shared and trace.cell.hidden_size > 1:  # of one unit all exponents look shared
            found = trace.cell.carried(trace), trace.d_c_log2[1:]
        else:
            of_c = trace.d_c[1:], trace.d_c_log2[1:]
            parts = by_bands(carried, of_c, (trace.d_gate_values, trace.d_gate_log2))
            found = fitted(trace.h.dtype, *parts)[0]
        if trace.d_c_direct is None:
            return found
        direct = np.concatenate([np.zeros_like(found[0][:1]), trace.d_c_direct[:-1]])
        return add_scaled(found, (direct, np.zeros((1, 1, 1), np.int64)))


def rms_over_batch(trace: Trace, log10: Array) -> Array:
    """log10 values (T+1, B) as their RMS over the sequences that have the step, (T+1,)."""
    return log10_rms(log10) + 0.5 * np.log10(trace.batch_size / sequences_at(trace))


def sequences_at(trace: Trace) -> Array:
    """How many sequences have each state, not padding, (T+1,); 1 where none has."""
    return np.append(trace.batch_size, trace.present.sum(axis=1).clip(1))


def of_sequences(trace: R, chosen: Array) -> R:
    """The trace, or the record, of some sequences of the batch; gradients stay those of the whole
    batch's mean."""
    given: dict[str, Any] = {f.name: getattr(trace, f.name) for f in fields(trace)}
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(v[..., chosen])
        for name, v in given.items()
        if isinstance(v, np.ndarray)
    }
    return replace(trace, **arrays)
