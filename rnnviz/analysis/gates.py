"""Who keeps the memory open: gate statistics and half-lives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import Cell, Record
from rnnviz.core.activations import GATE_ACTIVATIONS
from rnnviz.core.numerics import Array

LEFT, RIGHT = 0.1, 0.9
ALIKE = 0.02
ROUNDINGS = 1000
"""Of its format that a gate has to be below 1, for its logarithm to have three digits."""


@dataclass(frozen=True, eq=False)
class GateStats:
    """One gate of one model.

    values (H, T): sequence 0. mean, sd: over units, steps and batch. left, right (H,): each
    unit's share of steps and sequences that are saturated: below 0.1 and above 0.9 for a
    logistic or hard gate (Karpathy, Johnson, Fei-Fei 2015, arXiv:1506.02078), below −0.9 and above
    0.9 for a `signed` one (candidates, the state of an RNN). saturates: whether its activation is
    flat there; that of a ReLU or the identity is not.
    """

    label: str
    kind: str
    gate: str
    signed: bool
    values: Array
    mean: float
    sd: float
    left: Array
    right: Array
    saturates: bool

    @property
    def alike(self) -> bool:
        """Whether the gate is a constant for practical purposes (sd < 0.02)."""
        return self.sd < ALIKE


@dataclass(frozen=True, eq=False)
class Memory:
    """How long each unit's memory gate keeps half of what it holds.

    half_life (H,): ln 2 / −mean ln f in steps, the mean over time and batch (so f counts with its
    geometric mean); 0 for a gate that closed altogether, inf for one that never lost anything.
    order (H,): units by rising half-life. gate: "f" or "z".
    """

    label: str
    gate: str
    half_life: Array
    order: Array

    @property
    def median(self) -> float:
        return float(np.median(self.half_life))

    def share_beyond(self, steps: float) -> float:
        """Share of units whose half-life exceeds `steps`."""
        return float(np.mean(self.half_life > steps))


def gate_stats(trace: Record, label: str) -> dict[str, GateStats]:
    """Statistics of every gate, by its name.

    Examples
    --------
    >>> stats = analysis.gate_stats(lstm, "LSTM")
    >>> round(stats["f"].mean, 2)  # nearly open: the memory bias is 3
    0.94
    """
    return {gate: _stats(trace, label, gate) for gate in trace.cell.GATES}


def memory(trace: Record, label: str) -> Memory | None:
    """Half-lives of the memory gate (LSTM f, GRU z); None for a cell without one.

    Examples
    --------
    >>> analysis.memory(lstm, "LSTM").half_life.shape  # steps, of each unit
    (8,)
    >>> analysis.memory(rnn, "RNN") is None
    True
    """
    gate = trace.cell.MEMORY_GATE
    if gate is None:
        return None
    with np.errstate(all="ignore"):
        decay = np.abs(_mean_over_steps(trace, log_memory_gate(trace, gate)))
        half_life = np.log(2) / decay
    return Memory(label, gate, half_life, np.argsort(half_life, kind="stable"))


def log_memory_gate(record: Record, gate: str) -> Array:
    """ln of the gate that keeps the memory, (T, H, B). Where a number format makes 0 of a logistic
    one, or 1 but for a few roundings, it is read off the pre-activation; −∞ is a gate that is shut,
    or one of a cell that does not say its pre-activations."""
    values, cell = record.gates[gate].astype(np.float64), record.cell
    with np.errstate(all="ignore"):
        logs = np.log(values)
        if not rounds_to_zero(cell):
            return logs
        rounded = (values == 0) | (1 - values < ROUNDINGS * np.finfo(record.h.dtype).eps)
        a = cell.preactivations(record) if rounded.any() else None
        if a is None:
            return logs
        start = cell.GATE_ROWS.index(gate) * cell.hidden_size
        mine = a[:, start : start + cell.hidden_size].astype(np.float64)
        return np.where(rounded, -np.logaddexp(0, -mine), logs)


def rounds_to_zero(cell: Cell) -> bool:
    """Whether the memory gate is nowhere 0 in truth: a logistic one, no hard one, none held."""
    gate = cell.MEMORY_GATE
    return gate in cell.trainable_gates and cell.activation_of(gate).name == "logistic"


def _stats(trace: Record, label: str, gate: str) -> GateStats:
    values, activation = trace.gates[gate], trace.cell.activation_of(gate).name
    signed = activation not in GATE_ACTIVATIONS
    some = values if trace.lengths is None else values.transpose(0, 2, 1)[trace.present]
    with np.errstate(invalid="ignore", over="ignore"):
        return GateStats(
            label=label,
            kind=type(trace.cell).__name__.lower(),
            gate=gate,
            signed=signed,
            values=np.ascontiguousarray(values[: trace.steps_of(0), :, 0].T),
            mean=float(some.mean(dtype=np.float64)),
            sd=float(some.std(dtype=np.float64)),
            left=_mean_over_steps(trace, values < (-RIGHT if signed else LEFT)),
            right=_mean_over_steps(trace, values > RIGHT),
            saturates=activation == "tanh" or not signed,
        )


def _mean_over_steps(trace: Record, values: Array) -> Array:
    """The mean over time and batch (H,) of (T, H, B), padding left out."""
    if trace.lengths is None:
        return values.mean(axis=(0, 2))
    return values.transpose(0, 2, 1)[trace.present].mean(axis=0)
