"""What runs of networks will take, known before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from rnnviz.core import Cell
from rnnviz.core.bptt import object_bytes
from rnnviz.core.cost import Estimate
from rnnviz.core.network import Network, NetworkTrace
from rnnviz.core.parameters import columns_at_once

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


def recorded_bytes(
    networks: Sequence[Network], seq_len: int, batch_size: int, itemsize: int
) -> int:
    """All arrays that runs of these networks hold once they are done, exponents of single entries
    aside."""
    return sum(_bytes(network, seq_len, batch_size, itemsize) for network in networks)


def exponent_bytes(networks: Sequence[Network], seq_len: int, batch_size: int) -> int:
    """Exponents that runs hold beside that where the entries of a step lie too far apart for one:
    of every gradient at worst."""
    rows = sum(network.directions * _own_rows(network) for network in networks)
    return 4 * seq_len * batch_size * rows


def held_exponent_bytes(traces: Iterable[NetworkTrace]) -> int:
    """And those of them that runs do hold; some serve several gradients."""
    every = (vars(part).items() for trace in traces for part in chain(*trace.layers))
    found = [v for name, v in chain(*every) if "log2" in name and v is not None]
    owners = (v if v.base is None else v.base for v in found if v.shape[1] > 1)
    return sum(v.nbytes for v in {id(v): v for v in owners}.values())


def working_bytes(
    networks: Sequence[Network], seq_len: int, batch_size: int, itemsize: int, trained: bool
) -> int:
    """What is needed beside the records, of the network that needs most."""
    return max(_working_bytes(n, seq_len, batch_size, itemsize, trained) for n in networks)


def run_time(networks: Sequence[Network], seq_len: int, batch_size: int) -> Estimate:
    """Forward, backward and every gradient of each network, once."""
    return sum((_time(network, seq_len, batch_size) for network in networks), Estimate())


def training_time(
    networks: Sequence[Network], seq_len: int, batch_size: int, window: int, stride: int
) -> Estimate:
    """One training step of each network, truncated after `window` steps every `stride`."""
    steps = (_training_time(n, seq_len, batch_size, window, stride) for n in networks)
    return sum(steps, Estimate())


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
    copies of it, gate gradients that had exponents, in float64, the loss; copies of the parameters.
    Where each entry has an exponent, a block of these is there twice. Products over all steps lay
    as many of them side by side as they take at once."""
    last = network.cells[-1]
    widest = max(c.hidden_size * (len(c.D_GATE_ROWS) + (c.skip > 0)) for c in network.cells)
    states = network.directions * last.hidden_size
    batch = 8 * (network.cells[0].input_size + network.output_size)
    elements = batch + itemsize * (states + 4 * network.output_size)
    elements += max(8 * widest, itemsize * 2 * states)
    elements += network.directions * _own_rows(network)
    copies = 8 * (COPIES_IN_TRAINING if trained else COPIES) * network.param_count()
    objects = max(object_bytes(cell, seq_len, batch_size) for cell in network.cells)
    inputs = max(c.input_size + c.hidden_size for c in network.cells)
    beside = columns_at_once(seq_len, batch_size) * (8 * widest + itemsize * inputs)
    return seq_len * batch_size * elements + beside + copies + objects


def _own_rows(network: Network) -> int:
    """Gradients of gates and states of all layers, for a step and sequence in one direction."""
    return sum(c.hidden_size * (len(c.D_GATE_ROWS) + 1 + c.HAS_CELL_STATE) for c in network.cells)


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
    """Elements of the tape of one sequence; views of another array count once. As many for each
    unit: those of one are made."""
    one = replace(cell, hidden_size=1)
    arrays = [a for a in one.allocate(seq_len, 1, np.dtype(np.float32)) if a is not None]
    owners = [array if array.base is None else array.base for array in arrays]
    sizes = (array.size for array in {id(array): array for array in owners}.values())
    return cell.hidden_size * sum(sizes)


def _gradients(cell: Cell, seq_len: int) -> int:
    """Elements of one sequence's d_h_direct, d_h, d_c and gate gradients."""
    states = (seq_len + 1) * (2 if cell.HAS_CELL_STATE else 1)
    return cell.hidden_size * (seq_len + states + seq_len * len(cell.D_GATE_ROWS))


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


def _training_time(
    network: Network, seq_len: int, batch_size: int, window: int, stride: int
) -> Estimate:
    """Truncated windows that overlap send each step back several times."""
    once = _time(network, seq_len, batch_size)
    if not 0 < window < seq_len:
        return once
    every = min(stride or window, window)
    layers = len(network.cells) * network.directions
    return once.times(window / every) + Estimate(python=PER_WINDOW * layers * seq_len / every)
