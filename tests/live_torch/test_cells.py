"""Cells in a Python loop: their calls are steps of one sequence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnnviz.torch import watch
from rnnviz.torch.weights import CHANGE, RANDOM
from tests.live_torch.stepwise import assert_all_is_explained, assert_states_are, run_cell
from tests.live_torch.test_modules import B, D, H, T, inputs

CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}


def made(kind: str = "lstm") -> Any:
    torch.manual_seed(1)
    return CELLS[kind](D, H).double()


def looped(cell: Any, x: Tensor, state: Any = None) -> tuple[list[Tensor], Any]:
    found = []
    for step in x:
        state = cell(step, state)
        found.append(state[0] if isinstance(state, tuple) else state)
    return found, state


def loss_of(h: list[Tensor], state: Any) -> Tensor:
    total = sum((k + 1) * each.square().sum() for k, each in enumerate(h) if k % 2)
    return total + (state[1].pow(3).sum() if isinstance(state, tuple) else 0)


def by_autograd(cell: Any, x: Tensor, loss: Any = loss_of) -> list[list[list[list[Tensor]]]]:
    """As `assert_states_are` takes it: one layer, one direction, a sequence each."""
    steps = run_cell(cell, x, ())
    last = steps[-1] if len(steps[0]) > 1 else steps[-1][0]
    every = [s for pair in steps for s in pair]
    total = loss([pair[0] for pair in steps], last)
    grads = iter(torch.autograd.grad(total, every, allow_unused=True, materialize_grads=True))
    found = [torch.stack([next(grads) for _ in pair]) for pair in steps]
    return [[[[step[:, b] for step in found] for b in range(x.shape[1])]]]


def stepped(cell: Any) -> Any:
    """The cell, taking (1, B, D) as `run_cell` hands it over."""
    return lambda step, state: cell(step[0], state)


@pytest.mark.parametrize("kind", CELLS)
def test_cells_in_a_python_loop(kind: str) -> None:
    cell, x = made(kind), inputs(T, B, D)
    with watch(cell) as seen:
        loss_of(*looped(cell, x)).backward()
    assert len(seen.passages("")) == 1
    assert_states_are(seen[""][kind], by_autograd(stepped(cell), x))
    assert_all_is_explained(seen, "")


@pytest.mark.parametrize("which", [0, 1])
def test_only_the_last_h_or_c_is_used(which: int) -> None:
    cell, x = made(), inputs(T, B, D)
    with watch(cell) as seen:
        _, state = looped(cell, x)
        state[which].sum().backward()
    expected = by_autograd(stepped(cell), x, lambda h, state: state[which].sum())
    assert_states_are(seen[""]["lstm"], expected)
    assert_all_is_explained(seen, "")


def test_a_stack_of_cells() -> None:
    class Stack(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.below, self.above = nn.GRUCell(D, H), nn.LSTMCell(H, H)

        def forward(self, x: Tensor) -> Tensor:
            h, state = None, None
            for step in x:
                h = self.below(step, h)
                state = self.above(h, state)
            return state[0]

    model, x = Stack().double(), inputs(T, B, D)
    with watch(model) as seen:
        model(x).pow(3).sum().backward()
    assert list(seen) == ["below", "above"]
    for name in seen:
        assert [p.parts[0].x.shape for p in seen.passages(name)] == [
            (T, D if name == "below" else H, B)
        ]
        assert_all_is_explained(seen, name)


def test_a_single_sequence_without_a_batch() -> None:
    cell, x = made("gru"), inputs(T, D)
    with watch(cell) as seen:
        h, _ = looped(cell, x)
        sum(each.pow(3).sum() for each in h).backward()
    assert seen.passages("")[0].parts[0].x.shape == (T, D, 1)
    assert_all_is_explained(seen, "")


@pytest.mark.parametrize("change", ["in place", "masked", "detached", "branches"])
def test_states_that_are_changed_between_begin_another_sequence(change: str) -> None:
    """Each sequence alone is exact: what goes on from it enters at its last step."""
    cell, x = made("gru"), inputs(T, B, D)
    with watch(cell) as seen:
        _, h = looped(cell, x)
        if change == "in place":
            h *= 2
        elif change == "masked":
            h = h * 0.5
        elif change == "detached":
            first = h.sum()
            h = h.detach()
        other = looped(cell, x, h)[1].pow(3).sum()
        if change == "branches":
            other = other + looped(cell, 2 * x, h)[1].pow(2).sum()
        (other + (first if change == "detached" else 0)).backward()
    lengths = [len(one.parts[0].x) for one in seen.passages("")]
    assert lengths == ([2 * T, T] if change == "branches" else [T, T])
    assert_all_is_explained(seen, "")


def test_what_a_loss_reads_before_it_is_changed_in_place_enters_there() -> None:
    cell, x = made("gru"), inputs(T, B, D)
    with watch(cell) as seen:
        h = None
        total = torch.zeros((), dtype=torch.float64)
        for step in x:
            h = cell(step, h)
            total = total + (2 * h).sum()
            h += 1
        (total + h.sum()).backward()
    assert len(seen.passages("")) == T
    assert_all_is_explained(seen, "")


def spectral(how: str, cell: Any) -> Any:
    """Its norm is estimated a little better at each call."""
    if how == "parametrized":
        nn.utils.parametrizations.spectral_norm(cell, "weight_hh", n_power_iterations=1)
        with torch.no_grad():  # as after a step that has changed the weight
            cell.parametrizations.weight_hh.original.copy_(torch.randn(cell.weight_hh.shape))
        return cell
    return nn.utils.spectral_norm(cell, "weight_hh")


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("how", ["parametrized", "by a hook"])
@pytest.mark.parametrize("training", [True, False])
def test_weights_that_change_on_the_way_part_the_calls(how: str, kind: str, training: bool) -> None:
    cell, x = spectral(how, made(kind)).train(training), inputs(T, B, D)
    with watch(cell) as seen:
        looped(cell, x)[0][-1].pow(2).sum().backward()
    passages = seen.passages("")
    assert max(one.deviation for one in passages) < 1e-13
    assert len(passages) == (T if training else 1)
    notes = seen.diagnose(lag=T - 1).notes
    assert (f"model: {CHANGE}" in notes) == training
    assert not any("forward of its own" in note for note in notes)


def test_weights_that_are_drawn_at_each_call_are_the_reason() -> None:
    class Dropped(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return nn.functional.dropout(weight, 0.5, self.training)

    cell, x = made(), inputs(T, B, D)
    nn.utils.parametrize.register_parametrization(cell, "weight_hh", Dropped())
    with watch(cell) as seen:
        looped(cell, x)[0][-1].sum().backward()
    assert seen.notes[0] == f"model: {RANDOM}"
    with watch(cell.eval()) as seen:
        looped(cell, x)[0][-1].sum().backward()
    assert seen.passages("")[0].deviation < 1e-13
