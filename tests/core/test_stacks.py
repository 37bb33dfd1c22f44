"""Stacks, directions, lengths and contexts: every gradient by complex step, and reversed time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rnnviz.core import (
    CELLS,
    GRU,
    GRU_VARIANTS,
    LSTM,
    LSTM_VARIANTS,
    RNN,
    bptt,
)
from rnnviz.core.layers import key, of_cell, reverse
from rnnviz.core.network import Network, predict, run_network
from tests.core.networks import LENGTHS, SETTINGS, direction_error, entry_error, setting
from tests.core.support import same


@pytest.mark.parametrize("name", SETTINGS)
def test_every_gradient_by_complex_step(name):
    assert direction_error(SETTINGS[name]()) <= 1e-12


VARIANTS = {
    **{f"lstm {name}": partial(LSTM, **options) for name, options in LSTM_VARIANTS.items()},
    **{f"gru {name}": partial(GRU, **options) for name, options in GRU_VARIANTS.items()},
    "leaky rnn": partial(RNN, leak=0.3),
}


@pytest.mark.parametrize("readout", ["aligned", "final"])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_in_a_padded_bidirectional_stack_with_skips_and_a_context(name, readout):
    make = VARIANTS[name]
    cells = make(2, 3, skip=2), make(6, 4, skip=5)
    network = Network(cells, 2, True, readout, context_size=3)
    assert direction_error(setting(network, T=6, B=3, lengths=LENGTHS)) <= 1e-12


@pytest.mark.parametrize(
    "network",
    [
        Network((GRU(2, 3), LSTM(6, 2), RNN(4, 2)), 2, True),
        Network((GRU(2, 3, skip=3), LSTM(6, 2, skip=2)), 2, True, context_size=3),
    ],
    ids=["deep", "skips, context"],
)
def test_every_entry_of_every_gradient(network):
    assert entry_error(setting(network, T=6, B=3, lengths=LENGTHS)) <= 1e-12


@pytest.mark.parametrize("name", SETTINGS)
def test_names_and_shapes(name):
    s = SETTINGS[name]()
    trace = s.trace()
    assert trace.grads.keys() == s.params.keys()
    assert {n: g.shape for n, g in trace.grads.items()} == s.network.param_shapes()
    assert len(trace.layers) == len(s.network.cells)
    assert {len(layer) for layer in trace.layers} == {s.network.directions}


@pytest.mark.parametrize("kind", CELLS)
def test_the_backward_direction_is_the_forward_one_on_reversed_input(kind):
    s = setting(Network((CELLS[kind](2, 4),), 3, True), T=6, B=3)
    trace = s.trace()
    back = trace.layers[0][1]
    own = of_cell(s.params, 0, 1)
    expected = bptt(s.network.cells[0], own, s.batch.x[::-1], back.d_h_direct)
    same(back, expected)


def test_exchanging_the_directions_of_a_layer_reverses_its_output():
    """Swap the weights and the halves of W_hy and reverse x: y is reversed, the loss stays."""
    s = SETTINGS["bidirectional lstm"]()
    H = s.network.cells[0].hidden_size
    params = {"W_hy": np.roll(s.params["W_hy"], H, axis=1), "b_y": s.params["b_y"]}
    for d in range(2):
        params |= {key(0, n, 1 - d): v for n, v in of_cell(s.params, 0, d).items()}
    x, target, mask = (v[::-1] for v in (s.batch.x, s.batch.target, s.batch.mask))
    turned = run_network(s.network, params, replace(s.batch, x=x, target=target, mask=mask))
    np.testing.assert_allclose(turned.y[::-1], s.trace().y, rtol=1e-12)
    assert turned.loss == pytest.approx(s.trace().loss, rel=1e-13)
    found = turned.grads["0.backward.W_hh"]
    np.testing.assert_allclose(found, s.trace().grads["0.forward.W_hh"], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", [n for n in SETTINGS if "padded" in n])
def test_each_padded_sequence_is_as_it_would_be_alone(name):
    s = SETTINGS[name]()
    together, losses = s.trace(), []
    for b, n in enumerate(LENGTHS):
        one = slice(b, b + 1)
        cut = {f: getattr(s.batch, f)[:n, ..., one] for f in ("x", "target", "mask")}
        context = None if s.batch.context is None else s.batch.context[:, one]
        batch = replace(s.batch, **cut, context=context, lengths=np.array([n]))
        alone = replace(s, batch=batch).trace()
        losses.append(alone.loss)
        np.testing.assert_allclose(together.y[:n, :, one], alone.y, rtol=1e-12, atol=1e-14)
        for layer, expected in zip(together.layers, alone.layers, strict=True):
            for found, solo in zip(layer, expected, strict=True):
                # The loss of a batch is the mean of its sequences'.
                d_h = 3 * found.d_h[: n + 1, :, one]
                np.testing.assert_allclose(d_h, solo.d_h, rtol=1e-11, atol=1e-13)
                assert (found.d_h[n + 1 :, :, b] == 0).all()
                assert (found.h[n + 1 :, :, b] == 0).all()
                assert (found.d_x[n:, :, b] == 0).all()
    assert together.loss == pytest.approx(np.mean(losses), rel=1e-13)


def test_what_the_padding_holds_does_not_matter():
    s = SETTINGS["deep, bidirectional, padded"]()
    x, target, mask = (getattr(s.batch, n).copy() for n in ("x", "target", "mask"))
    for b, n in enumerate(LENGTHS):
        x[n:, :, b], target[n:, :, b], mask[n:, b] = 9, 99, 999
    other = replace(s, batch=replace(s.batch, x=x, target=target, mask=mask)).trace()
    for name, expected in s.trace().grads.items():
        np.testing.assert_array_equal(other.grads[name], expected)


def test_the_final_readout_reads_what_has_seen_the_whole_sequence():
    s = SETTINGS["final readout, padded"]()
    trace = s.trace()
    ahead, back = trace.layers[-1]
    for b, n in enumerate(LENGTHS):
        final = np.concatenate([ahead.h[n, :, b], back.h[n, :, b]])
        y = s.params["W_hy"] @ final + s.params["b_y"]
        np.testing.assert_allclose(trace.y[n - 1, :, b], y, rtol=1e-13)


def test_the_aligned_readout_reads_both_states_of_its_step():
    s = SETTINGS["bidirectional gru"]()
    trace = s.trace()
    ahead, back = trace.layers[0]
    read = np.concatenate([ahead.h[1:], back.h[:0:-1]], axis=1)
    y = np.matmul(s.params["W_hy"], read) + s.params["b_y"][:, None]
    np.testing.assert_allclose(trace.y, y, rtol=1e-13, atol=1e-15)


def test_a_layer_reads_the_layer_below():
    s = SETTINGS["three layers"]()
    below, above = (layer[0] for layer in s.trace().layers[:2])
    np.testing.assert_array_equal(above.x, below.h[1:])
    np.testing.assert_array_equal(below.d_h_direct, above.d_x)


def test_the_first_state_is_made_of_the_context():
    s = SETTINGS["context"]()
    trace = s.trace()
    np.testing.assert_allclose(trace.trace.h[0], s.params["W_vh"] @ s.batch.context, rtol=1e-14)
    assert (trace.layers[1][0].h[0] == 0).all()


@pytest.mark.parametrize("name", SETTINGS)
def test_predict_gives_the_same_y(name):
    s = SETTINGS[name]()
    np.testing.assert_array_equal(predict(s.network, s.params, s.batch), s.trace().y)


def test_further_layers_and_directions_redraw_nothing():
    def draw(*cells, **options):
        return Network(cells, 2, **options).init_params(np.random.default_rng(1), init="orthogonal")

    one = draw(GRU(2, 4))
    many = draw(GRU(2, 4), LSTM(4, 3))
    both = draw(GRU(2, 4), bidirectional=True, context_size=3)
    for name, value in one.items():
        if name != "W_hy":
            np.testing.assert_array_equal(many[name], value)
            np.testing.assert_array_equal(both[name], value)
    deep = draw(GRU(2, 4), GRU(8, 3), bidirectional=True)
    np.testing.assert_array_equal(deep["0.backward.W_xh"], both["0.backward.W_xh"])
    assert not (both["0.backward.W_hh"] == both["0.forward.W_hh"]).any()
    assert 0.5 / np.sqrt(3) < np.abs(both["W_vh"]).max() <= 1 / np.sqrt(3)


def test_reversing_twice_changes_nothing():
    values = np.arange(24.0).reshape(6, 2, 2)
    for lengths in (None, np.array([3, 6])):
        np.testing.assert_array_equal(reverse(reverse(values, lengths), lengths), values)
    turned = reverse(values, np.array([3, 6]))
    np.testing.assert_array_equal(turned[:, 0, 0], values[[2, 1, 0, 3, 4, 5], 0, 0])
    np.testing.assert_array_equal(turned[:, 1, 1], values[::-1, 1, 1])
    np.testing.assert_array_equal(reverse(values[:, 0], np.array([3, 6])), turned[:, 0])


def test_weights_that_have_blown_up_run():
    s = SETTINGS["context"]()
    for bad in (np.nan, np.inf, 1e200):
        params = {n: bad * v if "W" in n else v for n, v in s.params.items()}
        assert not np.isfinite(replace(s, params=params).trace().loss)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Network((RNN(2, 3), RNN(3, 3)), 1, True), r"cells\[1\].input_size must be 6"),
        (lambda: Network((RNN(2, 3),), 1, "yes"), "bidirectional must be True or False"),
        (lambda: Network((RNN(2, 3),), 1, readout="last"), "readout must be one of"),
        (lambda: Network((RNN(2, 3),), 1, context_size=-1), "context_size must be"),
    ],
)
def test_bad_networks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context": None}, r"context must have shape \(4, 3\), got None"),
        ({"context": np.zeros((4, 2))}, r"context must have shape \(4, 3\)"),
        ({"lengths": np.array([1, 2, 9])}, "lengths must be from 1 to 5"),
    ],
)
def test_bad_batches_are_refused(changes, message):
    s = SETTINGS["context"]()
    with pytest.raises(ValueError, match=message):
        replace(s, batch=replace(s.batch, **changes)).trace()
