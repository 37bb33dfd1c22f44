"""A loss of one's own: direct gradients of c, and of every layer of a network.

The network's arrays come from tests/reference/make_own_loss_golden.py; PyTorch is needed only to
make them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.selfcheck.places import places
from rnnviz.analysis.selfcheck.steps import adjoint_test
from rnnviz.core import GRU, LSTM, LSTM_VARIANTS, RNN, Cell, backward, bptt, forward
from rnnviz.core.network import Network, backward_network, forward_network, run_network
from rnnviz.core.truncation import truncated_backward
from tests.core.networks import SETTINGS
from tests.core.support import problem_of

FOLDER = Path(__file__).parents[1] / "reference"
TINY = 1e-200
CELLS: dict[str, Cell] = {
    **{name: LSTM(2, 3, **options) for name, options in LSTM_VARIANTS.items()},
    "skip": LSTM(2, 3, skip=3),
}


def test_a_loss_that_reads_c_alone() -> None:
    """L = c_3; by PyTorch."""
    params = {"W_xh": np.ones((4, 1)), "W_hh": np.full((4, 1), 0.5),
              "b_h": np.array([0.0, 1.0, 0.0, 0.0])}  # fmt: skip
    of_c = np.reshape([0.0, 0.0, 1.0], (3, 1, 1))
    trace = bptt(LSTM(1, 1), params, np.ones((3, 1, 1)), np.zeros((3, 1, 1)), d_c_direct=of_c)
    assert trace.c is not None
    assert trace.d_c is not None
    expected: dict[str, tuple[Any, list[float]]] = {
        "c_3": (trace.c[3], [1.7139462312826]),
        "c": (trace.d_c[1:], [0.9928648980483, 0.9665328585277, 1]),
        "c_0": (trace.d_c[0], [0.8745125010278]),
        "h": (trace.d_h[1:], [0.2279907326056, 0.2183140419497, 0]),
        "W_hh": (trace.grads["W_hh"],
                 [0.1431030871199, 0.0760708765434, 0.2093842071214, 0.0117626769886]),
        "x": (trace.d_x, [0.4761681236235, 0.4559814652112, 0.4366280838994]),
    }  # fmt: skip
    for name, (found, values) in expected.items():
        np.testing.assert_allclose(found.ravel(), values, rtol=0, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("lengths", [None, [7, 4, 1]])
@pytest.mark.parametrize("name", CELLS)
def test_every_gradient_of_a_loss_of_c_by_complex_step(name: str, lengths: Any) -> None:
    p = problem_of(CELLS[name], 7, 3)
    x = p.x if lengths is None else np.where(np.arange(7)[:, None, None] < lengths, p.x, 0)
    rng = np.random.default_rng(2)
    of_c = rng.standard_normal((7, 3, 3))
    trace = bptt(p.cell, p.params, x, p.direct, lengths=lengths, d_c_direct=of_c, **p.states)

    def loss(params: Any, states: Any) -> complex:
        record = forward(p.cell, params, x, lengths=lengths, **states)
        assert record.c is not None
        return complex((p.direct * record.h[1:]).sum() + (of_c * record.c[1:]).sum())

    h0 = trace.d_h[0]
    if trace.d_h_before is not None:
        h0 = np.concatenate([trace.d_h_before, trace.d_h[:1]])
    assert trace.d_c is not None
    gradients = {**trace.grads, "h0": h0, "c0": trace.d_c[0]}
    for key, gradient in gradients.items():
        v = rng.standard_normal(gradient.shape)
        of_state = key in p.states
        moved = {**(p.states if of_state else p.params)}
        moved[key] = moved[key] + 1j * TINY * v
        slope = loss(*((p.params, moved) if of_state else (moved, p.states))).imag / TINY
        assert slope == pytest.approx((gradient * v).sum(), rel=1e-11, abs=1e-12), key


def test_a_loss_of_c_far_below_the_dtype() -> None:
    """∂L/∂c_0 = 0.5^T, beside nothing else; and beside a loss of h that needs exponents, too."""
    T = 2000
    params = {"W_xh": np.zeros((4, 1)), "W_hh": np.zeros((4, 1)),
              "b_h": np.array([0.0, 0.0, 0.0, 0.0])}  # fmt: skip
    of_c, zeros = np.zeros((T, 1, 1)), np.zeros((T, 1, 1))
    of_c[-1] = 1
    record = forward(LSTM(1, 1), params, zeros)
    trace = backward(record, zeros, d_c_direct=of_c)
    assert trace.d_c is not None
    steps = np.arange(T, -1, -1)
    log10 = np.log10(trace.d_c[:, 0, 0]) + trace.d_c_log2[:, 0, 0] * np.log10(2)
    np.testing.assert_allclose(log10, steps * np.log10(0.5), rtol=0, atol=1e-9)
    log2 = np.full((T, 1), -3000)
    both = backward(record, np.where(of_c, 1.0, 0.0), log2, d_c_direct=of_c)
    assert both.d_c is not None
    np.testing.assert_array_equal(both.d_c[-1] * 2.0 ** both.d_c_log2[-1], [[1.0]])


def test_analyses_follow_what_enters_through_c() -> None:
    p = problem_of(LSTM(2, 3, peepholes=True), 9, 2)
    of_c = np.random.default_rng(3).standard_normal((9, 3, 2)) * (np.arange(9) > 2)[:, None, None]
    trace = bptt(p.cell, p.params, p.x, np.zeros((9, 3, 2)), d_c_direct=of_c, **p.states)
    matrix = pair_matrix(trace, "m")
    assert matrix.losses.tolist() == list(range(4, 10))
    assert matrix.worst_checksum < 1e-12
    found = adjoint_test(trace, places(trace, 100), np.random.default_rng(0))
    assert (found.error <= 1e-12 * found.scale).all()
    flow = gradient_flow(trace, "m")
    last = 0.5 * np.log10((of_c[-1] ** 2).sum(axis=0).mean())
    assert flow.state.log10[-1] == pytest.approx(last)
    assert flow.direct.log10[-1] == pytest.approx(last)
    pattern = reachable(trace)
    assert pattern.carry is not None
    assert pattern.carry[9].all()
    assert pattern.h[:9].all()
    assert not pattern.h[9].any()


def test_a_truncated_pass_takes_it_too() -> None:
    p = problem_of(LSTM(2, 3), 9, 2)
    of_c = np.random.default_rng(3).standard_normal((9, 3, 2))
    record = forward(p.cell, p.params, p.x, **p.states)
    found = truncated_backward(record, p.direct, 3, d_c_direct=of_c)
    for start in (0, 3, 6):
        steps = slice(start, start + 3)
        assert record.c is not None
        alone = bptt(p.cell, p.params, p.x[steps], p.direct[steps], record.h[start],
                     record.c[start], d_c_direct=of_c[steps])  # fmt: skip
        np.testing.assert_allclose(found.d_gate_values[steps], alone.d_gate_values, rtol=1e-12)
    whole = truncated_backward(record, p.direct, 9, d_c_direct=of_c)
    np.testing.assert_array_equal(whole.d_h, backward(record, p.direct, d_c_direct=of_c).d_h)


def test_a_cell_without_c_takes_no_gradient_of_it() -> None:
    for cell in (RNN(2, 3), GRU(2, 3)):
        p = problem_of(cell, 4, 2)
        with pytest.raises(ValueError, match=f"d_c_direct must be None for {type(cell).__name__}"):
            bptt(cell, p.params, p.x, p.direct, d_c_direct=p.direct)
    p = problem_of(LSTM(2, 3), 4, 2)
    with pytest.raises(ValueError, match=re.escape("d_c_direct must have shape (4, 3, 2)")):
        bptt(p.cell, p.params, p.x, p.direct, d_c_direct=p.direct[1:])


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_stack_with_states_and_a_loss_of_ones_own_is_pytorchs(kind: str) -> None:
    with np.load(FOLDER / f"own_loss_{kind}.npz") as file:
        golden = dict(file)
    make: Any = {"lstm": LSTM, "gru": GRU}[kind]
    network = Network((make(2, 4), make(4, 4)), 3)
    params = {name: golden[name] for name in network.param_shapes()}
    c0 = list(golden["c0"]) if kind == "lstm" else None
    record = forward_network(network, params, golden["x"], list(golden["h0"]), c0)
    np.testing.assert_allclose(record.y, golden["y"], rtol=1e-12, atol=1e-14)
    of_h = np.zeros_like(record.layers[0][0].h[1:])
    of_h[-1] = 2 * record.layers[0][0].h[-1]
    of_c: list[Any] | None = None
    if kind == "lstm":
        of_c = [np.zeros_like(of_h), np.zeros_like(of_h)]
        for gradient, (layer,) in zip(of_c, record.layers, strict=True):
            assert layer.c is not None
            gradient[-1] = np.cos(layer.c[-1])
    trace = backward_network(record, np.tanh(record.y), [of_h, None], of_c)
    close: Any = {"rtol": 1e-10, "atol": 1e-13}
    for name, gradient in trace.grads.items():
        np.testing.assert_allclose(gradient, golden[f"d_{name}"], **close, err_msg=name)
    np.testing.assert_allclose(trace.trace.d_x, golden["d_x"], **close)
    for (layer,), d_h0 in zip(trace.layers, golden["d_h0"], strict=True):
        np.testing.assert_allclose(layer.d_h[0], d_h0, **close)
    if kind == "lstm":
        for (layer,), d_c0 in zip(trace.layers, golden["d_c0"], strict=True):
            assert layer.d_c is not None
            np.testing.assert_allclose(layer.d_c[0], d_c0, **close)
    assert np.isnan(trace.loss)


def test_half_after_half_is_the_whole() -> None:
    """A stateful language model: the second half goes on from where the first one ended."""
    s = SETTINGS["three layers"]()
    whole = forward_network(s.network, s.params, s.batch.x)
    first = forward_network(s.network, s.params, s.batch.x[:2])
    ends = [layer for (layer,) in first.layers]
    h0, c0 = [r.h[-1] for r in ends], [None if r.c is None else r.c[-1] for r in ends]
    second = forward_network(s.network, s.params, s.batch.x[2:], h0, c0)
    np.testing.assert_allclose(second.y, whole.y[2:], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_gradient_of_y_alone_is_that_of_the_batch(name: str) -> None:
    s = SETTINGS[name]()
    batch = s.batch
    expected = run_network(s.network, s.params, batch)
    record = forward_network(s.network, s.params, batch.x, None, None, batch.lengths, batch.context)
    found = backward_network(record, expected.d_y)
    for key, gradient in expected.grads.items():
        np.testing.assert_array_equal(found.grads[key], gradient)


@pytest.mark.parametrize("name", ["deep and bidirectional", "deep, bidirectional, padded"])
def test_states_and_direct_gradients_of_every_layer_by_complex_step(name: str) -> None:
    s, rng = SETTINGS[name](), np.random.default_rng(6)
    lengths, B = s.batch.lengths, s.batch.x.shape[2]
    cells = [cell for cell in s.network.cells for _ in range(s.network.directions)]
    T = len(s.batch.x)
    h0: list[Any] = [rng.standard_normal((cell.hidden_size, B)) for cell in cells]
    c0 = [0.3 * h if cell.HAS_CELL_STATE else None for h, cell in zip(h0, cells, strict=True)]
    of_h: list[Any] = [rng.standard_normal((T, cell.hidden_size, B)) for cell in cells]
    of_c = [e + 1 if c is not None else None for e, c in zip(of_h, c0, strict=True)]
    d_y = rng.standard_normal((T, s.network.output_size, B))

    def loss(params: Any, h0: Any, c0: Any) -> complex:
        record = forward_network(s.network, params, s.batch.x.astype(complex), h0, c0, lengths)
        total = (d_y * record.y).sum()
        layers = [r for layer in record.layers for r in layer]
        for r, e_h, e_c in zip(layers, of_h, of_c, strict=True):
            total += (e_h * r.h[1:]).sum() + (0 if e_c is None else (e_c * r.c[1:]).sum())
        return complex(total)

    record = forward_network(s.network, s.params, s.batch.x, h0, c0, lengths)
    trace = backward_network(record, d_y, of_h, of_c)
    for key, gradient in trace.grads.items():
        v = rng.standard_normal(gradient.shape)
        slope = loss({**s.params, key: s.params[key] + 1j * TINY * v}, h0, c0).imag / TINY
        assert slope == pytest.approx((gradient * v).sum(), rel=1e-11, abs=1e-12), key
    complex_params = {k: v.astype(complex) for k, v in s.params.items()}
    for k, layer in enumerate(layer for layers in trace.layers for layer in layers):
        for given, gradient in (
            (h0, layer.d_h[0]),
            (c0, None if layer.d_c is None else layer.d_c[0]),
        ):
            if gradient is None:
                continue
            v = rng.standard_normal(gradient.shape)
            moved = [g + 1j * TINY * v if i == k else g for i, g in enumerate(given)]
            states = (moved, c0) if given is h0 else (h0, moved)
            slope = loss(complex_params, *states).imag / TINY
            assert slope == pytest.approx((gradient * v).sum(), rel=1e-11, abs=1e-12), k


def test_exponents_from_above_and_an_own_gradient_meet() -> None:
    """The loss above is below the dtype when it reaches step 1; the layer's own is not."""
    T = 1500
    network = Network((RNN(1, 1, "identity"), RNN(1, 1, "identity")), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params |= {"0.forward.W_hh": np.full((1, 1), 0.5), "1.forward.W_hh": np.full((1, 1), 0.5),
               "1.forward.W_xh": np.ones((1, 1)), "W_hy": np.ones((1, 1))}  # fmt: skip
    record = forward_network(network, params, np.zeros((T, 1, 1)))
    d_y, own = np.zeros((T, 1, 1)), np.zeros((T, 1, 1))
    d_y[-1] = own[0] = 1
    below = backward_network(record, d_y, [own, None]).layers[0][0]
    assert below.d_h[1, 0, 0] * 2.0 ** below.d_log2[1, 0] == pytest.approx(1.0, rel=1e-15)
    alone = backward_network(record, d_y).layers[0][0]
    log2 = np.log2(alone.d_h[2:, 0, 0]) + alone.d_log2[2:, 0]
    np.testing.assert_allclose(np.log2(below.d_h[2:, 0, 0]) + below.d_log2[2:, 0], log2, atol=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"h0": [None]}, "h0 must hold an array or None for each of 2 layers and 1 directions, 2"),
        ({"h0": [np.zeros((3, 2)), None]}, r"h0\[0\] must have shape \(4, 2\)"),
        ({"c0": [None, np.zeros((4, 2))]}, r"c0\[1\] must be None for GRU"),
        ({"h0": [np.full((4, 2), np.nan), None]}, r"h0\[0\] must be finite"),
    ],
)
def test_states_that_do_not_fit_are_named(given: dict[str, Any], message: str) -> None:
    network = Network((LSTM(2, 4), GRU(4, 4)), 3)
    params = network.init_params(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        forward_network(network, params, np.ones((5, 2, 2)), **given)
    record = forward_network(network, params, np.ones((5, 2, 2)))
    with pytest.raises(ValueError, match=r"d_y must have shape \(5, 3, 2\)"):
        backward_network(record, np.ones((4, 3, 2)))
    with pytest.raises(ValueError, match=r"d_c\[1\] must be None for GRU"):
        backward_network(record, d_c=[None, np.ones((5, 4, 2))])
    pictured = replace(network, context_size=3)
    params = pictured.init_params(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"h0\[0\] must be None where a context"):
        forward_network(pictured, params, np.ones((5, 2, 2)), [np.zeros((4, 2)), None],
                        context=np.ones((3, 2)))  # fmt: skip
