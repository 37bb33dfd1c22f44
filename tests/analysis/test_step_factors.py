"""Each step of the state gradient, split: factors that multiply to the curve, paths that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.jacobian.sequence import state_jacobians
from rnnviz.analysis.step_factors import StepFactors, step_factors
from rnnviz.core import LSTM, RNN, Trace, bptt
from rnnviz.core.trace import cell_carry
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, quiet_lstm, simple
from tests.toycell import Leaky

Array = np.ndarray
T, B, H = 9, 3, 5


def telescopes(found: StepFactors, trace: Trace) -> None:
    """Within 1e-9 decades, at every step and over all of them."""
    state = state_curve(trace).log10
    decades = np.sum([*found.factors.values()], axis=0)
    np.testing.assert_allclose(decades, state[:-1] - state[1:], rtol=0, atol=1e-9)
    assert abs(decades.sum() - (state[0] - state[-1])) < 1e-9 * len(decades)
    np.testing.assert_array_equal(found.change, state[:-1] - state[1:])


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("loss_at", ["every", "last"])
def test_factors_multiply_to_the_curve_and_shares_add_up_to_1(name: str, loss_at: str) -> None:
    problem = any_problem(name, T, B, H=H)
    if loss_at == "last":
        direct = last_step(T, H, B, value=problem.direct[-1])
        problem = replace(problem, direct=direct)
    trace = problem.trace()
    found = step_factors(trace, name)
    telescopes(found, trace)
    if found.shares:
        together = np.sum([*found.shares.values()], axis=0)
        np.testing.assert_allclose(together, np.ones(T), rtol=0, atol=1e-12)
    if loss_at == "last":
        np.testing.assert_array_equal(found.factors["entering"], np.zeros(T))


def test_so_for_a_cell_that_was_added() -> None:
    cell, rng = Leaky(2, H), np.random.default_rng(0)
    x = rng.standard_normal((T, 2, B))
    trace = bptt(cell, cell.init_params(rng), x, rng.standard_normal((T, H, B)))
    found = step_factors(trace, "leaky")
    telescopes(found, trace)
    assert set(found.shares) == {"carry", "output", "f", "g", "entering"}
    np.testing.assert_allclose(np.sum([*found.shares.values()], axis=0), 1, rtol=0, atol=1e-12)


def test_and_for_sequences_of_different_lengths() -> None:
    for name in ("rnn tanh", "lstm", "gru"):
        problem = replace(any_problem(name, T, B, H=H), lengths=np.array([T, 4, 6]))
        trace = problem.trace()
        telescopes(step_factors(trace, name), trace)


def test_steps_that_no_sequence_has_are_left_out() -> None:
    for name in ("rnn tanh", "lstm"):
        problem = any_problem(name, T, B, H=H)
        trace = replace(problem, lengths=np.array([6, 4, 6])).trace()
        found = step_factors(trace, name)
        telescopes(found, trace)
        for values in (found.change, *found.factors.values(), *found.shares.values()):
            assert len(values) == 6
            assert np.isfinite(values).all()


def test_a_sequence_without_a_loss_is_one_more_to_take_the_mean_over() -> None:
    problem = replace(any_problem("lstm", T, 2, H=H), lengths=np.array([T, 4]))
    direct = last_step(T, H, 2, value=np.array([1.0, 0.0]))
    trace = replace(problem, direct=direct).trace()
    found = step_factors(trace, "lstm")
    alone = step_factors(replace(any_problem("lstm", T, 2, H=H), direct=trace.d_h_direct).trace(),
                         "lstm")  # fmt: skip
    telescopes(found, trace)
    np.testing.assert_allclose(found.factors["passed"], alone.factors["passed"], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "scale", "span"),
    [("rnn identity", 1e-5, 5000), ("rnn identity", 100.0, 5000), ("lstm linear", 0.01, 4000),
     ("gru", 0.01, 4000), ("rnn leaky identity", 100.0, 3500)],
)  # fmt: skip
def test_over_thousands_of_decades(name: str, scale: float, span: float) -> None:
    """The error of a second loss enters where the first one's is all but gone."""
    steps = 2500
    problem = any_problem(name, steps, 2, H=3)
    params = {k: v * (scale if k == "W_hh" else 0.1) for k, v in problem.params.items()}
    params |= {"b_h": np.full_like(params["b_h"], -8.0 if scale < 1 else 0.0)}
    direct = last_step(steps, 3, 2)
    direct[steps // 2] = 1e-3
    trace = replace(problem, params=params, direct=direct, x=0 * problem.x).trace()
    assert np.ptp(state_curve(trace).log10) > span
    found = step_factors(trace, name)
    telescopes(found, trace)
    if found.shares:
        np.testing.assert_allclose(np.sum([*found.shares.values()], axis=0), 1, atol=1e-9)


def of_gates(trace: Trace, *gates: str) -> Array:
    """∂s_t/∂s_{t−1} of the same gate values with the weights of these gates alone, (T, S, S)."""
    W_hh = trace.params["W_hh"].copy()
    for gate in set(trace.cell.trainable_gates) - set(gates):
        W_hh[trace.cell.gate_rows(gate)] = 0
    return state_jacobians(replace(trace, params={**trace.params, "W_hh": W_hh}))


@pytest.mark.parametrize("name", ["rnn leaky tanh", "lstm", "lstm cifg", "gru",
                                  "gru reset_before"])  # fmt: skip
def test_shares_are_those_of_dense_jacobians(name: str) -> None:
    """Of one sequence: ⟨Jᵀ s_t, s_{t−1}⟩ / ‖s_{t−1}‖², J with all weights but a gate's at 0."""
    problem = replace(any_problem(name, T, 1, H=H), direct=last_step(T, H))
    trace = problem.trace()
    found = step_factors(trace, name)
    carry = cell_carry(trace)
    s = trace.d_h[:, :, 0]
    if carry is not None:
        s = np.concatenate([s, np.append(carry[0], np.zeros((1, H, 1)), axis=0)[:, :, 0]], axis=1)
    none = of_gates(trace)
    paths = {gate: of_gates(trace, gate) - none for gate in trace.cell.trainable_gates}
    if name == "gru reset_before":  # r is felt through W_hn alone
        paths["r"] = of_gates(trace, "r", "n") - none - paths["n"]
    if carry is not None:
        paths["output"], paths["carry"] = none.copy(), none.copy()
        paths["output"][:, :, :H] *= 0
        paths["carry"][:, :, :H] *= 0
        paths["output"][:, H:] *= 0
        paths["carry"][:, :H] *= 0
    else:
        paths["leak" if name.startswith("rnn") else "carry"] = none
    assert set(paths) == set(found.shares) - {"entering"}
    for path, J in paths.items():
        sent = np.einsum("tij,ti->tj", J, s[1:])
        wanted = (sent * s[:-1]).sum(axis=1) / (s[:-1] ** 2).sum(axis=1)
        np.testing.assert_allclose(found.shares[path], wanted, rtol=0, atol=1e-9, err_msg=path)


def test_a_simple_cell_against_its_dense_jacobian() -> None:
    """slope, weight and direction by the issue's own formulas, of a batch."""
    trace = any_problem("rnn tanh", T, B, H=H).trace()
    W, v = trace.params["W_hh"], trace.d_h[1:]
    behind = (1 - trace.h[1:] ** 2) * v
    sent = np.einsum("ij,tib->tjb", W, behind)
    rms = [np.sqrt((each**2).sum(axis=1).mean(axis=1)) for each in (v, behind, sent)]
    weight = np.linalg.norm(W) / np.sqrt(H)
    wanted = {
        "slope": rms[1] / rms[0],
        "weight": np.full(T, weight),
        "direction": rms[2] / (rms[1] * weight),
    }
    found = step_factors(trace, "rnn").factors
    for name, values in wanted.items():
        np.testing.assert_allclose(10 ** found[name], values, rtol=1e-12)


def test_error_that_enters_is_a_factor_and_a_path_of_its_own() -> None:
    """1, then 1 + 1/2, then 1 + 3/4."""
    trace = simple(np.array([[0.5]]), np.ones((3, 1, 1)))
    found = step_factors(trace, "rnn")
    np.testing.assert_allclose(10 ** found.factors["entering"], [1, 1.75 / 0.75, 3], rtol=1e-12)
    np.testing.assert_allclose(10 ** found.factors["weight"], 0.5, rtol=1e-12)
    cell = RNN(1, 1, "identity", leak=0.5)
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.ones((1, 1)), "b_h": np.zeros(1)}
    leaky = step_factors(bptt(cell, params, np.zeros((2, 1, 1)), np.ones((2, 1, 1))), "rnn")
    shares = {name: share.tolist() for name, share in leaky.shares.items()}
    assert shares == {"leak": [0.5, 0.25], "a": [0.5, 0.25], "entering": [0.0, 0.5]}


