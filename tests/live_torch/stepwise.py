"""The same layers step by step, so that autograd itself says the gradient of every state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn

from rnnviz.core.network import NetworkTrace
from rnnviz.torch import Seen

EXACT = {"rtol": 1e-10, "atol": 1e-13}
CELLS = {"LSTM": nn.LSTMCell, "GRU": nn.GRUCell, "RNN_TANH": nn.RNNCell, "RNN_RELU": nn.RNNCell}

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""Of output (T, B, H·directions), h_n, and an LSTM's c_n."""


def cell_of(module: Any, layer: int, d: int) -> Any:
    """The layer's and direction's cell, with a copy of its weights."""
    end = f"_l{layer}{'_reverse' * d}"
    weights = {n.removesuffix(end): p.detach().clone() for n, p in module.named_parameters()
               if n.endswith(end)}  # fmt: skip
    options = {"nonlinearity": module.mode[4:].lower()} if "RNN" in module.mode else {}
    D = weights["weight_ih"].shape[1]
    cell = CELLS[module.mode](D, module.hidden_size, bias=module.bias, **options).double()
    cell.load_state_dict(weights)
    return cell


def states_by_autograd(
    module: Any, sequences: Sequence[Tensor], loss: Loss, states: Sequence[Tensor] = ()
) -> list[list[list[list[Tensor]]]]:
    """∂L/∂(h_t, c_t) of each layer, direction and sequence, steps 1 to its own length."""
    directions, H = 1 + module.bidirectional, module.hidden_size
    inputs, found, ends = list(sequences), [], []
    for layer in range(module.num_layers):
        found.append([])
        ways = []
        for d in range(directions):
            cell, row, runs = cell_of(module, layer, d), layer * directions + d, []
            for b, x in enumerate(inputs):
                first = [s[row, b : b + 1] for s in states]
                runs.append(run_cell(cell, x.flip(0) if d else x, first))
            found[-1].append(runs)
            ends.append([[run[-1][k] for run in runs] for k in range(len(runs[0][0]))])
            h = [torch.cat([each[0] for each in run]) for run in runs]
            ways.append([each.flip(0) if d else each for each in h])
        inputs = [torch.cat(each, dim=1) for each in zip(*ways, strict=True)]
    output = torch.zeros(max(map(len, inputs)), len(inputs), directions * H, dtype=torch.float64)
    for b, each in enumerate(inputs):
        output[: len(each), b] = each
    last = [torch.stack([torch.cat(row[k]) for row in ends]) for k in range(len(ends[0]))]
    every = [s for layer in found for way in layer for run in way for pair in run for s in pair]
    total = loss(output, last[0], last[1] if len(last) > 1 else None)
    grads = iter(torch.autograd.grad(total, every, allow_unused=True, materialize_grads=True))
    return [[[[torch.cat([next(grads) for _ in pair]) for pair in run] for run in way]
             for way in layer] for layer in found]  # fmt: skip


def run_cell(cell: Any, x: Tensor, first: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
    """(h_t, c_t) of one sequence, steps 1 to T, (1, H) each."""
    state: Any = (tuple(first) if len(first) > 1 else first[0]) if first else None
    found = []
    for step in x:
        state = cell(step[None], state)
        found.append(state if isinstance(state, tuple) else (state,))
    return found


def assert_states_are(trace: NetworkTrace, expected: list[list[list[list[Tensor]]]]) -> None:
    """Every state's gradient at every step, and zero at padded steps."""
    for layer, of_layer in zip(trace.layers, expected, strict=True):
        for one, runs in zip(layer, of_layer, strict=True):
            for b, run in enumerate(runs):
                theirs = np.stack([pair.numpy() for pair in run])
                d_h = np.ldexp(one.d_h, one.d_log2)[..., b]
                assert_allclose(d_h[1 : len(run) + 1], theirs[:, 0], **EXACT)
                assert not d_h[len(run) + 1 :].any()
                if one.d_c is not None:
                    d_c = np.ldexp(one.d_c, one.d_c_log2)[..., b]
                    assert_allclose(d_c[1 : len(run) + 1], theirs[:, 1], **EXACT)


def assert_all_is_explained(seen: Seen, name: str, backward: int = -1) -> None:
    """The core computes the module's outputs, and all of what the backward pass brought to each
    parameter came through them."""
    assert max(one.deviation for one in seen.passages(name, backward)) < 1e-13
    parts = seen.other_ways(name, backward)
    assert max(parts.values(), default=0) < 1e-12, parts
