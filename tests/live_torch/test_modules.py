"""nn.RNN, nn.LSTM and nn.GRU in every arrangement: each state's gradient is autograd's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from rnnviz.torch import watch
from tests.live_torch.stepwise import (
    EXACT,
    assert_all_is_explained,
    assert_states_are,
    states_by_autograd,
)

D, H, T, B = 3, 4, 6, 5
KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
ARRANGED: dict[str, dict[str, Any]] = {
    "one layer": {},
    "layers": {"num_layers": 3},
    "both directions": {"bidirectional": True},
    "layers in both directions": {"num_layers": 2, "bidirectional": True},
    "without bias": {"bias": False},
}


def made(kind: str = "lstm", **options: Any) -> Any:
    torch.manual_seed(1)
    return KINDS[kind](D, H, **options).double()


def inputs(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def weighted(output: Tensor, h_n: Tensor, c_n: Tensor | None) -> Tensor:
    """A loss that reads everything, each entry differently."""
    total = torch.zeros((), dtype=torch.float64)
    for k, each in enumerate(t for t in (output, h_n, c_n) if t is not None):
        weights = torch.arange(each.numel(), dtype=torch.float64).reshape(each.shape)
        total = total + (each * torch.sin(weights + k)).sum() + each.square().sum()
    return total


def call(module: Any, x: Any, hx: Any = None) -> tuple[Any, Tensor, Tensor | None]:
    output, last = module(x, hx)
    return (output, *last) if isinstance(last, tuple) else (output, last, None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", ARRANGED.values(), ids=ARRANGED)
def test_every_step_is_autograds(kind: str, options: dict[str, Any]) -> None:
    module, x = made(kind, **options), inputs(T, B, D)
    with watch(module) as seen:
        weighted(*call(module, x)).backward()
    expected = states_by_autograd(module, list(x.unbind(1)), weighted)
    assert_states_are(seen[""][kind], expected)
    assert_all_is_explained(seen, "")


def test_batch_first() -> None:
    module, x = made(batch_first=True), inputs(B, T, D)
    with watch(module) as seen:
        output, h_n, c_n = call(module, x)
        weighted(output.transpose(0, 1), h_n, c_n).backward()
    assert_states_are(seen[""]["lstm"], states_by_autograd(module, list(x), weighted))
    assert_all_is_explained(seen, "")


def test_a_single_sequence_without_a_batch() -> None:
    module, x = made(num_layers=2), inputs(T, D)
    with watch(module) as seen:
        output, h_n, c_n = call(module, x)
        weighted(output[:, None], h_n[:, None], c_n[:, None]).backward()
    assert_states_are(seen[""]["lstm"], states_by_autograd(module, [x], weighted))
    assert_all_is_explained(seen, "")


@pytest.mark.parametrize("by_name", [False, True])
def test_first_states_and_inputs_by_name(by_name: bool) -> None:
    module, x = made("gru", num_layers=2), inputs(T, B, D).requires_grad_()
    h0 = inputs(2, B, H).requires_grad_()
    with watch(module) as seen:
        output, h_n = module(input=x, hx=h0) if by_name else module(x, h0)
        weighted(output, h_n, None).backward()
    trace = seen[""]["gru"]
    assert_all_is_explained(seen, "")
    assert_allclose(trace.trace.d_x, x.grad.numpy().transpose(0, 2, 1), **EXACT)
    assert_allclose([layer[0].d_h[0].T for layer in trace.layers], h0.grad.numpy(), **EXACT)
    expected = states_by_autograd(module, list(x.detach().unbind(1)), weighted, [h0.detach()])
    assert_states_are(trace, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("lengths", [[6, 4, 4, 1, 1], [2, 6, 1, 4, 3]], ids=["sorted", "unsorted"])
def test_packed_and_unsorted(kind: str, both: bool, lengths: list[int]) -> None:
    """Gradients of h_n and c_n enter at each sequence's own last step, of the reverse direction
    at its first."""
    module = made(kind, num_layers=2, bidirectional=both)
    x = [inputs(6, D)[:n] + k for k, n in enumerate(lengths)]
    with watch(module) as seen:
        packed, h_n, c_n = call(module, pack_sequence(x, enforce_sorted=False))
        weighted(pad_packed_sequence(packed)[0], h_n, c_n).backward()
    trace = seen[""][kind]
    assert trace.trace.lengths.tolist() == lengths
    assert_states_are(trace, states_by_autograd(module, x, weighted))
    assert_all_is_explained(seen, "")


def test_packed_and_sorted_by_the_caller_batch_first() -> None:
    module, x = made(batch_first=True), inputs(B, T, D)
    lengths = [6, 5, 3, 3, 1]
    with watch(module) as seen:
        packed, h_n, c_n = call(module, pack_padded_sequence(x, lengths, batch_first=True))
        weighted(pad_packed_sequence(packed)[0], h_n, c_n).backward()
    cut = [each[:n] for each, n in zip(x, lengths, strict=True)]
    assert_states_are(seen[""]["lstm"], states_by_autograd(module, cut, weighted))


@pytest.mark.parametrize("which", ["output", "h_n", "c_n"])
@pytest.mark.parametrize("packed", [False, True])
def test_only_one_output_is_used(which: str, packed: bool) -> None:
    module, x = made(num_layers=2), [inputs(T, D)[:n] + n for n in (2, 6, 4)]
    if not packed:
        x = [each[:2] for each in x]

    def loss(output: Tensor, h_n: Tensor, c_n: Tensor) -> Tensor:
        return {"output": output, "h_n": h_n, "c_n": c_n}[which].pow(3).sum()

    given = pack_sequence(x, enforce_sorted=False) if packed else torch.stack(x, 1)
    with watch(module) as seen:
        output, h_n, c_n = call(module, given)
        loss(pad_packed_sequence(output)[0] if packed else output, h_n, c_n).backward()
    assert_states_are(seen[""]["lstm"], states_by_autograd(module, x, loss))
    assert_all_is_explained(seen, "")


@pytest.mark.parametrize("unbatched", [False, True])
def test_output_modified_in_place(unbatched: bool) -> None:
    """What enters is the gradient of the output as the module gave it."""
    module, x = made("rnn"), inputs(T, D) if unbatched else inputs(T, B, D)

    def loss(output: Tensor, h_n: Tensor, c_n: Tensor | None) -> Tensor:
        output = output * 3.0
        output[1] = 0
        return output.pow(3).sum() + h_n.square().sum()

    with watch(module) as seen:
        output, h_n = module(x)
        output *= 3.0
        output[1] = 0
        (output.pow(3).sum() + h_n.square().sum()).backward()
    expected = states_by_autograd(module, [x] if unbatched else list(x.unbind(1)), loss)
    assert_states_are(seen[""]["rnn"], expected)
    assert_all_is_explained(seen, "")


def test_inputs_changed_afterwards_and_relu() -> None:
    module, x = made("rnn", nonlinearity="relu"), inputs(T, B, D)
    before = x.clone()
    with watch(module) as seen:
        output, h_n = module(x + 0)
        weighted(output, h_n, None).backward()
        x.zero_()
    trace = seen[""]["rnn:activation=relu"]
    assert_states_are(trace, states_by_autograd(module, list(before.unbind(1)), weighted))


def test_a_saved_file_gives_the_same_run(tmp_path: Any) -> None:
    from rnnviz.models import read_runs

    module = made(num_layers=2, bidirectional=True)
    x = [inputs(T, D)[:n] for n in (2, 6, 4)]
    with watch(nn.ModuleDict({"encoder": module})) as seen:
        packed, h_n, c_n = call(module, pack_sequence(x, enforce_sorted=False))
        weighted(pad_packed_sequence(packed)[0], h_n, c_n).backward()
    seen.save(tmp_path / "run.npz")
    again = read_runs(tmp_path / "run.npz")
    assert list(again) == ["encoder"]
    for ours, theirs in zip(
        seen["encoder"]["lstm"].layers, again["encoder"]["lstm"].layers, strict=True
    ):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one.d_h, other.d_h)
            np.testing.assert_array_equal(one.d_c, other.d_c)
