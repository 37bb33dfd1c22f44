"""The other claims' measurements: reductions that are exact, identities, closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnviz.claims.clipping import entry_limit, time_profile
from rnnviz.claims.highway import BIASES as FORGET_BIASES
from rnnviz.claims.highway import STEPS, CarryDraw, carry_draw
from rnnviz.claims.reduction import CEILING, SAME, Reduction, reduction
from rnnviz.claims.stability import (
    CORRELATIONS,
    LAMBDAS,
    sensitivity,
    stability_verdict,
    state_power,
    weight_sensitivity,
)
from rnnviz.claims.truncation import Agreement, agreement, cosine
from rnnviz.core import RNN, bptt
from tests.analysis.support import last_step
from tests.claims.support import clipped


@pytest.fixture(scope="module")
def reductions() -> list[Reduction]:
    return [reduction(1, 8, k) for k in range(4)]


def test_open_gates_make_a_network_that_squashes_twice(reductions: list[Reduction]) -> None:
    for r in reductions:
        assert r.twice <= SAME
        assert 0.01 < r.once == pytest.approx(np.abs(r.rnn - r.lstm).max(), rel=1e-12)
        assert r.largest < CEILING == pytest.approx(0.7616, abs=1e-4)


def test_without_the_output_s_tanh_or_as_a_gru_it_is_the_tanh_rnn(
    reductions: list[Reduction],
) -> None:
    assert all(max(r.linear_output, r.gru) <= SAME for r in reductions)


def test_learned_gates_get_there_with_their_biases_alone(reductions: list[Reduction]) -> None:
    for r in reductions:
        lstm, linear, gru = r.by_bias
        assert lstm[-1] == pytest.approx(r.once, rel=1e-6)
        assert max(linear[-1], gru[-1]) < 1e-12
        assert (np.diff(linear[1:5]) < 0).all()
        assert (np.diff(gru[1:5]) < 0).all()


@pytest.fixture(scope="module")
def carries() -> list[CarryDraw]:
    return [carry_draw(0, 32, k) for k in range(4)]


def test_the_highway_is_not_the_truth(carries: list[CarryDraw]) -> None:
    """E10 [NUM]: b_f = 0: 4.2e-10 against 1.3e-15; 1: 1.6e-3 against 2.2e-7; 5: 67.7 against 0.78.
    One other seed: within a decade."""
    stated = {0.0: (4.2e-10, 1.3e-15), 1.0: (1.6e-3, 2.2e-7), 5.0: (67.7, 0.78)}
    assert tuple(d.forget_bias for d in carries) == FORGET_BIASES
    for d in carries:
        assert len(d.true) == len(d.highway) == STEPS + 1
        assert d.highway[-1] == d.true[-1] == 0
        if d.forget_bias in stated:
            true, highway = stated[d.forget_bias]
            assert d.true[0] == pytest.approx(math.log10(true), abs=1.2)
            assert d.highway[0] == pytest.approx(math.log10(highway), abs=1.2)
            assert d.apart == d.true[0] - d.highway[0]


def test_four_carries_share_their_weights() -> None:
    assert carry_draw(0, 4, 4).forget_bias == FORGET_BIASES[0]
    assert carry_draw(0, 4, 4).true[0] != carry_draw(0, 4, 0).true[0]


@pytest.fixture(scope="module")
def agreements() -> list[Agreement]:
    return [agreement(0, 6, k) for k in range(12)]


def test_a_longer_window_comes_nearer_the_full_gradient(agreements: list[Agreement]) -> None:
    means = np.mean([a.cosine for a in agreements], axis=0)
    assert (np.diff(means) > 0).all()
    assert all(abs(a.cosine).max() <= 1 + 1e-12 for a in agreements)
    assert {a.kind for a in agreements} == {"rnn", "lstm", "gru"}
    assert math.isnan(agreements[0].at(3))


def test_truncation_is_right_where_the_error_is_gone(agreements: list[Agreement]) -> None:
    gone = [a for a in agreements if a.growth < -0.3]
    assert gone
    assert all(a.at(50) > 0.9999 for a in gone)


def test_cosine() -> None:
    g = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    assert cosine(g, g) == pytest.approx(1)
    assert cosine(g, {name: -1e300 * value for name, value in g.items()}) == pytest.approx(-1)
    assert cosine(g, {"a": np.array([0.0, 1.0]), "b": np.zeros((1, 1))}) == 0
    assert math.isnan(cosine(g, {"a": np.zeros(2), "b": np.zeros((1, 1))}))


def test_sensitivity_in_closed_form() -> None:
    """E16: λ = 0.9, ρ = 0.5: 13.876 and 778.1; without correlation (1 + λ²)/(1 − λ²)³."""
    assert state_power(0.9, 0.5) == pytest.approx(13.876, abs=1e-3)
    assert weight_sensitivity(0.9, 0.5) == pytest.approx(778.1, abs=0.05)
    assert weight_sensitivity(0.8, 0.0) == pytest.approx(1.64 / 0.36**3)
    assert weight_sensitivity(0.0, 0.7) == 1.0


@pytest.mark.parametrize("number", [0, 4, 11, 12, 20])
def test_samples_agree_with_the_closed_form(number: int) -> None:
    s = sensitivity(2, number)
    assert s.memory == LAMBDAS[number % len(LAMBDAS)]
    assert s.correlation == CORRELATIONS[number // len(LAMBDAS)]
    assert s.sampled_state == pytest.approx(s.state, rel=0.2)
    assert s.sampled_weight == pytest.approx(s.weight, rel=0.2)


def test_the_difference_that_is_told_is_the_largest_of_all_samples() -> None:
    """Of E h², too, which the verdict divides by."""
    found = [sensitivity(0, number) for number in range(len(LAMBDAS) * len(CORRELATIONS))]
    of_state = max(abs(s.sampled_state / s.state - 1) for s in found)
    of_weight = max(abs(s.sampled_weight / s.weight - 1) for s in found)
    assert stability_verdict(found).error == max(of_state, of_weight) == of_state


def test_a_clipped_run_counts_its_gradients() -> None:
    run = clipped([0.5, 3.0, 2.0], [0.5, 1.0, 2.5])
    assert (run.clipped, run.lengthened) == (1, 1)
    assert run.slopes == pytest.approx((-1 / 3, -1 / 3))
    bare = clipped([1.0], [1.0], profile_before=np.full(4, -np.inf))
    assert math.isnan(bare.slopes[0])


def test_the_profile_holds_what_each_step_adds() -> None:
    """C3: of one sequence ‖G_t‖_F = ‖d_a_t‖ ‖h_{t−1}‖, and scaling moves it as it is."""
    rng = np.random.default_rng(0)
    cell = RNN(2, 3)
    params = cell.init_params(rng, init="orthogonal")
    trace = bptt(cell, params, rng.standard_normal((5, 2, 1)), last_step(5, 3))
    found = time_profile(trace)
    each = [
        np.linalg.norm(np.outer(trace.d_gate_values[t, :, 0], trace.h[t, :, 0])) for t in range(5)
    ]
    assert np.isneginf(found[0])
    np.testing.assert_allclose(10.0 ** found[1:], each[1:], rtol=1e-12)
    np.testing.assert_allclose(time_profile(trace, 0.01)[1:], found[1:] - 2, rtol=1e-12)


def test_entry_by_entry_no_gradient_is_longer_than_the_limit() -> None:
    grads = {"a": np.ones((2, 3)), "b": np.ones(10)}
    limit = entry_limit(2.0, grads)
    assert np.linalg.norm(np.full(16, limit)) == pytest.approx(2.0)


@pytest.mark.parametrize("measure", [reduction, carry_draw, agreement])
@pytest.mark.parametrize(("arguments", "named"), [((-1, 4, 0), "seed"), ((0, 0, 0), "hidden_size"),
                                                  ((0, 4, -1), "number")])  # fmt: skip
def test_bad_values_are_named(measure, arguments: tuple[int, int, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        measure(*arguments)


def test_bad_units_are_named() -> None:
    with pytest.raises(ValueError, match="number"):
        sensitivity(0, 99)
    for memory, correlation in ((1.0, 0.0), (-0.1, 0.0), (0.5, 2.0)):
        with pytest.raises(ValueError, match=r"memory|correlation"):
            weight_sensitivity(memory, correlation)
