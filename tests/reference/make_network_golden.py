"""Make the golden arrays of tests/core/test_network_reference.py:
`python -m tests.reference.make_network_golden`.

Needs PyTorch. torch.nn.LSTM and GRU with two layers and both directions run packed sequences of
different lengths in float64; the loss is Σ direct · output. Arrays are (T, features, B), and
parameters have the names that they have in a `Network`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = Path(__file__).parent
LENGTHS = (5, 7, 1)
T, B, D, H, LAYERS = 7, 3, 3, 4, 2
DIRECTIONS = {"forward": "", "backward": "_reverse"}


def parameter_names(kind: str) -> dict[str, str]:
    """Ours -> PyTorch's. Its second bias is 0, but for the GRU's b_hn."""
    return {
        f"{layer}.{direction}.{ours}": f"{theirs}_l{layer}{suffix}"
        for layer in range(LAYERS)
        for direction, suffix in DIRECTIONS.items()
        for ours, theirs in (("W_xh", "weight_ih"), ("W_hh", "weight_hh"), ("b_h", "bias_ih"),
                             *((("b_hn", "bias_hh"),) if kind == "GRU" else ()))
    }  # fmt: skip


def golden(kind: str) -> dict[str, np.ndarray]:
    """Draw, run and collect."""
    rng = np.random.default_rng(21)
    module: Any = getattr(nn, kind)(D, H, LAYERS, bidirectional=True, dtype=torch.float64)
    for name, parameter in module.named_parameters():
        value = rng.standard_normal(tuple(parameter.shape)) / 2
        if "bias_hh" in name:
            value[: -H if kind == "GRU" else None] = 0
        parameter.data = torch.tensor(value)
    x, direct = (rng.standard_normal((T, n, B)) for n in (D, 2 * H))
    names = ("h0", "c0") if kind == "LSTM" else ("h0",)
    states = {n: torch.zeros(2 * LAYERS, B, H, dtype=torch.float64, requires_grad=True)
              for n in names}  # fmt: skip
    given = torch.tensor(x.transpose(0, 2, 1).copy(), requires_grad=True)
    output = run(module, given, tuple(states.values()))
    (output * torch.tensor(direct.transpose(0, 2, 1).copy())).sum().backward()
    result = {"x": x, "direct": direct, "lengths": np.array(LENGTHS), "output": columns(output)}
    result |= {"d_x": columns(given.grad)}
    result |= {f"d_{name}": columns(state.grad) for name, state in states.items()}
    parameters = dict(module.named_parameters())
    for ours, theirs in parameter_names(kind).items():
        rows = slice(-H, None) if ours.endswith("b_hn") else slice(None)
        result[ours] = parameters[theirs].detach().numpy()[rows]
        result[f"d_{ours}"] = parameters[theirs].grad.numpy()[rows]
    return result


def run(module: nn.Module, x: Tensor, states: tuple[Tensor, ...]) -> Tensor:
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    output, _ = module(packed, states if len(states) == 2 else states[0])
    return pad_packed_sequence(output, total_length=T)[0]


def columns(values: Any) -> np.ndarray:
    """(..., B, F) as (..., F, B)."""
    return np.ascontiguousarray(values.detach().numpy().swapaxes(-1, -2))


def main() -> None:
    for kind in ("LSTM", "GRU"):
        np.savez_compressed(FOLDER / f"network_{kind.lower()}.npz", **golden(kind))
    total = sum(path.stat().st_size for path in FOLDER.glob("network_*.npz"))
    print(f"{total / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
