"""Spectra of W_hh and of the per-step Jacobians, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.jacobian.sequence import state_jacobians
from rnnviz.analysis.linear_growth import linear_growth
from rnnviz.analysis.spectra import jacobian_spectrum, stretch, weight_spectra
from rnnviz.core import LSTM, RNN, bptt, forward
from rnnviz.core.initializers import gaussian, orthogonal
from tests.analysis.support import last_step, simple
from tests.core.support import problem, problem_of


def spectrum(W, **options):
    return weight_spectra(simple(W, last_step(1, len(W))), "rnn", **options)["a"]


def rng():
    return np.random.default_rng(0)


def test_orthogonal_weights_promise_one_rate():
    s = spectrum(1.5 * orthogonal(rng(), 20))
    np.testing.assert_allclose(s.singular_values, 1.5)
    np.testing.assert_allclose(np.abs(s.eigenvalues), 1.5)
    np.testing.assert_allclose(s.powers_log10, np.log10(1.5), atol=1e-14)
    assert s.departure == 0
    assert s.powers_k.tolist() == list(range(1, 51))


def test_normal_weights():
    """E2: the singular values of Wᵏ are |λ|ᵏ."""
    Q, eigenvalues = orthogonal(rng(), 5), np.array([0.9, -1.2, 0.3, 0.1, -0.5])
    s = spectrum(Q @ np.diag(eigenvalues) @ Q.T)
    np.testing.assert_allclose(s.singular_values, [1.2, 0.9, 0.5, 0.3, 0.1])
    np.testing.assert_allclose(s.eigenvalues, [-1.2, 0.9, -0.5, 0.3, 0.1], atol=1e-14)
    np.testing.assert_allclose(s.powers_log10, np.log10(1.2), atol=1e-13)
    assert s.departure == 0
    assert s.spectral_radius == pytest.approx(1.2)


@pytest.mark.parametrize("gain", [0.7, 1.0, 3.0])
def test_delay_line_is_all_promise(gain):
    """E3: σ = g (H − 1 times), ρ = 0, ‖Wᵏ‖ = gᵏ up to k = H − 1 and exactly 0 from H on."""
    H = 8
    s = spectrum(gain * np.eye(H, k=-1))
    np.testing.assert_allclose(s.singular_values, [gain] * (H - 1) + [0])
    assert s.spectral_radius == 0
    assert s.departure == pytest.approx(1)
    np.testing.assert_allclose(s.powers_log10[: H - 1], np.log10(gain), atol=1e-14)
    assert (s.powers_log10[H - 1 :] == -np.inf).all()


def test_jordan_block_has_a_hump():
    """E4: Wᵏ = [[aᵏ, k aᵏ⁻¹ c], [0, aᵏ]]."""
    a, c = 0.9, 5.0
    s = spectrum(np.array([[a, c], [0.0, a]]))
    for k, log10 in zip(s.powers_k, s.powers_log10, strict=True):
        power = np.array([[a**k, k * a ** (k - 1) * c], [0, a**k]])
        assert k * log10 == pytest.approx(np.log10(np.linalg.norm(power, 2)), abs=1e-11)
    peak = s.powers_k[np.argmax(s.powers_k * s.powers_log10)]
    assert abs(peak + 1 / np.log(a)) < 1


def test_gaussian_weights():
    """S1, S2: departure → 1/√2, σ_max → 2g, ρ → g, within 5 % at H = 300."""
    s = spectrum(0.6 * gaussian(rng(), 300), powers=(1, 2))
    assert s.departure == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert s.sigma_max == pytest.approx(1.2, rel=0.05)
    assert s.spectral_radius == pytest.approx(0.6, rel=0.05)
    expected = np.log10(0.6 * np.sqrt(np.sqrt(3**3 / 2**2)))
    assert s.powers_log10[1] == pytest.approx(expected, abs=0.02)


def test_sum_of_squares_and_order():
    W = rng().standard_normal((7, 7))
    s = spectrum(W)
    assert np.sum(s.singular_values**2) == pytest.approx(np.sum(W**2))
    assert (np.diff(s.singular_values) <= 0).all()
    assert (np.diff(np.abs(s.eigenvalues)) <= 1e-12).all()
    assert s.powers_log10[0] == pytest.approx(np.log10(s.sigma_max))


@pytest.mark.parametrize("decade", [-200, 200])
def test_powers_beyond_the_range_of_float64(decade):
    s = spectrum(10.0**decade * orthogonal(rng(), 4))
    np.testing.assert_allclose(s.powers_log10, decade, atol=1e-9)
    assert s.departure == 0


def test_weights_of_zero():
    s = spectrum(np.zeros((3, 3)))
    assert s.sigma_max == s.spectral_radius == s.departure == 0
    assert (s.powers_log10 == -np.inf).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_blew_up(bad):
    s = spectrum(np.array([[bad, 1.0], [0.0, 1.0]]))
    for values in (s.singular_values, s.eigenvalues, s.powers_log10, s.sigma_max, s.departure):
        assert np.isnan(values).all()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_each_gate_has_its_block(kind):
    trace = problem(kind, 2, 1, 2, 4).trace()
    found = weight_spectra(trace, kind)
    assert tuple(found) == trace.cell.GATES
    for gate, s in found.items():
        block = trace.params["W_hh"][trace.cell.gate_rows(gate)]
        np.testing.assert_allclose(s.singular_values, np.linalg.svd(block, compute_uv=False))
        assert s.lipschitz == (1.0 if gate in "gn" else 0.25)
    assert list(weight_spectra(trace, kind, gates=[trace.cell.GATES[0]])) == [trace.cell.GATES[0]]


@pytest.mark.parametrize(("activation", "gamma"), [("tanh", 1), ("relu", 1), ("logistic", 0.25)])
def test_lipschitz_constant_of_the_activation(activation, gamma):
    trace = simple(np.eye(2), last_step(1, 2), activation)
    assert weight_spectra(trace, "rnn")["a"].lipschitz == gamma


def test_wrong_gates_and_powers_are_refused():
    trace = problem("lstm", 2, 1, 2, 4).trace()
    with pytest.raises(ValueError, match="gates"):
        weight_spectra(trace, "lstm", gates=["a"])
    with pytest.raises(ValueError, match="powers"):
        weight_spectra(trace, "lstm", powers=[0])


def test_jacobian_spectrum_of_an_rnn():
    trace = problem("rnn tanh", 6, 3, 2, 5).trace()
    s = jacobian_spectrum(trace, "rnn", sequence=1, steps=[2, 5])
    slope = 1 - trace.h[[2, 5], :, 1] ** 2
    for k in range(2):
        J = slope[k, :, None] * trace.params["W_hh"]
        np.testing.assert_allclose(s.singular_values[k], np.linalg.svd(J, compute_uv=False))
    np.testing.assert_allclose(s.mean_slope, slope.mean(axis=1))
    assert s.steps.tolist() == [2, 5]
    assert s.slope_of == "tanh"


@pytest.mark.parametrize(("kind", "gate", "size"), [("lstm", "g", 10), ("gru", "n", 5)])
def test_jacobian_spectrum_of_a_gated_cell(kind, gate, size):
    trace = problem(kind, 4, 2, 3, 5).trace()
    s = jacobian_spectrum(trace, kind)
    assert s.singular_values.shape == (4, size)
    np.testing.assert_allclose(s.mean_slope, (1 - trace.gates[gate][:, :, 0] ** 2).mean(axis=1))
    assert s.slope_of == gate


def test_measured_rate_of_a_linear_orthogonal_net():
    W = 0.8 * orthogonal(rng(), 4)
    s = jacobian_spectrum(simple(W, last_step(30, 4)), "rnn", steps=[1])
    assert s.measured_rate == pytest.approx(0.8)


def test_no_rate_where_error_enters_on_the_way():
    trace = simple(0.5 * np.eye(2), np.ones((5, 2, 1)))
    assert jacobian_spectrum(trace, "rnn", steps=[1]).measured_rate is None


def test_no_rate_without_error():
    trace = simple(np.eye(2), np.zeros((5, 2, 1)))
    assert jacobian_spectrum(trace, "rnn", steps=[1]).measured_rate is None


def test_stretch_is_what_the_spectrum_says():
    cell = LSTM(3, 5)
    record = forward(cell, cell.init_params(np.random.default_rng(0)), np.ones((2, 3, 1)))
    for gate, spectrum in weight_spectra(record, "lstm").items():
        found = stretch(record, gate)
        assert found.sigma_max == pytest.approx(spectrum.sigma_max, rel=1e-14)
        assert found.lipschitz == spectrum.lipschitz
    with pytest.raises(ValueError, match="gate must be one of i, f, g, o, got 'a'"):
        stretch(record, "a")


@pytest.mark.parametrize("options", [{}, {"leak": 0.3}])
def test_growth_of_linear_steps_is_that_of_the_product_of_their_jacobians(options: dict) -> None:
    one = problem_of(RNN(2, 5, "identity", **options), T=14, B=2)
    trace = bptt(one.cell, one.params, one.x, one.direct, **one.states)
    product = np.linalg.multi_dot(state_jacobians(trace, range(2, 15), 0))
    expected = np.log10(np.linalg.norm(product) / np.sqrt(len(product)))
    assert linear_growth(trace) == pytest.approx(expected, abs=1e-12)
    curved = replace(one.cell, activation="tanh")
    assert linear_growth(bptt(curved, one.params, one.x, one.direct, **one.states)) is None


def test_growth_of_linear_steps_is_not_told_where_a_skip_goes_past_them() -> None:
    one = problem_of(RNN(2, 5, "identity", skip=3), T=14, B=2)
    assert linear_growth(bptt(one.cell, one.params, one.x, one.direct, **one.states)) is None


def test_growth_is_known_where_no_float_holds_it() -> None:
    trace = simple(4 * orthogonal(np.random.default_rng(0), 8), last_step(1000, 8))
    assert linear_growth(trace) == pytest.approx(999 * np.log10(4), abs=1e-9)
    delay = simple(np.diag(np.ones(3), 1), last_step(9, 4))
    assert linear_growth(delay) == -np.inf
