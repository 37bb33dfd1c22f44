"""Watching a training that goes on: what is said is of the step that was, and nothing stays."""

from __future__ import annotations

import copy
import gc
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.utils.rnn import pack_sequence
from torch.utils.checkpoint import checkpoint

from rnnviz.core.network import NetworkTrace
from rnnviz.torch import Seen, watch
from rnnviz.torch.calls import Call, Chain
from tests.live_torch.stepwise import EXACT, assert_all_is_explained
from tests.live_torch.test_modules import B, D, H, T, inputs


class Model(nn.Module):
    """An encoder with a readout."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.rnn = nn.LSTM(D, H, **options)
        self.fc = nn.Linear(H, 2)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0][-1])


@pytest.fixture
def model() -> Model:
    return Model()


def d_h(trace: NetworkTrace) -> Any:
    return trace.trace.d_h


def alone(model: Model, x: Tensor, scale: float = 1.0) -> Any:
    """What one call and backward gives."""
    with watch(model) as seen:
        (scale * model(x).square().sum()).backward()
    return d_h(seen["rnn"]["lstm"])


def test_the_optimizers_step_inside(model: Model) -> None:
    """The run has the weights of the call, not those after the step."""
    x, before = inputs(T, B, D), model.rnn.weight_hh_l0.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model) as seen:
        model(x).square().sum().backward()
        optimizer.step()
    assert not torch.equal(before, model.rnn.weight_hh_l0)
    trace = seen["rnn"]["lstm"]
    assert_allclose(trace.params["0.forward.W_hh"], before.numpy(), rtol=0)
    assert_all_is_explained(seen, "rnn")


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing_runs_forward_twice(model: Model, reentrant: bool) -> None:
    x, expected = inputs(T, B, D).requires_grad_(), alone(model, inputs(T, B, D))
    model.zero_grad()
    with watch(model) as seen:
        checkpoint(model, x, use_reentrant=reentrant).square().sum().backward()
    assert len(seen.passages("rnn")) == 1
    assert_allclose(d_h(seen["rnn"]["lstm"]), expected, **EXACT)
    assert_all_is_explained(seen, "rnn")


def test_checkpointing_of_cells_in_a_loop() -> None:
    cell, x = nn.GRUCell(D, H).double(), inputs(T, B, D).requires_grad_()

    def looped(x: Tensor) -> Tensor:
        h = None
        for step in x:
            h = cell(step, h)
        return h

    with watch(cell) as seen:
        checkpoint(looped, x, use_reentrant=False).pow(3).sum().backward()
    assert [p.parts[0].x.shape for p in seen.passages("")] == [(T, D, B)]
    assert_all_is_explained(seen, "")


def test_two_backwards_of_one_forward(model: Model) -> None:
    x = inputs(T, B, D)
    expected = [alone(model, x, scale) for scale in (1.0, 3.0)]
    with watch(model) as seen:
        loss = model(x).square().sum()
        loss.backward(retain_graph=True)
        (3 * loss).backward()
    for backward, wanted in enumerate(expected):
        assert_allclose(d_h(seen.run("rnn", backward)["lstm"]), wanted, **EXACT)
        assert_all_is_explained(seen, "rnn", backward)


def test_several_calls_of_one_module_in_one_backward(model: Model) -> None:
    one, other = inputs(T, B, D), inputs(T + 2, 2, D)
    expected = [alone(model, one), alone(model, other, 2.0)]
    with watch(model) as seen:
        (model(one).square().sum() + 2 * model(other).square().sum()).backward()
    assert len(seen.passages("rnn")) == 2
    for call, wanted in enumerate(expected):
        assert_allclose(d_h(seen.run("rnn", call=call)["lstm"]), wanted, **EXACT)
    assert_all_is_explained(seen, "rnn")


def test_accumulation(model: Model) -> None:
    """Each backward is compared with what it adds, not with the sum that is in .grad."""
    with watch(model) as seen:
        for k in range(3):
            model(inputs(T, B, D) + k).square().sum().backward()
    assert len(seen.backwards) == 3
    for backward in range(3):
        assert_all_is_explained(seen, "rnn", backward)


def test_no_grad_and_eval_calls_need_no_gradient(model: Model) -> None:
    x, expected = inputs(T, B, D), alone(model, inputs(T, B, D))
    with watch(model) as seen:
        model(x).square().sum().backward()
        model.eval()
        with torch.no_grad():
            model(x + 1)
        with torch.inference_mode():
            model(x + 1)
    assert_allclose(d_h(seen["rnn"]["lstm"]), expected, **EXACT)
    assert "rnn: 2 more calls needed no gradient (no_grad, eval or frozen)" in seen.notes


def test_a_call_that_no_backward_reached(model: Model) -> None:
    with watch(model) as seen:
        model(inputs(T, B, D))
    assert list(seen) == []
    with pytest.raises(ValueError, match="rnn: no backward pass went through a call of it"):
        seen["rnn"]
    with pytest.raises(KeyError, match="'decoder' is none of 'rnn'"):
        seen["decoder"]


def test_nothing_that_was_seen_is_nothing_to_be_saved(model: Model, tmp_path: Path) -> None:
    with watch(model) as seen:
        model(inputs(T, B, D))
    with pytest.raises(ValueError, match="nothing was seen that could be saved: rnn: no backward"):
        seen.save(tmp_path / "run.npz")
    assert not (tmp_path / "run.npz").exists()
    with watch(model.fc) as seen:
        model.fc(inputs(B, H)).sum().backward()
    assert str(seen.diagnose(lag=3)) == (
        "the model has no nn.RNN, nn.LSTM, nn.GRU or nn.*Cell to be watched"
    )
    with pytest.raises(ValueError, match=r"the model has no nn\.RNN"):
        seen.save(tmp_path / "run.npz")


def test_frozen_parameters(model: Model) -> None:
    """Gradients reach the states through the inputs; the frozen weights get none."""
    x, expected = inputs(T, B, D), alone(model, inputs(T, B, D))
    model.rnn.requires_grad_(False)
    with watch(model) as seen:
        model(x.requires_grad_()).square().sum().backward()
    assert_allclose(d_h(seen["rnn"]["lstm"]), expected, **EXACT)
    assert seen.other_ways("rnn") == {}
    with watch(model) as seen:
        model(x.detach()).square().sum().backward()
    with pytest.raises(ValueError, match="1 calls needed no gradient"):
        seen["rnn"]


def test_some_weights_frozen(model: Model) -> None:
    model.rnn.weight_ih_l0.requires_grad_(False)
    with watch(model) as seen:
        model(inputs(T, B, D)).square().sum().backward()
    assert "weight_ih_l0" not in seen.other_ways("rnn")
    assert_all_is_explained(seen, "rnn")


def test_a_penalty_reaches_the_weight_by_other_ways(model: Model) -> None:
    with watch(model) as seen:
        (model(inputs(T, B, D)).square().sum() + model.rnn.weight_hh_l0.square().sum()).backward()
    parts = seen.other_ways("rnn")
    weight = model.rnn.weight_hh_l0
    direct = torch.linalg.norm(2 * weight) / torch.linalg.norm(weight.grad)
    assert parts["weight_hh_l0"] == pytest.approx(float(direct.detach()), rel=1e-12)
    assert parts["weight_ih_l0"] < 1e-12
    said = f"rnn.weight_hh_l0: the gradient reaches the weight by other ways: {100 * direct:.3g} %"
    assert said in seen.notes


def test_a_hook_that_changes_gradients_is_noticed(model: Model) -> None:
    class Halved(Model):
        def forward(self, x: Tensor) -> Tensor:
            output = self.rnn(x)[0]
            output.register_hook(lambda gradient: gradient / 2)
            return self.fc(output[-1])

    halved = Halved()
    with watch(halved) as seen:
        halved(inputs(T, B, D)).square().sum().backward()
    assert seen.other_ways("rnn")["weight_hh_l0"] == pytest.approx(1, rel=1e-12)
    assert any(note.endswith("by other ways: 100 %") for note in seen.notes)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "dropout": 0.5}])
def test_a_copy_of_the_model_made_meanwhile_is_another_model(options: dict[str, Any]) -> None:
    """As averages of weights make it: it computes by its own weights, and is not seen."""
    model, x = Model(**options), inputs(T, B, D)
    with watch(model) as seen:
        other = copy.deepcopy(model)
        with torch.no_grad():
            for weight in other.parameters():
                weight *= 2
        torch.manual_seed(0)
        model(x).square().sum().backward()
        torch.manual_seed(0)
        found = other(x)
        found.square().sum().backward()
    plain = Model(**options)
    plain.load_state_dict(other.state_dict())
    torch.manual_seed(0)
    assert_allclose(found.detach(), plain(x).detach(), **EXACT)
    assert len(seen.backwards) == 1
    assert_allclose(
        seen["rnn"]["lstm"].params["0.forward.W_hh"], model.rnn.weight_hh_l0.detach(), rtol=0
    )


def saved_and_read(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    assert b"rnnviz" not in file.getvalue()
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "dropout": 0.5}])
@pytest.mark.parametrize("copied", [copy.deepcopy, saved_and_read])
def test_a_copy_made_inside_computes_the_same_and_may_be_watched(
    options: dict[str, Any], copied: Any
) -> None:
    model = nn.ModuleDict({"rnn": nn.LSTM(D, H, **options), "cell": nn.GRUCell(D, H)})
    x = torch.randn(T, B, D)
    with watch(model) as seen:
        other = copied(model)
        other["rnn"](x)[0].sum().backward()
        other["cell"](x[0]).sum().backward()
    assert list(seen) == []
    with watch(other) as seen:
        torch.manual_seed(0)
        found = other["rnn"](x)[0]
        (found.sum() + other["cell"](x[0]).sum()).backward()
    assert list(seen) == ["rnn", "cell"]
    assert max(seen.other_ways("rnn").values()) < 1e-4
    torch.manual_seed(0)
    assert torch.equal(found, model["rnn"](x)[0])


def test_a_watch_within_a_watch(model: Model) -> None:
    """Both see the same."""
    cell, x = nn.LSTMCell(D, H).double(), inputs(T, B, D)
    with watch(cell) as outer, watch(cell) as inner:
        state = None
        for step in x:
            state = cell(step, state)
        (state[0].pow(3).sum() + state[1].sum()).backward()
    for seen in (outer, inner):
        assert [len(one.parts[0].x) for one in seen.passages("")] == [T]
        assert_all_is_explained(seen, "")
    with watch(model) as outer, watch(model) as inner:
        model(x).square().sum().backward()
    for seen in (outer, inner):
        assert_all_is_explained(seen, "rnn")


def test_weights_that_two_modules_share_are_summed() -> None:
    one, other = nn.GRU(D, H).double(), nn.GRU(D, H).double()
    other.weight_hh_l0 = one.weight_hh_l0
    model = nn.ModuleDict({"one": one, "other": other})
    x = inputs(T, B, D)
    with watch(model) as seen:
        (one(x)[0].square().sum() + other(2 * x)[1].pow(3).sum()).backward()
    assert_all_is_explained(seen, "one")
    assert_all_is_explained(seen, "other")


@pytest.mark.parametrize("fails", [False, True])
def test_hooks_are_gone_afterwards(model: Model, fails: bool) -> None:
    def trained() -> Seen:
        with watch(model) as seen:
            loss = model(inputs(T, B, D)).square().sum()
            loss.backward(retain_graph=True)
            trained.loss = loss
            if fails:
                raise RuntimeError("stop")
        return seen

    if fails:
        with pytest.raises(RuntimeError, match="stop"):
            trained()
    else:
        seen = trained()
        trained.loss.backward()
        model(inputs(T, B, D)).square().sum().backward()
        assert len(seen.backwards) == 1
    module = model.rnn
    assert not module._forward_hooks
    assert not module._forward_pre_hooks
    assert not any(p._backward_hooks for p in module.parameters())
    assert not any(p._post_accumulate_grad_hooks for p in module.parameters())


def test_every_third_backward_and_the_last_two_are_kept(model: Model) -> None:
    with watch(model, every=3, keep=2) as seen:
        for k in range(10):
            model(inputs(T, B, D) * (k + 1)).square().sum().backward()
    x = [seen.passages("rnn", k)[0].parts[0].x for k in (0, 1)]
    assert len(seen.backwards) == 2
    assert_allclose([each[0, 0, 0] / float(inputs(T, B, D)[0, 0, 0]) for each in x], [7, 10])


def test_what_is_no_longer_kept_is_freed() -> None:
    """Also calls that no backward reached: a long training does not grow."""
    model = nn.ModuleDict({"module": nn.LSTM(D, H), "cell": nn.GRUCell(D, H)})
    x = torch.randn(T, B, D)

    def live() -> int:
        gc.collect()
        return sum(type(each) in (Call, Chain) for each in gc.get_objects())

    before = live()
    with watch(model, keep=2):
        for _ in range(10):
            model["module"](x)
            h = None
            for step in x:
                h = model["cell"](step, h)
            (model["module"](x)[0].sum() + h.sum()).backward()
        del h
        assert live() - before == 2 * 2


@pytest.mark.parametrize("wrong", [{"every": 0}, {"keep": 0}])
def test_wrong_numbers_are_named(model: Model, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"), watch(model, **wrong):
        pass
    with pytest.raises(ValueError, match=r"model must be a torch.nn.Module, got 3"), watch(3):
        pass


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_half_precision_says_how_far_it_is(kind: str) -> None:
    dtype = getattr(torch, kind)
    model = Model().to(dtype)
    with watch(model) as seen:
        model(inputs(T, B, D).to(dtype)).square().sum().backward()
    passage = seen.passages("rnn")[-1]
    assert passage.dtype == kind
    assert 1e-5 < passage.deviation < 3e-2
    assert (
        f"rnn: outputs differ from PyTorch's, in {kind}, by at most {passage.deviation:.1e}"
        in seen.notes
    )
    assert not any("other ways" in note for note in seen.notes)


AUTOCAST = {
    "lstm": lambda: nn.LSTM(D, H),
    "gru": lambda: nn.GRU(D, H),
    "rnn": lambda: nn.RNN(D, H),
    "a stack with dropout": lambda: nn.GRU(D, H, 2, dropout=0.5),
    "lstm cell": lambda: nn.LSTMCell(D, H),
    "gru cell": lambda: nn.GRUCell(D, H),
    "rnn cell": lambda: nn.RNNCell(D, H),
}


def last_output(module: Any, x: Tensor) -> Tensor:
    if not isinstance(module, nn.RNNCellBase):
        return module(x)[0][-1]
    state = None
    for step in x:
        state = module(step, state)
    return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("narrow", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", AUTOCAST)
def test_autocast_says_how_far_it_is(kind: str, narrow: str) -> None:
    """Some give back float32, though they compute in the narrow format."""
    if (kind, narrow) == ("lstm", "float16"):
        pytest.skip("PyTorch has none on CPU")
    torch.manual_seed(0)
    module = AUTOCAST[kind]()
    with watch(module) as seen, torch.autocast("cpu", dtype=getattr(torch, narrow)):
        last_output(module, torch.randn(T, B, D)).float().square().sum().backward()
    (passage,) = seen.passages("")
    assert passage.dtype == narrow
    assert 1e-5 < passage.deviation < 3e-2
    assert any(f"in {narrow}, by at most" in note for note in seen.notes)


def test_autocast_leaves_what_is_not_narrowed() -> None:
    double, single = nn.GRU(D, H).double(), nn.GRU(D, H)
    with watch(nn.ModuleList([double, single])) as seen, torch.autocast("cpu"):
        total = double(inputs(T, B, D))[0].sum()
        with torch.autocast("cpu", enabled=False):
            (total + single(torch.randn(T, B, D))[0].sum()).backward()
    assert [seen.passages(name)[0].dtype for name in seen] == ["float64", "float32"]


LARGE: dict[str, tuple[Any, float]] = {
    "gru": (lambda: nn.GRU(64, 128), 1e3),
    "lstm": (lambda: nn.LSTM(64, 128), 1e4),
    "rnn": (lambda: nn.RNN(64, 128), 1e4),
    "relu": (lambda: nn.RNN(64, 128, nonlinearity="relu"), 1e4),
    "layers": (lambda: nn.GRU(64, 128, 3), 1e3),
    "layers in both directions": (lambda: nn.GRU(64, 128, 2, bidirectional=True), 1e3),
    "a stack with dropout": (lambda: nn.GRU(64, 128, 2, dropout=0.5), 1e3),
    "cells": (lambda: nn.GRUCell(64, 128), 1e3),
}


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("kind", LARGE)
def test_large_inputs_are_no_forward_of_its_own(kind: str, narrow: bool) -> None:
    """They lose digits in the sums."""
    made, size = LARGE[kind]
    refused = []
    for seed in range(4):
        torch.manual_seed(seed)
        module = made()
        with watch(module) as seen, torch.autocast("cpu", enabled=narrow):
            last_output(module, size * torch.randn(T, 32, 64)).float().sum().backward()
        refused += [note for note in seen.notes if "forward of its own" in note]
    assert not refused


@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_of_large_inputs_a_forward_of_its_own_is_refused_all_the_same(
    kind: Any, options: dict[str, Any], size: float
) -> None:
    class Scaled(kind):  # type: ignore[misc]
        def forward(self, x: Tensor, hx: Any = None) -> Any:
            return super().forward(1.1 * x, hx)

    torch.manual_seed(0)
    model = Scaled(64, 128, **options)
    with watch(model) as seen:
        model(size * torch.randn(T, B, 64))[0].sum().backward()
    with pytest.raises(ValueError, match="does it have a forward of its own"):
        seen[""]


def test_a_forward_of_its_own_is_refused() -> None:
    class Doubled(nn.GRU):
        def forward(self, x: Tensor, hx: Any = None) -> Any:
            output, last = super().forward(x, hx)
            return 2 * output, last

    model = Doubled(D, H).double()
    with watch(model) as seen:
        model(inputs(T, B, D))[0].sum().backward()
    with pytest.raises(ValueError, match="does it have a forward of its own"):
        seen[""]
    assert any("forward of its own" in note for note in seen.notes)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
def test_a_forward_with_other_recurrent_weights_is_refused(kind: Any) -> None:
    """As dropout on W_hh is written: the first step, from zeros, does not show it."""

    class Dropped(kind):  # type: ignore[misc]
        def forward(self, x: Tensor, hx: Any = None) -> Any:
            kept = self.weight_hh_l0.data.clone()
            self.weight_hh_l0.data *= 0.5
            found = super().forward(x, hx)
            self.weight_hh_l0.data = kept
            return found

    model = Dropped(D, H).float()
    with watch(model) as seen:
        model(inputs(T, B, D).float())[0].sum().backward()
    with pytest.raises(ValueError, match="output at step 2 differs by"):
        seen[""]


@pytest.mark.parametrize("also", [False, True])
def test_a_penalty_on_gradients_reaches_the_weights_by_other_ways(also: bool) -> None:
    """A backward through a backward: the run is of what came through the outputs."""
    model, x = Model(), inputs(T, B, D).requires_grad_()
    with watch(model) as seen:
        y = model(x).sum()
        (gradient,) = torch.autograd.grad(y, x, create_graph=True)
        (gradient.square().sum() + (y.square() if also else 0)).backward()
    elsewhere = "1 backward passes reached weights through no call that was watched"
    assert (elsewhere in seen.notes) == (not also)
    assert any("by other ways" in note for note in seen.notes) == also


def test_a_call_before_the_watch_is_not_taken_for_one_inside(model: Model) -> None:
    loss = model(inputs(T, B, D)).square().sum()
    with watch(model, every=2) as seen:
        loss.backward()
        model(inputs(T, B, D)).square().sum().backward()
    assert len(seen.elsewhere) == 1
    assert list(seen) == []


@pytest.fixture(scope="module")
def alone_in_a_group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A process group of this process. It outlives the model: PyTorch ends a group in whoever lets
    go of it last, and waits there, holding Python's lock, for a thread that may want it."""
    store = dist.FileStore(str(tmp_path_factory.mktemp("group") / "store"), 1)
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("alone_in_a_group")
def test_in_a_distributed_model() -> None:
    """Each process sees its own part of the batch."""
    model, x = Model(), inputs(T, B, D)
    expected = alone(model, x)
    parallel = nn.parallel.DistributedDataParallel(model)
    with watch(parallel) as seen:
        parallel(x).square().sum().backward()
    assert_allclose(d_h(seen["module.rnn"]["lstm"]), expected, **EXACT)
    assert_all_is_explained(seen, "module.rnn")


