"""Every loss followed by itself, and what each step contributes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.core import LSTM, backward, bptt, forward
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, simple

T, B, H = 9, 3, 5
GATED = [name for name in EVERY if not name.startswith("rnn")]


@pytest.mark.parametrize("name", EVERY)
def test_each_row_is_a_backward_pass_of_its_own(name):
    p = any_problem(name, T, B, H=H)
    trace, record = p.trace(), forward(p.cell, p.params, p.x, **p.states)
    found = pair_matrix(trace, name)
    assert found.losses.tolist() == list(range(1, T + 1))
    for s in (1, 4, T):
        alone = np.zeros_like(p.direct)
        alone[s - 1] = p.direct[s - 1]
        flow = gradient_flow(backward(record, alone), name)
        upto = slice(0, s + 1)
        np.testing.assert_allclose(found.h[s - 1, upto], flow.h.log10[upto], atol=1e-11)
        if not p.cell.skip:
            np.testing.assert_allclose(found.state[s - 1, upto], flow.state.log10[upto], atol=1e-11)
        assert (found.h_status[s - 1, s + 1 :] == Status.NOT_RECORDED).all()
        assert np.isnan(found.h[s - 1, s + 1 :]).all()


@pytest.mark.parametrize("name", EVERY)
def test_the_losses_add_up_to_the_total_gradient(name):
    """C2's checksum, and a cancellation ratio from 0 to 1."""
    found = pair_matrix(any_problem(name, 30, B, H=H).trace(), name)
    assert found.worst_checksum < 1e-12
    assert (found.cancellation[np.isfinite(found.cancellation)] <= 1 + 1e-12).all()
    assert found.cancellation[-1] == pytest.approx(1)


def test_the_checksum_sees_a_wrong_gradient():
    trace = any_problem("lstm", 20, B).trace()
    wrong = trace.d_h.copy()
    wrong[7, 2, 1] += 1e-6
    found = pair_matrix(replace(trace, d_h=wrong), "m")
    assert np.argmax(found.checksum) == 7
    assert found.checksum[7] > 1e-9


def test_the_checksum_of_single_precision_knows_its_powers_of_two():
    """Beyond float32's range the trace keeps d_h near 1 with a power of two beside it."""
    rng = np.random.default_rng(0)
    trace = simple(0.01 * rng.standard_normal((4, 4)), last_step(40, 4), "tanh")
    params = {name: value.astype(np.float32) for name, value in trace.params.items()}
    single = bptt(trace.cell, params, trace.x.astype(np.float32), last_step(40, 4))
    assert single.h.dtype == np.float32
    assert (single.d_log2 < -200).any()
    assert pair_matrix(single, "m").worst_checksum < 1e-4


@pytest.mark.parametrize("gain", [0.01, 1.0, 50.0])
def test_pairs_over_thousands_of_decades(gain):
    """E1: ‖∂L_s/∂h_k‖ = g^(s−k) ‖e_s‖, losses at four of 600 steps."""
    W, direct = gain * orthogonal(np.random.default_rng(0), 4), np.zeros((600, 4, 1))
    direct[[99, 299, 300, 599]] = 1
    found = pair_matrix(simple(W, direct), "rnn")
    assert found.losses.tolist() == [100, 300, 301, 600]
    k = np.arange(601)
    for s, row in zip(found.losses, found.h, strict=True):
        expected = (s - k[: s + 1]) * np.log10(gain) + np.log10(2)
        np.testing.assert_allclose(row[: s + 1], expected, atol=1e-9)
    assert found.worst_checksum < 1e-11


def test_losses_of_different_sequences_cannot_cancel():
    """Each sequence has one loss, at a step of its own."""
    direct = np.zeros((6, 2, 3))
    for b, t in enumerate((1, 3, 5)):
        direct[t, :, b] = np.random.default_rng(b).standard_normal(2)
    found = pair_matrix(simple(0.5 * np.eye(2), direct), "rnn")
    np.testing.assert_allclose(found.cancellation, np.ones(7), atol=1e-15)


def test_opposite_losses_cancel():
    direct = np.zeros((3, 2, 1))
    direct[1:] = [[[1.0], [0.0]], [[-1.0], [0.0]]]
    found = pair_matrix(simple(np.eye(2), direct), "rnn")
    np.testing.assert_allclose(found.cancellation, [0, 0, 0, 1], atol=1e-15)


def test_padding_leaves_out_what_is_not_there():
    p = any_problem("gru", T, 2, H=H)
    padded = replace(p, lengths=np.array([T, 4])).trace()
    found, whole = pair_matrix(padded, "m"), pair_matrix(p.trace(), "m", sequences=[0])
    np.testing.assert_allclose(found.h[4:], whole.h[4:], atol=1e-12)
    assert found.worst_checksum < 1e-12


@pytest.mark.parametrize("name", ["rnn tanh", "lstm"])
def test_steps_that_no_sequence_has_are_left_out(name):
    padded = replace(any_problem(name, T, 2, H=H), lengths=np.array([T - 3, 4])).trace()
    pairs, sums = pair_matrix(padded, "m"), weight_contributions(padded, "m")
    assert pairs.losses[-1] == T - 3
    for values in (pairs.h, pairs.state, pairs.h_status, pairs.cancellation, pairs.checksum):
        assert values.shape[-1] == T - 3 + 1
    assert not np.isnan(pairs.cancellation).any()
    assert len(sums.log10_norm) == len(sums.log10_each) == len(sums.share) == T - 3
    assert sums.share.sum() == pytest.approx(1, abs=1e-12)
    assert max(sums.checksum, pairs.worst_checksum) < 1e-12


