"""Make the golden arrays of tests/core/test_reference.py: `python -m tests.reference.make_golden`.

Needs PyTorch. Every case is run in float64 by a plain loop over autograd's tensors, with the
gradient of every state and of every pre-activation retained, and its states are compared with
torch.nn's own module before anything is written. Arrays are (T, features, B), as in the core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent
# name: (cell, activation, T, B, D, H)
CASES = {
    "rnn_tanh": ("RNN", "tanh", 9, 3, 4, 5),
    "rnn_relu": ("RNN", "relu", 9, 3, 4, 5),
    "rnn_long": ("RNN", "tanh", 50, 1, 1, 3),
    "lstm": ("LSTM", None, 9, 3, 4, 5),
    "lstm_one": ("LSTM", None, 1, 1, 1, 1),
    "lstm_long": ("LSTM", None, 50, 2, 1, 3),
    "lstm_relu": ("LSTM", "relu", 9, 3, 4, 5),
    "lstm_hard": ("LSTM", "hard_sigmoid", 9, 3, 4, 5),
    "gru": ("GRU", None, 9, 3, 4, 5),
    "gru_one": ("GRU", None, 1, 1, 1, 1),
    "gru_long": ("GRU", None, 50, 2, 1, 3),
}
GATES = {"RNN": ("a",), "LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}


def draw(kind: str, T: int, B: int, D: int, H: int) -> dict[str, np.ndarray]:
    """Random parameters, inputs, initial states and direct gradients."""
    rng, rows = np.random.default_rng(20), len(GATES[kind]) * H
    shapes = {"W_xh": (rows, D), "W_hh": (rows, H), "b_h": (rows,)}
    shapes |= {"b_hn": (H,)} if kind == "GRU" else {}
    shapes |= {"x": (T, D, B), "direct": (T, H, B), "h0": (H, B)}
    shapes |= {"c0": (H, B)} if kind == "LSTM" else {}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def step(kind: str, activation: str | None, x: Tensor, state: Any, p: dict[str, Tensor]) -> Any:
    """((h, c), pre-activations, gates) after one step; columns are sequences."""
    h, c = state
    H = h.shape[0]
    from_x, from_h = p["W_xh"] @ x + p["b_h"][:, None], p["W_hh"] @ h
    if kind == "GRU":
        a_r, a_z = (from_x + from_h)[: 2 * H].split(H)
        r, z = torch.sigmoid(a_r), torch.sigmoid(a_z)
        a_n = from_x[2 * H :] + r * (from_h[2 * H :] + p["b_hn"][:, None])
        n = torch.tanh(a_n)
        return ((1 - z) * n + z * h, None), (a_r, a_z, a_n), (r, z, n)
    if kind == "LSTM":
        before = a_i, a_f, a_g, a_o = (from_x + from_h).split(H)
        gate, squash = torch.sigmoid, torch.relu if activation == "relu" else torch.tanh
        if activation == "hard_sigmoid":
            gate = lambda a: torch.clamp(0.2 * a + 0.5, 0, 1)  # noqa: E731
        i, f, g, o = gate(a_i), gate(a_f), squash(a_g), gate(a_o)
        c = f * c + i * g
        return (o * squash(c), c), before, (i, f, g, o)
    a = from_x + from_h
    h = torch.tanh(a) if activation == "tanh" else torch.relu(a)
    return (h, None), (a,), (h,)


def golden(kind: str, activation: str | None, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Run the loop and return what the core must reproduce."""
    t = {name: torch.tensor(value).requires_grad_() for name, value in arrays.items()}
    states = [(t["h0"], t.get("c0"))]
    before, gates = [], []
    for x in t["x"]:
        state, pre_activations, values = step(kind, activation, x, states[-1], t)
        states.append(state)
        before.append(pre_activations)
        gates.append(values)
    kept = [v for group in (*states, *before) for v in group if v is not None]
    for tensor in kept:
        tensor.retain_grad()
    h = torch.stack([state[0] for state in states])
    (h[1:] * t["direct"].detach()).sum().backward()
    if kind != "LSTM" or activation is None:  # torch.nn has no other LSTM
        _compare_with_module(kind, activation, arrays, h[1:])
    return _collect(kind, arrays, t, states, before, gates)


def _collect(kind: str, arrays: Any, t: Any, states: Any, before: Any, gates: Any) -> Any:
    def stack(tensors: Any) -> np.ndarray:
        return torch.stack(list(tensors)).detach().numpy()

    result = dict(arrays)
    for k, name in enumerate("hc" if kind == "LSTM" else "h"):
        result[name] = stack(state[k] for state in states)
        result[f"d_{name}"] = stack(state[k].grad for state in states)
    for k, gate in enumerate(GATES[kind]):
        result[f"gate_{gate}"] = stack(values[k] for values in gates)
        result[f"d_gate_{gate}"] = stack(values[k].grad for values in before)
    for name in ("W_xh", "W_hh", "b_h", "b_hn", "x"):
        if name in arrays:
            result[f"d_{name}"] = t[name].grad.numpy()
    return result


def _compare_with_module(kind: str, activation: str | None, arrays: Any, h: Tensor) -> None:
    """The loop means what torch.nn means."""
    (rows, D), H = arrays["W_xh"].shape, arrays["W_hh"].shape[1]
    options = {"nonlinearity": activation} if activation else {}
    module = getattr(nn, kind)(D, H, dtype=torch.float64, **options)
    bias = np.zeros(rows)
    bias[rows - H :] = arrays.get("b_hn", 0.0)
    names = {"weight_ih_l0": "W_xh", "weight_hh_l0": "W_hh", "bias_ih_l0": "b_h"}
    values = {name: arrays[ours] for name, ours in names.items()} | {"bias_hh_l0": bias}
    module.load_state_dict({name: torch.tensor(value) for name, value in values.items()})
    initial = [torch.tensor(arrays[n].T.copy())[None] for n in ("h0", "c0") if n in arrays]
    x = torch.tensor(arrays["x"].transpose(0, 2, 1).copy())
    out, _ = module(x, tuple(initial) if len(initial) == 2 else initial[0])
    torch.testing.assert_close(out.transpose(1, 2), h, rtol=1e-12, atol=1e-14)


def main() -> None:
    for name, (kind, activation, *sizes) in CASES.items():
        result = golden(kind, activation, draw(kind, *sizes))
        np.savez_compressed(FOLDER / f"{name}.npz", **result)
    total = sum(path.stat().st_size for path in FOLDER.glob("*.npz"))
    print(f"{len(CASES)} cases, {total / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
