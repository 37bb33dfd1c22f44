"""What a run will take, known before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import Cell
from rnnviz.core.network import Network
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.networks import make_networks
from rnnviz.experiment.problems import make_task

MAX_BYTES = 1 << 30
MAX_SECONDS = 10.0

# Measured on one core of a small server, float64, rounded up: what a step costs in Python,
# products, and everything done element by element.
SECONDS_PER_STEP = 20e-6
FLOPS_PER_SECOND = 15e9
SECONDS_PER_ELEMENT = 25e-9


@dataclass(frozen=True)
class Estimate:
    """bytes: all arrays that the run records, exactly, from their shapes (lengths of padded
    batches and exponents of direct gradients come on top). seconds: a rough guess for one core,
    within a factor of a few, training included. Scratch memory and figures come on top."""

    bytes: int
    seconds: float


def estimate(experiment: Experiment) -> Estimate:
    """Bytes and seconds of `run(experiment)`. Raises ValueError where the task cannot be made."""
    seq_len, *sizes = make_task(experiment).shape(experiment.seq_len)
    itemsize = np.dtype(experiment.dtype).itemsize
    networks = make_networks(experiment, *sizes).values()
    shape = seq_len, experiment.batch_size
    return Estimate(
        bytes=sum(_bytes(network, *shape, itemsize) for network in networks),
        seconds=sum(_seconds(network, *shape) for network in networks)
        * (1 + experiment.train_steps * _passes(experiment, seq_len)),
    )


def _passes(experiment: Experiment, seq_len: int) -> float:
    """What a training step costs, in runs without training: truncated windows that overlap send
    each step back several times."""
    window = experiment.window
    if not 0 < window < seq_len:
        return 1.0
    return max(1.0, window / (experiment.stride or window))


def check_size(
    experiment: Experiment, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS
) -> str:
    """Why this experiment should not be run here, in one sentence; "" if nothing speaks
    against it. Nothing is allocated. Also says why a task cannot be made."""
    try:
        cost = estimate(experiment)
    except ValueError as error:
        return f"This cannot be run: {error}."
    if cost.bytes <= max_bytes and cost.seconds <= max_seconds:
        return ""
    return (
        f"This run would record {cost.bytes / 2**20:,.0f} MiB and take about "
        f"{cost.seconds:,.1f} s; the limits are {max_bytes / 2**20:,.0f} MiB and "
        f"{max_seconds:g} s. Make the sequence length, the batch, the hidden size or the number "
        "of models smaller" + (", or train for fewer steps." if experiment.train_steps else ".")
    )


def _bytes(network: Network, seq_len: int, batch_size: int, itemsize: int) -> int:
    layers = network.directions * sum(_layer(cell, seq_len) for cell in network.cells)
    outputs = 2 * seq_len * network.output_size  # y, d_y
    per_sequence = layers + outputs + network.context_size
    params = 2 * network.param_count()
    traces = network.directions * len(network.cells)
    exponents = 8 * (seq_len + 1) * batch_size * traces  # d_log2
    return itemsize * (per_sequence * batch_size + params + seq_len) + exponents


def _layer(cell: Cell, seq_len: int) -> int:
    """Elements that one layer records of one sequence in one direction."""
    inputs = seq_len * (2 * cell.input_size + 1)  # x with a row of ones, d_x
    delayed = cell.hidden_size * (seq_len + 2 * (cell.skip - 1)) if cell.skip else 0
    return _tape(cell, seq_len) + _gradients(cell, seq_len) + inputs + delayed


def _tape(cell: Cell, seq_len: int) -> int:
    """Elements of one sequence's h, c, gates and saved, from what one and two steps allocate."""
    one, two = _allocated(cell, 1), _allocated(cell, 2)
    return one + (two - one) * (seq_len - 1)


def _allocated(cell: Cell, seq_len: int) -> int:
    """Elements of the tape of one sequence; views of another array count once."""
    arrays = [a for a in cell.allocate(seq_len, 1, np.dtype(np.float32)) if a is not None]
    owners = [array if array.base is None else array.base for array in arrays]
    return sum(array.size for array in {id(array): array for array in owners}.values())


def _gradients(cell: Cell, seq_len: int) -> int:
    """Elements of one sequence's d_h_direct, d_h, d_c and gate gradients."""
    states = (seq_len + 1) * (2 if cell.HAS_CELL_STATE else 1)
    return cell.hidden_size * (seq_len + states + seq_len * len(cell.D_GATE_ROWS))


def _seconds(network: Network, seq_len: int, batch_size: int) -> float:
    columns = seq_len * batch_size
    flops = 6 * columns * network.param_count()  # forward, backward, weight gradients
    elements, steps = columns * 2 * network.output_size, 0.0
    for cell in network.cells * network.directions:
        elements += columns * (len(cell.GATES) * cell.hidden_size + cell.input_size)
        steps += seq_len * (1 + len(cell.GATES) / 2) * (1 + 2 / max(1, cell.skip) * (cell.skip > 0))
    return steps * SECONDS_PER_STEP + flops / FLOPS_PER_SECOND + elements * SECONDS_PER_ELEMENT
