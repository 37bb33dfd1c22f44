"""Make the golden arrays of tests/core/test_own_losses.py:
`python -m tests.reference.make_own_loss_golden`.

Needs PyTorch. A readout on torch.nn.LSTM or GRU with two layers, from states that are not zero, in
float64. The loss reads y at every step, the last states of the first layer, and the last cell
states: Σ log cosh y + Σ h² + Σ sin c. Arrays are (T, features, B), and parameters have the names
that they have in a `Network`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.reference.make_network_golden import columns

FOLDER = Path(__file__).parent
T, B, D, H, LAYERS, OUTPUTS = 6, 3, 2, 4, 2, 3


def golden(kind: str) -> dict[str, np.ndarray]:
    """Draw, run and collect."""
    rng = np.random.default_rng(33)
    module: Any = getattr(nn, kind)(D, H, LAYERS, dtype=torch.float64)
    readout = nn.Linear(H, OUTPUTS, dtype=torch.float64)
    parameters = dict(module.named_parameters()) | {
        "W_hy": readout.weight,
        "b_y": readout.bias,
    }
    for name, parameter in parameters.items():
        value = rng.standard_normal(tuple(parameter.shape)) / 2
        if "bias_hh" in name:
            value[: -H if kind == "GRU" else None] = 0
        parameter.data = torch.tensor(value)
    x = torch.tensor(rng.standard_normal((T, B, D)), requires_grad=True)
    states = [torch.tensor(rng.standard_normal((LAYERS, B, H)), requires_grad=True)
              for _ in range(2 if kind == "LSTM" else 1)]  # fmt: skip
    output, last = module(x, tuple(states) if kind == "LSTM" else states[0])
    y, ends = readout(output), last if kind == "LSTM" else (last,)
    loss = torch.log(torch.cosh(y)).sum() + (ends[0][0] ** 2).sum()
    loss = loss + (torch.sin(ends[1]).sum() if kind == "LSTM" else 0)
    loss.backward()
    result = {"x": columns(x), "y": columns(y), "d_x": columns(x.grad), "loss": loss.detach()}
    for name, given, end in zip(("h", "c"), states, ends, strict=False):
        result |= {f"{name}0": columns(given), f"d_{name}0": columns(given.grad),
                   f"last_{name}": columns(end)}  # fmt: skip
    for ours, theirs in names(kind).items():
        rows = slice(-H, None) if ours.endswith("b_hn") else slice(None)
        result[ours] = parameters[theirs].detach().numpy()[rows]
        result[f"d_{ours}"] = parameters[theirs].grad.numpy()[rows]
    return result


def names(kind: str) -> dict[str, str]:
    """Ours -> PyTorch's. Its second bias is 0, but for the GRU's b_hn."""
    given = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_h": "bias_ih"}
    given |= {"b_hn": "bias_hh"} if kind == "GRU" else {}
    layers = {f"{k}.forward.{ours}": f"{theirs}_l{k}"
              for k in range(LAYERS) for ours, theirs in given.items()}  # fmt: skip
    return {"W_hy": "W_hy", "b_y": "b_y", **layers}


def main() -> None:
    for kind in ("LSTM", "GRU"):
        np.savez_compressed(FOLDER / f"own_loss_{kind.lower()}.npz", **golden(kind))
    total = sum(path.stat().st_size for path in FOLDER.glob("own_loss_*.npz"))
    print(f"{total / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