@pytest.mark.parametrize("name", ["lstm", "gru reset_before"])
def test_a_large_batch_is_the_mean_of_its_sequences(name):
    """More sequences and steps than are followed together, some of them shorter."""
    steps, many = 60, 40
    p = any_problem(name, steps, many, H=64)
    lengths = np.full(many, steps)
    lengths[::7] = 25
    trace = replace(p, lengths=lengths).trace()
    found = pair_matrix(trace, "m")
    alone = [pair_matrix(trace, "m", sequences=[b]) for b in range(many)]
    assert np.array_equal(alone[0].losses, np.arange(1, 26))
    square = sum(np.pad(10 ** (2 * one.h), ((0, steps - len(one.h)), (0, 0))) for one in alone)
    having = trace.present.sum(axis=1)[:, None]
    np.testing.assert_allclose(10 ** (2 * found.h), square / having, rtol=1e-11)
    assert max(one.worst_checksum for one in (found, *alone)) < 1e-12


def test_exact_zeros_and_rounded_ones():
    exact = pair_matrix(simple(np.eye(3, k=-1), np.ones((6, 3, 1))), "rnn")
    for row, s in enumerate(exact.losses):
        dead = exact.h_status[row] == Status.ZERO
        assert np.flatnonzero(dead).tolist() == list(range(max(0, s - 2)))
    tanh = simple(np.eye(2), np.ones((4, 2, 1)), "tanh", h0=np.full((2, 1), 1e3))
    tanh = replace(
        tanh, gate_values=np.ones_like(tanh.gate_values), d_h=tanh.d_h_direct[[0, *range(4)]]
    )
    rounded = pair_matrix(tanh, "rnn")
    assert rounded.h_status[3].tolist() == [Status.ROUNDED] * 4 + [Status.FINITE]


def test_a_loss_that_enters_where_nothing_leads_back_is_exactly_zero_there():
    direct = np.zeros((4, 2, 1))
    direct[3, 0], direct[1, 1] = 1, 1
    tanh = simple(np.diag([1.0, 0.0]), direct, "tanh", h0=np.full((2, 1), 1e3))
    tanh = replace(tanh, gate_values=np.ones_like(tanh.gate_values))
    found = pair_matrix(tanh, "rnn")
    assert found.h_status[0, :3].tolist() == [Status.ZERO] * 2 + [Status.FINITE]
    assert found.h_status[1].tolist() == [Status.ROUNDED] * 4 + [Status.FINITE]


def test_a_loss_nowhere_has_no_rows():
    found = pair_matrix(simple(np.eye(2), np.zeros((3, 2, 1))), "rnn")
    assert found.h.shape == (0, 4)
    assert np.isnan(found.worst_checksum)


@pytest.mark.parametrize(("options", "name"), [({"sequences": [B]}, "sequences"),
                                               ({"sequences": []}, "sequences"),
                                               ({"scale": 0.0}, "scale")])  # fmt: skip
def test_wrong_options_are_refused(options, name):
    with pytest.raises(ValueError, match=name):
        pair_matrix(any_problem("gru", T, B).trace(), "m", **options)


@pytest.mark.parametrize("name", EVERY)
def test_contributions_add_up(name):
    """C3: Σ_t G_t = G, shares add up to 1, single sequences cancel at most."""
    trace = any_problem(name, T, B, H=H).trace()
    found = weight_contributions(trace, name)
    assert found.checksum < 1e-12
    assert found.share.sum() == pytest.approx(1, abs=1e-12)
    assert (found.log10_norm <= found.log10_each + 1e-12).all()


def test_a_contribution_is_an_outer_product():
    """C3: with one sequence ‖G_t‖ = ‖α_t‖ ‖h_{t−1}‖, and both norms are the same."""
    trace = any_problem("rnn tanh", T, 1, H=H).trace()
    found = weight_contributions(trace, "rnn")
    alpha, h = (np.linalg.norm(v, axis=1)[:, 0] for v in (trace.d_gates["a"], trace.h[:-1]))
    np.testing.assert_allclose(10**found.log10_norm, alpha * h, rtol=1e-12)
    np.testing.assert_array_equal(found.log10_norm, found.log10_each)
    G = trace.grads["W_hh"]
    G_3 = np.outer(trace.d_gates["a"][3, :, 0], trace.h[3, :, 0])
    assert found.share[3] == pytest.approx((G_3 * G).sum() / (G * G).sum())


def test_every_step_of_a_scalar_net_contributes_the_same():
    """E5: w^(2T−1) from each step, though ‖δ_t‖ falls by w a step."""
    w, steps = 0.5, 400
    forward_only = simple(np.array([[w]]), np.zeros((steps, 1, 1)), h0=np.ones((1, 1)))
    direct = np.zeros((steps, 1, 1))
    direct[-1] = forward_only.h[-1]
    found = weight_contributions(simple(np.array([[w]]), direct, h0=np.ones((1, 1))), "rnn")
    np.testing.assert_allclose(found.log10_norm, (2 * steps - 1) * np.log10(w), atol=1e-9)
    np.testing.assert_allclose(found.share, 1 / steps, rtol=1e-12)


def test_contributions_of_an_explosion_beyond_float64():
    found = weight_contributions(
        simple(np.array([[8.0]]), last_step(500, 1), h0=np.full((1, 1), 1e-200)), "rnn"
    )
    np.testing.assert_allclose(found.log10_norm, 499 * np.log10(8) - 200, atol=1e-9)
    assert found.share.sum() == pytest.approx(1, abs=1e-12)


def test_the_first_contribution_from_rest_is_exactly_zero():
    cell, rng = LSTM(2, 4), np.random.default_rng(0)
    trace = bptt(cell, cell.init_params(rng), rng.standard_normal((5, 2, 1)), np.ones((5, 4, 1)))
    assert weight_contributions(trace, "lstm").log10_norm[0] == -np.inf
