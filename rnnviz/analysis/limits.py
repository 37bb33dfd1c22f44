"""What an analysis will take, known before anything is allocated, and where it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from rnnviz.analysis.jacobian.sequence import BLOCK_BYTES, KEPT_BYTES
from rnnviz.analysis.jacobian.structured import CHECKED, state_size
from rnnviz.analysis.pair_columns import ENTRIES, together
from rnnviz.analysis.slopes import MOST_NUMBERS
from rnnviz.core import Cell
from rnnviz.core.bptt import OBJECTS, object_bytes
from rnnviz.core.cost import Estimate

MAX_BYTES = 1 << 30
MAX_SECONDS = 30.0
ROUNDS = 200
"""Of a product's singular values at most."""

FIRST_TURN = 10
"""The lag at which a product is turned first; then at twice as many, and so on."""
AT_ONCE = 16
"""Norms of products that are found together, at most."""
NEWTON_STEPS = 60
"""Of a search for a fixed point at most."""
SETTLE = 200
"""Steps after which a held network may have come to rest by itself."""

# Measured on one core, float64.
SECONDS_PER_STEP = 40e-6
FLOPS_PER_SECOND = 40e9
QR_FLOPS_PER_SECOND = 25e9
SECONDS_PER_ELEMENT = 1.2e-9
PATH_ENTRIES = 1 << 17
"""Gate gradients of the steps whose paths are held together."""
WIDE = 0.6
"""Of the time that a step takes for each column, where there are hundreds."""


def lags_cost(cell: Cell, seq_len: int, batch_size: int = 1) -> Estimate:
    """All of ∂s_T/∂s_t, and the norms of two of its blocks at each step, some steps together;
    where one is zero, a pass back through the whole batch tells why."""
    size, together = state_size(cell), FIRST_TURN if seq_len <= 2 * FIRST_TURN else AT_ONCE
    copies = 6 + (5 if cell.skip else 4) * min(seq_len, together)
    norms = Estimate(8 * copies * size * size, products=0.9 * size**3 / FLOPS_PER_SECOND)
    return (
        _linear(cell, seq_len)
        + (_applied(cell, size) + norms).times(seq_len)
        + _reachable(cell, seq_len, batch_size)
    )


def spectrum_cost(cell: Cell, seq_len: int, count: int, sweeps: int = 1) -> Estimate:
    """`count` vectors through all steps, orthonormal again after each one; where one dies, the
    determinants of all steps."""
    size = state_size(cell)
    qr = 3 * size * count * count / FLOPS_PER_SECOND
    vectors = Estimate(8 * (8 * size * count + 2 * count * count), products=qr)
    steps = (_applied(cell, count) + vectors).times(sweeps * seq_len)
    return _linear(cell, seq_len) + steps + _determinants(cell, seq_len)


def products_cost(cell: Cell, seq_len: int) -> Estimate:
    """As many vectors as the state has, there and back, and the rounds on the triangle between."""
    size = state_size(cell)
    rounds = Estimate(8 * 8 * size * size, products=2 * size**3 / QR_FLOPS_PER_SECOND)
    return spectrum_cost(cell, seq_len, size, sweeps=2) + rounds.times(ROUNDS)


def lag_spectra_cost(cell: Cell, seq_len: int, lags: int) -> Estimate:
    """As many vectors as the state has, there and back; at each lag a QR and the singular values
    of a triangle."""
    size = state_size(cell)
    flops = 20 * size**3
    values = Estimate(8 * 6 * size * size, 1e-4, products=flops / QR_FLOPS_PER_SECOND)
    return spectrum_cost(cell, seq_len, size, sweeps=2) + values.times(lags)


