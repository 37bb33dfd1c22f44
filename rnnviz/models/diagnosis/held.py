"""What holds units at an end: the parts of what goes into their nonlinearity, with their signs."""

from __future__ import annotations

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.numerics import Array

LARGEST = 1e150
"""Weights and values beyond are taken as this: their products have to be numbers."""


def held_by(trace: Trace, gate: str, units: Array) -> str:
    """Which part of the pre-activation of some units (H,) of a gate pushes them furthest to the end
    at which they are, in the median over units, steps and sequences: "input" (W_xh x), "recurrent"
    (W_hh h, of a GRU's candidate what its reset gate lets through) or "bias". The end is that of
    the value's sign for a tanh, the lower one for all else."""
    toward = -np.ones(())
    if trace.cell.activation_of(gate).name == "tanh":
        toward = np.sign(trace.gates[gate][:, units])
    of_part = parts(trace, gate, units)
    push = {name: _median(trace, toward * part) for name, part in of_part.items()}
    return max(push, key=lambda name: push[name])


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
