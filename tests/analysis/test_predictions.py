"""What theory predicts of a run, against the run: where they must agree, and where it is silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.predictions import (
    Predictions,
    gradient_predictions,
    input_variance,
    norm_predictions,
    weight_law,
)
from rnnviz.analysis.remarks import Remark, remark
from rnnviz.analysis.spectra import stretch
from rnnviz.core import GRU, LSTM, RNN, Trace, bptt, forward
from rnnviz.core.initializers import INITIALIZERS
from tests.analysis.support import last_step

LN_10 = np.log(10)
DRIVEN = 0.7
"""Standard deviation that the input gives a pre-activation."""


def run(cell, T=60, B=2, seed=0, drive=DRIVEN, **init) -> Trace:
    rng = np.random.default_rng(seed)
    params = cell.init_params(rng, **init)
    x = rng.standard_normal((T, cell.input_size, B))
    if isinstance(cell, RNN):
        params["W_xh"] = drive * rng.standard_normal(params["W_xh"].shape) / np.sqrt(x.shape[1])
    d_h = last_step(T, cell.hidden_size, B, rng.standard_normal((cell.hidden_size, B)))
    return bptt(cell, params, x, d_h)


def predicted(trace, init="gaussian", trained=False, of=norm_predictions) -> Predictions:
    bound = stretch(trace, "a") if isinstance(trace.cell, RNN) else None
    return of(trace, "m", trace.seq_len, init, trained, bound)


def line(found: Predictions, name: str):
    return next(each for each in found.lines if each.name == name)


@pytest.mark.parametrize(("init", "gain"), [("gaussian", 0.8), ("gaussian", 1.8),
                                            ("uniform", 1.0), ("orthogonal", 1.2)])  # fmt: skip
def test_mean_field_is_the_slope_of_a_wide_network(init, gain):
    """S5: λ₁ within 0.012 nats at H = 300, over lags far from the identity."""
    trace = run(RNN(40, 300), 160, 1, init=init, gain=gain)
    measured = lag_profile(trace, "m", every=20).h.log10 * LN_10
    found = line(predicted(trace, init), "mean field")
    slope = (measured[160] - measured[40]) / 120
    theory = (found.log10[160] - found.log10[40]) * LN_10 / 120
    assert theory == pytest.approx(slope, abs=0.012)
    assert found.rate == pytest.approx(slope, abs=0.02)


@pytest.mark.parametrize(("activation", "gain", "decades"), [("tanh", 1.4, 0.12),
                                                             ("tanh", 0.6, 0.12),
                                                             ("identity", 0.9, 0.03)])  # fmt: skip
def test_fuss_catalan_growth_of_a_product(activation, gain, decades):
    """S3: within 5 % for a few steps at H = 300, and more where slopes differ among units."""
    trace = run(RNN(40, 300, activation), 12, 1, init="gaussian", gain=gain)
    measured = lag_profile(trace, "m").h.log10
    found = line(predicted(trace), "mean field").log10
    np.testing.assert_allclose(measured[1:7], found[1:7], atol=decades)
    assert found[6] - 6 * line(predicted(trace), "mean field").rate / LN_10 > 0.5


def test_mean_field_is_the_slope_of_one_gradient():
    trace = run(RNN(40, 300), 60, 16, init="gaussian", gain=1.2)
    measured = state_curve(trace).log10
    found = line(predicted(trace, of=gradient_predictions), "mean field")
    assert found.log10[40] == pytest.approx(measured[20] - measured[60], abs=0.25)
    assert found.log10[0] == 0


@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic", "identity"])
@pytest.mark.parametrize("leak", [1.0, 0.4])
def test_the_bound_is_never_exceeded(activation, leak):
    for gain in (0.5, 2.0):
        trace = run(RNN(3, 12, activation, leak=leak), 20, init="gaussian", gain=gain)
        bound = line(predicted(trace), "bound").log10
        assert (lag_profile(trace, "m").h.log10 <= bound + 1e-9).all()
    assert not any(each.name == "bound" for each in predicted(run(RNN(3, 12, skip=3))).lines)


def test_relu_keeps_half_of_the_variance():
    trace = run(RNN(3, 32, "relu"), init="gaussian", gain=2.0)
    gain = np.linalg.norm(trace.params["W_hh"]) / np.sqrt(32)
    assert line(predicted(trace), "mean field").rate == pytest.approx(np.log(gain**2 / 2) / 2)


def test_linear_orthogonal_is_exact():
    """E1: every norm is gᵏ."""
    trace = run(RNN(3, 8, "identity"), 30, init="orthogonal", gain=0.9)
    found = line(predicted(trace, "orthogonal"), "exact").log10
    np.testing.assert_allclose(found, lag_profile(trace, "m").h.log10, atol=1e-12)


@pytest.mark.parametrize(
    "cell", [LSTM(3, 8), GRU(3, 8), LSTM(3, 8, gate_activation="hard_sigmoid")]
)
def test_the_gate_alone_is_exact_without_recurrent_weights(cell):
    """E12: f = σ(b) at every step, whatever enters through the other gates."""
    rng = np.random.default_rng(3)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["b_h"][cell.gate_rows(cell.MEMORY_GATE)] = rng.uniform(-1, 4, 8)
    d_h = last_step(40, 8, 1, rng.standard_normal((8, 1)))
    trace = bptt(cell, params, rng.standard_normal((40, 3, 1)), d_h)
    found = line(predicted(trace), "gate alone")
    state = lag_profile(trace, "m").state.log10
    assert found.log10[40] - found.log10[1] == pytest.approx(state[40] - state[1], abs=1e-9)
    np.testing.assert_allclose(np.diff(found.log10) * LN_10, found.rate)
    one = predicted(trace, of=gradient_predictions).lines[0].log10
    assert (one <= found.log10 + 1e-12).all()


@pytest.mark.parametrize(("cell", "init", "reason"), [
    (RNN(3, 32, leak=0.5), "gaussian", Remark("no_formula_leak")),
    (RNN(3, 32, skip=4), "gaussian", Remark("no_formula_skip")),
    (RNN(3, 32, "logistic"), "gaussian", remark("no_formula_activation", activation="logistic")),
    (RNN(3, 8), "gaussian", remark("too_narrow", units=8)),
    (RNN(3, 32), "delay_line", remark("no_random_matrix", init="delay_line")),
    (RNN(3, 32), "identity", remark("no_random_matrix", init="identity")),
    (LSTM(3, 32, fixed=(("f", 1.0),)), "gaussian", Remark("gate_without_bias")),
])  # fmt: skip
def test_where_no_rate_is_predicted_the_reason_is_given(cell, init, reason):
    found = predicted(run(cell, 10, init=init), init)
    assert found.missing == reason
    assert {each.name for each in found.lines} <= {"bound"}


@pytest.mark.parametrize("cell", [RNN(3, 32), LSTM(3, 32), GRU(3, 32)])
def test_nothing_is_predicted_of_trained_weights_but_the_bound(cell):
    trace = run(cell, 10)
    assert predicted(trace).missing is None
    found = predicted(trace, trained=True)
    assert found.missing == Remark("trained")
    assert {each.name for each in found.lines} <= {"bound"}


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@pytest.mark.parametrize("of", [norm_predictions, gradient_predictions])
def test_of_weights_that_are_zero_there_is_no_rate(activation, of):
    found = predicted(run(RNN(4, 40, activation), gain=0.0), of=of)
    assert found.missing == Remark("weights_zero_or_not_finite")
    assert all(line.name != "mean field" for line in found.lines)


def test_what_is_not_finite_has_no_theory():
    trace = run(RNN(3, 32), 5)
    broken = {**trace.params, "W_hh": np.full((32, 32), np.nan)}
    found = predicted(replace(trace, params=broken))
    assert (found.lines, found.missing) == ((), Remark("weights_not_finite"))


def test_input_variance_is_that_of_the_steps_there_are():
    cell = RNN(3, 6)
    params = cell.init_params(np.random.default_rng(0))
    params["b_h"] = np.linspace(-1, 1, 6)
    x = np.random.default_rng(1).standard_normal((7, 3, 2))
    record = forward(cell, params, x)
    a = np.einsum("hd,tdb->thb", params["W_xh"], x) + params["b_h"][:, None]
    assert input_variance(record) == pytest.approx(np.mean(a * a))
    padded = replace(record, lengths=np.array([7, 2]))
    kept = np.concatenate([a[:, :, 0], a[:2, :, 1]])
    assert input_variance(padded) == pytest.approx(np.mean(kept * kept))


@pytest.mark.parametrize("init", ["gaussian", "uniform", "glorot"])
def test_laws_of_a_wide_matrix(init):
    """S1, S3 at H = 300: quarter circle, circular law, growth of powers."""
    W = 1.3 * INITIALIZERS[init](np.random.default_rng(0), 300)
    law = weight_law(W, init, False, np.arange(1, 7))
    np.testing.assert_allclose(law.singular_values, np.linalg.svd(W)[1], atol=0.06 * law.gain)
    assert np.mean(law.singular_values**2) == pytest.approx(law.gain**2, rel=1e-3)
    inside = np.mean(np.abs(np.linalg.eigvals(W)) < law.radius)
    assert inside > 0.97
    norms = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) ** (1 / k) for k in range(1, 7)]
    np.testing.assert_allclose(10**law.powers_log10, norms, rtol=0.05)


@pytest.mark.parametrize(("init", "trained", "n", "code"), [
    ("gaussian", True, 32, "trained"), ("orthogonal", False, 32, "orthogonal_weights"),
    ("delay_line", False, 32, "no_random_matrix"), ("gaussian", False, 4, "too_narrow"),
])  # fmt: skip
def test_no_law_where_the_matrix_is_not_random(init, trained, n, code):
    W = 1.5 * INITIALIZERS[init](np.random.default_rng(0), n)
    found = weight_law(W, init, trained, np.arange(1, 3))
    assert found.code == code
    assert dict(found.values).get("value", 1.5) == pytest.approx(1.5)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_the_law_of_weights_has_the_gain_of_weights_whose_squares_are_no_numbers(scale):
    W = np.random.default_rng(0).standard_normal((64, 64)) / 8
    one, other = (weight_law(s * W, "gaussian", False, np.arange(1, 4)) for s in (1.0, scale))
    assert other.gain == pytest.approx(scale * one.gain, rel=1e-12)
    np.testing.assert_allclose(other.singular_values, scale * one.singular_values)
