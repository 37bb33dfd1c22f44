"""Modules with a forward of their own: what they return is left as it is, and what cannot be
watched is named while the rest is diagnosed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from rnnviz.__main__ import main
from rnnviz.torch import watch
from rnnviz.torch.forms import OTHER
from tests.live_torch.test_modules import B, D, H, T

CHANGES: dict[str, Callable[[Any], Any]] = {
    "output alone": lambda given: given[0],
    "two sequences": lambda given: torch.stack([given[0], given[0]]),
    "three": lambda given: (*given, given[0][-1]),
    "a list": list,
    "nested": lambda given: (given[0], (given,)),
    "a dictionary": lambda given: {"output": given[0]},
    "last output": lambda given: (given[0][-1], given[1]),
    "nothing": lambda given: None,
}


def alike(found: Any, expected: Any) -> bool:
    """Whether two values are the same, and of the same types throughout."""
    if type(found) is not type(expected):
        return False
    if isinstance(found, Tensor):
        return torch.equal(found, expected)
    if isinstance(found, dict):
        found, expected = list(found.items()), list(expected.items())
    if isinstance(found, list | tuple):
        return len(found) == len(expected) and all(map(alike, found, expected))
    return bool(found == expected)


def changed(kind: Any, change: Callable[[Any], Any]) -> Any:
    class Changed(kind):  # type: ignore[misc]
        def forward(self, x: Tensor, hx: Any = None) -> Any:
            return change(super().forward(x, hx))

    return Changed


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("how", ["forward", "hook"])
def test_what_is_not_pytorchs_is_left_and_named(kind: Any, change: Any, how: str) -> None:
    torch.manual_seed(0)
    of_cell = issubclass(kind, nn.RNNCellBase)
    module = (changed(kind, change) if how == "forward" else kind)(D, H)
    if how == "hook":
        module.register_forward_hook(lambda module, args, result: change(result))
    x = torch.randn(T, B, D)[0] if of_cell else torch.randn(2, B, D)
    expected = module(x)
    with watch(module) as seen:
        found = module(x)
    assert alike(found, expected)
    changes_nothing = how == "hook" and change is CHANGES["nothing"]
    assert (seen.notes == (f"model: {OTHER}",)) != changes_nothing


def test_what_it_takes_may_be_something_else() -> None:
    class Words(nn.LSTM):
        def forward(self, words: Tensor, lengths: Tensor) -> Any:
            return super().forward(nn.functional.one_hot(words, D).float() + lengths[0])

    class Named(nn.GRUCell):
        def forward(self, *, x: Tensor, memory: Tensor) -> Tensor:
            return super().forward(x, memory)

    words, named = Words(D, H), Named(D, H)
    with watch(nn.ModuleDict({"words": words, "named": named})) as seen:
        words(torch.zeros(T, B, dtype=torch.long), torch.ones(B))[0].sum().backward()
        named(x=torch.ones(B, D), memory=torch.zeros(B, H)).sum().backward()
    assert seen.notes[:2] == (f"words: {OTHER}", f"named: {OTHER}")


@pytest.mark.parametrize("given", ["batch first", "one sequence", "packed", "with states"])
def test_a_forward_that_only_passes_on_is_watched(given: str) -> None:
    class Plain(nn.LSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            return super().forward(input, hx)

    module = Plain(D, H, 2, batch_first=given == "batch first", bidirectional=True)
    x: Any = torch.randn(T, D) if given == "one sequence" else torch.randn(T, B, D)
    if given == "packed":
        x = pack_sequence(list(x))
    hx = [torch.randn(4, B, H)] * 2 if given == "with states" else None
    with watch(module) as seen:
        output = module(x, hx=hx)[0]
        (output.data if isinstance(output, PackedSequence) else output).sum().backward()
    assert list(seen) == [""]
    assert seen.passages("")[0].deviation < 1e-6


class Two(nn.Module):
    """One module that computes as PyTorch does, and one that does not."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__()
        self.good, self.bad = nn.LSTM(D, H), changed(nn.LSTM, change)(H, H)

    def forward(self, x: Tensor) -> Tensor:
        found = self.bad(self.good(x)[0])
        return found[0] if isinstance(found, tuple) else found


def doubled(given: Any) -> Any:
    return 2 * given[0], given[1]


@pytest.mark.parametrize("change", [doubled, lambda given: given[0]])
def test_the_others_are_diagnosed_and_it_is_named(
    change: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Two(change)
    with watch(model) as seen:
        model(torch.randn(T, B, D)).sum().backward()
    report = seen.diagnose(lag=3)
    assert report.labels == ("good",)
    assert sum(note.startswith("bad: ") and "forward of its own" in note
               for note in report.notes) == 1  # fmt: skip
    seen.save(tmp_path / "run.npz")
    assert main(["diagnose", str(tmp_path / "run.npz"), "--lag", "3"]) == int(report.serious)
    out = capsys.readouterr().out
    assert "good: " in out
    assert ("bad: the module must compute what PyTorch's own does" in out) == (change is doubled)


def test_a_model_that_is_itself_the_module_is_named_and_refused_once() -> None:
    good, bad = nn.GRU(D, H, 2, dropout=0.5), changed(nn.LSTM, doubled)(D, H)
    for module in (good, bad):
        with watch(module) as seen:
            module(torch.randn(T, B, D))[0].sum().backward()
            (module.weight_hh_l0 * 1e3).sum().backward()
            module(torch.randn(T, B, D))[0].sum().backward()
        notes = seen.diagnose(lag=3).notes
        assert all(note.startswith(("model: ", "1 backward passes")) for note in notes), notes
        assert sum("forward of its own" in note for note in notes) == (module is bad)
    with watch(bad) as seen:
        pass
    with pytest.raises(ValueError, match=r"^model: no backward pass"):
        seen.run("")


def test_weights_shared_with_one_that_cannot_be_run_again() -> None:
    model = nn.ModuleDict({"good": nn.GRU(D, H), "bad": changed(nn.GRU, doubled)(D, H)})
    model["bad"].weight_hh_l0 = model["good"].weight_hh_l0
    with watch(model) as seen:
        x = torch.randn(T, B, D)
        sum(module(x)[0].sum() for module in model.values()).backward()
    assert seen.diagnose().labels == ("good",)


def test_of_none_that_can_be_diagnosed_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = nn.ModuleDict({"bad": changed(nn.LSTM, doubled)(D, H)})
    with watch(model) as seen:
        model["bad"](torch.randn(T, B, D))[0].sum().backward()
    assert seen.diagnose().labels == ()
    seen.save(tmp_path / "run.npz")
    with pytest.raises(SystemExit) as stopped:
        main(["diagnose", str(tmp_path / "run.npz")])
    assert stopped.value.code == 2
    assert "bad: the module must compute what PyTorch's own does" in capsys.readouterr().err


def test_a_stack_with_dropout_is_watched_by_one_at_a_time() -> None:
    module = nn.LSTM(D, H, 2, dropout=0.5)
    with watch(module) as outer:
        with watch(module) as inner:
            module(torch.randn(T, B, D))[0].sum().backward()
        module(torch.randn(T, B, D))[0].sum().backward()
    assert inner.notes[0] == "model: it has dropout between its layers and is watched already"
    assert len(outer.backwards) == 2
    assert max(outer.other_ways("").values()) < 1e-4
