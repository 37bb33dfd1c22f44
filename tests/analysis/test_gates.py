"""Gate statistics, half-lives, and the product of gates against the true derivative."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.gates import carry_product, gate_stats, memory
from rnnviz.analysis.jacobians import state_jacobians
from rnnviz.core import GRU, LSTM, bptt
from rnnviz.core.numerics import Status
from tests.analysis.support import last_step, quiet_lstm, simple
from tests.core.support import problem

HALF_LIVES = {0: 1.0, 1: 2.21, 2: 5.46, 3: 14.27, 5: 103.2}


@pytest.mark.parametrize("bias", HALF_LIVES)
def test_half_life_of_a_constant_gate(bias):
    """E12: ln 2 / −ln f; its table has two to four digits."""
    found = memory(quiet_lstm(4, 3, bias), "lstm")
    np.testing.assert_allclose(found.half_life, np.log(2) / np.log1p(np.exp(-bias)))
    assert found.median == pytest.approx(HALF_LIVES[bias], rel=2e-3)


def test_half_life_takes_the_geometric_mean():
    trace = problem("gru", 6, 3, 2, 4).trace()
    z = trace.gates["z"]
    mean = np.exp(np.log(z).mean(axis=(0, 2)))
    found = memory(trace, "gru")
    np.testing.assert_allclose(mean**found.half_life, 0.5)
    assert (np.diff(found.half_life[found.order]) >= 0).all()
    assert found.gate == "z"


def test_gates_at_the_ends_of_the_scale():
    found = memory(quiet_lstm(3, 3, np.array([-1e4, 0.0, 1e4])), "lstm")
    assert found.half_life.tolist() == [0, pytest.approx(1), np.inf]
    assert found.share_beyond(2) == pytest.approx(1 / 3)


def test_a_cell_without_memory_gate_has_none():
    trace = problem("rnn tanh", 3, 2, 2, 4).trace()
    assert memory(trace, "rnn") is None
    assert carry_product(trace, "rnn") is None


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru"])
def test_statistics_of_every_gate(kind):
    trace = problem(kind, 7, 3, 2, 5, scale=4).trace()
    stats = gate_stats(trace, kind)
    assert tuple(stats) == trace.cell.GATES
    for gate, s in stats.items():
        values = trace.gates[gate]
        np.testing.assert_array_equal(s.values, values[:, :, 0].T)
        assert (s.mean, s.sd) == (pytest.approx(values.mean()), pytest.approx(values.std()))
        low = -0.9 if gate in "agn" else 0.1
        for unit in range(5):
            assert s.left[unit] == pytest.approx((values[:, unit] < low).mean())
            assert s.right[unit] == pytest.approx((values[:, unit] > 0.9).mean())
        assert s.signed == (gate in "agn")


def test_a_constant_gate_is_alike_in_all_units():
    stats = gate_stats(quiet_lstm(4, 3, 1.0), "lstm")
    assert stats["f"].alike
    assert not gate_stats(quiet_lstm(4, 3, np.array([-3.0, 0, 3])), "lstm")["f"].alike


@pytest.mark.parametrize("bias", [-5.0, 3.0])
def test_the_product_is_the_truth_where_the_recurrent_path_is_cut(bias):
    """E10, beyond the range of float64."""
    T = 600
    found = carry_product(quiet_lstm(T, 2, bias), "lstm")
    expected = -np.log10(1 + np.exp(-bias)) * np.arange(T, -1, -1)
    np.testing.assert_allclose(found.log10_product, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.true.log10, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_truth_is_a_product_of_jacobians(kind):
    T, H, b = 8, 4, 1
    trace = problem(kind, T, 2, 3, H).trace()
    found = carry_product(trace, kind, sequence=b)
    product = np.eye(H if trace.c is None else 2 * H)
    for t in range(T, -1, -1):
        true = np.linalg.norm(product[-H:, -H:], 2)
        assert 10 ** found.true.log10[t] == pytest.approx(true, rel=1e-10)
        gates = trace.gates[found.gate][t:, :, b]
        assert 10 ** found.log10_product[t] == pytest.approx(gates.prod(axis=0).max())
        if t:
            product = product @ state_jacobians(trace, [t], sequence=b)[0]


def test_an_open_lstm_grows_error_while_every_forget_gate_is_below_one():
    """E10: the product of gates is not "the LSTM gradient"."""
    rng = np.random.default_rng(0)
    cell = LSTM(4, 32)
    params = cell.init_params(rng, memory_bias=5.0)
    x = rng.standard_normal((50, 4, 1))
    found = carry_product(bptt(cell, params, x, last_step(50, 32)), "lstm")
    assert found.log10_product[0] < 0
    assert found.true.log10[0] > 1


def test_points_that_were_not_asked_for_are_not_recorded():
    trace = problem("gru", 10, 1, 2, 3).trace()
    every, some = carry_product(trace, "gru"), carry_product(trace, "gru", every=4)
    assert np.flatnonzero(some.true.status != Status.NOT_RECORDED).tolist() == [0, 2, 6, 10]
    kept = [0, 2, 6, 10]
    np.testing.assert_allclose(some.true.log10[kept], every.true.log10[kept], atol=1e-12)
    np.testing.assert_array_equal(some.log10_product, every.log10_product)


def test_a_closed_gate_is_rounded_to_zero():
    found = carry_product(quiet_lstm(3, 2, -1e4), "lstm")
    assert found.true.status[:3].tolist() == [Status.ROUNDED] * 3
    assert found.log10_product[0] == -np.inf


@pytest.mark.parametrize(("option", "value"), [("every", 0), ("sequence", 5)])
def test_wrong_options_are_refused(option, value):
    trace = problem("gru", 3, 1, 2, 3).trace()
    with pytest.raises(ValueError, match=option):
        carry_product(trace, "gru", **{option: value})


def test_a_gru_held_open_keeps_all():
    cell = GRU(1, 2)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][2:4] = 1e4
    trace = bptt(cell, params, np.zeros((3, 1, 1)), last_step(3, 2))
    np.testing.assert_array_equal(carry_product(trace, "gru").true.log10, np.zeros(4))


def test_saturation_of_a_logistic_rnn_counts_from_zero_to_one():
    trace = simple(np.eye(1), last_step(2, 1), "logistic", h0=np.array([[-1e3]]))
    s = gate_stats(trace, "rnn")["a"]
    assert not s.signed
    assert s.left[0] == 0.5
