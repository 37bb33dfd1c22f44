"""Make the golden files of watched modules with PyTorch:
`python -m tests.reference.make_watched_golden`.

Needs torch. watched_NAME.npz is what `Seen.save` wrote; watched_expected.npz has what autograd
says: every parameter's gradient, and where nothing random stands between layers every state's at
every step, by a loop over single cells; and packed sequences beside the padded ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from rnnviz.torch import watch
from tests.live_torch.stepwise import states_by_autograd
from tests.live_torch.test_modules import D, H, T, inputs, weighted

FOLDER = Path(__file__).parent
LENGTHS = (2, 5, 1, 3)


def packed_case() -> dict[str, np.ndarray]:
    """Two layers in both directions on sequences that are packed in another order."""
    module = nn.LSTM(D, H, 2, bidirectional=True).double()
    x = [inputs(T, D)[:n] + k for k, n in enumerate(LENGTHS)]
    given = pack_sequence(x, enforce_sorted=False)
    with watch(module) as seen:
        output, (h_n, c_n) = module(given)
        weighted(pad_packed_sequence(output)[0], h_n, c_n).backward()
    seen.save(FOLDER / "watched_packed.npz")
    found = gradients("packed", module)
    found |= {"packed.data": given.data.numpy(), "packed.sizes": given.batch_sizes.numpy(),
              "packed.unsorted": given.unsorted_indices.numpy(),
              "packed.padded": pad_packed_sequence(given)[0].numpy()}  # fmt: skip
    for layer, ways in enumerate(states_by_autograd(module, x, weighted)):
        for d, runs in enumerate(ways):
            for b, run in enumerate(runs):
                found[f"packed.state.{layer}.{d}.{b}"] = torch.stack(run).numpy()
    return found


def dropout_case() -> dict[str, np.ndarray]:
    """A GRU with dropout between its layers, as single layers."""
    module = nn.GRU(D, H, 2, dropout=0.4).double()
    with watch(module) as seen:
        output, h_n = module(inputs(T, 3, D))
        weighted(output, h_n, None).backward()
    seen.save(FOLDER / "watched_dropout.npz")
    return gradients("dropout", module)


def cells_case() -> dict[str, np.ndarray]:
    """An LSTMCell in a loop, whose loss reads h and c on the way."""
    cell = nn.LSTMCell(D, H).double()
    with watch(cell) as seen:
        state: Any = None
        total = torch.zeros((), dtype=torch.float64)
        for k, step in enumerate(inputs(T, 3, D)):
            state = cell(step, state)
            total = total + k * state[0].pow(2).sum() + state[1].pow(3).sum() / (k + 1)
        total.backward()
    seen.save(FOLDER / "watched_cells.npz")
    return {f"{name}_l0": value for name, value in gradients("cells", cell).items()}


def gradients(case: str, module: nn.Module) -> dict[str, np.ndarray]:
    return {f"{case}.grad.{n}": p.grad.numpy() for n, p in module.named_parameters()}


def main() -> None:
    torch.manual_seed(0)
    np.savez_compressed(
        FOLDER / "watched_expected.npz", **packed_case(), **dropout_case(), **cells_case()
    )


if __name__ == "__main__":
    main()