def test_a_projection_is_refused_by_name() -> None:
    model = nn.LSTM(D, H, proj_size=2).double()
    with watch(model) as seen:
        model(inputs(T, B, D))[0].sum().backward()
    with pytest.raises(ValueError, match="proj_size must be 0 to be run again, got 2"):
        seen[""]


@pytest.mark.parametrize("kind", ["module", "dropout", "cell", "in place", "function"])
def test_compiled_before_it_was_watched_is_not_seen_and_said(kind: str) -> None:
    class Looped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(D, H)

        def forward(self, x: Tensor) -> Tensor:
            h = None
            for step in x:
                h = self.cell(step, h)
            return h

    dropout = {"num_layers": 2, "dropout": 0.5} if kind == "dropout" else {}
    model = Looped().double() if kind in ("cell", "function") else Model(**dropout)
    torch.compiler.reset()
    if kind == "in place":
        model.compile(backend="eager")
    call = model if kind == "in place" else torch.compile(model, backend="eager")
    if kind == "function":
        call = torch.compile(lambda x: model(x), backend="eager")
    call(inputs(T, B, D)).square().sum().backward()
    with watch(model if kind == "function" else call) as seen:
        call(inputs(T, B, D)).square().sum().backward()
    (name,) = seen.modules
    with pytest.raises(ValueError, match=r"torch\.compile"):
        seen[name]
    assert any("torch.compile" in note for note in seen.notes)


