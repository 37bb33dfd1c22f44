"""Closed forms against their published digits, against quadrature, and against random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnviz.analysis import theory
from rnnviz.analysis.jacobian.sequence import state_jacobians
from rnnviz.core.initializers import chrono_bias
from tests.analysis import closed_forms
from tests.core.support import problem

S5 = {1.5: (0.79335404, 1.13932322, 0.06521721), 3.0: (6.30539148, 1.85985519, 0.31024932)}


@pytest.mark.parametrize("gain", S5)
def test_mean_field_to_the_digits_of_S5(gain):
    found = theory.mean_field(gain)
    np.testing.assert_allclose([found.q, found.chi, found.lyapunov], S5[gain], rtol=0, atol=6e-9)


@pytest.mark.parametrize(("gain", "variance"), [(0.4, 0.3), (1.2, 2.0), (7.0, 0.1), (60.0, 0.0)])
def test_mean_field_solves_its_equations(gain, variance):
    """On a grid of its own."""
    found = theory.mean_field(gain, variance)
    ends = 12 * max(1.0, math.sqrt(found.q))
    a = np.linspace(-ends, ends, 400_001)
    density = (a[1] - a[0]) * np.exp(-0.5 * a * a / found.q) / math.sqrt(2 * np.pi * found.q)
    assert found.q == pytest.approx(gain**2 * (density @ np.tanh(a) ** 2) + variance, rel=1e-10)
    sech4 = (1 - np.tanh(a) ** 2) ** 2
    assert found.chi == pytest.approx(gain**2 * (density @ sech4), rel=1e-8)


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_without_input_nothing_moves_up_to_g_1(gain):
    found = theory.mean_field(gain)
    assert (found.q, found.chi) == (0, pytest.approx(gain**2, rel=1e-14))


def test_mean_field_at_large_gain():
    """λ₁ -> ½ ln(4g / (3 √(2π)))."""
    limit = 0.5 * np.log(4 * 1000 / (3 * np.sqrt(2 * np.pi)))
    assert theory.mean_field(1000.0).lyapunov == pytest.approx(limit, abs=1e-3)
    assert 0.5 * np.log(40 / (3 * np.sqrt(2 * np.pi))) == pytest.approx(0.83566, abs=1e-5)


@pytest.mark.parametrize("variance", [1e-6, 0.01, 1.0, 50.0])
def test_critical_gain_is_where_chi_is_one(variance):
    gain = closed_forms.critical_gain(variance)
    assert theory.mean_field(gain, variance).chi == pytest.approx(1, abs=1e-12)
    assert gain > 1


def test_input_moves_the_critical_gain_up():
    gains = [closed_forms.critical_gain(s2) for s2 in (0.0, 0.01, 0.1, 1.0)]
    assert gains[0] == 1
    assert all(np.diff(gains) > 0)


def test_quarter_circle_moments_are_catalan_numbers():
    """S1: E s^(2k) = 1, 1, 2, 5, 14 for s = σ/g."""
    gain = 1.7
    nodes, weights = np.polynomial.chebyshev.chebgauss(200)
    sigma = gain * (1 + nodes)
    weights = weights * np.sqrt(1 - nodes**2) * gain
    density = theory.quarter_circle_density(sigma, gain)
    moments = [weights @ (density * (sigma / gain) ** (2 * k)) for k in range(5)]
    np.testing.assert_allclose(moments, [1, 1, 2, 5, 14], rtol=2e-4)
    assert theory.quarter_circle_density(np.array([-0.1, 3.5]), gain).tolist() == [0, 0]


def gaussian(gain, n, seed):
    return gain * np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)


def test_random_draws_follow_quarter_circle_and_circular_law():
    """S1 at n = 300."""
    gain, n = 1.3, 300
    draws = [gaussian(gain, n, seed) for seed in range(3)]
    sigma = np.concatenate([np.linalg.svd(W, compute_uv=False) for W in draws])
    for k, catalan in ((1, 1), (2, 2), (3, 5)):
        assert np.mean((sigma / gain) ** (2 * k)) == pytest.approx(catalan, rel=0.03)
    predicted = closed_forms.largest_singular_value(gain, n)
    assert np.mean(np.sort(sigma)[-3:]) == pytest.approx(predicted, rel=0.015)
    assert predicted / gain == pytest.approx(1.9813, abs=1e-4)
    radius = np.abs(np.linalg.eigvals(draws[0]))
    assert radius.max() == pytest.approx(theory.circular_law_radius(gain), rel=0.08)
    for r in (0.5, 0.9, 1.2):
        share = closed_forms.circular_law_share(np.array([r]), gain)[0]
        assert np.mean(radius <= r) == pytest.approx(share, abs=0.03)
    assert closed_forms.circular_law_share(np.array([99.0]), gain)[0] == 1


def test_powers_grow_as_fuss_catalan_says():
    """S3: within 5 % for k <= 6 at n = 300."""
    gain, k = 0.6, np.arange(1, 7)
    W = gaussian(gain, 300, 0)
    norms = [np.linalg.norm(np.linalg.matrix_power(W, p), 2) for p in k]
    np.testing.assert_allclose(norms, 10 ** theory.power_norm_log10(k, gain), rtol=0.05)
    table = 10 ** theory.power_norm_log10(np.array([1, 2, 3, 5, 10, 20]), gain)
    np.testing.assert_allclose(table, [1.2, 0.935, 0.665, 0.300, 0.0323, 2.7e-4], rtol=0.02)
    frobenius = [np.sum(np.linalg.matrix_power(W, p) ** 2) / 300 for p in (1, 3)]
    np.testing.assert_allclose(frobenius, [gain**2, gain**6], rtol=0.05)


def test_no_product_exceeds_the_bound():
    """E7 over lags: ‖∂h_t/∂h_{t−k}‖₂ <= (γ σ_max)^k."""
    for kind, gamma in (("rnn tanh", 1.0), ("rnn logistic", 0.25)):
        trace = problem(kind, 12, 1, 2, 5).trace()
        sigma = np.linalg.norm(trace.params["W_hh"], 2)
        bound = theory.gradient_bound_log10(np.arange(13), sigma, gamma)
        product = np.eye(5)
        for k, J in enumerate(state_jacobians(trace)[::-1], 1):
            product = product @ J
            assert np.log10(np.linalg.norm(product, 2)) <= bound[k] + 1e-12
        assert bound[0] == 0


def test_gate_memory():
    """E12, its table: half-life, e-fold, 1/(1 − f)."""
    table = {0: (1.00, 1.44, 2.0), 1: (2.21, 3.19, 3.72), 2: (5.46, 7.88, 8.39),
             3: (14.27, 20.58, 21.09), 5: (103.2, 148.9, 149.4)}  # fmt: skip
    for bias, row in table.items():
        found = theory.half_life(bias), theory.e_fold(bias), closed_forms.memory_time(bias)
        np.testing.assert_allclose(found, row, rtol=3e-3)
    found = theory.half_life(np.array([-1e4, -800.0, 1e4]))
    np.testing.assert_allclose(found, [np.log(2) / 1e4, np.log(2) / 800, np.inf], rtol=1e-12)


def test_chrono_is_uniform_in_the_time_scale():
    """E13: 1/(1 − f) ~ U[2, T_max]; the density of b is that of the initializer."""
    t_max = 50
    bias = chrono_bias(np.random.default_rng(0), 20000, t_max)
    times = np.sort(closed_forms.memory_time(bias))
    uniform = 2 + (t_max - 2) * (np.arange(len(times)) + 0.5) / len(times)
    assert np.abs(times - uniform).max() < 0.015 * (t_max - 2)
    grid = np.linspace(0, np.log(t_max - 1), 4001)
    density = closed_forms.chrono_bias_density(grid, t_max)
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-6)
    assert closed_forms.chrono_bias_density(np.array([-0.1, 4.0]), t_max).tolist() == [0, 0]


@pytest.mark.parametrize(("call", "name"), [
    (lambda: theory.mean_field(-1.0), "gain"),
    (lambda: theory.mean_field(1.0, np.nan), "input_variance"),
    (lambda: closed_forms.critical_gain(-1.0), "input_variance"),
    (lambda: closed_forms.largest_singular_value(1.0, 1), "hidden_size"),
    (lambda: closed_forms.chrono_bias_density(np.zeros(1), 2), "t_max"),
])  # fmt: skip
def test_bad_values_are_refused(call, name):
    with pytest.raises(ValueError, match=name):
        call()


@pytest.mark.parametrize("gain", [1e100, 1e200, 1e308])
def test_mean_field_where_tanh_is_a_sign(gain):
    """χ = g E sech⁴(g z) g, and ∫ sech⁴ = 4/3 over the density of z at 0."""
    expected = (math.log(gain) + math.log(4 / 3 / math.sqrt(2 * math.pi))) / 2
    assert theory.mean_field(gain, 1.0).lyapunov == pytest.approx(expected, abs=1e-11)


def test_mean_field_of_a_gain_whose_square_is_no_number():
    assert theory.mean_field(1e-200).lyapunov == pytest.approx(math.log(1e-200), rel=1e-14)


@pytest.mark.parametrize("gain", [1e-200, 1e200])
def test_the_quarter_circle_is_the_same_at_any_gain(gain):
    sigma = np.linspace(0, 2, 7)
    one = theory.quarter_circle_density(sigma, 1.0)
    np.testing.assert_allclose(theory.quarter_circle_density(gain * sigma, gain) * gain, one)


def test_nothing_is_lost_over_no_step():
    assert theory.gradient_bound_log10(np.arange(2), 0.0).tolist() == [0, -np.inf]
    assert theory.power_norm_log10(np.arange(2), 0.0).tolist() == [0, -np.inf]
