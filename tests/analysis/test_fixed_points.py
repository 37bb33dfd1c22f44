"""Fixed points of networks with a constant input, against closed forms and against the step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis import limits
from rnnviz.analysis.fixed_points import (
    fixed_points,
    principal_plane,
    starts_for,
    visited_states,
)
from rnnviz.core import GRU, LSTM, RNN, bptt, forward
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, quiet_lstm, simple


def calm(name):
    """A random network whose weights are small."""
    problem = any_problem(name, 12, H=3)
    params = {key: 0.4 * value for key, value in problem.params.items()}
    return replace(problem, params=params).trace()


def test_one_tanh_unit_of_weight_2_has_three():
    """h = tanh(2h): 0, where the slope is 2, and ±0.9575, where it is 2 (1 − h²)."""
    found = fixed_points(simple(np.array([[2.0]]), last_step(5, 1), "tanh"), "rnn")
    outer = 0.957504024077  # by bisection of tanh(2h) − h
    np.testing.assert_allclose(np.sort(found.points.ravel()), [-outer, 0, outer], atol=1e-12)
    assert found.kinds == ["stable", "stable", "unstable"]
    np.testing.assert_allclose(found.radii, [2 * (1 - outer**2)] * 2 + [2], rtol=1e-10)
    assert (found.residuals < 1e-15).all()
    assert found.ended == found.starts


def test_two_units_have_the_products_of_one_unit_s():
    """Nine: four stable corners, four saddles, and 0, from which both directions grow."""
    found = fixed_points(simple(2 * np.eye(2), last_step(5, 2), "tanh"), "rnn")
    assert found.kinds == ["stable"] * 4 + ["saddle"] * 4 + ["unstable"]
    assert found.growing.tolist() == [0] * 4 + [1] * 4 + [2]


@pytest.mark.parametrize("value", [0.0, 1.5, -3.0])
def test_a_linear_network_rests_where_its_equation_says(value):
    rng = np.random.default_rng(2)
    W, U, b = 0.2 * rng.standard_normal((5, 5)), rng.standard_normal((5, 2)), rng.standard_normal(5)
    params = {"W_xh": U, "W_hh": W, "b_h": b}
    trace = bptt(RNN(2, 5, "identity"), params, np.zeros((4, 2, 1)), last_step(4, 5))
    found = fixed_points(trace, "rnn", value)
    true = np.linalg.solve(np.eye(5) - W, U.sum(axis=1) * value + b)
    np.testing.assert_allclose(found.points, true[None], rtol=1e-12)
    np.testing.assert_allclose(
        found.radii, np.abs(np.linalg.eigvals(W)).max(keepdims=True), rtol=1e-12
    )
    assert found.value == value


def test_the_nilpotent_example_has_its_saddle():
    """L1: at (0, 1/2) the Jacobian [[8, 8], [−6, −6]] has the eigenvalues 2 and 0."""
    params = {
        "W_xh": np.zeros((2, 1)),
        "W_hh": np.array([[8.0, 8.0], [-8.0, -8.0]]),
        "b_h": np.array([-4, np.arctanh(0.5) + 4]),
    }
    found = fixed_points(bptt(RNN(1, 2), params, np.zeros((9, 1, 1)), last_step(9, 2)), "rnn")
    (at,) = np.flatnonzero(np.array(found.kinds) == "saddle")
    np.testing.assert_allclose(found.points[at], [0, 0.5], atol=1e-12)
    np.testing.assert_allclose(found.eigenvalues[at], [2, 0], atol=1e-12)


def test_a_quiet_lstm_s_cell_fades_by_its_gate():
    """E9, W_hh = 0, f = σ(2): c = f c has 0 alone, with f and 0 as eigenvalues."""
    found = fixed_points(quiet_lstm(5, 3, 2.0), "lstm")
    np.testing.assert_allclose(found.points, np.zeros((1, 6)), atol=1e-10)
    f = 1 / (1 + np.exp(-2.0))
    np.testing.assert_allclose(found.eigenvalues[0], [f] * 3 + [0] * 3, atol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_found_stays_where_it_is(name):
    """The cell's own forward pass, ten steps with the input held. Without a forget gate (f = 1) a
    cell state that is fed grows on and on: there is nothing to be found, also where it shuts the
    input gate through a peephole and is slow from then on."""
    trace = calm(name)
    found = fixed_points(trace, name, 0.3)
    cell, n = trace.cell, len(found.points)
    assert bool(n) is ("nfg" not in name)
    assert bool(found.slow) is (name == "lstm nfg peepholes")
    if not n:
        return
    h, c = found.points[:, :3].T, found.points[:, 3:].T
    h0 = np.repeat(h[None], cell.skip, axis=0) if cell.skip else h
    x = np.full((10, cell.input_size, n), 0.3)
    after = forward(cell, trace.params, x, h0=h0, c0=c if cell.HAS_CELL_STATE else None)
    slack = 1e-9 * np.maximum(found.radii, 1) ** 10
    assert (np.abs(after.h[-1] - h).max(axis=0) <= slack).all()
    if cell.HAS_CELL_STATE:
        assert (np.abs(after.c[-1] - c).max(axis=0) <= slack).all()


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn tanh", "rnn skip", "lstm peepholes"])
def test_eigenvalues_are_those_of_finite_differences(name):
    trace = calm(name)
    found = fixed_points(trace, name)
    assert len(found.points)
    cell, point = trace.cell, found.points[0]
    own, older = len(point), max(cell.skip - 1, 0)
    whole = np.concatenate([point, *[point[:3]] * older])

    def step(states):
        blocks = [states[:3], *(states[own + 3 * k : own + 3 * k + 3] for k in range(older))]
        h0 = np.stack(blocks[::-1]) if cell.skip else states[:3]
        c0 = states[3:own] if cell.HAS_CELL_STATE else None
        x = np.zeros((1, cell.input_size, states.shape[1]))
        record = forward(cell, trace.params, x, h0=h0, c0=c0)
        new = [record.h[1]] + ([] if c0 is None else [record.c[1]])
        return np.concatenate([*new, *blocks[:-1]] if cell.skip else new)

    tiny = 1e-6 * np.eye(len(whole))
    J = (step(whole[:, None] + tiny) - step(whole[:, None] - tiny)) / 2e-6
    np.testing.assert_allclose(
        np.sort(np.abs(np.linalg.eigvals(J)))[::-1], np.abs(found.eigenvalues[0]), atol=1e-3
    )


def test_the_older_states_of_a_skip_rest_with_the_state():
    """h ↦ h/2 + 3 h_{t−2} + 1: at −0.4, where λ² = λ/2 + 3 has the roots 2 and −1.5."""
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.full((1, 1), 0.5),
              "W_skip": np.full((1, 1), 3.0), "b_h": np.ones(1)}  # fmt: skip
    cell = RNN(1, 1, "identity", skip=2)
    found = fixed_points(bptt(cell, params, np.zeros((4, 1, 1)), last_step(4, 1)), "rnn")
    np.testing.assert_allclose(found.points, [[-0.4]], rtol=1e-12)
    np.testing.assert_allclose(found.eigenvalues, [[2, -1.5]], rtol=1e-12)
    assert found.ended == found.starts


def test_where_a_held_network_comes_to_rest_is_a_start():
    """From 0.1 Newton's method goes to 0; tanh(2h), again and again, to 0.9575."""
    trace = simple(np.array([[2.0]]), last_step(1, 1), "tanh", h0=np.array([[0.1]]))
    found = fixed_points(trace, "rnn", starts=3)
    assert np.isclose(found.points, 0.957504024077).any()


