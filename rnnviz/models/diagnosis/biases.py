"""Biases of memory gates: how long a gate would keep if nothing else acted on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis import changes
from rnnviz.models.diagnosis.decay import Decay
from rnnviz.models.diagnosis.finding import HALVINGS, Finding
from rnnviz.models.diagnosis.held import closed_by


def short_biases(decays: Sequence[Decay], label: str, lag: int) -> Iterator[Finding]:
    """Biases of memory gates that by themselves forget before the lag, where the error vanishes:
    those of the layer that keeps longest."""
    found = [(one, half_lives(b, one.trace), b) for one in decays
             if (b := memory_bias(one.trace)) is not None]  # fmt: skip
    if not found:
        return
    one, lives, bias = max(found, key=lambda each: each[1].max())
    longest = float(lives.max())
    if longest < lag / HALVINGS:
        values = {"gate": one.trace.cell.MEMORY_GATE, "lag": lag,
                  "low": float(bias.min()), "high": float(bias.max())}  # fmt: skip
        change = changes.keep_longer(one.trace, lag, one.layer, one.direction)
        sure = "likely" if closed_by(one.trace, lag) == "bias" else "possible"
        yield Finding("biases", label, longest, lag / HALVINGS, sure, True, one.layer,
                      one.direction, change, values)  # fmt: skip


def memory_bias(trace: Trace) -> Array | None:
    """The whole bias of the memory gate (H,); None of a cell whose memory gate is not learned."""
    cell = trace.cell
    if cell.MEMORY_GATE is None or cell.MEMORY_GATE in cell.constant_gates:
        return None
    return trace.params["b_h"][cell.gate_rows(cell.MEMORY_GATE)].astype(np.float64)


def half_lives(bias: Array, trace: Trace) -> Array:
    """Steps (H,) after which half is left at a gate that its bias alone sets: ln 2 / −ln φ(b)."""
    assert trace.cell.MEMORY_GATE is not None
    kept = np.empty_like(bias)
    with np.errstate(divide="ignore", over="ignore"):  # shut or open for good
        trace.cell.activation_of(trace.cell.MEMORY_GATE).value(bias, kept)
        return np.log(2) / np.abs(np.log(kept))
