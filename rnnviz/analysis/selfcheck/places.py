"""Some steps of some sequences of a run, side by side, and what rounding does to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.selfcheck.noise import MAGNIFIED, STRICT, nudged_record, precision, smallest
from rnnviz.core import Cell, Record
from rnnviz.core.activations import HIGHEST_COMPLEX, Activation
from rnnviz.core.numerics import Array

AJAR = float(np.exp(-HIGHEST_COMPLEX))
"""What a gate lets through at least in complex numbers, see `activations.exponential`."""


@dataclass(frozen=True, eq=False)
class Places:
    """Steps t (1 to T) of sequences b: n of them, as the batch of one step."""

    t: Array
    b: Array

    def of(self, values: Array, offset: int = 0) -> Array:
        """values[t + offset, :, b] of an array (T or T+1, F, B), as float64 columns (F, n)."""
        return np.ascontiguousarray(values[self.t + offset, :, self.b].T, np.float64)

    def exponents(self, log2: Array, offset: int = 0) -> Array:
        """The same of exponents (T or T+1, F or 1, B), as integers."""
        return log2[self.t + offset, :, self.b].T


def places(record: Record, most: int) -> Places:
    """At most so many steps of all sequences, evenly spread over time and batch."""
    t, b = np.nonzero(record.present)
    if len(t) > most:
        chosen = np.linspace(0, len(t) - 1, max(1, most)).astype(int)
        t, b = t[chosen], b[chosen]
    return Places(t + 1, b)


def term_sizes(record: Record, at: Places) -> Array | None:
    """The sum of the sizes of all terms that are added up to each of `Cell.preactivations`, of
    which one rounding moves it by eps; (·, n). None where the cell does not say them."""
    h, after = (np.abs(at.of(record.h, k)) for k in (-1, 0))
    c = None
    if record.c is not None:  # |f c_{t−1}| + |i g| is at most |c_t| + 2 |c_{t−1}|
        before = np.abs(at.of(record.c, -1))
        c = np.stack([before, np.abs(at.of(record.c)) + 2 * before])
    x, gates, saved, delayed = (
        None if v is None else np.abs(at.of(v, -1))[None]
        for v in (record.x, record.gate_values, record.saved, record.delayed)
    )
    assert x is not None
    assert gates is not None
    params = {name: np.abs(value).astype(np.float64) for name, value in record.params.items()}
    sizes = Record(record.cell, params, x, np.stack([h, after]), c, gates, saved, delayed=delayed)
    with np.errstate(all="ignore"):
        found = record.cell.preactivations(sizes)
    return None if found is None else found[0]


def moved_step(
    step: Record, sizes: Array | None, rng: np.random.Generator, dtype: np.dtype
) -> Record:
    """A record of one step, (1, ·, n), whose gates are moved by `MAGNIFIED` roundings of the dtype,
    and by what as many of every term in front of their nonlinearities make of them; and what it
    keeps."""
    eps = MAGNIFIED * precision(dtype)
    moved = nudged_record(step, rng, eps, MAGNIFIED * smallest(dtype))
    if sizes is None:
        return moved
    gates = moved.gate_values.copy()
    saved = None if moved.saved is None else moved.saved.copy()
    for name, rows, function, of in _nonlinearities(step.cell, len(sizes)):
        y = getattr(step, name)[0, rows]
        slope = np.empty_like(y)
        function.slope(y, slope)
        up = np.where(rng.random(y.shape) < 0.5, eps, -eps)
        values = gates if name == "gate_values" else saved
        assert values is not None
        values[0, rows] += up * slope * sizes[of]
    return replace(moved, gate_values=gates, saved=saved)


def crossed(record: Record, at: Places, again: Record, sizes: Array | None) -> Array:
    """At which places (n,) a unit lies on the other side of a kink when the step is made `again`,
    (1, ·, n), and nearer to where it was than rounding explains, or what a complex exponential
    leaves of a gate that is shut: 10^−304 in place of 0."""
    found = np.zeros(len(at.t), bool)
    if sizes is None:
        return found
    eps, least = precision(record.h.dtype), max(smallest(record.h.dtype), AJAR)
    for name, rows, function, of in _nonlinearities(record.cell, len(sizes)):
        if function.kinks:
            one, other = at.of(getattr(record, name), -1)[rows], getattr(again, name)[0, rows].real
            near = np.abs(one - other) <= STRICT * (eps * sizes[of] + least)
            slopes = np.empty_like(one), np.empty_like(one)
            function.slope(one, slopes[0])
            function.slope(np.ascontiguousarray(other), slopes[1])
            found |= (near & (slopes[0] != slopes[1])).any(axis=0)
    return found


def _nonlinearities(cell: Cell, size: int) -> Iterator[tuple[str, slice, Activation, slice]]:
    """Of every gate with weights, and of what is saved if `term_sizes` has it: the array of a
    record, the rows there, the nonlinearity, and the rows of `term_sizes`, so many in all."""
    H = cell.hidden_size
    for k, gate in enumerate(cell.GATE_ROWS):
        if gate in cell.trainable_gates:
            rows = slice(k * H, (k + 1) * H)
            yield "gate_values", rows, cell.activation_of(gate), rows
    first = len(cell.GATE_ROWS) * H
    if size > first:
        yield "saved", slice(H), cell.saved_activation, slice(first, size)
