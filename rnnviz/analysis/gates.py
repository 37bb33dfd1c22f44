"""Who keeps the memory open: gate statistics, half-lives, Π f against the true derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobians import check_steps, log10_spectral_norm, normalise
from rnnviz.analysis.linear import linearize
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.reachability import is_logistic
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LOG10_2, Status, status_of

Array = np.ndarray

LEFT, RIGHT = 0.1, 0.9
ALIKE = 0.02
NORM_BLOCK = 32


@dataclass(frozen=True, eq=False)
class GateStats:
    """One gate of one model.

    values (H, T): sequence 0. mean, sd: over units, steps and batch. left, right (H,): each
    unit's share of steps and sequences that are saturated: below 0.1 and above 0.9 for a
    logistic gate (Karpathy, Johnson, Fei-Fei 2015, arXiv:1506.02078), below −0.9 and above 0.9
    for a `signed` one (candidates, the state of an RNN).
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


@dataclass(frozen=True, eq=False)
class CarryProduct:
    """The textbook's factor against the truth, for one sequence; index t is step t.

    log10_product (T+1,): log10 of the largest unit's Π f from t+1 to T (Π z for a GRU).
    true: ‖∂c_T/∂c_t‖₂, the total derivative through all paths (‖∂h_T/∂h_t‖₂ for a GRU).
    They agree exactly only where the recurrent path is cut (THEORY E10).
    """

    label: str
    gate: str
    log10_product: Array
    true: Curve


def gate_stats(trace: Record, label: str) -> dict[str, GateStats]:
    """Statistics of every gate, by its name."""
    return {gate: _stats(trace, label, gate) for gate in trace.cell.GATES}


def memory(trace: Record, label: str) -> Memory | None:
    """Half-lives of the memory gate (LSTM f, GRU z); None for a cell without one."""
    gate = trace.cell.MEMORY_GATE
    if gate is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(trace.gates[gate].astype(np.float64))
        decay = np.abs(_mean_over_steps(trace, logs))
        half_life = np.log(2) / decay
    return Memory(label, gate, half_life, np.argsort(half_life, kind="stable"))


def carry_product(
    trace: Record, label: str, sequence: int = 0, every: int = 1
) -> CarryProduct | None:
    """Π f and the true ‖∂c_T/∂c_t‖₂; None for a cell without a memory gate.

    The truth is taken at T, T − every, T − 2·every, ... and at 0; the points between are
    NOT_RECORDED. Costs T products of (H, G·H) with (H, H).
    Raises ValueError for a sequence that the trace does not have or every < 1.
    """
    gate = trace.cell.MEMORY_GATE
    if gate is None:
        return None
    steps = check_steps(trace, None, sequence)
    with np.errstate(divide="ignore"):
        gates = trace.gates[gate][: len(steps), :, sequence]
        factors = np.log10(gates.astype(np.float64))
    back_from_T = np.cumsum(factors[::-1], axis=0)[::-1]
    product = np.append(back_from_T.max(axis=1), 0.0)
    true = _true_carry(trace, sequence, checks.size("every", every))
    # A logistic gate is never zero, so some path is always open: zeros were made by rounding.
    status = status_of(true, np.ones(len(true), bool))
    status[~wanted_steps(len(steps), every)] = Status.NOT_RECORDED
    return CarryProduct(label, gate, product, Curve(true, status))


def _stats(trace: Record, label: str, gate: str) -> GateStats:
    values, signed = trace.gates[gate], not is_logistic(trace, gate)
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
        )


def _mean_over_steps(trace: Record, values: Array) -> Array:
    """The mean over time and batch (H,) of (T, H, B), padding left out."""
    if trace.lengths is None:
        return values.mean(axis=(0, 2))
    return values.transpose(0, 2, 1)[trace.present].mean(axis=0)


def wanted_steps(seq_len: int, every: int) -> Array:
    """Which of the indices 0 to T are looked at: T, T − every, ... and 0."""
    wanted = np.zeros(seq_len + 1, bool)
    wanted[::-1][::every] = True
    wanted[0] = True
    return wanted


def memory_rows(record: Record) -> slice:
    """Where the state has what the memory gate keeps: c, or h without a cell state."""
    first = record.cell.hidden_size if record.cell.HAS_CELL_STATE else 0
    return slice(first, first + record.cell.hidden_size)


def _true_carry(record: Record, sequence: int, every: int) -> Array:
    """log10 ‖∂c_T/∂c_t‖₂ (of h without a cell state), (T+1,), NaN where it is not wanted."""
    steps, rows = linearize(record, sequence), memory_rows(record)
    T, H = len(steps), record.cell.hidden_size
    state = np.zeros((steps.size, H))
    state[rows] = np.eye(H)
    log10, wanted, exponent = np.full(T + 1, np.nan), wanted_steps(T, every), 0
    log10[T] = 0
    pending: list[tuple[int, int, Array]] = []
    for t in reversed(range(T)):
        with np.errstate(all="ignore"):
            state, extra = normalise(steps.pull(t, state))
        exponent += int(extra)
        if wanted[t]:
            pending.append((t, exponent, state[rows]))
        if pending and (len(pending) == NORM_BLOCK or t == 0):
            at, exponents, blocks = zip(*pending, strict=True)
            norms = log10_spectral_norm(np.array(blocks))
            log10[list(at)] = norms + np.array(exponents) * LOG10_2
            pending = []
    return log10
