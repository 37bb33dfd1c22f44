"""Make the golden arrays of tests/models with PyTorch:
`python -m tests.reference.make_models_golden`.

Needs torch and safetensors. Parameters are the numbers w(start, shape) of `waves`, so that each is
different from all others; x, outputs, last states and all gradients are those of the loss
Σ direct · output (+ Σ c_T of an LSTM), batch first, in float64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent
T, B, D, H, V, OUT = 5, 2, 2, 3, 5, 3


def waves(start: float, shape: tuple[int, ...]) -> np.ndarray:
    """0.5·sin(start), 0.5·sin(start + 1), … in row-major order."""
    return 0.5 * np.sin(start + np.arange(np.prod(shape))).reshape(shape)


class Classifier(nn.Module):
    """What a tutorial builds: an embedding, two layers in both directions, a readout."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, D)
        self.norm = nn.BatchNorm1d(2 * H)
        self.rnn = nn.GRU(D, H, 2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * H, OUT)

    def forward(self, tokens: Any) -> Any:
        return self.fc(self.rnn(self.embedding(tokens))[0])


def filled(module: nn.Module) -> nn.Module:
    """A module in float64 whose parameters are waves."""
    for k, parameter in enumerate(module.double().parameters()):
        parameter.data = torch.tensor(waves(101.0 * k + 1, tuple(parameter.shape)))
    return module


def arrays(module: nn.Module, gradients: bool = False) -> dict[str, np.ndarray]:
    named = module.named_parameters()
    return {n: (p.grad if gradients else p).detach().numpy() for n, p in named}


def recurrent(module: Any) -> dict[str, np.ndarray]:
    """A recurrent module run on waves, batch first, from states that are not zero."""
    filled(module)
    directions = 2 if module.bidirectional else 1
    rows = module.num_layers * directions
    x = torch.tensor(waves(7, (B, T, D)), requires_grad=True)
    lstm = isinstance(module, nn.LSTM)
    states = [torch.tensor(waves(s, (rows, B, H)), requires_grad=True) for s in (3, 5)[: 1 + lstm]]
    direct = waves(11, (B, T, directions * H))
    output, last = module(x, tuple(states) if lstm else states[0])
    ends = last if lstm else (last,)
    ((output * torch.tensor(direct)).sum() + sum(end.sum() for end in ends)).backward()
    found = {"x": x, "output": output, "d_x": x.grad, "h_n": ends[0], "h0": states[0],
             "d_h0": states[0].grad}  # fmt: skip
    found |= {"c_n": ends[1], "c0": states[1], "d_c0": states[1].grad} if lstm else {}
    result = {name: value.detach().numpy() for name, value in found.items()} | {"direct": direct}
    result |= {f"state.{n}": a for n, a in arrays(module).items()}
    return result | {f"grad.{n}": a for n, a in arrays(module, gradients=True).items()}


def stepped(cell: Any) -> dict[str, np.ndarray]:
    """A *Cell module in a loop of Python, whose loss is Σ h_T."""
    filled(cell)
    x = torch.tensor(waves(7, (T, B, D)), requires_grad=True)
    state = None
    for step in x:
        state = cell(step, state)
    h = state[0] if isinstance(state, tuple) else state
    h.sum().backward()
    result = {"x": x.detach().numpy(), "h": h.detach().numpy(), "d_x": x.grad.numpy()}
    return result | {f"state.{n}": a for n, a in arrays(cell).items()}


def classifier() -> dict[str, np.ndarray]:
    """Logits, cross-entropy at the last step and its gradients."""
    module = filled(Classifier())
    tokens = np.arange(B * T).reshape(B, T) * 3 % V
    target = np.arange(B) % OUT
    logits = module(torch.tensor(tokens))
    loss = nn.functional.cross_entropy(logits[:, -1], torch.tensor(target))
    loss.backward()
    result = {"tokens": tokens, "target": target, "logits": logits.detach().numpy(),
              "loss": loss.detach().numpy()}  # fmt: skip
    result |= {f"state.{n}": p.detach().numpy() for n, p in module.state_dict().items()}
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    return result | {f"grad.{n}": g.numpy() for n, g in gradients.items()}


CASES: dict[str, Any] = {
    "lstm": lambda: recurrent(nn.LSTM(D, H, 2, batch_first=True, bidirectional=True)),
    "gru": lambda: recurrent(nn.GRU(D, H, 2, batch_first=True, bidirectional=True)),
    "rnn_tanh": lambda: recurrent(nn.RNN(D, H, batch_first=True)),
    "rnn_relu": lambda: recurrent(nn.RNN(D, H, batch_first=True, nonlinearity="relu")),
    "no_bias": lambda: recurrent(nn.LSTM(D, H, batch_first=True, bias=False)),
    "lstm_cell": lambda: stepped(nn.LSTMCell(D, H)),
    "gru_cell": lambda: stepped(nn.GRUCell(D, H)),
    "rnn_cell": lambda: stepped(nn.RNNCell(D, H)),
    "classifier": classifier,
}


def main() -> None:
    torch.manual_seed(0)
    for name, case in CASES.items():
        np.savez_compressed(FOLDER / f"models_torch_{name}.npz", **case())
    half = {n: p.to(torch.bfloat16) for n, p in filled(nn.LSTM(D, H)).state_dict().items()}
    half["steps"] = torch.tensor([3])
    save_file(half, FOLDER / "models_torch_bfloat16.safetensors")
    made = list(FOLDER.glob("models_torch_*"))
    print(f"{len(made)} files, {sum(p.stat().st_size for p in made) / 1e3:.0f} kB, "
          f"PyTorch {torch.__version__}")  # fmt: skip


if __name__ == "__main__":
    main()
