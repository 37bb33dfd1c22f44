"""A sequence that a loop takes one call at a time is seen in pieces, and nothing is said of it that
a piece cannot know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnnviz.__main__ import main
from rnnviz.models.diagnosis.finding import OF_ALL
from rnnviz.torch import Seen, watch
from tests.live_torch.test_modules import B, D, H

STEPS = 12


class Touched(nn.Module):
    """A cell whose state is touched between the steps."""

    def __init__(self, touch: str) -> None:
        super().__init__()
        self.cell, self.norm, self.touch = nn.GRUCell(D, H), nn.LayerNorm(H), touch

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(B, H)
        lengths = torch.tensor([12, 12, 9, 7, 1])
        for t, step in enumerate(x):
            new = self.cell(step, h)
            ways: dict[str, Callable[[], Tensor]] = {
                "where": lambda new=new, h=h, t=t: torch.where((t < lengths)[:, None], new, h),
                "norm": lambda new=new: self.norm(new),
                "dropout": lambda new=new: nn.functional.dropout(new, 0.3),
                "clamp": lambda new=new: new.clamp(-0.5, 0.5),
                "mask": lambda new=new: new * torch.ones(H),
            }
            h = ways[self.touch]()
        return h


class Decoder(nn.Module):
    """A module that is called for each step with its own states."""

    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__()
        self.rnn = kind(D, H, **options)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x:
            output, state = self.rnn(step[None], state)
        return output


MODELS = {
    **{touch: lambda touch=touch: Touched(touch)
       for touch in ("where", "norm", "dropout", "clamp", "mask")},
    **{kind.__name__: lambda kind=kind: Decoder(kind) for kind in (nn.RNN, nn.GRU, nn.LSTM)},
    "dropout in a stack": lambda: Decoder(nn.LSTM, num_layers=2, dropout=0.5),
}  # fmt: skip


def seen_of(model: nn.Module, steps: int = STEPS) -> Seen:
    torch.manual_seed(0)
    with watch(model) as seen:
        model(torch.randn(steps, B, D)).pow(2).sum().backward()
    return seen


@pytest.mark.parametrize("lag", [None, 3, 10])
@pytest.mark.parametrize("made", MODELS.values(), ids=MODELS)
def test_nothing_is_said_of_the_whole_sequence(made: Any, lag: int | None, tmp_path: Path) -> None:
    seen = seen_of(made())
    report = seen.diagnose(lag)
    kinds = {one.kind for one in report.findings}
    assert not kinds & OF_ALL
    assert "apart" in kinds
    assert "Nothing is wrong" not in str(report)
    assert f"ran {STEPS} times in one backward pass" in str(report)
    (name,) = seen
    assert any(f"{name}: {STEPS} calls in one backward pass" in note for note in seen.notes)
    seen.save(tmp_path / "run.npz")
    main(["diagnose", str(tmp_path / "run.npz"), "--json", str(tmp_path / "report.json"),
          *([] if lag is None else ["--lag", str(lag)])])  # fmt: skip
    said = (tmp_path / "report.json").read_text()
    assert '"kind": "apart"' in said
    assert "too short" not in said


def test_two_cells_that_take_turns() -> None:
    class Turns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = nn.GRUCell(D, H), nn.GRUCell(D, H)

        def forward(self, x: Tensor) -> Tensor:
            h = None
            for step in x:
                h = self.other(step, self.one(step, h))
            return h

    report = seen_of(Turns()).diagnose(lag=5)
    assert [one.label for one in report.findings if one.kind == "apart"] == ["one", "other"]


def states(kind: str, module: Any, x: Tensor) -> Tensor:
    """Calls that are whole sequences, and what goes into a loss."""
    if kind == "detached":
        _, h = module(x)
        return module(x, h.detach())[1] + h
    if kind == "learned first state":
        return module(x, nn.Parameter(torch.zeros(1, B, H)).expand(1, B, H))[1] + module(x)[1]
    if kind in ("an encoder's", "a deep encoder's"):
        first = nn.Linear(D, H)(x.sum(0, keepdim=True))
        for _ in range(600 * (kind == "a deep encoder's")):
            first = torch.tanh(first) + 1
        return module(x, first)[1] + module(2 * x, first)[1]
    return module(x)[1] + module(2 * x)[1]


@pytest.mark.parametrize(
    "kind", ["detached", "learned first state", "an encoder's", "a deep encoder's", "none"]
)
def test_calls_that_do_not_go_on_from_one_another_are_whole(kind: str) -> None:
    module = nn.GRU(D, H)
    with watch(module) as seen:
        states(kind, module, torch.randn(STEPS, B, D)).sum().backward()
    assert len(seen.passages("")) == 2
    assert [one.kind for one in seen.diagnose(lag=50).findings][:1] == ["too_short"]


def test_windows_of_one_backward_pass_go_on() -> None:
    module = nn.GRU(D, H)
    with watch(module) as seen:
        x, h, total = torch.randn(STEPS, B, D), None, 0
        for window in x.chunk(3):
            output, h = module(window, h)
            total = total + output.sum()
        total.backward()
    assert [one.calls for one in seen.passages("")] == [3] * 3
