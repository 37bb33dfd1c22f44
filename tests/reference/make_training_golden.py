"""Make training.npz for tests/training: `python -m tests.reference.make_training_golden`.

Needs PyTorch. One small LSTM with a readout is trained for 200 steps in float64 by autograd and
torch.optim, from the same start and on the same four batches in turn, once for each optimizer
and each way to clip. Kept: the start, the batches, every loss and the final parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.reference.make_golden import step

FILE = Path(__file__).parent / "training.npz"
STEPS, BATCHES = 200, 4
T, B, D, H, OUTPUTS = 7, 3, 3, 5, 4
# name: (class and options in torch.optim, how to clip, at what)
CASES: dict[str, tuple[str, dict[str, float], str, float]] = {
    "sgd": ("SGD", {"lr": 0.1}, "none", 1.0),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}, "none", 1.0),
    "rmsprop": ("RMSprop", {"lr": 1e-3}, "none", 1.0),
    "adagrad": ("Adagrad", {"lr": 0.05}, "none", 1.0),
    "adam": ("Adam", {"lr": 0.01}, "none", 1.0),
    "adam, clipped by norm": ("Adam", {"lr": 0.01}, "norm", 0.2),
    "sgd, clipped by value": ("SGD", {"lr": 0.1}, "value", 0.05),
}
SHAPES = {"W_xh": (4 * H, D), "W_hh": (4 * H, H), "b_h": (4 * H,), "W_hy": (OUTPUTS, H),
          "b_y": (OUTPUTS,)}  # fmt: skip


def draw() -> dict[str, np.ndarray]:
    """The start, and BATCHES inputs x (·, T, D, B) with class targets (·, T, B)."""
    rng = np.random.default_rng(30)
    params = {name: 0.5 * rng.standard_normal(shape) for name, shape in SHAPES.items()}
    x = rng.standard_normal((BATCHES, T, D, B))
    return {**params, "x": x, "target": rng.integers(0, OUTPUTS, (BATCHES, T, B))}


def loss_of(p: dict[str, Tensor], x: Tensor, target: Tensor) -> Tensor:
    """Σ_t of the cross-entropy, mean over the batch."""
    zeros = x.new_zeros(H, B)
    state: Any = (zeros, zeros)
    losses = []
    for x_t, target_t in zip(x, target, strict=True):
        state, _, _ = step("LSTM", None, x_t, state, p)
        y = p["W_hy"] @ state[0] + p["b_y"][:, None]
        losses.append(torch.nn.functional.cross_entropy(y.T, target_t))
    return torch.stack(losses).sum()


def clip(parameters: list[Tensor], how: str, limit: float) -> None:
    """By the exact norm: clip_grad_norm_ adds 1e-6 to it."""
    if how == "value":
        torch.nn.utils.clip_grad_value_(parameters, limit)
    if how == "norm":
        norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
        for p in parameters:
            p.grad *= min(1.0, limit / norm.item())


def trained(arrays: dict[str, np.ndarray], case: Any) -> dict[str, np.ndarray]:
    name, options, how, limit = case
    p = {n: torch.tensor(arrays[n]).requires_grad_() for n in SHAPES}
    x, target = torch.tensor(arrays["x"]), torch.tensor(arrays["target"])
    optimizer = getattr(torch.optim, name)(p.values(), **options)
    losses = []
    for n in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(p, x[n % BATCHES], target[n % BATCHES])
        loss.backward()
        clip(list(p.values()), how, limit)
        optimizer.step()
        losses.append(loss.item())
    return {"losses": np.array(losses), **{n: v.detach().numpy() for n, v in p.items()}}


def main() -> None:
    arrays = draw()
    result = dict(arrays)
    for name, case in CASES.items():
        result |= {f"{name}/{key}": value for key, value in trained(arrays, case).items()}
    np.savez_compressed(FILE, **result)
    print(f"{len(CASES)} cases, {FILE.stat().st_size / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