def fixed_points_cost(cell: Cell, starts: int, seq_len: int, batch_size: int) -> Estimate:
    """Newton's steps from every start at once, a Jacobian and a linear system each, then the
    eigenvalues of as many Jacobians; the states of the run, copied, and those of a held one. Most
    searches end after a third of the steps that are counted."""
    size, own = state_size(cell), cell.hidden_size * (1 + cell.HAS_CELL_STATE)
    rows = (len(cell.GATE_ROWS) + 3) * cell.hidden_size + 2 * cell.input_size
    held = 8 * (4 * (seq_len + 1) * batch_size * own + SETTLE * (starts // 3) * rows)
    held += 2 * OBJECTS * SETTLE + _made_of(cell, starts)
    copies = 24 if cell.multiplies_twice else 6
    flops = starts * size**3
    solved = Estimate(8 * copies * size * size * starts, 1e-3, flops / QR_FLOPS_PER_SECOND)
    eigenvalues = Estimate(held, products=60 * flops / QR_FLOPS_PER_SECOND)
    return (solved + _applied(cell, 8 * starts)).times(NEWTON_STEPS) + eigenvalues


def exponent_cost(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """All of ∂s_T/∂s_0 and its norm; where it is zero, a pass back through the whole batch tells
    why."""
    size = state_size(cell)
    norm = Estimate(8 * 16 * size * size, products=10 * size**3 / FLOPS_PER_SECOND)
    steps = _applied(cell, size).times(seq_len)
    return _linear(cell, seq_len) + steps + norm + _reachable(cell, seq_len, batch_size)


def measures_cost(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """Gradient norms and the largest exponent of a run, of its true slopes."""
    return exponent_cost(cell, seq_len, batch_size) + _true_slopes(cell, seq_len, batch_size)


def exponents_cost(cell: Cell, seq_len: int, batch_size: int, count: int) -> Estimate:
    """A spectrum of `count` exponents; if these are all, the largest one by itself, too."""
    spectrum = spectrum_cost(cell, seq_len, count)
    if count < state_size(cell):
        return spectrum
    return spectrum + exponent_cost(cell, seq_len, batch_size)


def pairs_cost(cell: Cell, seq_len: int, losses: int, batch_size: int) -> Estimate:
    """One gradient for each step with a loss, on average half of the way back each."""
    group = together(cell, losses, batch_size)
    groups = -(-batch_size // group)
    results = 8 * (8 + 5 * group * (1 + cell.HAS_CELL_STATE)) * losses * (seq_len + 1)
    columns = 8 * 5 * group * state_size(cell) * losses
    sums = 8 * 6 * (seq_len + 1) * group * cell.hidden_size
    entries = min(group * seq_len, max(group, ENTRIES))
    step = _applied(cell, (losses + 1) // 2)
    steps = replace(step.times(WIDE * batch_size * seq_len), python=step.python * seq_len * groups)
    held = Estimate(results + columns + sums)
    return _linear(cell, entries) + held + steps + _reachable(cell, seq_len, batch_size)


def contributions_cost(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """Cost of `weight_contributions`, which forms each step's ∂L/∂W_hh twice, one at a time."""
    elements = len(cell.D_GATE_ROWS) * cell.hidden_size**2
    factors = seq_len * batch_size * len(cell.D_GATE_ROWS) * cell.hidden_size
    inputs = seq_len * batch_size * (cell.hidden_size + cell.input_size)
    each = Estimate(
        8 * (12 * elements + 4 * seq_len + 2 * factors + inputs + 2 * _weights(cell)) + 2 * OBJECTS,
        python=100e-6,
        products=2 * elements * batch_size / FLOPS_PER_SECOND,
        elements=5 * elements * SECONDS_PER_ELEMENT,
    )
    return each.times(2 * seq_len)


def precision_cost(cell: Cell, seq_len: int, batch_size: int, traces: int = 1) -> Estimate:
    """The backward pass in float32 and, of a single-precision run, in float64, of a layer and all
    above it in their directions, so many `traces`: all that both make is alive together, at worst
    with an exponent for each entry."""
    once = _true_slopes(cell, seq_len, batch_size)
    return replace(once.times(traces), bytes=2 * traces * once.bytes)


def path_blocks(cell: Cell, seq_len: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the steps whose paths are held together."""
    together = max(1, PATH_ENTRIES // (len(cell.D_GATE_ROWS) * cell.hidden_size * batch_size))
    return ((k, min(k + together, seq_len)) for k in range(0, seq_len, together))


def paths_cost(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """What every path of each step sends back, a block of steps at a time, in units of its own for
    each entry."""
    H, states, ways = cell.hidden_size, 1 + cell.HAS_CELL_STATE, len(cell.D_GATE_ROWS)
    start, stop = next(path_blocks(cell, seq_len, batch_size))
    parts = (ways + 3) * states
    entries = (stop - start) * H * batch_size
    flops = 2 * 2 * ways * H * H * batch_size
    each = Estimate(
        8 * 8 * states * H * batch_size,
        python=states * SECONDS_PER_STEP,
        products=flops / FLOPS_PER_SECOND,
        elements=10 * parts * H * batch_size * SECONDS_PER_ELEMENT,
    )
    weights = 8 * 3 * _weights(cell) + OBJECTS * states * (stop - start)
    return each.times(seq_len) + Estimate(8 * 6 * parts * entries + weights)


def carry_cost(cell: Cell, seq_len: int, batch_size: int = 1) -> Estimate:
    """∂c_T/∂c_t in two parts, and their norms at each step, thirty-two steps together; the
    logarithms of all gates of the batch; twice a pass back that tells which of them are zero."""
    H = cell.hidden_size
    norms = Estimate(8 * 4 * 33 * H * H, products=2 * 5 * H**3 / QR_FLOPS_PER_SECOND)
    pushed = Estimate(8 * 24 * state_size(cell) * H)
    logs = Estimate(8 * 2 * (len(cell.GATE_ROWS) + 2) * seq_len * batch_size * H)
    steps = (_applied(cell, 2 * H) + norms).times(seq_len)
    zeros = _reachable(cell, seq_len, 1).times(2)
    linear = _linear(cell, seq_len)
    if not cell.HAS_CELL_STATE:
        linear += linear  # with what the memory gate keeps, and without
    return linear + steps + pushed + logs + zeros


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


def _applied(cell: Cell, columns: int) -> Estimate:
    """One step applied to that many columns; what it allocates is counted elsewhere."""
    gates = len(cell.D_GATE_ROWS) * cell.hidden_size
    flops = 2 * gates * cell.hidden_size * columns * (2 if cell.skip else 1)
    elements = (2 * gates + 4 * state_size(cell)) * columns
    return Estimate(
        python=SECONDS_PER_STEP,
        products=flops / FLOPS_PER_SECOND,
        elements=elements * SECONDS_PER_ELEMENT,
    )


def _determinants(cell: Cell, seq_len: int) -> Estimate:
    """Cost of the determinants of all steps, by LU where there is no closed form, and where one is
    zero once more of their patterns."""
    own = cell.hidden_size * (1 + cell.HAS_CELL_STATE)
    if not cell.no_determinant:
        return Estimate(8 * (2 * cell.hidden_size**2 + 8 * seq_len * cell.hidden_size))
    held, flops = 8 * 5 * own * own + (3 << 20), own**3
    each = Estimate(held, python=30e-6, products=flops / QR_FLOPS_PER_SECOND)
    return _linear(cell, seq_len) + each.times(2 * seq_len)


def _reachable(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """A pass back through a batch that tells rounding from structure."""
    slabs = len(cell.D_GATE_ROWS) + len(cell.GATE_ROWS) + 5
    columns = seq_len * batch_size * cell.hidden_size
    flops = 2 * columns * len(cell.D_GATE_ROWS) * cell.hidden_size
    return Estimate(
        columns * 8 * 4
        + 8 * slabs * min(seq_len, 65) * batch_size * cell.hidden_size
        + object_bytes(cell, seq_len, batch_size),
        python=40e-6 * seq_len,
        products=flops / FLOPS_PER_SECOND,
        elements=columns * 4 * slabs * SECONDS_PER_ELEMENT,
    )


def _linear(cell: Cell, seq_len: int) -> Estimate:
    """δ of every gate and state, the diagonals, the record they are read off, and the rows of J_t
    that are kept: all, or two blocks. Where W_hh acts twice in a step, its rows are asked for one
    by one."""
    states, H = 1 + cell.HAS_CELL_STATE, cell.hidden_size
    per_step = (states + 3) * len(cell.D_GATE_ROWS) + states * states + 8
    rows = 8 * states * H * H
    block = max(rows, BLOCK_BYTES) * (2 if cell.skip else 1)
    kept = 2 * block
    if seq_len * rows <= KEPT_BYTES:
        kept += seq_len * rows * (2 if cell.skip else 1)
    if cell.multiplies_twice:
        kept += 16 * block
    return Estimate(8 * seq_len * per_step * H + kept + _made_of(cell, seq_len))


def _weights(cell: Cell) -> int:
    """Numbers of all parameters."""
    return sum(prod(shape) for shape in cell.param_shapes().values())


def _made_of(cell: Cell, entries: int) -> int:
    """Bytes of the inputs and their weights that come along where the rows of J_t of so many
    entries are read off, and those of some are checked."""
    rows = 4 * len(cell.GATES) * cell.hidden_size
    return 8 * (rows + 2 * (entries + CHECKED)) * cell.input_size


def _true_slopes(cell: Cell, seq_len: int, batch_size: int) -> Estimate:
    """The record in float64 with what is left of its gates to ±1, some steps from as many states
    as a skip needs, and the pass back through it, with an exponent for each entry at worst."""
    H, states = cell.hidden_size, 1 + cell.HAS_CELL_STATE
    rows = 2 * (len(cell.GATE_ROWS) + states) + 2 * (len(cell.D_GATE_ROWS) + states) + 1
    columns = seq_len * batch_size
    held = columns * (rows * H + 3 * cell.input_size) + 2 * _weights(cell)
    held = 8 * (held + 2 * min(MOST_NUMBERS, columns * H * cell.skip))
    held += object_bytes(cell, seq_len, batch_size)
    return replace(_reachable(cell, seq_len, batch_size).times(3), bytes=held)
