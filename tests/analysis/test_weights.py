"""Weight maps: each gate's own rows, with the gradients that PyTorch has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.analysis.weights import BINS, histogram, weight_maps
from rnnviz.core import GRU, LSTM, bptt
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, simple

FOLDER = Path(__file__).parents[1] / "reference"


@pytest.mark.parametrize(("kind", "cell", "order"), [("lstm", LSTM, "ifgo"), ("gru", GRU, "rzn")])
def test_blocks_are_those_of_pytorch_s_stacked_matrices(kind, cell, order):
    with np.load(FOLDER / f"{kind}.npz") as archive:
        golden = dict(archive)
    H, D = golden["W_hh"].shape[1], golden["W_xh"].shape[1]
    states = {name: golden[name] for name in ("h0", "c0") if name in golden}
    params = {name: golden[name] for name in cell(D, H).param_shapes()}
    trace = bptt(cell(D, H), params, golden["x"], golden["direct"], **states)
    found = weight_maps(trace, kind)
    assert [(m.parameter, m.gate) for m in found.maps] == [
        (name, gate) for gate in order for name in ("W_xh", "W_hh")
    ]
    for block in found.maps:
        rows = slice(order.index(block.gate) * H, (order.index(block.gate) + 1) * H)
        np.testing.assert_array_equal(block.values, golden[block.parameter][rows])
        np.testing.assert_allclose(
            block.gradient, golden[f"d_{block.parameter}"][rows], rtol=1e-9, atol=1e-12
        )


def test_a_linear_unit_s_gradient_in_closed_form():
    """E5: h_t = w h_{t−1} with h_0 = 1 and L = h_T: ∂L/∂w = T w^(T−1)."""
    found = weight_maps(simple(np.array([[0.9]]), last_step(30, 1), h0=np.ones((1, 1))), "rnn")
    assert [m.name for m in found.maps] == ["W_xh", "W_hh"]
    assert found.maps[1].gradient == pytest.approx(np.array([[30 * 0.9**29]]), rel=1e-13)
    assert found.gradient_bound == pytest.approx(30 * 0.9**29, rel=1e-13)
    assert found.bound == 0.9


@pytest.mark.parametrize("name", EVERY)
def test_every_weight_stands_in_one_block(name):
    trace = any_problem(name, 5).trace()
    found = weight_maps(trace, name)
    for parameter in {"W_xh", "W_hh", "W_skip"} & set(trace.params):
        blocks = [m for m in found.maps if m.parameter == parameter]
        for part, whole in (("values", trace.params), ("gradient", trace.grads)):
            stacked = np.concatenate([getattr(m, part) for m in blocks])
            np.testing.assert_array_equal(stacked, whole[parameter])
    assert found.bound == max(np.abs(m.values).max() for m in found.maps)
    assert found.gradient_bound == max(np.abs(m.gradient).max() for m in found.maps)
    assert len({m.name for m in found.maps}) == len(found.maps)


def test_a_bound_is_of_what_is_finite():
    trace = simple(np.array([[1e200]]), last_step(4, 1), h0=np.ones((1, 1)))
    found = weight_maps(trace, "rnn")
    assert np.isinf(found.maps[1].gradient).any()
    assert (found.bound, found.gradient_bound) == (1e200, 0.0)


def test_a_histogram_counts_every_finite_entry_once():
    values = np.random.default_rng(0).standard_normal((30, 20)) * 1e-310
    middles, shares = histogram(values, np.abs(values).max())
    assert (len(middles), middles[BINS // 2]) == (BINS, 0)
    assert shares.sum() == pytest.approx(1)
    edge = np.abs(values).max() / BINS
    assert shares[BINS // 2] == pytest.approx(np.mean(np.abs(values) < edge))
    values[:3] = np.nan
    assert histogram(values, np.nanmax(np.abs(values)))[1].sum() == pytest.approx(0.9)
    with pytest.raises(ValueError, match="bound must be above 0, got 0"):
        histogram(values, 0)