def test_what_may_be_rounding_is_no_fixed_point():
    """(1 + 10⁻¹³) h + 1 moves −10¹³ by nothing that float64 is sure of."""
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.full((1, 1), 1 + 1e-13), "b_h": np.ones(1)}
    trace = bptt(RNN(1, 1, "identity"), params, np.zeros((4, 1, 1)), last_step(4, 1))
    assert fixed_points(trace, "rnn").ended == 0


def test_a_map_without_a_fixed_point_has_none_found():
    """h ↦ h + 1."""
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.eye(1), "b_h": np.ones(1)}
    trace = bptt(RNN(1, 1, "identity"), params, np.zeros((4, 1, 1)), last_step(4, 1))
    found = fixed_points(trace, "rnn", starts=20)
    assert (found.starts, found.ended, found.kinds) == (20, 0, [])
    assert found.points.shape == (0, 1)


def test_a_root_that_is_no_simple_one_is_one_and_marginal():
    """h = tanh(h): a threefold root, to which Newton's method comes slowly."""
    found = fixed_points(simple(np.eye(2), last_step(5, 2), "tanh"), "rnn")
    assert found.kinds == ["marginal"]
    np.testing.assert_allclose(found.points, 0, atol=1e-6)


def test_an_eigenvalue_near_1_is_on_its_side_of_it():
    found = fixed_points(simple((1 + 5e-7) * np.eye(2), last_step(5, 2)), "rnn")
    assert (found.kinds, found.growing.tolist()) == (["unstable"], [2])
    found = fixed_points(simple((1 - 5e-7) * np.eye(2), last_step(5, 2)), "rnn")
    assert (found.kinds, found.growing.tolist()) == (["stable"], [0])


