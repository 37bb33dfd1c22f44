"""Of clipping is said what it sees itself; where that is not known, nothing but that."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import nn

from rnnviz.torch import Seen, watch
from rnnviz.torch.gathering import NO_WEIGHTS, NOT_FINITE, NOWHERE
from tests.live_torch.test_modules import B, D, H, T

JUDGED = "Clipping at"
NOT_JUDGED = "is not judged: "


def trained(
    passes: int = 1, steps: int = 4, rest: int = 0, to_none: bool = True, **options: Any
) -> tuple[Seen, list[float]]:
    """What was seen, and the norms that were clipped, of gradients that add up over passes."""
    torch.manual_seed(0)
    model, x = nn.LSTM(D, H), torch.ones(T, B, D)
    optimizer, norms = torch.optim.SGD(model.parameters(), 0.0), []
    with watch(model, **options) as seen:
        for _ in range(steps):
            optimizer.zero_grad(to_none)
            for _ in range(passes):
                (3 * model(x)[0].sum() / passes).backward()
            norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
            optimizer.step()
        optimizer.zero_grad(to_none)
        for _ in range(rest):
            (3 * model(x)[0].sum() / passes).backward()
    return seen, norms


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize(("passes", "rest"), [(1, 0), (8, 0), (8, 3)])
def test_what_adds_up_is_what_is_clipped(passes: int, rest: int, to_none: bool) -> None:
    seen, norms = trained(passes, rest=rest, to_none=to_none, keep=64)
    (found,) = (one for one in seen.diagnose(clip=1.0).findings if one.kind == "clipped")
    assert found.values["median"] == pytest.approx(norms[0], rel=1e-5)
    assert found.values["count"] == len(norms)


def test_where_no_kept_pass_was_the_last_nothing_is_said() -> None:
    seen, _ = trained(3, every=3)
    said = str(seen.diagnose(clip=1.0))
    assert JUDGED not in said
    assert "clipping at 1 is not judged: no backward pass that is kept was the last" in said
    assert NOT_JUDGED not in str(seen.diagnose(clip=1.0, adaptive=True))


def test_a_loss_scaler_hides_what_is_clipped() -> None:
    torch.manual_seed(0)
    model = nn.LSTM(D, H)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu")
    with watch(model) as seen:
        for _ in range(4):
            optimizer.zero_grad()
            loss = model(torch.randn(T, B, D))[0][-1].square().mean()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
    assert norm < 1
    said = str(seen.diagnose(clip=1.0))
    assert JUDGED not in said
    assert "clipping at 1 is not judged: a loss scaler takes the steps" in said


@pytest.mark.parametrize("in_place", [True, False])
def test_gradients_that_are_changed_before_they_are_clipped(in_place: bool) -> None:
    model = nn.GRU(D, H)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model) as seen:
        (1e5 * model(torch.randn(T, B, D))[0].sum()).backward()
        for weight in model.parameters():
            if in_place:
                weight.grad /= 1e9
            else:
                weight.grad = weight.grad / 1e9
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    said = str(seen.diagnose(clip=1.0))
    assert JUDGED not in said
    assert "clipping at 1 is not judged: the gradients are changed more than once" in said


def test_a_gradient_that_autograd_gives_back_is_not_clipped() -> None:
    model, x = nn.GRU(D, H), torch.randn(T, B, D)
    with watch(model) as seen:
        torch.autograd.grad(1e9 * model(x)[0].sum(), list(model.parameters()))
        model(x)[0].sum().backward()
    wanted = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    (found,) = (one for one in seen.diagnose(clip=1e-3).findings if one.kind == "clipped")
    assert found.values["count"] == 1
    assert found.values["median"] == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every": 3, "keep": 2}, "100 % of 2 of the last 5 backward passes"),  # those 4 and 7
        ({"every": 3, "keep": 9}, "100 % of 3 of the last 8 backward passes"),
        ({"keep": 2}, "100 % of the last 2 backward passes"),
        ({"passes": 2, "steps": 4, "keep": 4}, "100 % of 2 of the last 3 backward passes"),
    ],
)
def test_of_which_backward_passes_it_is_said(options: dict[str, int], said: str) -> None:
    seen, _ = trained(**{"steps": 8, **options})
    assert f"Clipping at 0.01 acts on {said}" in str(seen.diagnose(clip=0.01))


@pytest.mark.parametrize("bad", ["nan", "inf"])
@pytest.mark.parametrize("last", [True, False])
def test_passes_that_are_not_finite_are_left_out(bad: str, last: bool) -> None:
    model, x = nn.GRU(D, H), torch.randn(T, B, D)
    with watch(model) as seen:
        for size in ("1e3" if last else bad, bad):
            model.zero_grad()
            (model(x)[0].sum() * float(size)).backward()
    report = seen.diagnose(clip=1e-3)
    assert (JUDGED in str(report)) == last
    why = ("clipping at 0.001 is judged without 1 backward passes that left gradients that are not "
           "finite") if last else f"{NOT_JUDGED}{NOT_FINITE}"  # fmt: skip
    assert sum(why in note for note in report.notes) == 1


@pytest.mark.parametrize("model", [nn.Linear(D, H), nn.GRU(D, H).requires_grad_(False)])
def test_without_a_weight_that_takes_gradients_that_is_the_reason(model: nn.Module) -> None:
    with watch(model) as seen:
        found = model(torch.randn(T, B, D, requires_grad=True))
        (found[0] if isinstance(found, tuple) else found).sum().backward()
    assert f"clipping at 1 is not judged: {NO_WEIGHTS}" in seen.diagnose(clip=1.0).notes


def test_where_no_gradient_was_left_in_a_weight_that_is_the_reason() -> None:
    model = nn.GRU(D, H)
    with watch(model) as seen:
        torch.autograd.grad(model(torch.randn(T, B, D))[0].sum(), list(model.parameters()))
    assert f"clipping at 1 is not judged: {NOWHERE}" in seen.diagnose(clip=1.0).notes


def test_steps_after_the_watch_are_not_looked_at() -> None:
    model = nn.GRU(D, H)
    with watch(model) as seen:
        model(torch.randn(T, B, D))[0].sum().backward()
    for weight in model.parameters():
        weight.grad = weight.grad / 2
    torch.optim.SGD(model.parameters(), 0.1).step()
    assert NOT_JUDGED not in str(seen.diagnose(clip=1e-3))


def test_a_step_inside_the_backward_pass_goes_on_as_without_a_watch() -> None:
    model, x = nn.LSTM(D, H), torch.ones(T, B, D)
    each = {p: torch.optim.SGD([p], 0.1) for p in model.parameters()}

    def step(parameter: Any) -> None:
        each[parameter].step()
        each[parameter].zero_grad()

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    with watch(model) as seen:
        for _ in range(3):
            model(x)[0].sum().backward()
    assert len(seen) == 1
    assert f"{NOT_JUDGED}gradients are taken while the backward pass goes on" in str(
        seen.diagnose(clip=1e-6)
    )


def test_a_module_that_is_no_longer_used_does_not_hide_what_is_clipped() -> None:
    both, x = nn.ModuleList([nn.LSTM(D, H), nn.LSTM(D, H)]), torch.ones(T, B, D)
    optimizer = torch.optim.SGD(both.parameters(), 0.0)
    with watch(both) as seen:
        for used in (both, both[:1], both[:1], both[:1]):
            optimizer.zero_grad(set_to_none=False)
            sum(each(x)[0].sum() for each in used).backward()
            nn.utils.clip_grad_norm_(both.parameters(), 1e-3)
            optimizer.step()
    said = str(seen.diagnose(clip=1e-3))
    assert NOT_JUDGED not in said
    assert JUDGED in said


def test_what_a_training_deletes_is_not_kept_alive() -> None:
    model, x = nn.LSTM(D, H), torch.ones(T, B, D)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model):
        output = model(x)[0] * 2
        output.sum().backward()
        optimizer.step()
        kept = weakref.ref(output)
        del output
        assert kept() is None
