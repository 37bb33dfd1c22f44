"""What number formats would hold of a gradient: from which step back zero, and where infinity.

"Would hold" means the true value rounded once to the format. A recursion that rounds at every step
may end elsewhere: `float32_recursion` runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rnnviz.analysis.layers import sent_back
from rnnviz.analysis.slopes import (
    Saturation,
    layers_with_true_slopes,
    saturation,
    with_true_slopes,
)
from rnnviz.analysis.truncated import check_whole
from rnnviz.core import Record, Trace
from rnnviz.core.bptt import backward_in_range
from rnnviz.core.layers import Traces
from rnnviz.core.numerics import Array


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: significant bits, the exponent of its largest power of two,
    and that of its smallest subnormal number."""

    name: str
    bits: int
    largest: int
    smallest: int


FORMATS = (
    Format("float64", 53, 1023, -1074),
    Format("float32", 24, 127, -149),
    Format("bfloat16", 8, 127, -133),
    Format("float16", 11, 15, -24),
)
FLOAT32 = FORMATS[1]


@dataclass(frozen=True)
class Held:
    """What a format holds of ∂L/∂h_t and ∂L/∂c_t, t = 1 .. T.

    zero_from: the last step at which, and at every step before it, every entry is exactly 0
    although the true gradients of these steps are not all 0; None if there is none.
    infinite_from: the last step at which some entry is infinite; None if there is none.
    no_number_from: the last step at which some entry is NaN, as ∞ − ∞ and 0 · ∞ are, to which only
    a recursion comes; None if there is none.
    """

    format: str
    zero_from: int | None
    infinite_from: int | None
    no_number_from: int | None = None


@dataclass(frozen=True)
class Recursion:
    """What backpropagation in float32, rounded at every step, holds of the same gradients.

    held: as of a format. sticks_from: the last step at which, and at every step before it,
    something is left although the true values, rounded once, are all 0: so small a number times a
    factor above 1/2 rounds back to itself. sticks_at: the largest entry that is left at step 1; 0
    where nothing sticks.
    """

    held: Held
    sticks_from: int | None
    sticks_at: float


@dataclass(frozen=True)
class Precision:
    """Of one model: what each of `FORMATS` would hold, what float32 comes to, and where the run's
    own format makes derivatives 0. None where a gradient is not a finite number: its states have
    overflowed."""

    label: str
    held: tuple[Held, ...] | None
    recursion: Recursion | None
    saturation: Saturation | None


def precision(trace: Trace, label: str, layers: Traces = ()) -> Precision:
    """All of it, of the true gradients. layers: of a layer that is not the last one, its own traces
    and those of all above it, lowest first: its error comes through their slopes, too.

    Raises `Truncated` of a truncated pass.
    """
    check_whole("precision", trace)
    layers = layers or ((trace,),)
    at = [each is trace for each in layers[0]].index(True)
    true, saturated = layers_with_true_slopes(layers)[0][at], saturation(trace)
    if not (_log2_largest(true) < np.inf).all():
        return Precision(label, None, None, saturated)
    rounded = _recursion(_in_float32(layers)[0][at], true)
    return Precision(label, held_by_formats(true), rounded, saturated)


def held_by_formats(trace: Trace) -> tuple[Held, ...]:
    """What each of `FORMATS` would hold, the true values rounded once."""
    size = _log2_largest(trace)
    return tuple(
        Held(f.name, _zero_from(_rounds_to_zero(size, f), size), _last(_overflows(size, f)))
        for f in FORMATS
    )


def float32_recursion(trace: Trace) -> Recursion:
    """The backward pass run in float32 on the recorded states, as a framework runs it."""
    return _recursion(_in_float32(((trace,),))[0][0], with_true_slopes(trace))


def _recursion(run: Trace, true: Trace) -> Recursion:
    size = _log2_largest(true)
    states = np.concatenate([d[1:] for d in (run.d_h, run.d_c) if d is not None], axis=1)
    left = np.abs(states).max(axis=(1, 2))
    infinite, none = (test(states).any(axis=(1, 2)) for test in (np.isinf, np.isnan))
    stuck = (left > 0) & _rounds_to_zero(size, FLOAT32)
    held = Held(FLOAT32.name, _zero_from(left == 0, size), _last(infinite), _last(none))
    sticks_from = _from_the_start(stuck)
    return Recursion(held, sticks_from, 0.0 if sticks_from is None else float(left[0]))


def _in_float32(layers: Traces) -> Traces:
    with np.errstate(all="ignore"):
        return sent_back(layers, [[_narrow(t) for t in layer] for layer in layers], _back)


def _back(
    record: Record,
    d_h_direct: Array,
    *,
    direct_log2: Array | None = None,
    d_c_direct: Array | None = None,
) -> Trace:
    """Of a record in float32, whatever arrives."""
    direct = np.ldexp(d_h_direct, 0 if direct_log2 is None else direct_log2).astype(np.float32)
    of_c = None if d_c_direct is None else d_c_direct.astype(np.float32)
    return backward_in_range(record, direct, of_c)


def _narrow(trace: Trace) -> Record:
    """The record of a trace in float32."""
    given = {field.name: getattr(trace, field.name) for field in fields(Record)}
    for name, value in given.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            given[name] = value.astype(np.float32)
    given["params"] = {name: v.astype(np.float32) for name, v in trace.params.items()}
    return Record(**given)


def _log2_largest(trace: Trace) -> Array:
    """log2 of the largest entry of ∂L/∂h_t and ∂L/∂c_t, (T,) for t = 1 .. T; −inf for 0."""
    states = [(trace.d_h, trace.d_log2)]
    if trace.d_c is not None:
        states.append((trace.d_c, trace.d_c_log2))
    return np.max([_log2(d[1:], log2[1:]).max(axis=(1, 2)) for d, log2 in states], axis=0)


def _log2(values: Array, log2: Array) -> Array:
    """Exact for powers of two."""
    mantissa, exponent = np.frexp(np.abs(values).astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        return exponent - 1 + log2 + np.log2(2 * mantissa)


def _rounds_to_zero(log2: Array, f: Format) -> Array:
    """Half of the smallest number is rounded to 0, the even one of its neighbours."""
    return log2 <= f.smallest - 1


def _overflows(log2: Array, f: Format) -> Array:
    """From half a unit beyond the largest number on."""
    return log2 >= f.largest + np.log2(2 - 2.0**-f.bits)


def _zero_from(zero: Array, true: Array) -> int | None:
    last = _from_the_start(zero)
    return last if last is not None and np.isfinite(true[:last]).any() else None


def _from_the_start(some: Array) -> int | None:
    """The last step of those from step 1 on at which it is so without a gap."""
    count = len(some) if some.all() else int(np.argmin(some))
    return count or None


def _last(some: Array) -> int | None:
    steps = np.flatnonzero(some)
    return int(steps[-1]) + 1 if len(steps) else None
