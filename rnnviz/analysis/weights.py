"""Each gate's blocks of the weight matrices, and what the loss would have them change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.numerics import Array

MATRICES = ("W_xh", "W_hh", "W_skip")
BINS = 41
"""Of a histogram: odd, so that one of them has 0 in its middle."""


@dataclass(frozen=True, eq=False)
class WeightMap:
    """One gate's block of a weight matrix.

    name: as the equations have it, W_xf or W_hf, of a cell with one block W_xh or W_hh.
    parameter: W_xh, W_hh or W_skip, of which it is rows. values, gradient (H, D) or (H, H): the
    weights and ∂L/∂W, summed over time, of the mean loss over the batch. Rows are the gate's units,
    columns what they look at.
    """

    name: str
    parameter: str
    gate: str
    values: Array
    gradient: Array


@dataclass(frozen=True, eq=False)
class WeightMaps:
    """The blocks of one layer in one direction: gate by gate, of each gate W_xh first.

    bound, gradient_bound: the largest finite magnitude in all blocks of the weights and of the
    gradients, 0 where there is none.
    """

    label: str
    gates: tuple[str, ...]
    maps: tuple[WeightMap, ...]
    bound: float
    gradient_bound: float


def weight_maps(trace: Trace, label: str) -> WeightMaps:
    """The weights of a layer and their gradients, cut into the blocks of its gates: of an LSTM
    eight matrices, four times W_x and W_h.

    Examples
    --------
    >>> found = analysis.weight_maps(lstm, "LSTM")
    >>> [block.name for block in found.maps]
    ['W_xi', 'W_hi', 'W_xf', 'W_hf', 'W_xg', 'W_hg', 'W_xo', 'W_ho']
    >>> found.maps[1].gradient.shape
    (8, 8)
    """
    cell, gates = trace.cell, tuple(trace.cell.trainable_gates)
    names = [name for name in MATRICES if name in trace.params]
    maps = tuple(
        WeightMap(
            _name(name, "" if cell.SIMPLE else gate),
            name,
            gate,
            trace.params[name][rows],
            trace.grads[name][rows],
        )
        for gate in gates
        for name in names
        for rows in [cell.gate_rows(gate)]
    )
    bounds = [largest([getattr(m, part) for m in maps]) for part in ("values", "gradient")]
    return WeightMaps(label, gates, maps, *bounds)


def _name(parameter: str, gate: str) -> str:
    if parameter == "W_skip":
        return f"{parameter},{gate}" if gate else parameter
    return f"{parameter[:-1]}{gate or 'h'}"


def largest(blocks: list[Array]) -> float:
    """The largest finite magnitude, 0 if there is none."""
    return max((float(np.abs(b[np.isfinite(b)]).max(initial=0.0)) for b in blocks), default=0.0)


def histogram(values: Array, bound: float) -> tuple[Array, Array]:
    """(middles of BINS bins from −bound to bound, shares of all entries in each); what is not
    finite is in none. bound must be above 0.

    Examples
    --------
    >>> middles, shares = analysis.histogram(np.array([[-1.0, 0.0], [0.0, 1.0]]), 1.0)
    >>> shares[[0, 20, 40]]
    array([0.25, 0.5 , 0.25])
    """
    if not bound > 0:
        raise ValueError(f"bound must be above 0, got {bound}")
    finite = values[np.isfinite(values)] / bound
    counts, edges = np.histogram(finite, BINS, (-1.0, 1.0))
    return bound * (edges[1:] + edges[:-1]) / 2, counts / values.size