def test_compiled_while_it_is_watched_is_not_seen_and_said() -> None:
    cell, x = nn.GRUCell(D, H).double(), inputs(T, B, D)

    def looped(x: Tensor) -> Tensor:
        h = None
        for step in x:
            h = cell(step, h)
        return h

    torch.compiler.reset()
    with watch(cell) as seen:
        torch.compile(looped, backend="eager")(x).sum().backward()
    with pytest.raises(ValueError, match="it was compiled: watch a model before"):
        seen[""]


@pytest.mark.parametrize("options", [{}, {"batch_first": True, "bidirectional": True}])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("given", ["padded", "packed", "one sequence"])
def test_dropout_between_layers(given: str, kind: str, options: dict[str, Any]) -> None:
    """Single layers with the mask between them: the same numbers as without a watch, all of them
    explained."""
    module = getattr(nn, kind)(D, H, 3, dropout=0.4, **options).double()
    x: Any = inputs(T, D) if given == "one sequence" else inputs(T, T, D)
    if given == "packed":
        x = pack_sequence([each[:n] for each, n in zip(x, (2, 6, 4), strict=False)],
                          enforce_sorted=False)  # fmt: skip

    def trained() -> list[Tensor]:
        torch.manual_seed(3)
        module.zero_grad()
        output, last = module(x)
        ends = last if isinstance(last, tuple) else (last,)
        data = output.data if given == "packed" else output
        (data.pow(3).sum() + sum(end.square().sum() for end in ends)).backward()
        grads = [p.grad.clone() for p in module.parameters()]
        return [data.detach(), *(end.detach() for end in ends), *grads]

    expected = trained()
    with watch(module) as seen:
        found = trained()
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours.numpy(), theirs.numpy(), **EXACT)
    assert_all_is_explained(seen, "")
    assert len(seen[""][kind.lower()].layers) == 3
    assert any("its layers ran one by one" in note for note in seen.notes)
    assert "forward" not in vars(module)


def test_dropout_under_checkpointing_and_in_eval() -> None:
    model, x = Model(num_layers=2, dropout=0.5), inputs(T, B, D)
    with watch(model) as seen:
        checkpoint(model, x, use_reentrant=False).square().sum().backward()
    assert_all_is_explained(seen, "rnn")
    assert len(seen.passages("rnn")[0].parts) == 2
    model.eval()
    with watch(model) as seen:
        model(x).square().sum().backward()
    assert_all_is_explained(seen, "rnn")
    assert len(seen.passages("rnn")[0].parts) == 1
