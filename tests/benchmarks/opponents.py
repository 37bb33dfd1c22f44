"""PyTorch on the same work: four ways to write it, each in its native (T, B, ·).

Every opponent takes a case and returns (run, d_x): `run()` makes one forward and one backward
pass with loss = Σ h_t · e_t and returns what it recorded; `d_x()` is the gradient of x after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.benchmarks.cases import Case, Run

Opponent = tuple[Run, Callable[[], np.ndarray]]
Tensors = tuple[Tensor, ...]
Record = tuple[Tensors, Tensors, Tensors]
"""Of one step: the states after it, the gates' pre-activations, the gates."""


def _tensor(array: np.ndarray) -> Tensor:
    """(T, ·, B) as a tensor (T, B, ·) with gradients; a parameter as it is."""
    native = array.transpose(0, 2, 1) if array.ndim == 3 else array
    return torch.tensor(np.ascontiguousarray(native)).requires_grad_()


def _opponent(
    case: Case,
    forward: Callable[[Tensor], tuple[Tensor, Any]],
    leaves: list[Tensor],
    collect: Callable[[Any], Any] = lambda records: records,
) -> Opponent:
    x, e = _tensor(case.x), _tensor(case.d_h_direct).detach()

    def run() -> Any:
        for leaf in (x, *leaves):
            leaf.grad = None
        h, records = forward(x)
        (h * e).sum().backward()
        return collect(records)

    return run, lambda: x.grad.numpy().transpose(0, 2, 1)


def recording_loop(case: Case) -> Opponent:
    """(a) The textbook loop: one step after the other from x_t and h_{t-1}. It records states,
    cell states, every gate, and through retain_grad the gradients of all states and of every
    gate's pre-activation, and hands them over as arrays over time, as a Trace does."""
    return _loop(case, hoisted=False)


def tuned_loop(case: Case) -> Opponent:
    """(a+) The same, tuned by hand: one input product for all steps before the loop, the gates'
    pre-activations retained as one tensor where they are one, all left in lists."""
    return _loop(case, hoisted=True)


def _loop(case: Case, hoisted: bool) -> Opponent:
    p = {name: _tensor(value) for name, value in case.params.items()}
    step = {"RNN": _rnn, "LSTM": _lstm, "GRU": _gru}[type(case.cell).__name__]
    zeros = p["W_hh"].detach().new_zeros(case.x.shape[2], case.cell.hidden_size)

    def forward(x: Tensor) -> tuple[Tensor, list[Record]]:
        state, records = (zeros, zeros), []
        inputs = nn.functional.linear(x, p["W_xh"], p["b_h"]) if hoisted else x
        for x_t in inputs.unbind():
            a = x_t if hoisted else nn.functional.linear(x_t, p["W_xh"], p["b_h"])
            state, before, gates = step(a, state, p, hoisted)
            _kept(*state, *before)
            records.append((state, before, gates))
        return torch.stack([state[0] for state, _, _ in records]), records

    collect = {} if hoisted else {"collect": _arrays}
    return _opponent(case, forward, list(p.values()), **collect)


@torch.no_grad()
def _arrays(records: list[Record]) -> list[Tensor]:
    """States, gates, and the gradients of states and pre-activations, stacked over time."""
    values = [torch.stack(v) for v in zip(*((*s, *g) for s, _, g in records), strict=True)]
    kept = zip(*((*s, *b) for s, b, _ in records), strict=True)
    return values + [torch.stack([v.grad for v in column]) for column in kept]


def _kept(*tensors: Tensor) -> None:
    for tensor in tensors:
        tensor.retain_grad()


def _rnn(a: Tensor, state: Tensors, p: dict[str, Tensor], slab: bool) -> Record:
    a = torch.addmm(a, state[0], p["W_hh"].t())
    h = torch.tanh(a)
    return (h,), (a,), ()


def _lstm(a: Tensor, state: Tensors, p: dict[str, Tensor], slab: bool) -> Record:
    a = torch.addmm(a, state[0], p["W_hh"].t())
    each = a_i, a_f, a_g, a_o = a.chunk(4, 1)
    i, f, g, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.tanh(a_g), torch.sigmoid(a_o)
    c = f * state[1] + i * g
    h = o * torch.tanh(c)
    return (h, c), ((a,) if slab else each), (i, f, g, o)


def _gru(a: Tensor, state: Tensors, p: dict[str, Tensor], slab: bool) -> Record:
    H = state[0].shape[1]
    a_h = nn.functional.linear(state[0], p["W_hh"])
    a_rz = a[:, : 2 * H] + a_h[:, : 2 * H]
    each = a_r, a_z = a_rz.chunk(2, 1)
    r, z = torch.sigmoid(a_rz).chunk(2, 1) if slab else (torch.sigmoid(a_r), torch.sigmoid(a_z))
    a_n = a[:, 2 * H :] + r * (a_h[:, 2 * H :] + p["b_hn"])
    n = torch.tanh(a_n)
    h = n + z * (state[0] - n)
    return (h,), ((a_rz, a_n) if slab else (*each, a_n)), (r, z, n)


def _load(module: nn.Module, case: Case, suffix: str) -> nn.Module:
    """The case's parameters in a PyTorch module; GRU's b_hn is part of its second bias."""
    p = {name: torch.tensor(value) for name, value in case.params.items()}
    bias_hh = torch.zeros_like(p["b_h"])
    if "b_hn" in p:
        bias_hh[2 * case.cell.hidden_size :] = p["b_hn"]
    values = {"weight_ih": p["W_xh"], "weight_hh": p["W_hh"], "bias_ih": p["b_h"]}
    values["bias_hh"] = bias_hh
    module = module.to(p["W_hh"].dtype)
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name + suffix).copy_(value)
    return module


def cell_loop(case: Case) -> Opponent:
    """(b) The shorter loop over nn.RNNCell, LSTMCell or GRUCell: gradients of the states alone."""
    kind = getattr(nn, type(case.cell).__name__ + "Cell")
    module = _load(kind(case.cell.input_size, case.cell.hidden_size), case, "")

    def forward(x: Tensor) -> tuple[Tensor, Any]:
        state, records = None, []
        for x_t in x.unbind():
            state = module(x_t, state)
            records.append(state if isinstance(state, tuple) else (state,))
            _kept(*records[-1])
        return torch.stack([record[0] for record in records]), records

    return _opponent(case, forward, list(module.parameters()))


def fused(case: Case) -> Opponent:
    """(c) The fused nn.RNN, LSTM or GRU: no gradient of any state, no gate."""
    kind = getattr(nn, type(case.cell).__name__)
    module = _load(kind(case.cell.input_size, case.cell.hidden_size), case, "_l0")
    return _opponent(case, module, list(module.parameters()))


OPPONENTS = {"a": recording_loop, "a+": tuned_loop, "b": cell_loop, "c": fused}