def relu(W, b=0.0):
    params = {"W_xh": np.zeros((len(W), 1)), "W_hh": W, "b_h": np.full(len(W), b)}
    cell = RNN(1, len(W), "relu")
    return bptt(cell, params, np.zeros((5, 1, 1)), last_step(5, len(W)))


@pytest.mark.parametrize("W", [2 * np.eye(2), np.eye(2), 0.5 * np.eye(2)])
def test_a_point_on_a_kink_has_no_eigenvalues_and_is_neither_stable_nor_unstable(W):
    """F(ε) = 2ε, ε or ε/2 for ε > 0, and 0 below."""
    found = fixed_points(relu(W), "rnn")
    at = int(np.flatnonzero((found.points == 0).all(axis=1))[0])
    assert found.kinds[at] == "kink"
    assert np.isnan(found.eigenvalues[at]).all()
    assert found.growing[at] == 0
    assert "stable" not in found.kinds


def test_a_point_beside_the_kink_and_a_unit_that_nothing_moves_have_eigenvalues():
    """h = ReLU(h/2 + 1): 2. And with no weight at all ReLU(0) = 0 is there for every state."""
    found = fixed_points(relu(0.5 * np.eye(2), 1.0), "rnn")
    assert found.kinds == ["stable"]
    np.testing.assert_allclose(found.eigenvalues, [[0.5, 0.5]])
    assert fixed_points(relu(np.zeros((2, 2))), "rnn").kinds == ["stable"]


def test_a_hard_sigmoid_has_two_kinks():
    """b_o = 2.5: o = 1 from there on, with the slope 0.2 below."""
    cell = LSTM(1, 1, gate_activation="hard_sigmoid")
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][cell.gate_rows("o")] = 2.5
    params["W_hh"][cell.gate_rows("o")] = 1.0
    found = fixed_points(bptt(cell, params, np.zeros((4, 1, 1)), last_step(4, 1)), "lstm")
    assert found.kinds == ["kink"]
    params = {**params, "b_h": params["b_h"] * 0.9}
    found = fixed_points(bptt(cell, params, np.zeros((4, 1, 1)), last_step(4, 1)), "lstm")
    assert found.kinds == ["stable"]


@pytest.mark.parametrize("options", [{}, {"reset": "before"}, {"skip": 3}])
def test_a_gru_rests_nowhere_but_where_its_candidate_is(options):
    """h = (1 − z) n + z h and 1 − z > 0: h = n, |h| < 1. Where z is rounded to 1 it is slow."""
    cell, left_out = GRU(2, 2, **options), 0
    for seed in range(4):
        params = cell.init_params(np.random.default_rng(seed), gain=4.0)
        trace = bptt(cell, params, np.zeros((9, 2, 1)), last_step(9, 2))
        found = fixed_points(trace, "gru")
        assert len(found.points)
        assert (np.abs(found.points) < 1).all()
        assert found.ended + found.slow <= found.starts
        left_out += found.slow
    assert left_out


