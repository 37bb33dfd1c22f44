"""Findings of units, gates and number formats: why an error does not arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.gates import gate_stats, memory
from rnnviz.analysis.precision import precision
from rnnviz.core import Trace
from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis import changes
from rnnviz.models.diagnosis.decay import Decay
from rnnviz.models.diagnosis.finding import (
    FLAT,
    HALF,
    HALVINGS,
    MOSTLY,
    SHUT,
    STUCK,
    Finding,
)
from rnnviz.models.diagnosis.held import closed_by, held_by


def closed_memory(decays: Sequence[Decay], label: str, lag: int) -> Iterator[Finding]:
    """Memory gates of which even the most open forgets before the lag, where the error vanishes."""
    found = [(one, kept) for one in decays if (kept := memory(one.trace, label)) is not None]
    if not found:
        return
    one, kept = max(found, key=lambda each: each[1].half_life.max())
    longest = float(kept.half_life.max())
    if longest < lag / HALVINGS:
        change = changes.keep_longer(one.trace, lag, one.layer, one.direction)
        values = {"gate": kept.gate, "median": kept.median, "lag": lag}
        if (cause := closed_by(one.trace, lag)) is not None:
            values["cause"] = cause
        yield Finding("closed_memory", label, longest, lag / HALVINGS, "likely", True, one.layer,
                      one.direction, change, values)  # fmt: skip


def recent_only(decays: Sequence[Decay], label: str, lag: int) -> Iterator[Finding]:
    """How few last steps make up nearly all of ∂ℓ/∂W_hh, where sequences end together."""
    one = max(decays, key=lambda each: len(each.log10))
    trace = one.trace
    if trace.lengths is not None and np.ptp(trace.lengths):
        return
    try:
        log10 = weight_contributions(trace, label).log10_each
    except ValueError:  # larger than that analysis allows
        return
    steps = last_steps(log10)
    if steps is not None and steps < lag:
        yield Finding("recent_only", label, float(steps), float(lag), "certain", False, one.layer,
                      one.direction, values={"lag": lag})  # fmt: skip


def last_steps(log10: Array) -> int | None:
    """How many of the last steps make up 99 % of the sum of norms; None if there is none."""
    top = log10.max()
    if not np.isfinite(top):
        return None
    shares = np.cumsum(10.0 ** (log10[::-1] - top))
    return int(np.searchsorted(shares, 0.99 * shares[-1])) + 1


def precision_lost(one: Decay, label: str, lag: int | None) -> Iterator[Finding]:
    """Formats that would hold exactly 0 of the last error: at the lag, or without one anywhere."""
    if one.trace.seq_len == 1:
        return
    held = precision(one.trace, label).held or ()
    end = len(one.log10)
    zero_from = {each.format: min(each.zero_from, end)  # nothing enters after the end
                 for each in held if each.zero_from is not None}  # fmt: skip
    lost = {format: last for format, last in zero_from.items() if lag is None or last >= end - lag}
    hopeless = lag is not None and "float64" in lost
    for format, last in lost.items():
        own = format == one.format
        values = {"format": format, "back": end - last, "lag": lag}
        yield Finding("precision", label, float(last), np.nan, "certain",
                      own and lag is not None, one.layer, one.direction,
                      changes.wider(format) if own and not hopeless else "", values)  # fmt: skip


def saturated(trace: Trace, label: str, layer: int, direction: int) -> Iterator[Finding]:
    """Gates and units that hardly ever leave one end, and ReLUs that never wake."""
    for name, stats in gate_stats(trace, label).items():
        if trace.cell.activation_of(name).name == "relu":
            silent = np.where(trace.present[:, None], trace.gates[name], 0) == 0
            yield from _stuck("dead", trace, label, (layer, direction), name,
                              silent.all(axis=(0, 2)))  # fmt: skip
        learned = name in trace.cell.trainable_gates and name != trace.cell.MEMORY_GATE
        if stats.saturates and learned:
            side, value = "both" if stats.signed else "closed", trace.gates[name]
            ends = np.abs(value) > FLAT if stats.signed else value < SHUT
            there = np.where(trace.present[:, None], ends, False).sum(axis=(0, 2))
            yield from _stuck("saturated", trace, label, (layer, direction), name,
                              there >= MOSTLY * trace.present.sum(), side)  # fmt: skip


def _stuck(
    kind: str,
    trace: Trace,
    label: str,
    place: tuple[int, int],
    gate: str,
    units: Array,
    side: str = "",
) -> Iterator[Finding]:
    """The finding that so many units (H,) are stuck, and what holds them."""
    share, dead = float(units.mean()), kind == "dead"
    line = HALF if dead else STUCK
    if share < line:
        return
    cause = held_by(trace, gate, units)
    values = {"gate": gate, "cause": cause, **({"side": side} if side else {})}
    change = (changes.wake if dead else changes.unstick)(cause, trace, gate, units, *place)
    yield Finding(kind, label, share, line, "certain" if dead else "possible", dead and share == 1,
                  *place, change, values)  # fmt: skip
