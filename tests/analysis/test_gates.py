"""Gate statistics and half-lives."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.gates import gate_stats, memory
from rnnviz.core import LSTM, bptt
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
    assert found.half_life.tolist() == [pytest.approx(np.log(2) / 1e4), pytest.approx(1), np.inf]
    assert found.share_beyond(2) == pytest.approx(1 / 3)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_what_single_precision_makes_zero_keeps_its_half_life(kind):
    trace = problem(kind, 7, 3, 2, 5, scale=4).trace()
    gate, params = trace.cell.MEMORY_GATE, {**trace.params, "b_h": trace.params["b_h"].copy()}
    params["b_h"][trace.cell.gate_rows(gate)] = -200
    d_h = last_step(7, 5, 3)
    exact = memory(bptt(trace.cell, params, trace.x, d_h), kind).half_life
    narrow = {name: value.astype(np.float32) for name, value in params.items()}
    single = bptt(trace.cell, narrow, trace.x.astype(np.float32), d_h.astype(np.float32))
    assert not single.gates[gate].any()
    np.testing.assert_allclose(memory(single, kind).half_life, exact, rtol=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_what_a_format_rounds_to_1_keeps_its_half_life(kind):
    trace = problem(kind, 7, 3, 2, 5, scale=4).trace()
    gate, params = trace.cell.MEMORY_GATE, {k: v.copy() for k, v in trace.params.items()}
    d_h, rows = last_step(7, 5, 3), trace.cell.gate_rows(gate)
    params["W_xh"][rows] = params["W_hh"][rows] = 0
    for dtype, bias in ((np.float32, 24.0), (np.float64, 60.0)):
        params["b_h"][rows] = bias
        single = {name: value.astype(dtype) for name, value in params.items()}
        rounded = bptt(trace.cell, single, trace.x.astype(dtype), d_h.astype(dtype))
        assert (rounded.gates[gate] == 1).all()
        wanted = np.log(2) / np.log1p(np.exp(-bias))
        np.testing.assert_allclose(memory(rounded, kind).half_life, wanted, rtol=1e-6)


def test_a_cell_without_memory_gate_has_none():
    trace = problem("rnn tanh", 3, 2, 2, 4).trace()
    assert memory(trace, "rnn") is None


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


def test_a_hard_gate_lies_between_0_and_1():
    cell = LSTM(2, 3, gate_activation="hard_sigmoid")
    rng = np.random.default_rng(0)
    params = {k: 4 * v for k, v in cell.init_params(rng).items()}
    trace = bptt(cell, params, rng.standard_normal((9, 2, 2)), last_step(9, 3, 2))
    i, g = (gate_stats(trace, "lstm")[gate] for gate in "ig")
    values = trace.gates["i"]
    assert (values == 0).any()
    assert not i.signed
    np.testing.assert_allclose(i.left, (values < 0.1).mean(axis=(0, 2)))
    assert i.saturates
    assert g.saturates
    assert g.signed


@pytest.mark.parametrize(("activation", "flat"), [("tanh", True), ("relu", False),
                                                  ("identity", False)])  # fmt: skip
def test_what_has_no_flat_ends_does_not_saturate(activation, flat):
    trace = simple(np.eye(2), last_step(3, 2), activation, h0=np.ones((2, 1)))
    assert gate_stats(trace, "rnn")["a"].saturates is flat


def test_a_constant_gate_is_alike_in_all_units():
    stats = gate_stats(quiet_lstm(4, 3, 1.0), "lstm")
    assert stats["f"].alike
    assert not gate_stats(quiet_lstm(4, 3, np.array([-3.0, 0, 3])), "lstm")["f"].alike


def test_saturation_of_a_logistic_rnn_counts_from_zero_to_one():
    trace = simple(np.eye(1), last_step(2, 1), "logistic", h0=np.array([[-1e3]]))
    s = gate_stats(trace, "rnn")["a"]
    assert not s.signed
    assert s.left[0] == 0.5
