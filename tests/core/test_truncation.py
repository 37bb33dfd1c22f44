"""Truncated backpropagation: what it is a sum of, and how far it can lead astray (E15)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import RNN, backward, forward
from rnnviz.core.trace import cell_carry
from rnnviz.core.truncation import truncated_backward
from tests.core.support import KINDS, Problem, emptied, over_time, problem, recorded, same
from tests.core.test_skips import with_skip
from tests.core.variants import VARIANTS, variant_problem

T, B = 11, 3


def record_of(p: Problem):
    x = emptied(p.x, p.lengths)
    return forward(p.cell, p.params, x, lengths=p.lengths, **p.states)


def make(kind: str) -> Problem:
    return with_skip("lstm", 3, T) if kind == "lstm skip" else problem(kind, T, B, D=2, H=3)


CELLS = [*KINDS, "lstm skip"]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("window", [T, T + 5])
def test_a_window_of_the_whole_sequence_is_the_full_gradient_bit_for_bit(kind, window):
    p = make(kind)
    same(truncated_backward(record_of(p), p.direct, window, stride=4), p.trace())


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("stride", [1, 10])
def test_windows_that_all_reach_the_first_step_sum_to_the_full_gradient(kind, stride):
    """No loss at the last step, so that the last window, which starts at step 1, has none."""
    p = make(kind)
    direct = p.direct.copy()
    direct[-1] = 0
    found = recorded(truncated_backward(record_of(p), direct, T - 1, stride))
    for name, expected in recorded(replace(p, direct=direct).trace()).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("window", "stride"), [(4, 4), (4, 2), (3, 1), (1, 1), (10, 3)])
@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru"])
def test_each_window_is_a_run_of_its_own_from_the_state_before_it(kind, window, stride):
    """The definition: the states before a window are constants."""
    p = problem(kind, T, B, D=2, H=3)
    record, expected, done = record_of(p), {}, 0
    for stop in (*range(stride, T, stride), T):
        start = max(0, stop - window)
        direct = p.direct[start:stop].copy()
        direct[: done - start] = 0
        states = {"h0": record.h[start]} | ({} if record.c is None else {"c0": record.c[start]})
        part = replace(p, x=p.x[start:stop], direct=direct, states=states).trace()
        for name, gradient in part.grads.items():
            expected[name] = expected.get(name, 0) + gradient
        d_h = expected.setdefault("d_h", np.zeros_like(record.h))
        d_h[start : stop + 1] += part.d_h
        done = stop
    found = truncated_backward(record, p.direct, window, stride)
    for name, gradient in found.grads.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.d_h, expected["d_h"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("stride", [0, 4, 7, 1000])
def test_a_stride_of_0_or_above_the_window_means_the_window(stride):
    p = problem("gru", T, B, D=2, H=3)
    same(truncated_backward(record_of(p), p.direct, 4, stride),
         truncated_backward(record_of(p), p.direct, 4, 4))  # fmt: skip


def test_nothing_crosses_a_window():
    """A loss at step 8 of windows that end at 4, 8 and 11 reaches steps 5 to 8 alone."""
    p = problem("lstm", T, B, D=2, H=3)
    direct = np.zeros_like(p.direct)
    direct[7] = 1
    found = truncated_backward(record_of(p), direct, window=4)
    reached = found.d_gate_values.any(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(reached), [4, 5, 6, 7])


def test_of_padded_sequences_each_is_as_if_alone():
    lengths = np.array([3, 11, 8])
    p = replace(problem("lstm", T, B, D=2, H=3), lengths=lengths)
    found = over_time(truncated_backward(record_of(p), p.direct, 4, 2))
    for b, n in enumerate(lengths):
        one = slice(b, b + 1)
        direct = p.direct[:, :, one].copy()
        direct[n:] = 0
        states = {name: value[:, one] for name, value in p.states.items()}
        solo = replace(p, x=p.x[:, :, one], direct=direct, states=states, lengths=None)
        expected = truncated_backward(record_of(solo), direct, 4, 2)
        np.testing.assert_allclose(found["d_h"][: n + 1, :, one], expected.d_h[: n + 1], rtol=1e-11)
        assert (found["d_h"][n + 1 :, :, b] == 0).all()


@pytest.mark.parametrize("w", [1e-90, 1e90])
def test_gradients_outside_the_range_are_summed_with_their_exponents(w):
    """∂L/∂h_t summed over windows of 5 steps, one loss a step: Σ_j w^j, j up to 4 and more."""
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[w]]), "b_h": np.zeros(1)}
    record = forward(RNN(1, 1, "identity"), params, np.zeros((12, 1, 1)))
    found = truncated_backward(record, np.ones((12, 1, 1)), window=5, stride=1)
    log10 = np.log10(found.d_h[:, 0, 0]) + found.d_log2[:, 0, 0] * np.log10(2.0)
    steps = np.minimum(12 - np.arange(13), 5)  # how far back the furthest loss comes from
    expected = steps * 90.0 if w > 1 else np.where(np.arange(13) > 0, 0.0, -90.0)
    np.testing.assert_allclose(log10, expected, rtol=1e-12, atol=1e-12)


def test_direct_gradients_may_come_with_exponents():
    p = problem("gru", T, B, D=2, H=3)
    record, log2 = record_of(p), np.full((T, B), -4)
    found = truncated_backward(record, np.ldexp(p.direct, 4), 4, 2, direct_log2=log2)
    expected = truncated_backward(record, p.direct, 4, 2)
    for name in ("d_h", "d_gate_values", "d_x"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)


N = 23
V = np.where(np.arange(N) < 10, 1.0, -1.0)


def influence(window: int) -> float:
    """∂s_1/∂θ of s ← A s + θ v after 150 steps, as `window` steps of truncation give it."""
    A = 0.5 * np.eye(N) + 0.5 * np.eye(N, k=1)
    params = {"W_xh": 0.5 * V[:, None], "W_hh": A, "b_h": np.zeros(N)}
    direct = np.zeros((150, N, 1))
    direct[-1, 0] = 1
    record = forward(RNN(1, N, "identity"), params, np.ones((150, 1, 1)), h0=np.ones((N, 1)))
    return (V @ truncated_backward(record, direct, window).grads["W_xh"]).item()


@pytest.mark.parametrize(
    ("window", "expected"),
    [(1, 1), (10, 10), (20, 16.476059), (30, 9.869932), (50, -4.752671), (100, -6), (150, -6)],
)
def test_e15_influence_balancing(window, expected):
    assert influence(window) == pytest.approx(expected, abs=5e-4 if window == 100 else 5e-7)


def test_e15_truncation_up_to_40_steps_has_the_wrong_sign():
    assert all(influence(window) > 0 for window in range(1, 41))
    assert influence(41) < 0
    assert influence(150) < 0


@pytest.mark.parametrize(("window", "stride"), [(0, 0), (-1, 0), (4, -1), (2.5, 0), (4, True)])
def test_bad_windows_are_refused(window, stride):
    p = problem("gru", T, B, D=2, H=3)
    with pytest.raises(ValueError, match=r"window|stride"):
        truncated_backward(record_of(p), p.direct, window, stride)


def test_a_wrong_direct_gradient_is_refused():
    p = problem("gru", T, B, D=2, H=3)
    for find in (backward, lambda *a, **k: truncated_backward(*a, window=4, **k)):
        with pytest.raises(ValueError, match="d_h_direct must have shape"):
            find(record_of(p), p.direct[1:])
        with pytest.raises(ValueError, match="direct_log2 must be integers of shape"):
            find(record_of(p), p.direct, direct_log2=np.zeros((T, B)))


@pytest.mark.parametrize("name", ["lstm", "lstm peepholes", "lstm noaf"])
@pytest.mark.parametrize(("window", "stride"), [(4, 4), (4, 2), (1, 1)])
def test_nothing_is_carried_across_the_beginning_of_a_window(name, window, stride):
    """The carry of the sum is the sum of the windows' own carries."""
    p = variant_problem(name, T, B, 2, 3) if name in VARIANTS else problem(name, T, B, D=2, H=3)
    record, done = record_of(p), 0
    expected = np.zeros((T, 3, B))
    for stop in (*range(stride, T, stride), T):
        start = max(0, stop - window)
        direct = p.direct[start:stop].copy()
        direct[: done - start] = 0
        states = {"h0": record.h[start], "c0": record.c[start]}
        part = replace(p, x=p.x[start:stop], direct=direct, states=states).trace()
        expected[start:stop] += cell_carry(part)[0]
        done = stop
    found = cell_carry(truncated_backward(record, p.direct, window, stride))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)
