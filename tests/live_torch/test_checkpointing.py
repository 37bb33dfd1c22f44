"""Checkpointing makes a part of the graph anew in the backward pass: what goes back through it is a
part of that pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rnnviz.torch import Seen, watch
from tests.live_torch.stepwise import assert_all_is_explained
from tests.live_torch.test_modules import B, D, H, T, inputs

STEPS = 3


def stepwise(cell: Any, x: Tensor, reentrant: bool) -> Tensor:
    """The last h of a loop of which each step is made anew."""

    def one(step: Tensor, *state: Tensor) -> Any:
        return cell(step, state if len(state) > 1 else state[0])

    state: Any = (torch.zeros(B, H, dtype=x.dtype),) * (1 + isinstance(cell, nn.LSTMCell))
    for step in x:
        state = checkpoint(one, step, *state, use_reentrant=reentrant)
        state = state if isinstance(state, tuple) else (state,)
    return state[0]


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell])
def test_a_loop_of_which_each_step_is_made_anew_is_one_pass_of_parts(kind: Any) -> None:
    cell, x = kind(D, H).double(), inputs(T, B, D).requires_grad_()
    with watch(cell) as seen:
        for _ in range(2):
            stepwise(cell, x, reentrant=True).pow(2).sum().backward()
    assert len(seen.backwards) == 2
    assert len(seen.passages("")) == T
    assert_all_is_explained(seen, "")
    report = seen.diagnose(lag=3)
    assert not report.serious
    assert [one.kind for one in report.findings] == ["apart"]
    assert any(f"{T} calls in one backward pass go on from one another" in n for n in seen.notes)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "dropout": 0.5}])
def test_a_whole_sequence_that_is_made_anew_stays_whole(reentrant: bool, options: Any) -> None:
    module, x = nn.GRU(D, H, **options).double(), inputs(T, B, D).requires_grad_()
    with watch(module) as seen:
        checkpoint(module, x, use_reentrant=reentrant)[0].pow(2).sum().backward()
    assert [one.calls for one in seen.passages("")] == [1]
    assert_all_is_explained(seen, "")


def trained(reentrant: bool, **options: Any) -> tuple[Seen, list[float]]:
    """What was seen of two modules in a row, each made anew, and the norms that clipping sees."""
    torch.manual_seed(0)
    model = nn.ModuleList([nn.GRU(D, H), nn.GRU(H, H)]).double()
    optimizer, norms = torch.optim.SGD(model.parameters(), 0.1), []
    with watch(model, **options) as seen:
        for _ in range(STEPS):
            optimizer.zero_grad()
            y = inputs(T, B, D).requires_grad_()
            for module in model:
                y = checkpoint(lambda z, module=module: module(z)[0], y, use_reentrant=reentrant)
            y.pow(2).sum().backward()
            norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1e9)))
            optimizer.step()
    return seen, norms


@pytest.mark.parametrize("reentrant", [True, False])
def test_clipping_sees_the_whole_pass(reentrant: bool) -> None:
    seen, norms = trained(reentrant)
    assert len(seen.backwards) == STEPS
    assert seen.gathering.norms == pytest.approx(norms)
    assert seen.norms == pytest.approx(norms)


@pytest.mark.parametrize("reentrant", [True, False])
def test_every_other_pass_is_every_other_step(reentrant: bool) -> None:
    seen, norms = trained(reentrant, every=2)
    assert seen.norms == pytest.approx(norms[::2])


def test_steps_of_one_pass_add_up_to_what_clipping_sees() -> None:
    cell, x = nn.GRUCell(D, H).double(), inputs(T, B, D).requires_grad_()
    with watch(cell) as seen:
        stepwise(cell, x, reentrant=True).pow(2).sum().backward()
    expected = float(nn.utils.clip_grad_norm_(cell.parameters(), 1e9))
    assert seen.gathering.norms == pytest.approx([expected])


def test_after_a_backward_pass_that_failed_others_are_counted() -> None:
    cell, x = nn.GRUCell(D, H).double(), inputs(T, B, D).requires_grad_()
    fails = x[0].detach().requires_grad_()
    fails.register_hook(lambda gradient: 1 / 0)
    with watch(cell) as seen:
        with pytest.raises(ZeroDivisionError):
            stepwise(cell, torch.stack([fails, *x[1:]]), reentrant=True).sum().backward()
        count = len(seen.backwards)
        for _ in range(2):
            h = None
            for step in x:
                h = cell(step, h)
            h.sum().backward()
    assert len(seen.backwards) == count + 2
    assert len(seen.passages("")) == 1
    assert_all_is_explained(seen, "")
