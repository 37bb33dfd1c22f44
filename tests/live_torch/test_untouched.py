"""What a program computes is the same with and without a watch, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnnviz.torch import Seen, watch
from rnnviz.torch.weights import RANDOM
from tests.live_torch.test_modules import B, D, H, T

CELLS = (nn.RNNCell, nn.GRUCell, nn.LSTMCell)


def looped(cell: Any, x: Tensor, touch: Callable[[Tensor], Any]) -> list[tuple[Tensor, ...]]:
    """The states of every step, each of which a caller may touch."""
    state: Any = None
    found = []
    for step in x:
        state = cell(step, state)
        found.append(state if isinstance(state, tuple) else (state,))
        for each in found[-1]:
            touch(each)
    return found


def halved(state: Tensor) -> None:
    state.register_hook(lambda gradient: 0.5 * gradient)


def clamped(state: Tensor) -> None:
    state.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))


def kept(state: Tensor) -> None:
    state.retain_grad()


def clamped_and_kept(state: Tensor) -> None:
    clamped(state)
    kept(state)


TOUCHES = (lambda state: None, halved, clamped, kept, clamped_and_kept)


def trained(
    kind: Any, touch: Callable[[Tensor], Any], watched: bool, batch: tuple[int, ...] = (B,)
) -> tuple[list[Any], Seen | None]:
    """Gradients of weights, inputs and states, where every step has a loss."""
    torch.manual_seed(3)
    cell, x = kind(D, H), torch.randn(T, *batch, D, requires_grad=True)
    with watch(cell) if watched else nullcontext() as seen:
        states = looped(cell, x, touch)
        h = torch.stack([each[0] for each in states])
        (h.pow(3).sum() + sum(each.sin().sum() for each in states[-1])).backward()
    every = [p.grad for p in (*cell.parameters(), x)]
    every += [s.grad for step in states for s in step if s.retains_grad]
    return every, seen


def assert_same(found: list[Any], expected: list[Any]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("batch", [(B,), ()], ids=["batch", "one sequence"])
def test_cells_with_hooks_on_their_states(kind: Any, touch: Any, batch: tuple[int, ...]) -> None:
    expected, _ = trained(kind, touch, False, batch)
    found, seen = trained(kind, touch, True, batch)
    assert_same(found, expected)
    assert seen is not None
    assert [len(one.parts[0].x) for one in seen.passages("")] == [T]
    changed = touch in (halved, clamped, clamped_and_kept)
    assert any("by other ways" in note for note in seen.notes) == changed


@pytest.mark.parametrize("kind", CELLS)
def test_the_gradient_of_a_state_in_between(kind: Any) -> None:
    def asked(watched: bool) -> list[Any]:
        torch.manual_seed(3)
        cell, x = kind(D, H), torch.randn(T, B, D)
        with watch(cell) if watched else nullcontext():
            states = looped(cell, x, lambda state: None)
            return [torch.autograd.grad(states[-1][0].sum(), each, retain_graph=True)[0]
                    for each in (*states[3], *states[0])]  # fmt: skip

    assert_same(asked(True), asked(False))


def test_states_in_the_other_order_begin_another_sequence() -> None:
    def swapped(watched: bool) -> tuple[list[Any], Any]:
        torch.manual_seed(3)
        cell, x = nn.LSTMCell(D, H), torch.randn(2, B, D)
        with watch(cell) if watched else nullcontext() as seen:
            h, c = cell(x[0])
            h, c = cell(x[1], (c, h))
            (h.sum() + c.pow(2).sum()).backward()
        return [p.grad for p in cell.parameters()], seen

    found, seen = swapped(True)
    assert_same(found, swapped(False)[0])
    assert len(seen.passages("")) == 2


@pytest.mark.parametrize("kind", CELLS)
def test_a_state_that_is_an_input_too(kind: Any) -> None:
    def fed(watched: bool) -> tuple[list[Any], Any]:
        torch.manual_seed(3)
        cell, x = kind(H, H), torch.randn(B, H)
        with watch(cell) if watched else nullcontext() as seen:
            state, h = None, x
            for _ in range(3):
                state = cell(h, state)
                h = state[0] if isinstance(state, tuple) else state
            h.sum().backward()
        return [p.grad for p in cell.parameters()], seen

    found, seen = fed(True)
    assert_same(found, fed(False)[0])
    assert max(seen.other_ways("").values()) < 1e-5


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "dropout": 0.5}])
def test_modules_with_hooks_on_their_outputs(kind: Any, options: dict[str, Any]) -> None:
    def trained(watched: bool) -> list[Any]:
        torch.manual_seed(3)
        module, x = kind(D, H, **options), torch.randn(T, B, D)
        with watch(module) if watched else nullcontext():
            output, last = module(x)
            h = last[0] if isinstance(last, tuple) else last
            for each in (output, h):
                clamped_and_kept(each)
            (output.pow(3).sum() + h.sin().sum()).backward()
        return [*(p.grad for p in module.parameters()), output.grad, h.grad]

    assert_same(trained(True), trained(False))


def test_an_error_that_becomes_infinite_on_its_way_enters_once() -> None:
    cell = nn.RNNCell(1, 2, nonlinearity="relu")
    for weight in cell.parameters():
        nn.init.constant_(weight, 1e5)
    with watch(cell) as seen:
        looped(cell, torch.full((9, 1, 1), 1e-30), lambda state: None)[-1][0].sum().backward()
    part = seen.passages("")[0].parts[0]
    assert part.d_output.any(axis=(1, 2)).tolist() == [False] * 8 + [True]


class Dropped(nn.Module):
    """Dropout on a weight, also in eval mode."""

    def forward(self, weight: Tensor) -> Tensor:
        return nn.functional.dropout(weight, 0.3)


PARAMETRIZED: dict[str, Callable[[nn.Module, str], Any]] = {
    "spectral norm": nn.utils.parametrizations.spectral_norm,
    "weight norm": nn.utils.parametrizations.weight_norm,
    "dropout": lambda module, name: nn.utils.parametrize.register_parametrization(
        module, name, Dropped()
    ),
}


@pytest.mark.parametrize("kind", [nn.GRU, nn.GRUCell, nn.LSTMCell])
@pytest.mark.parametrize("how", PARAMETRIZED)
def test_parametrized_weights(how: str, kind: Any) -> None:
    """Reading such a weight computes it, which may draw numbers or change what it is made of."""
    of_cell = issubclass(kind, nn.RNNCellBase)

    def trained(watched: bool) -> tuple[list[Any], Any]:
        torch.manual_seed(3)
        module, x = kind(D, H), torch.randn(T, B, D)
        PARAMETRIZED[how](module, "weight_hh" if of_cell else "weight_hh_l0")
        with watch(module) if watched else nullcontext() as seen:
            for _ in range(2):
                h = looped(module, x, lambda state: None)[-1] if of_cell else module(x)
                h[0].pow(2).sum().backward()
        return [*(p.grad for p in module.parameters()), *module.state_dict().values()], seen

    found, seen = trained(True)
    assert_same(found, trained(False)[0])
    if of_cell and how == "dropout":
        assert seen.notes[0] == f"model: {RANDOM}"
    elif how != "dropout":
        assert seen.passages("")[-1].deviation < 1e-6


def test_a_stack_with_dropout_and_parametrized_weights_is_refused() -> None:
    module = nn.utils.parametrizations.weight_norm(nn.GRU(D, H, 2, dropout=0.5), "weight_hh_l0")
    with watch(module) as seen:
        module(torch.randn(T, B, D))[0].sum().backward()
    assert seen.notes[0] == "model: it has dropout between its layers and parametrized weights"