def test_a_unit_that_leaks_little_rests_only_where_its_nonlinearity_would_have_it():
    """(1 − α) h + α tanh(2h + 1) with α = 1e−15 moves nothing by more than 1e−14."""
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.full((1, 1), 2.0), "b_h": np.ones(1)}
    trace = bptt(RNN(1, 1, leak=1e-15), params, np.zeros((4, 1, 1)), last_step(4, 1))
    found = fixed_points(trace, "rnn")
    assert found.slow
    assert (np.abs(np.tanh(2 * found.points + 1) - found.points) < 1e-5).all()


def test_where_every_state_rests_each_start_is_its_own():
    found = fixed_points(simple(np.eye(2), last_step(5, 2)), "rnn", starts=9)
    assert found.ended == 9
    assert set(found.kinds) == {"marginal"}


def test_the_same_seed_finds_the_same_and_a_run_that_overflows_is_searched_too():
    trace = simple(1e80 * np.eye(2), last_step(9, 2), h0=np.ones((2, 1)))
    one, other = (fixed_points(trace, "rnn") for _ in range(2))
    np.testing.assert_array_equal(one.points, other.points)
    assert not np.isfinite(visited_states(trace, 0)).all() or len(visited_states(trace, 0)) == 1
    assert one.kinds == ["unstable"]


def test_float32_weights_are_searched_in_float64():
    cell = GRU(2, 4)
    params = cell.init_params(np.random.default_rng(0), dtype=np.float32)
    trace = bptt(cell, params, np.zeros((4, 2, 1), np.float32), np.zeros((4, 4, 1), np.float32))
    assert fixed_points(trace, "gru").residuals.max() < 1e-14


def test_what_is_wrong_or_too_large_is_said(monkeypatch):
    trace = any_problem("lstm", 4).trace()
    with pytest.raises(ValueError, match="value"):
        fixed_points(trace, "lstm", np.nan)
    with pytest.raises(ValueError, match="starts"):
        fixed_points(trace, "lstm", starts=2)
    monkeypatch.setattr(limits, "MAX_SECONDS", 1e-9)
    with pytest.raises(ValueError, match=r"The fixed points would take about .* Take fewer units"):
        fixed_points(trace, "lstm")


def test_fewer_starts_where_the_state_is_large():
    assert starts_for(RNN(1, 8)) == 128
    assert starts_for(LSTM(1, 64)) == 36
    assert starts_for(LSTM(1, 1024)) == 6


def test_the_plane_of_a_run_is_numpy_s_svd():
    path = visited_states(any_problem("lstm", 30, H=4).trace(), 1)
    assert path.shape == (31, 8)
    plane = principal_plane(path)
    variances = np.linalg.eigvalsh(np.cov(path.T))[::-1]
    np.testing.assert_allclose(plane.shares, variances[:2] / variances.sum(), rtol=1e-12)
    way = plane.project(path)
    np.testing.assert_allclose(way.var(axis=0, ddof=1), variances[:2], rtol=1e-12)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(way.mean(axis=0), 0, atol=1e-14)


def test_a_single_unit_and_a_state_that_never_moves_have_a_plane_too():
    line = principal_plane(np.array([[0.0], [2.0]]))
    assert line.shares.tolist() == [1, 0]
    assert line.project(np.array([[3.0]])).tolist() == [[2, 0]]
    assert principal_plane(np.ones((3, 2))).shares.tolist() == [0, 0]


def test_padding_is_no_state():
    trace = replace(any_problem("gru", 8), lengths=np.array([8, 5])).trace()
    assert len(visited_states(trace)) == 9 + 6
    assert len(visited_states(trace, 1)) == 6
