"""What an analysis will take, known before anything is allocated, and where it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.analysis.factored import state_size
from rnnviz.analysis.linear import BLOCK_BYTES, KEPT_BYTES
from rnnviz.analysis.pair_columns import ENTRIES, together
from rnnviz.core import Cell

MAX_BYTES = 1 << 30
MAX_SECONDS = 30.0

# Measured on one core of a small server, float64, rounded up.
SECONDS_PER_STEP = 60e-6
FLOPS_PER_SECOND = 20e9
QR_FLOPS_PER_SECOND = 12e9
SECONDS_PER_ELEMENT = 2e-9


@dataclass(frozen=True)
class Estimate:
    """bytes: of the arrays alive at once. seconds: a rough guess for one core, within a factor of
    a few."""

    bytes: int
    seconds: float


def lags_cost(cell: Cell, seq_len: int) -> Estimate:
    """All of ∂s_T/∂s_t, and the norms of two of its blocks at each step, sixteen steps together."""
    size = state_size(cell)
    norms = 6 * size**3 / QR_FLOPS_PER_SECOND
    seconds = seq_len * (_applied(cell, size) + norms)
    return Estimate(_linear_bytes(cell, seq_len) + 8 * 32 * size * size, seconds)


def spectrum_cost(cell: Cell, seq_len: int, count: int, sweeps: int = 1) -> Estimate:
    """`count` vectors through all steps, orthonormal again after each one."""
    size = state_size(cell)
    qr = (4 * size * count * count + 2 * count**3) / QR_FLOPS_PER_SECOND
    seconds = sweeps * seq_len * (_applied(cell, count) + qr)
    return Estimate(_linear_bytes(cell, seq_len) + 8 * 8 * size * count, seconds)


def pairs_cost(cell: Cell, seq_len: int, losses: int, batch_size: int) -> Estimate:
    """One gradient for each step with a loss, on average half of the way back each."""
    group = together(cell, losses, batch_size)
    results = 8 * (5 + 3 * group * (1 + cell.HAS_CELL_STATE)) * losses * (seq_len + 1)
    columns = 8 * 3 * group * state_size(cell) * losses
    entries = min(group * seq_len, max(group, ENTRIES))
    seconds = batch_size * seq_len * _applied(cell, (losses + 1) // 2)
    return Estimate(_linear_bytes(cell, entries) + results + columns, seconds)


def contributions_cost(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """The gradient of W_hh of each step, one at a time, twice."""
    elements = len(cell.D_GATE_ROWS) * cell.hidden_size**2
    product = 2 * elements * batch_size / FLOPS_PER_SECOND
    seconds = 2 * seq_len * (100e-6 + 5 * elements * SECONDS_PER_ELEMENT + product)
    factors = seq_len * batch_size * len(cell.D_GATE_ROWS) * cell.hidden_size
    return Estimate(8 * (6 * elements + 4 * seq_len + factors), seconds)


def carry_cost(cell: Cell, seq_len: int) -> Estimate:
    """∂c_T/∂c_t in two parts, and their norms at each step."""
    H = cell.hidden_size
    norms = 2 * 5 * H**3 / QR_FLOPS_PER_SECOND
    seconds = seq_len * (_applied(cell, 2 * H) + norms)
    return Estimate(_linear_bytes(cell, seq_len) + 8 * 12 * H * H, seconds)


def refusal(what: str, cost: Estimate, advice: str = "a shorter sequence or fewer units") -> str:
    """Why an analysis should not be made here, in one sentence; "" if nothing speaks against it."""
    if cost.bytes <= MAX_BYTES and cost.seconds <= MAX_SECONDS:
        return ""
    return (
        f"{what} would take about {cost.seconds:,.0f} s and {cost.bytes / 2**20:,.0f} MiB; the "
        f"limits are {MAX_SECONDS:g} s and {MAX_BYTES / 2**20:,.0f} MiB. Take {advice}."
    )


def check(what: str, cost: Estimate, advice: str = "a shorter sequence or fewer units") -> None:
    """Raises ValueError with the refusal, if there is one."""
    if reason := refusal(what, cost, advice):
        raise ValueError(reason)


def _applied(cell: Cell, columns: int) -> float:
    """Seconds of one step applied to that many columns."""
    gates = len(cell.D_GATE_ROWS) * cell.hidden_size
    flops = 2 * gates * cell.hidden_size * columns * (2 if cell.skip else 1)
    elements = (2 * gates + 4 * state_size(cell)) * columns
    return SECONDS_PER_STEP + flops / FLOPS_PER_SECOND + elements * SECONDS_PER_ELEMENT


def _linear_bytes(cell: Cell, seq_len: int) -> int:
    """δ of every gate and state, the diagonals, the record they are read off, and the rows of J_t
    that are kept: all, or two blocks."""
    states = 1 + cell.HAS_CELL_STATE
    per_step = (states + 3) * len(cell.D_GATE_ROWS) + states * states + 8
    rows = 8 * states * cell.hidden_size**2
    kept = seq_len * rows
    if kept > KEPT_BYTES:
        kept = 2 * max(rows, BLOCK_BYTES)
    return 8 * seq_len * per_step * cell.hidden_size + kept
