"""What holds units at an end: the parts of what goes into their nonlinearity, with their signs."""

from __future__ import annotations

import math

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis.finding import FLAT, HALF, HALVINGS, MOSTLY, SHUT

LARGEST = 1e150
"""Weights and values beyond are taken as this: their products have to be numbers."""
LEAST, NEARLY = 1e-6, 0.1
"""A standard deviation below the first is that of a constant; means within the second of 0 and
standard deviations within it of 1 are nearly so."""


def held_by(trace: Trace, gate: str, units: Array, needed: float = 0.0) -> str:
    """Which part of the pre-activation of some units (H,) of a gate pushes them furthest to the end
    at which they are, in the median over units, steps and sequences: "input" (W_xh x), "recurrent"
    (W_hh h, of a GRU's candidate what its reset gate lets through) or "bias". The end is that of
    the value's sign for a tanh, the lower one for all else. needed: from where a bias counts."""
    toward = -np.ones(())
    if trace.cell.activation_of(gate).name == "tanh":
        toward = np.sign(trace.gates[gate][:, units])
    of_part = parts(trace, gate, units)
    of_part["bias"] = of_part["bias"] - needed
    push = {name: _median(trace, toward * part) for name, part in of_part.items()}
    return max(push, key=lambda name: push[name])


def input_holds(trace: Trace, gate: str, units: Array) -> bool:
    """Whether inputs alone would keep most of some units (H,) of a gate at an end at nearly every
    step, also if each were centred and scaled."""
    rows = trace.cell.gate_rows(gate)
    a = _cut(trace.params["W_xh"][rows][units]) @ centred(trace.x)
    value, name = np.empty_like(a), trace.cell.activation_of(gate).name
    with np.errstate(all="ignore"):
        trace.cell.activation_of(gate).value(a, value)
    ends = {"tanh": np.abs(value) > FLAT, "relu": a < 0}.get(name, value < SHUT)
    there = np.where(trace.present[:, None], ends, False).sum(axis=(0, 2))
    return bool(np.mean(there >= MOSTLY * trace.present.sum()) >= HALF)


def centred(x: Array) -> Array:
    """Inputs (T, D, B), each with mean 0 and standard deviation 1; a constant one is 0."""
    x = _cut(x)
    return (x - x.mean(axis=(0, 2), keepdims=True)) / np.maximum(
        x.std(axis=(0, 2), keepdims=True), LEAST
    )


def is_centred(x: Array) -> bool:
    """Whether centring and scaling inputs (T, D, B) would leave them nearly as they are."""
    x = _cut(x)
    mean, sd = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
    return bool((np.abs(mean) < NEARLY).all() and (np.abs(sd[sd > LEAST] - 1) < NEARLY).all())


def opening(lag: int) -> float:
    """The bias at which a logistic gate keeps half over the lag, f = 2^(−1/lag)."""
    return -math.log(math.expm1(math.log(2) / lag))


def closed_by(trace: Trace, lag: int) -> str | None:
    """What leaves the memory gate furthest below the bias that would open it; None of a cell whose
    memory gate is not learned."""
    gate, every = trace.cell.MEMORY_GATE, np.ones(trace.cell.hidden_size, bool)
    if gate is None or gate not in trace.cell.trainable_gates:
        return None
    return held_by(trace, gate, every, opening(lag))


def in_the_way(trace: Trace, lag: int) -> tuple[str, ...]:
    """Which of "input" and "recurrent" close the memory gate also with the bias that would open it:
    the fewest without which half of the units keep long enough."""
    cause, gate = closed_by(trace, lag), trace.cell.MEMORY_GATE
    if cause is None or gate is None:
        return ()
    of_part = parts(trace, gate, np.ones(trace.cell.hidden_size, bool))
    ways = sorted(("input", "recurrent"), key=lambda name: name != cause)
    for gone in ((), *((name,) for name in ways)):
        a = np.full_like(of_part["input"], opening(lag))
        for name in set(ways) - set(gone):
            a += of_part[name]
        if _keeps(trace, gate, a) >= lag / HALVINGS:
            return gone
    return tuple(ways)


def _keeps(trace: Trace, gate: str, a: Array) -> float:
    """The median half-life of units whose memory gate has the pre-activations a (T, H, B)."""
    value, present = np.empty_like(a), trace.present[:, None]
    with np.errstate(all="ignore"):
        trace.cell.activation_of(gate).value(a, value)
        lost = np.where(present, -np.log(value), 0).sum(axis=(0, 2)) / trace.present.sum()
        return float(np.median(np.log(2) / lost))


def parts(trace: Trace, gate: str, units: Array) -> dict[str, Array]:
    """What the bias, the input and the state add to the pre-activation of some units (H,) of a
    gate, each (T, units, B)."""
    rows = trace.cell.gate_rows(gate)
    W_xh, W_hh, b_h = (trace.params[name][rows][units] for name in ("W_xh", "W_hh", "b_h"))
    values, times = trace.cell.seen_by(trace, gate)
    let_through = np.ones(()) if times is None else times[:, units]
    bias = np.broadcast_to(_cut(b_h)[:, None], (trace.seq_len, len(b_h), trace.batch_size))
    if times is not None and "b_hn" in trace.params:
        bias = bias + let_through * _cut(trace.params["b_hn"][units])[:, None]
    return {"bias": bias, "input": _cut(W_xh) @ _cut(trace.x),
            "recurrent": let_through * (_cut(W_hh) @ _cut(values))}  # fmt: skip


def _cut(values: Array) -> Array:
    return np.clip(values.astype(np.float64), -LARGEST, LARGEST)


def _median(trace: Trace, values: Array) -> float:
    """Of values (T, units, B) over the steps that are no padding."""
    return float(np.median(values.transpose(0, 2, 1)[trace.present]))
