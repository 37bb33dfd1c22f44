"""Random cells of one and two units, as `rnnviz.core` runs them and as By hand does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnnviz.analysis.slopes import with_true_slopes
from rnnviz.core import CELLS, RNN, Cell, backward, forward
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.losses import squared_error
from tests.dashboard.node import answer

COUNT = 80
"""Of each kind and size."""
UNROLL = """chains.map((chain) => {
  const { h, c, loss, d_h, d_c, steps, back, grads, state, factors, products } = unroll(chain);
  const past = (name, list) => list.slice(1).map((step) => step[name]);
  return { h, c, loss, d_h, d_c, grads, state, factors: factors.slice(1), products,
    gates: past("gates", steps), d_gates: past("d_a", back) };
})"""


def by_page(chains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All numbers of all chains as By hand computes them."""
    found: list[dict[str, Any]] = answer({"unroll": "chain.js"}, UNROLL, chains=chains)
    return found


def random_chains(kind: str, units: int) -> Iterator[dict[str, Any]]:
    """Chains as the page has them, of 3 to 8 steps, every activation in turn."""
    rng = np.random.default_rng([len(kind), ord(kind[0]), units])
    for number in range(COUNT):
        activation = list(ACTIVATIONS)[number % 4 if kind == "rnn" else 0]
        cell = small_cell(kind, units, activation)
        params = {
            name: 1.5 * rng.standard_normal(shape) for name, shape in cell.param_shapes().items()
        }
        chain = {name: value.ravel().tolist() for name, value in params.items()}
        inputs = rng.standard_normal(rng.integers(3, 9)).tolist()
        target = rng.standard_normal(units).tolist()
        yield {"cell": kind, "activation": activation, "units": units, "b_hn": [], **chain,
               "inputs": inputs, "target": target}  # fmt: skip


def small_cell(kind: str, units: int, activation: str) -> Cell:
    if kind == "rnn":
        return RNN(1, units, activation=activation)
    return CELLS[kind](1, units)


def steep_chains(kind: str, units: int) -> Iterator[dict[str, Any]]:
    """Such chains with weights so large that gates and candidates are rounded to their ends."""
    for chain in random_chains(kind, units):
        large = {n: [12 * w for w in chain[n]] for n in ("W_xh", "W_hh", "b_h")}
        yield {**chain, **large}


def by_core(chain: dict[str, Any]) -> dict[str, Any]:
    """What the page gives, by the core, with the slopes of the pre-activations."""
    cell = small_cell(chain["cell"], chain["units"], chain["activation"])
    shapes = cell.param_shapes()
    params = {name: np.reshape(chain[name], shape) for name, shape in shapes.items()}
    x = np.reshape(chain["inputs"], (-1, 1, 1))
    record = forward(cell, params, x)
    y, target = record.h[-1:], np.reshape(chain["target"], (1, -1, 1))
    loss, d_y = squared_error(y, target, np.ones((1, 1)))
    direct = np.zeros((len(x), chain["units"], 1))
    direct[-1] = d_y[0]
    trace = with_true_slopes(backward(record, direct))
    scale = 2.0**trace.d_log2
    steps = range(len(x))
    found = {
        "h": trace.h[..., 0],
        "loss": loss,
        "d_h": (trace.d_h * scale)[..., 0],
        "gates": [{g: trace.gates[g][t, :, 0] for g in cell.GATES} for t in steps],
        "d_gates": [{g: trace.d_gates[g][t, :, 0] for g in cell.GATES} for t in steps],
        "grads": {name: value.ravel() for name, value in trace.grads.items()},
    }
    if trace.c is not None:
        found |= {"c": trace.c[..., 0], "d_c": (trace.d_c * 2.0**trace.d_c_log2)[..., 0]}
    return found
