"""What a run will take, known before anything is allocated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnviz.core import Cell
from rnnviz.core.cost import Estimate, Speed
from rnnviz.core.network import Network
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.networks import make_networks
from rnnviz.experiment.problems import make_task

MAX_BYTES = 1 << 30
MAX_SECONDS = 10.0

# Seconds on one core, float64, of a run or a training step: of each model; of drawing a sequence;
# of a time step in Python, short sequences, and how many steps make it take twice as long, for
# where gradients leave the range they are sent back again with powers of two; of each window of a
# truncated pass; of a parameter, drawn or updated; of a weight fetched at a time step; of what is
# done element by element.
PER_MODEL, PER_SEQUENCE = 0.85e-3, 30e-6
PER_STEP, STEPS_TO_DOUBLE, MOST_TIMES = 8e-6, 500, 3
PER_WINDOW = 0.1e-3
PER_PARAMETER, PER_WEIGHT_AND_STEP = 40e-9, 0.25e-9
FLOPS_PER_SECOND = 28e9
PER_ELEMENT = 11e-9

# Copies of the parameters beside those that a run records: while it is made; in a training step.
COPIES, COPIES_IN_TRAINING = 4, 9


def estimate(experiment: Experiment) -> Estimate:
    """What `run(experiment)` takes, its gradients of the parameters included; figures come on top.
    Raises ValueError where the task cannot be made."""
    networks, shape, itemsize = _planned(experiment)
    trained = experiment.train_steps > 0
    working = max(_working_bytes(n, *shape, itemsize, trained) for n in networks)
    once = sum((_time(n, *shape) for n in networks), Estimate(recorded_bytes(experiment) + working))
    training = sum((_training_time(experiment, n, *shape) for n in networks), Estimate())
    return once + training.times(experiment.train_steps)


def recorded_bytes(experiment: Experiment) -> int:
    """All arrays that a run holds once it is done, exactly, from their shapes (lengths of padded
    batches and exponents of direct gradients come on top)."""
    networks, shape, itemsize = _planned(experiment)
    return sum(_bytes(network, *shape, itemsize) for network in networks)


def _planned(experiment: Experiment) -> tuple[list[Network], tuple[int, int], int]:
    seq_len, *sizes = make_task(experiment).shape(experiment.seq_len)
    networks = list(make_networks(experiment, *sizes).values())
    return networks, (seq_len, experiment.batch_size), np.dtype(experiment.dtype).itemsize


def check_size(
    experiment: Experiment,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = MAX_SECONDS,
    speed: Speed = Speed(),  # noqa: B008
    cost_of: Callable[[Experiment], Estimate] = estimate,
) -> str:
    """Why this experiment should not be run here, in one sentence; "" if nothing speaks
    against it. Nothing is allocated. Also says why a task cannot be made. cost_of: of the
    run and what is done with it at once."""
    try:
        cost = cost_of(experiment).on(speed)
    except ValueError as error:
        return f"This cannot be run: {error}."
    if cost.bytes <= max_bytes and cost.seconds <= max_seconds:
        return ""
    return (
        f"This run would take {cost.bytes / 2**20:,.0f} MiB and about "
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


def _working_bytes(
    network: Network, seq_len: int, batch_size: int, itemsize: int, trained: bool
) -> int:
    """What is needed beside the record: the batch in float64, the gradient of the outputs and
    copies of it, gate gradients that had exponents, the loss; copies of the parameters."""
    last = network.cells[-1]
    widest = max(cell.hidden_size * (len(cell.D_SLABS) + (cell.skip > 0)) for cell in network.cells)
    states = network.directions * last.hidden_size
    batch = 8 * (network.cells[0].input_size + network.output_size)
    elements = batch + itemsize * (max(widest, 2 * states) + states + 4 * network.output_size)
    copies = COPIES_IN_TRAINING if trained else COPIES
    return seq_len * batch_size * elements + 8 * copies * network.param_count()


def _layer(cell: Cell, seq_len: int) -> int:
    """Elements that one layer records of one sequence in one direction."""
    inputs = seq_len * (2 * cell.input_size + 1)  # x with a row of ones, d_x
    delayed = cell.hidden_size * (seq_len + 2 * (cell.skip - 1)) if cell.skip else 0
    return _tape(cell, seq_len) + _gradients(cell, seq_len) + inputs + delayed


def _tape(cell: Cell, seq_len: int) -> int:
    """Elements of one sequence's h, c, gates and memo, from what one and two steps allocate."""
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
    return cell.hidden_size * (seq_len + states + seq_len * len(cell.D_SLABS))


def _time(network: Network, seq_len: int, batch_size: int) -> Estimate:
    """Forward, backward and every gradient, once."""
    columns = seq_len * batch_size
    elements, steps, weights = columns * 2 * network.output_size, 0.0, 0
    for cell in network.cells * network.directions:
        rows = len(cell.GATES) * cell.hidden_size
        elements += columns * (rows + cell.input_size)
        weights += rows * (cell.hidden_size + cell.input_size)
        steps += seq_len * (1 + 2 / max(1, cell.skip) * (cell.skip > 0))
    params = network.param_count()
    again = 1 + min(MOST_TIMES - 1, seq_len / STEPS_TO_DOUBLE)
    return Estimate(
        python=PER_MODEL + PER_SEQUENCE * batch_size + PER_STEP * steps * again,
        products=6 * columns * params / FLOPS_PER_SECOND,
        elements=elements * PER_ELEMENT
        + params * PER_PARAMETER
        + seq_len * weights * PER_WEIGHT_AND_STEP,
    )


def _training_time(experiment: Experiment, network: Network, *shape: int) -> Estimate:
    """One training step: truncated windows that overlap send each step back several times."""
    once, window, seq_len = _time(network, *shape), experiment.window, shape[0]
    if not 0 < window < seq_len:
        return once
    every = min(experiment.stride or window, window)
    layers = len(network.cells) * network.directions
    return once.times(window / every) + Estimate(python=PER_WINDOW * layers * seq_len / every)
