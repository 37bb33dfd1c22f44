"""One loss sent back alone through a stack: against networks that have no other loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz.analysis.one_loss import entries, last_entry, sent_alone
from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.layers import reverse
from rnnviz.core.network import Network, NetworkTrace, backward_network, forward_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.models.saved_runs import read_passages
from tests.models.golden import FOLDER

T, B, H = 12, 3, 4
LENGTHS = [None, np.array([12, 5, 9])]


def sent(network: Network, lengths: Any, d_y: Any, dtype: type = np.float64, **more: Any) -> Any:
    """The trace of a loss of one's own."""
    rng = np.random.default_rng(0)
    params = {n: p.astype(dtype) for n, p in network.init_params(rng).items()}
    x = rng.standard_normal((T, 2, B))
    if lengths is not None:
        x *= (np.arange(T)[:, None] < lengths)[:, None]
    record = forward_network(network, params, x, lengths=lengths)
    return backward_network(record, d_y, **more)


def errors(lengths: Any, size: int = H) -> Any:
    """∂L/∂y at every step that is no padding."""
    d_y = np.random.default_rng(1).standard_normal((T, size, B))
    present = np.arange(T)[:, None] < (T if lengths is None else lengths)
    return d_y * np.broadcast_to(present, (T, B))[:, None]


def near(one: NetworkTrace | Any, other: Any) -> None:
    """The same gradients in every layer and direction."""
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            for name in ("d_h", "d_c", "d_gate_values"):
                if (wanted := getattr(b, name)) is not None:
                    size = float(np.abs(wanted).max())
                    assert getattr(a, name) == pytest.approx(wanted, rel=1e-9, abs=1e-12 * size)


@pytest.mark.parametrize("lengths", LENGTHS, ids=["whole", "padded"])
@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_the_last_loss_alone_is_that_of_a_stack_without_others(kind: Any, lengths: Any) -> None:
    network = Network((kind(2, H), kind(H, H), kind(H, H)), H)
    d_y = errors(lengths)
    ends = np.full(B, T) if lengths is None else lengths
    at = np.arange(1, T + 1)[:, None] == ends
    every = sent(network, lengths, d_y)
    outside = entries(every.layers)
    assert np.array_equal(last_entry(outside, 0), ends)
    near(sent_alone(every.layers, outside, [at]),
         sent(network, lengths, np.where(at[:, None], d_y, 0)).layers)  # fmt: skip


@pytest.mark.parametrize("lengths", LENGTHS, ids=["whole", "padded"])
@pytest.mark.parametrize("direction", [0, 1])
def test_the_last_loss_of_a_direction_goes_through_both(direction: int, lengths: Any) -> None:
    """That of the direction that reads from the end is the first step's."""
    network = Network((LSTM(2, H), LSTM(2 * H, H)), H, bidirectional=True)
    d_y = errors(lengths)
    ends = np.full(B, T) if lengths is None else lengths
    at = np.arange(1, T + 1)[:, None] == (np.ones(B, int) if direction else ends)
    every = sent(network, lengths, d_y)
    outside = entries(every.layers)
    assert np.array_equal(last_entry(outside, direction), ends)
    near(sent_alone(every.layers, outside, [at, reverse(at, lengths)]),
         sent(network, lengths, np.where(at[:, None], d_y, 0)).layers)  # fmt: skip


@pytest.mark.parametrize("lengths", LENGTHS, ids=["whole", "padded"])
@pytest.mark.parametrize("directions", [1, 2])
def test_what_enters_lower_layers_from_outside_is_sent_too(directions: int, lengths: Any) -> None:
    """Of a loss that reads the states of every layer besides; all steps together are the whole."""
    network = Network((LSTM(2, H), LSTM(directions * H, H)), H, bidirectional=directions == 2)
    ends = np.full(B, T) if lengths is None else lengths
    own = np.zeros((2 * directions, T, H, B))
    own[:, ends - 1, :, np.arange(B)] = 0.5
    whole = sent(network, lengths, errors(lengths), d_h=list(own), d_c=list(2 * own))
    outside = entries(whole.layers)
    for d in range(directions):
        assert np.array_equal(last_entry(outside, d), ends)
        assert np.array_equal(outside[0][d].steps.sum(axis=0), np.ones(B))
    near(sent_alone(whole.layers, outside, [np.ones((T, B), bool)] * directions), whole.layers)


def test_of_truncated_passes_the_whole_way_is_gone() -> None:
    """Each layer's error alone enters, not what its window made of it."""
    network = Network((GRU(2, H), GRU(H, H)), H)
    d_y = errors(None)

    def windowed(*given: Any, **more: Any) -> Any:
        return truncated_backward(*given, window=4, **more)

    cut = sent(network, None, d_y, backward=windowed)
    at = np.arange(T)[:, None] == np.full(B, T - 1)
    near(sent_alone(cut.layers, entries(cut.layers), [at]),
         sent(network, None, np.where(at[:, None], d_y, 0)).layers)  # fmt: skip


def test_a_dropped_output_hands_nothing_down() -> None:
    """Between the layers of a watched module there is dropout; all losses together are its own."""
    (passage,) = read_passages(FOLDER / "watched_dropout.npz").values()
    layers = passage.trace.layers
    outside = entries(layers)
    factor = outside[0][0].factor
    assert factor is not None
    assert np.unique(factor) == pytest.approx([0, 1 / 0.6])
    assert not outside[0][0].steps.any()
    steps = np.ones(layers[0][0].present.shape, bool)
    near(sent_alone(layers, outside, [steps]), layers)
