"""Readout and loss on top of a cell: every gradient by complex step, and the contracts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import CELLS, GRU, LSTM, RNN, Cell
from rnnviz.core.network import Network, run_network
from rnnviz.tasks import Batch

D, H, O, T, B = 3, 4, 2, 5, 3  # noqa: E741 - the letters of the shapes


def batch(loss: str) -> Batch:
    rng = np.random.default_rng(2)
    numbers = loss == "squared_error"
    return Batch(
        x=rng.standard_normal((T, D, B)) if numbers else rng.integers(0, D, (T, B)),
        target=rng.standard_normal((T, O, B)) if numbers else rng.integers(0, O, (T, B)),
        mask=rng.uniform(0.5, 2, (T, B)),
        loss=loss,
        input_size=D,
        output_size=O,
        lengths=np.full(B, T),
    )


def network(kind: str) -> tuple[Network, dict[str, np.ndarray]]:
    net = Network((CELLS[kind](D, H),), O)
    return net, net.init_params(np.random.default_rng(3), memory_bias=1.0)


@pytest.mark.parametrize("loss", ["squared_error", "softmax_cross_entropy"])
@pytest.mark.parametrize("kind", CELLS)
def test_every_parameter_gradient_by_complex_step(kind: str, loss: str) -> None:
    net, params = network(kind)
    data = batch(loss)
    found = run_network(net, params, data)
    assert found.grads.keys() == params.keys() == net.param_shapes().keys()
    for name, value in params.items():
        expected = np.empty_like(value)
        for index in np.ndindex(value.shape):
            shifted = value.astype(complex)
            shifted[index] += 1e-30j
            shaken: complex = run_network(net, {**params, name: shifted}, data).loss
            expected[index] = shaken.imag / 1e-30
        scale = np.abs(expected).max()
        assert found.grads[name] == pytest.approx(expected, rel=0, abs=1e-12 * scale), name


def test_the_readout_is_linear_and_the_direct_gradient_goes_through_it_alone() -> None:
    net, params = network("lstm")
    found = run_network(net, params, batch("squared_error"))
    y = np.einsum("oh,thb->tob", params["W_hy"], found.trace.h[1:]) + params["b_y"][:, None]
    assert found.y == pytest.approx(y, rel=1e-13, abs=1e-15)
    direct = np.einsum("oh,tob->thb", params["W_hy"], found.d_y)
    assert found.trace.d_h_direct == pytest.approx(direct, rel=1e-13, abs=1e-15)
    assert found.trace is found.layers[0][0]


def test_the_loss_is_the_sum_of_its_steps() -> None:
    found = run_network(*network("gru"), batch("softmax_cross_entropy"))
    assert found.loss_by_step.shape == (T,)
    assert (found.loss_by_step > 0).all()
    assert found.loss == found.loss_by_step.sum()


def test_a_loss_at_the_last_step_alone_puts_no_direct_gradient_elsewhere() -> None:
    data = batch("squared_error")
    mask = np.zeros((T, B))
    mask[-1] = 1
    found = run_network(*network("rnn"), replace(data, mask=mask))
    assert (found.trace.d_h_direct[:-1] == 0).all()
    assert (found.trace.d_h_direct[-1] != 0).all()
    assert (found.loss_by_step[:-1] == 0).all()


@pytest.mark.parametrize("loss", ["squared_error", "softmax_cross_entropy"])
def test_float32_parameters_make_a_float32_run(loss: str) -> None:
    net = Network((LSTM(D, H),), O)
    params = net.init_params(np.random.default_rng(3), dtype=np.float32)
    found = run_network(net, params, batch(loss))
    arrays = (found.y, found.d_y, found.trace.h, *found.grads.values())
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    assert isinstance(found.loss, float)


def test_parameters_are_named_by_layer_and_direction() -> None:
    shapes = Network((GRU(D, H),), O).param_shapes()
    assert shapes["W_hy"] == (O, H)
    assert shapes["b_y"] == (O,)
    assert shapes["0.forward.W_hh"] == (3 * H, H)
    assert Network((GRU(D, H),), O).param_count() == sum(np.prod(s) for s in shapes.values())


def test_readout_is_drawn_within_its_bound_and_apart_from_the_cell() -> None:
    small, large = (Network((RNN(D, 50),), o) for o in (1, 9))
    one, two = (net.init_params(np.random.default_rng(0)) for net in (small, large))
    assert (one["0.forward.W_hh"] == two["0.forward.W_hh"]).all()
    assert 0.9 / np.sqrt(50) < np.abs(two["W_hy"]).max() <= 1 / np.sqrt(50)
    assert (two["b_y"] == 0).all()


def test_nothing_given_is_changed_and_nothing_returned_can_be() -> None:
    net, params = network("rnn")
    before = {name: value.copy() for name, value in params.items()}
    found = run_network(net, params, batch("squared_error"))
    assert all((params[name] == before[name]).all() for name in params)
    for array in (found.y, found.d_y, found.loss_by_step, *found.grads.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("cells", "output_size", "message"),
    [((RNN(D, H),), 0, "output_size"), ((), 1, "cells must hold one cell"),
     ((RNN(D, H), RNN(D, H)), 1, r"cells\[1\].input_size must be 4, .* got 3")],
)  # fmt: skip
def test_bad_networks_are_refused(cells: tuple[Cell, ...], output_size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Network(cells, output_size)


def test_bad_parameters_and_losses_are_refused() -> None:
    net, params = network("rnn")
    with pytest.raises(ValueError, match="must have the keys"):
        run_network(net, {"W_hy": params["W_hy"]}, batch("squared_error"))
    with pytest.raises(ValueError, match="loss must be one of"):
        run_network(net, params, replace(batch("squared_error"), loss="hinge"))
