"""Layers and directions have names; every analysis takes each of them, padded or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis import (
    carry_paths,
    gate_stats,
    gradient_flow,
    in_real_time,
    jacobian_spectrum,
    layer_traces,
    memory,
    state_jacobians,
    weight_spectra,
)
from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.verdicts import reach_verdict
from rnnviz.core import LSTM, RNN, backward, bptt, forward
from rnnviz.core.network import Network
from rnnviz.core.numerics import Status
from rnnviz.wording.names import display_name
from rnnviz.wording.verdicts import gradient_words
from tests.core.networks import SETTINGS, setting
from tests.core.support import problem
from tests.core.test_skips import only_a_skip, with_skip


@pytest.mark.parametrize(
    ("network", "labels"),
    [
        (Network((RNN(2, 3),), 1), ["rnn"]),
        (Network((RNN(2, 3), LSTM(3, 4)), 1), ["rnn · layer 1", "rnn · layer 2"]),
        (Network((RNN(2, 3),), 1, True), ["rnn · →", "rnn · ←"]),
        (Network((RNN(2, 3), RNN(6, 4)), 1, True),
         ["rnn · layer 1 →", "rnn · layer 1 ←", "rnn · layer 2 →", "rnn · layer 2 ←"]),
    ],
)  # fmt: skip
def test_every_layer_and_direction_has_a_name(network, labels):
    trace = setting(network, T=4, B=2).trace()
    found = layer_traces(trace, "rnn")
    assert [item.label for item in found] == labels
    for item in found:
        assert item.trace is trace.layers[item.layer - 1][item.direction]


def test_names_on_a_page():
    assert display_name("lstm:forget_bias=0 · layer 2 ←") == "LSTM, forget bias 0 · layer 2 ←"
    assert display_name("gru · →") == "GRU · →"
    assert display_name("lstm:variant=cifg,layers=2") == "LSTM, coupled gates, 2 layers"
    assert display_name("gru:variant=reset_before") == "GRU, reset before"
    assert display_name("rnn:leak=0.5,layers=1,bidirectional=yes,skip=3") == (
        "RNN, leak 0.5, 1 layer, both directions, skip 3"
    )
    assert display_name("lstm:variant=no_gates") == "LSTM, no gates"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_analysis_takes_every_layer(name):
    for item in layer_traces(SETTINGS[name]().trace(), "model"):
        flow = gradient_flow(item.trace, item.label)
        assert flow.label == item.label
        assert np.isfinite(flow.state.log10).all()
        assert gate_stats(item.trace, item.label).keys() == set(item.trace.cell.GATES)
        assert weight_spectra(item.trace, item.label)
        assert np.isfinite(jacobian_spectrum(item.trace, item.label).singular_values).all()
        if item.trace.cell.MEMORY_GATE is not None:
            assert np.isfinite(memory(item.trace, item.label).half_life).all()
            assert carry_paths(item.trace, item.label).true.log10[-1] == 0


def test_the_last_own_step_is_the_first_one_of_the_input():
    values = np.arange(8).reshape(4, 2)
    assert in_real_time(values, 0) is values
    np.testing.assert_array_equal(in_real_time(values, 1), values[::-1])
    np.testing.assert_array_equal(in_real_time(values, 1, axis=1), values[:, ::-1])


LENGTHS = np.array([6, 9, 2])


def padded(kind: str):
    return replace(problem(kind, T=9, B=3, D=2, H=4), lengths=LENGTHS)


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru"])
def test_norms_of_a_padded_batch_are_means_over_the_sequences_that_have_the_step(kind):
    p = padded(kind)
    flow = gradient_flow(p.trace(), "m")
    alone = []
    for b, n in enumerate(LENGTHS):
        one = slice(b, b + 1)
        states = {name: s[:, one] for name, s in p.states.items()}
        solo = replace(p, x=p.x[:n, :, one], direct=p.direct[:n, :, one], states=states,
                       lengths=None)  # fmt: skip
        alone.append(gradient_flow(solo.trace(), "m"))
    for t in range(10):
        there = [f for f, n in zip(alone, LENGTHS, strict=True) if n >= t]
        squares = [10 ** (2 * f.state.log10[t]) for f in there]
        assert flow.state.log10[t] == pytest.approx(0.5 * np.log10(np.mean(squares)), abs=1e-12)
        units = np.mean([10 ** (2 * f.units[:, t]) for f in there], axis=0)
        np.testing.assert_allclose(flow.units[:, t], 0.5 * np.log10(units), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(state_curve(p.trace()).log10, flow.state.log10)


def test_padding_counts_in_no_statistic_of_a_gate():
    trace = padded("lstm").trace()
    for gate, stats in gate_stats(trace, "m").items():
        values = trace.gates[gate].transpose(0, 2, 1)[trace.present]
        assert stats.mean == pytest.approx(values.mean(), rel=1e-13)
        assert stats.sd == pytest.approx(values.std(), rel=1e-13)
        limit = -0.9 if gate == "g" else 0.1
        np.testing.assert_allclose(stats.left, (values < limit).mean(axis=0))
        assert stats.values.shape == (4, 6)
    f = trace.gates["f"].transpose(0, 2, 1)[trace.present]
    half_life = -np.log(2) / np.log(f).mean(axis=0)
    np.testing.assert_allclose(memory(trace, "m").half_life, half_life, rtol=1e-12)


def test_jacobians_and_carries_end_where_the_sequence_ends():
    trace = padded("lstm").trace()
    assert len(state_jacobians(trace)) == 6
    assert len(state_jacobians(trace, sequence=2)) == 2
    with pytest.raises(ValueError, match="steps must be from 1 to 6, got"):
        state_jacobians(trace, steps=[7])
    assert len(carry_paths(trace, "m").product.log10) == 7
    assert len(carry_paths(trace, "m", sequence=1).product.log10) == 10


def test_a_direct_gradient_counts_with_its_exponent():
    p = problem("gru", T=5, B=2, D=2, H=3)
    record = forward(p.cell, p.params, p.x, **p.states)
    shifted = backward(record, p.direct, direct_log2=np.full((5, 2), 40))
    plain, found = gradient_flow(p.trace(), "m").direct, gradient_flow(shifted, "m").direct
    np.testing.assert_allclose(found.log10[1:] - plain.log10[1:], 40 * np.log10(2), rtol=1e-12)


def test_a_skip_s_zeros_between_its_steps_are_exact():
    flow = gradient_flow(only_a_skip(0.5, 3, 12), "m")
    expected = [Status.FINITE if k % 3 == 0 else Status.ZERO for k in range(13)]
    assert flow.state.status.tolist() == expected


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru"])
def test_what_a_skip_carries_is_reachable(kind):
    p = with_skip(kind, 3)
    direct = np.zeros_like(p.direct)
    direct[-1] = p.direct[-1]
    params = {**p.params, "W_hh": 0 * p.params["W_hh"]}
    trace = bptt(p.cell, params, p.x, direct, **p.states)
    assert (reachable(trace).h | (trace.d_h == 0)).all()
    if kind == "rnn tanh":
        steps_back = reachable(trace).h[::-1].any(axis=(1, 2))
        np.testing.assert_array_equal(steps_back, np.arange(8) % 3 == 0)


def test_the_jacobian_of_a_skip_cell_is_that_of_one_step_back_alone():
    p = with_skip("rnn tanh", 3)
    trace = p.trace()
    slope = 1 - trace.h[1:, :, 0] ** 2
    expected = slope[:, :, None] * p.params["W_hh"]
    np.testing.assert_allclose(state_jacobians(trace), expected, rtol=1e-12, atol=1e-14)


def test_the_error_of_a_layer_that_reads_from_the_end_travels_forward_in_time():
    flow = gradient_flow(chain(0.5, 20), "rnn · ←", direction=1)
    assert [flow.real_step(own) for own in (20, 1)] == [1, 20]
    fields = reach_verdict([flow]).fields
    assert (fields["from_step"], fields["to_step"]) == (1, 20)
    assert gradient_words([flow], {})[0].startswith("Of the error at step 1, ")
    assert "reaches step 20 in the RNN · ←" in gradient_words([flow], {})[0]


def test_steps_at_which_no_sequence_is_left_are_not_drawn_as_zero():
    x, d_h = np.ones((9, 1, 2)), np.zeros((9, 3, 2))
    d_h[[3, 5], :, [0, 1]] = 1
    cell = RNN(1, 3)
    params = cell.init_params(np.random.default_rng(0))
    flow = gradient_flow(backward(forward(cell, params, x, lengths=np.array([4, 6])), d_h), "rnn")
    assert flow.seq_len == 6
    assert flow.units.shape == flow.units_status.shape == (3, 7)
    assert np.isfinite(flow.state.log10).all()
    assert not flow.refilled


def chain(slope: float, T: int):
    """A linear unit that keeps `slope` of its state each step; the loss is at the last step."""
    cell = RNN(1, 1, "identity")
    d_h = np.zeros((T, 1, 1))
    d_h[-1] = 1
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), slope), "b_h": np.zeros(1)}
    return bptt(cell, params, np.ones((T, 1, 1)), d_h)