def test_there_is_nothing_to_split_before_the_loss_and_after_the_end_of_error() -> None:
    """A shift register of three units, its loss one step before the end."""
    direct = np.zeros((7, 3, 1))
    direct[5] = 1
    found = step_factors(simple(np.eye(3, k=-1), direct), "rnn")
    assert found.start == 6
    assert np.isfinite(found.change).tolist() == [False] * 4 + [True, True, False]
    assert found.change[3] == -np.inf or np.isnan(found.change[3])
    assert np.isnan(found.mean("slope"))


def test_a_quiet_lstm_carries_all() -> None:
    found = step_factors(quiet_lstm(50, 2, 3.0), "lstm")
    np.testing.assert_allclose(found.shares["carry"][:-1], 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.shares["output"][-1], 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.factors["passed"][:-1], -np.log10(1 + np.exp(-3)), atol=1e-12)


def test_a_loss_that_reads_the_cell_state_enters() -> None:
    cell, rng = LSTM(2, H), np.random.default_rng(1)
    x, direct = rng.standard_normal((T, 2, B)), rng.standard_normal((T, H, B))
    trace = bptt(cell, cell.init_params(rng), x, direct, d_c_direct=direct[::-1])
    found = step_factors(trace, "lstm")
    telescopes(found, trace)
    np.testing.assert_allclose(np.sum([*found.shares.values()], axis=0), 1, rtol=0, atol=1e-12)
