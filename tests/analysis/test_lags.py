"""Norms over lags and singular values of products, against exact and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.norms import log10_spectral_norm
from rnnviz.analysis.jacobian.qr import product_spectrum
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.theory import gradient_bound_log10
from rnnviz.core import LSTM, RNN, forward
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.jacobian.directions import largest_stretch
from tests.analysis.support import last_step, quiet_lstm, simple

H = 5


def products(trace, end, sequence=0):
    """∂s_end/∂s_{end−k} for k = 0 .. end."""
    steps = linearize(trace, sequence, 0, end)
    found = [np.eye(steps.size)]
    for k in reversed(range(end)):
        found.append(found[-1] @ steps.matrix(k))
    return found


@pytest.mark.parametrize("name", EVERY)
def test_profile_is_the_norm_of_the_product(name):
    trace = any_problem(name, 15, 2, H=H).trace()
    found = lag_profile(trace, name, sequence=1, end=12)
    for lag, M in enumerate(products(trace, 12, 1)):
        for part, true in ((found.state, M), (found.h, M[:H, :H])):
            assert 10 ** part.log10[lag] == pytest.approx(np.linalg.norm(true, 2), rel=1e-10)
    assert (found.end, len(found.h.log10)) == (12, 13)


@pytest.mark.parametrize("name", EVERY)
def test_singular_values_of_a_product(name):
    trace = any_problem(name, 15, 2, H=H).trace()
    found = product_spectrum(trace, name, sequence=1, start=3, stop=11)
    M = np.eye(linearize(trace).size)
    for k in range(3, 11):
        M = linearize(trace, 1).matrix(k) @ M
    with np.errstate(divide="ignore"):
        true = np.log(np.linalg.svd(M, compute_uv=False))
    sure = true > true[0] - 20  # what an SVD of the product itself still knows
    np.testing.assert_allclose(found.logs[sure], true[sure], atol=1e-6)
    assert found.logs[0] == pytest.approx(true[0], abs=1e-12)
    assert found.change < 1e-6


@pytest.mark.parametrize("gain", [1e-3, 1.0, 7.0])
def test_orthogonal_weights_over_thousands_of_steps(gain):
    """E1: every singular value is g^T, up to thousands of decades."""
    trace = simple(gain * orthogonal(np.random.default_rng(0), H), last_step(3000, H))
    found = lag_profile(trace, "rnn", every=250)
    lags = np.arange(0, 3001, 250)
    np.testing.assert_allclose(found.h.log10[lags], lags * np.log10(gain), atol=1e-9)
    np.testing.assert_allclose(product_spectrum(trace, "rnn").exponents, np.log(gain), atol=1e-13)


def test_normal_weights_over_thousands_of_steps():
    """E2: σ_i(W^k) = |λ_i|^k."""
    Q, values = orthogonal(np.random.default_rng(1), 4), np.array([3.0, -2.0, 0.5, 0.01])
    trace = simple(Q @ np.diag(values) @ Q.T, last_step(2000, 4))
    found = product_spectrum(trace, "rnn")
    np.testing.assert_allclose(found.exponents, np.log(np.abs(values)), atol=1e-12)
    assert lag_profile(trace, "rnn", every=2000).h.log10[-1] == pytest.approx(
        2000 * np.log10(3), abs=1e-9
    )


def test_a_delay_line_is_level_and_then_exactly_zero():
    """E3."""
    found = lag_profile(simple(np.eye(H, k=-1), last_step(9, H)), "rnn")
    np.testing.assert_allclose(found.h.log10, [0] * H + [-np.inf] * (10 - H), atol=1e-15)
    assert found.h.status.tolist() == [Status.FINITE] * H + [Status.ZERO] * (10 - H)
    logs = product_spectrum(simple(np.eye(H, k=-1), last_step(3, H)), "rnn").logs
    np.testing.assert_array_equal(logs, [0, 0, -np.inf, -np.inf, -np.inf])


def test_a_jordan_block_has_a_hump():
    """E4: W^k = [[a^k, k a^(k−1) c], [0, a^k]]; the peak is near k = −1/ln a."""
    a, c, T = 0.9, 1.0, 60
    found = lag_profile(simple(np.array([[a, c], [0, a]]), last_step(T, 2)), "rnn")
    for k in range(1, T + 1):
        power = np.array([[a**k, k * a ** (k - 1) * c], [0, a**k]])
        assert 10 ** found.h.log10[k] == pytest.approx(np.linalg.norm(power, 2), rel=1e-11)
    assert np.argmax(found.h.log10) == pytest.approx(-1 / np.log(a), abs=1)
    assert 10 ** found.h.log10.max() == pytest.approx(c / (np.e * a * -np.log(a)), rel=0.02)


def test_a_cut_lstm_keeps_what_its_gates_keep():
    """E10 over 2000 lags: ‖∂s/∂s‖ = f^k √(1 + K²)."""
    trace = quiet_lstm(2000, 3, 1.0)
    found = lag_profile(trace, "lstm", every=500)
    lags, f, K = np.arange(500, 2001, 500), 1 / (1 + np.exp(-1)), 0.5
    expected = lags * np.log10(f) + 0.5 * np.log10(1 + K**2)
    np.testing.assert_allclose(found.state.log10[lags], expected, atol=1e-9)
    assert np.isneginf(found.h.log10[1:][found.h.status[1:] == Status.ZERO]).all()


def test_zeros_by_rounding_are_called_so():
    params = {"W_xh": np.zeros((2, 1)), "W_hh": 0.1 * np.eye(2), "b_h": np.full(2, 50.0)}
    found = lag_profile(forward(RNN(1, 2), params, np.zeros((4, 1, 1))), "rnn")
    assert found.h.status.tolist() == [Status.FINITE] + [Status.ROUNDED] * 4


def test_profile_power_iteration_and_spectrum_agree_over_500_steps():
    cell, rng = LSTM(3, 8), np.random.default_rng(0)
    params = cell.init_params(rng, memory_bias=2.0, gain=2.0)
    record = forward(cell, params, rng.standard_normal((500, 3, 1)))
    profile = lag_profile(record, "m", every=500).state.log10[-1]
    assert largest_stretch(record, "m").log10 == pytest.approx(profile, abs=1e-11)
    assert product_spectrum(record, "m").logs[0] / np.log(10) == pytest.approx(profile, abs=1e-10)


def test_no_lag_exceeds_the_bound():
    """E7: (γ σ_max)^k."""
    trace = any_problem("rnn logistic", 20, 1, H=H).trace()
    bound = gradient_bound_log10(np.arange(21), np.linalg.norm(trace.params["W_hh"], 2), 0.25)
    assert (lag_profile(trace, "rnn").h.log10 <= bound + 1e-12).all()


def test_lags_that_were_not_asked_for_are_not_recorded():
    found = lag_profile(any_problem("gru", 10).trace(), "gru", every=4)
    kept = [0, 4, 8, 10]
    assert np.flatnonzero(found.h.status != Status.NOT_RECORDED).tolist() == kept
    assert np.isnan(np.delete(found.h.log10, kept)).all()


def test_states_that_blow_up_have_no_norms():
    params = {"W_xh": np.ones((2, 1)), "W_hh": np.full((2, 2), 1e200), "b_h": np.zeros(2)}
    record = forward(RNN(1, 2), params, np.ones((4, 1, 1)))
    broken = {**params, "W_hh": np.full((2, 2), np.nan)}
    assert (lag_profile(record, "m").h.status <= Status.NAN).all()
    record = forward(RNN(1, 2), broken, np.ones((4, 1, 1)))
    assert (lag_profile(record, "m").h.status[1:] == Status.NAN).all()
    assert np.isnan(product_spectrum(record, "m").logs).all()


def test_wrong_options_are_refused():
    trace = any_problem("gru", 6).trace()
    for options in ({"every": 0}, {"sequence": 7}, {"end": 7}):
        with pytest.raises(ValueError, match=next(iter(options)).replace("end", "stop")):
            lag_profile(trace, "m", **options)


def test_what_is_too_large_is_refused_with_an_estimate():
    cost = limits.lags_cost(LSTM(1, 1000), 5000)
    assert cost.seconds > limits.MAX_SECONDS
    assert "5,0" not in limits.refusal("The lag profile", limits.lags_cost(LSTM(1, 128), 1000))
    with pytest.raises(ValueError, match=r"would take about .* s and .* MiB"):
        limits.check("The lag profile", cost)


@pytest.mark.parametrize("scale", [1e-3, 1e-8, 1e-30, 0.0])
def test_what_is_lost_beside_a_skip_is_not_said_to_be_known(scale):
    """At most lags h is reached through W_hh alone. The product itself holds that: its entries are
    sums of terms of one size."""
    cell, rng = RNN(2, H, skip=4), np.random.default_rng(0)
    params = cell.init_params(rng)
    params["W_hh"] *= scale
    record = forward(cell, params, rng.standard_normal((60, 2, 1)))
    true = log10_spectral_norm(np.array([M[:H, :H] for M in products(record, 60)]))
    found = lag_profile(record, "m").h
    known = found.status == Status.FINITE
    np.testing.assert_allclose(found.log10[known], true[known], rtol=0, atol=1e-3)
    np.testing.assert_array_equal(found.status == Status.ZERO, np.isneginf(true))
    assert known.all() == (scale == 1e-3)
