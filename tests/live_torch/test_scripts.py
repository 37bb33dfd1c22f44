"""Training scripts as one finds them, small, diagnosed by three added lines each."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnnviz.__main__ import main
from rnnviz.models import read_runs
from rnnviz.torch import watch

LETTERS = string.ascii_lowercase + " "


class Characters(nn.Module):
    """Which letter comes next?"""

    def __init__(self, hidden_size: int = 24) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS), 8)
        self.rnn = nn.LSTM(8, hidden_size, 2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(hidden_size, len(LETTERS))

    def forward(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        output, state = self.rnn(self.embedding(tokens), state)
        return self.head(output), state


class Names(nn.Module):
    """From which language is a name? Letter by letter, as in PyTorch's tutorial."""

    def __init__(self, hidden_size: int = 16) -> None:
        super().__init__()
        self.cell = nn.RNNCell(len(LETTERS), hidden_size)
        self.head = nn.Linear(hidden_size, 3)

    def forward(self, letters: Tensor) -> Tensor:
        h = torch.zeros(1, self.cell.hidden_size)
        for letter in letters:
            h = self.cell(nn.functional.one_hot(letter[None], len(LETTERS)).float(), h)
        return nn.functional.log_softmax(self.head(h), dim=1)


def tokens(text: str) -> Tensor:
    return torch.tensor([LETTERS.index(letter) for letter in text])


def test_a_character_model_with_states_carried_over(tmp_path: Path) -> None:
    """Truncated to windows of 20 steps, which no lag of 50 fits in."""
    torch.manual_seed(0)
    text = tokens("the quick brown fox jumps over the lazy dog " * 8)[:321]
    model = Characters()
    optimizer, state = torch.optim.Adam(model.parameters(), lr=0.01), None
    with watch(model, keep=2) as seen:  # added
        for start in range(0, 80, 20):
            x, y = (text[:-1].reshape(4, -1), text[1:].reshape(4, -1))
            logits, state = model(x[:, start : start + 20], state)
            target = y[:, start : start + 20].reshape(-1)
            loss = nn.functional.cross_entropy(logits.reshape(-1, len(LETTERS)), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            state = tuple(each.detach() for each in state)
    report = seen.diagnose(lag=50)  # added
    seen.save(tmp_path / "run.npz")  # added
    assert [one.kind for one in report.findings if one.serious] == ["too_short"]
    assert "the lag is 50" in str(report)
    assert max(seen.other_ways("rnn").values()) < 1e-4
    assert len(seen["rnn"]["lstm"].layers) == 2
    assert list(read_runs(tmp_path / "run.npz")) == ["rnn"]
    assert main(["diagnose", str(tmp_path / "run.npz"), "--lag", "50"]) == 1


def test_a_classifier_of_names_letter_by_letter() -> None:
    torch.manual_seed(0)
    model = Names()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model) as seen:  # added
        for k, name in enumerate(("schwarzenegger", "takahashi", "wolfeschlegelsteinhausenberger")):
            loss = nn.functional.nll_loss(model(tokens(name)), torch.tensor([k]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    report = seen.diagnose(lag=25)  # added
    print(report)  # noqa: T201  # added
    assert [len(p.parts[0].x) for p in seen.passages("cell")] == [30]
    (vanishing,) = (one for one in report.findings if one.kind == "vanishing")
    assert vanishing.number < -3
    assert report.labels == ("cell",)
    assert report.notes == seen.notes
    assert report.notes[0].startswith("cell: outputs differ from PyTorch's, in float32, by at most")


class Marks(nn.Module):
    """A stack in a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.RNN(3, 8, 2, batch_first=True, dropout=0.2)])
        for weight in self.parts[0].parameters():
            weight.data *= 0.1

    def forward(self, x: Tensor) -> Tensor:
        return self.parts[0](x)[0]


@pytest.mark.parametrize("training", [True, False])
def test_the_change_puts_another_cell_where_the_watched_one_stands(training: bool) -> None:
    model = Marks().train(training)
    with watch(model) as seen:
        model(torch.randn(4, 30, 3))[:, -1].sum().backward()
    (found,) = (one for one in seen.diagnose(lag=20).findings if one.kind == "vanishing")
    exec(found.change, {"torch": torch, "model": model})
    made = model.parts[0]
    assert isinstance(made, nn.LSTM)
    assert (made.num_layers, made.batch_first, made.dropout) == (2, True, 0.2)
    assert model(torch.randn(4, 30, 3)).shape == (4, 30, 8)


def test_clipping_is_asked_of_what_the_backward_passes_brought() -> None:
    torch.manual_seed(0)
    model = nn.GRU(2, 3)
    with watch(model) as seen:
        for _ in range(3):
            model.zero_grad()
            (100 * model(torch.randn(4, 5, 2))[0]).sum().backward()
    wanted = torch.cat([p.grad.flatten() for p in model.parameters()]).double().norm()
    assert abs(seen.norms[-1] / float(wanted) - 1) < 1e-12
    said = str(seen.diagnose(clip=1.0))
    assert "Clipping at 1 acts on 100 % of the last 3 backward passes" in said
    assert "Clipping" not in str(seen.diagnose(clip=1e9))


def test_nan_in_a_batch_is_named_and_the_rest_goes_on() -> None:
    model = nn.GRU(2, 3)
    x = torch.zeros(4, 5, 2)
    x[2, 1, 0] = float("nan")
    with watch(model) as seen:
        model(x)[0].sum().backward()
    report = seen.diagnose()
    assert report.serious
    assert "x is not a finite number: NaN at [2, 0, 1]" in str(report)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("weight", "dtype"),
    [(float("nan"), torch.float32), (1e30, torch.float32), (1e200, torch.float64)],
)
def test_outputs_that_are_not_finite_are_not_said_to_differ(
    weight: float, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    model = nn.RNN(2, 3, nonlinearity="relu", dtype=dtype)
    model.weight_hh_l0.data[:] = weight
    with watch(model) as seen:
        model(torch.randn(5, 4, 2, dtype=dtype).abs())[0].sum().backward()
    said = " ".join(seen.notes)
    assert "model: outputs are not all finite: how near they are to PyTorch's is not said" in said
    assert "differ from" not in said
    assert "other ways" not in said
