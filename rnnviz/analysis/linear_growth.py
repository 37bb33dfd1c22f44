"""What linear steps alone make of an error: it is known where the states have exploded, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.jacobian.norms import normalise
from rnnviz.analysis.jacobian.structured import is_linear
from rnnviz.analysis.spectra import EXACT, step_at
from rnnviz.core import Record, backward
from rnnviz.core.bptt import unroll
from rnnviz.core.layers import backward_layers
from rnnviz.core.numerics import LOG10_2, Array

MOST_LINEAR = 20_000_000
"""Entries of the gradients of `stack_growth`."""


def linear_growth(trace: Record) -> float | None:
    """log10 of what the T − 1 steps back multiply an error of no particular direction with,
    ‖J^(T−1)‖_F/√S, of a cell whose steps are all the same J; None of other cells, and of more than
    EXACT rows, and of one with a skip. It needs no state, so it is known where the states have
    exploded."""
    cell = trace.cell
    if not is_linear(cell) or cell.skip or cell.hidden_size > EXACT:
        return None
    J = step_at(trace, 1.0)
    return _power_size(J, trace.seq_len - 1) if np.isfinite(J).all() else None


def stack_growth(layers: Sequence[Record]) -> float | None:
    """log10 of what the total error at step 1 of the first of these layers is of that at step T,
    RMS over all directions in which an error may enter the last one at step T; of layers that read
    in one direction and whose steps are linear. None of others, and beyond MOST_LINEAR entries.

    It is sent back through steps at rest: slopes of 1 need no state.
    """
    if len(layers) == 1:
        return linear_growth(layers[0])
    wide, T = max(layer.cell.hidden_size for layer in layers), layers[0].seq_len
    linear = all(is_linear(layer.cell) for layer in layers)
    finite = all(np.isfinite(p).all() for layer in layers for p in layer.params.values())
    if not (linear and finite) or T * wide**2 * len(layers) > MOST_LINEAR:
        return None
    H = layers[-1].cell.hidden_size
    direct = np.zeros((T, H, H))
    direct[-1] = np.eye(H)
    with np.errstate(all="ignore"):
        found = backward_layers(tuple((_at_rest(x, H),) for x in layers), direct, True, backward)
    log10 = state_curve(found[0][0]).log10
    return float(log10[1] - log10[T])


def _at_rest(layer: Record, sequences: int) -> Record:
    params = {name: value.astype(np.float64) for name, value in layer.params.items()}
    x = np.zeros((layer.seq_len, layer.cell.input_size, sequences))
    return unroll(layer.cell, params | {"b_h": 0 * params["b_h"]}, x)


def _power_size(J: Array, count: int) -> float:
    """log10 ‖J^count‖_F/√S, by squaring."""
    product, log2 = np.eye(len(J)), 0
    base, scale = normalise(J)
    exponent = int(scale)
    while count:
        if count % 2:
            product, extra = normalise(product @ base)
            log2 += int(extra) + exponent
        base, extra = normalise(base @ base)
        exponent, count = 2 * exponent + int(extra), count // 2
    with np.errstate(divide="ignore"):
        return float(np.log10(np.linalg.norm(product) / np.sqrt(len(J))) + log2 * LOG10_2)
