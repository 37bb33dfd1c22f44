"""Lyapunov exponents against closed forms, determinants, and mean-field theory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.jacobian.norms import log_determinants
from rnnviz.analysis.jacobian.qr import product_spectrum
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.lags import finite_time_exponent
from rnnviz.analysis.lyapunov import DIRECTIONS, long_run, lyapunov_spectrum
from rnnviz.analysis.measures import measures
from rnnviz.analysis.theory import mean_field
from rnnviz.core import GRU, LSTM, RNN, bptt, forward
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, quiet_lstm, simple

DRIFTING = ("lstm peepholes", "lstm niaf peepholes", "lstm noaf peepholes", "lstm linear")
"""In these random cells c_t drifts away and closes gates through the peepholes: before long a step
spreads vectors by 30 nats, nearly all that float64 has digits for."""


@pytest.fixture(params=DIRECTIONS)
def direction(request):
    return request.param


@pytest.mark.parametrize("gain", [1e-3, 0.9, 1.0, 30.0])
def test_an_orthogonal_linear_net_has_one_exponent(direction, gain):
    """E1: all are ln g, over 2000 steps."""
    W = gain * orthogonal(np.random.default_rng(0), 6)
    found = lyapunov_spectrum(simple(W, last_step(2000, 6)), "rnn", direction=direction)
    np.testing.assert_allclose(found.exponents, np.log(gain), rtol=0, atol=1e-12)
    assert found.residual < 1e-11
    assert (found.status == Status.FINITE).all()


def test_a_normal_linear_net_has_its_eigenvalues(direction):
    """E2: ln |λ_i|, over products beyond float64's range."""
    Q, values = orthogonal(np.random.default_rng(1), 5), np.array([4.0, -2.5, 1.1, 0.3, -0.01])
    trace = simple(Q @ np.diag(values) @ Q.T, last_step(3000, 5))
    found = lyapunov_spectrum(trace, "rnn", direction=direction)
    np.testing.assert_allclose(found.exponents, np.log(np.abs(values)), atol=5e-3)
    assert found.residual < 1e-10


@pytest.mark.parametrize("name", EVERY)
def test_exponents_add_up_to_the_determinant(name, direction):
    """E8, and E9's determinant identity for LSTMs: a residual of rounding only."""
    trace = any_problem(name, 6 if name in DRIFTING else 60, 2, H=5).trace()
    found = lyapunov_spectrum(trace, name, 1, direction)
    assert found.residual < 1e-9
    assert (np.diff(found.exponents[np.isfinite(found.exponents)]) <= 0).all()


@pytest.mark.parametrize("name", EVERY)
def test_determinants_are_those_of_the_matrices(name):
    """In closed form, or by the part of J that decides."""
    trace = any_problem(name, 9, 2, H=5).trace()
    steps, found = linearize(trace, 1, 2, 8), log_determinants(trace, 1, 2, 8)
    with np.errstate(divide="ignore"):
        logs = np.array([np.log(np.abs(np.linalg.det(steps.matrix(k)))) for k in range(6)])
    singular = np.isneginf(found.logs)
    np.testing.assert_allclose(found.logs[~singular], logs[~singular], atol=1e-8)
    assert (logs[singular] < -25).all()
    np.testing.assert_array_equal(found.singular, singular)


@pytest.mark.parametrize("cell", [GRU(1, 3), GRU(1, 3, reset="before"), RNN(1, 3, skip=2),
                                  LSTM(1, 3, skip=3)])  # fmt: skip
def test_a_determinant_that_only_rounds_to_zero_is_not_singular(cell):
    """Every gate is held at an end by its bias, where its slope is rounded to 0."""
    params = cell.init_params(np.random.default_rng(0))
    params["b_h"] = np.full_like(params["b_h"], 1e3)
    if cell.MEMORY_GATE:
        params["b_h"][cell.gate_rows(cell.MEMORY_GATE)] = -1e3
    record = forward(cell, params, np.ones((4, 1, 1)))
    found, spectrum = log_determinants(record), lyapunov_spectrum(record, "m")
    assert np.isneginf(found.logs).all()
    assert not found.singular.any()
    assert Status.ZERO not in spectrum.status


def test_weights_that_are_singular_make_every_step_singular():
    cell = RNN(1, 3, skip=2)
    params = cell.init_params(np.random.default_rng(0))
    params["W_skip"][2] = 0
    trace = forward(cell, params, np.ones((4, 1, 1)))
    assert log_determinants(trace).singular.all()


def test_directions_that_died_in_a_large_state_are_told_without_large_matrices():
    """A ReLU sends directions to exact zeros, so determinants are asked; S = 960."""
    cell, rng = RNN(1, 16, "relu", skip=60), np.random.default_rng(0)
    params, x = cell.init_params(rng), rng.standard_normal((80, 1, 1))
    record = forward(cell, params, x)
    lyapunov_spectrum(record, "rnn", count=2)
    tracemalloc.start()
    found = lyapunov_spectrum(record, "rnn", count=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.status[-1] == Status.ZERO
    assert peak < 5e6 < 8 * 960**2


@pytest.mark.parametrize(("name", "size"), [("rnn tanh", 70), ("lstm", 40), ("gru", 20)])
def test_exponents_are_those_of_a_decomposition_at_every_step(name, size, direction):
    """Above 64 vectors at a time too."""
    trace = any_problem(name, 30, 1, H=size).trace()
    steps, found = linearize(trace), lyapunov_spectrum(trace, name, direction=direction)
    Q, logs = np.eye(steps.size), np.zeros(steps.size)
    for k in range(30) if direction == "forward" else reversed(range(30)):
        J = steps.matrix(k) if direction == "forward" else steps.matrix(k).T
        Q, R = np.linalg.qr(J @ Q)
        logs += np.log(np.abs(np.diagonal(R)))
    np.testing.assert_allclose(found.exponents, np.sort(logs / 30)[::-1], atol=1e-10)
    assert (found.status == Status.FINITE).all()


def test_both_directions_agree_in_the_long_run():
    trace = any_problem("gru", 3000, 1, H=5).trace()
    there, back = (lyapunov_spectrum(trace, "gru", direction=d) for d in DIRECTIONS)
    np.testing.assert_allclose(there.exponents, back.exponents, atol=5e-3)
    assert there.determinant == back.determinant


def test_a_cut_lstm_loses_half_of_its_directions(direction):
    """E9 with U = 0: ln f for the cells, −inf, exactly, for h."""
    bias = np.array([0.0, 1.0, 3.0])
    found = lyapunov_spectrum(quiet_lstm(50, 3, bias), "lstm", direction=direction)
    longer = lyapunov_spectrum(quiet_lstm(80, 3, bias), "lstm", direction=direction)
    # The first step also turns the start: what 30 further steps add is free of that.
    added = (80 * longer.exponents[:3] - 50 * found.exponents[:3]) / 30
    np.testing.assert_allclose(added, -np.log1p(np.exp(-bias))[::-1], atol=1e-12)
    assert np.isneginf(found.exponents[3:]).all()
    assert found.status.tolist() == [Status.FINITE] * 3 + [Status.ZERO] * 3
    assert found.residual == 0


def test_a_delay_line_forgets_everything(direction):
    """E3."""
    found = lyapunov_spectrum(simple(np.eye(5, k=-1), last_step(7, 5)), "m", direction=direction)
    assert np.isneginf(found.exponents).all()
    assert (found.status == Status.ZERO).all()


def test_a_delay_line_remembers_until_its_end(direction):
    found = lyapunov_spectrum(simple(np.eye(5, k=-1), last_step(3, 5)), "m", direction=direction)
    np.testing.assert_array_equal(found.exponents, [0, 0, -np.inf, -np.inf, -np.inf])


def test_a_direction_that_dies_takes_no_other_with_it():
    """W e_2 = W e_1, so e_2 dies; W e_3 points where QR may put something in its place."""
    W = np.array([[1.0, 1, 0], [0, 0, 1], [0, 0, 0]])
    found = lyapunov_spectrum(simple(W, last_step(1, 3)), "rnn", direction="forward")
    np.testing.assert_allclose(found.exponents, [0, 0, -np.inf], atol=1e-15)


def test_dead_units_are_zero_and_saturated_ones_are_rounded(direction):
    W = orthogonal(np.random.default_rng(0), 4)
    for activation, bias, status in (("relu", -50.0, Status.ZERO), ("tanh", 50.0, Status.ROUNDED)):
        params = {"W_xh": np.zeros((4, 1)), "W_hh": W, "b_h": np.array([0, bias, 0, 0.1])}
        record = forward(RNN(1, 4, activation), params, np.zeros((9, 1, 1)), np.ones((4, 1)))
        found = lyapunov_spectrum(record, "rnn", direction=direction)
        assert np.isneginf(found.exponents[-1])
        assert found.status[-1] == status


def test_states_that_blow_up_have_no_exponents():
    record = forward(RNN(1, 2, "relu"), {"W_xh": np.ones((2, 1)), "W_hh": 1e200 * np.eye(2),
                                         "b_h": np.zeros(2)}, np.ones((5, 1, 1)))  # fmt: skip
    found = lyapunov_spectrum(record, "rnn")
    assert (np.isnan(found.exponents) == (found.status == Status.NAN)).all()


def test_the_largest_only():
    trace = any_problem("lstm", 400, 1, H=6).trace()
    every, some = lyapunov_spectrum(trace, "lstm"), lyapunov_spectrum(trace, "lstm", count=3)
    np.testing.assert_allclose(some.exponents, every.exponents[:3], atol=0.05)
    assert np.isnan(some.residual)


@pytest.mark.parametrize(("gain", "discard"), [(1.5, 300), (3.0, 100)])
def test_mean_field_predicts_the_largest_exponent(gain, discard):
    """S5: within 0.012 at N = 300, from below."""
    cell, params = free_net(gain, 300)
    *_, found = long_run(cell, params, 2500, "rnn", discard=discard, count=1)
    predicted = mean_field(gain).lyapunov
    assert found.largest == pytest.approx(predicted, abs=0.012)
    assert found.largest < predicted + 0.002


def test_the_distance_to_mean_field_shrinks_with_size():
    def gap(n, seeds):
        runs = [list(long_run(*free_net(2.0, n, s), 1500, "m", count=1))[-1] for s in seeds]
        return abs(np.mean([run.largest for run in runs]) - mean_field(2.0).lyapunov)

    assert gap(200, range(2)) < 0.5 * gap(20, range(8))


def free_net(gain, n, seed=0):
    W = gain * np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)
    return RNN(1, n), {"W_xh": np.zeros((n, 1)), "W_hh": W, "b_h": np.zeros(n)}


@pytest.mark.parametrize("cell", [RNN(2, 4), LSTM(2, 4), GRU(2, 4), LSTM(2, 4, skip=3)])
def test_a_long_run_is_a_record_in_pieces(cell):
    """Driven: block by block the same sums as over one record."""
    rng = np.random.default_rng(0)
    params, x = cell.init_params(rng, gain=1.5), rng.standard_normal((250, 2, 1))
    states = {"h0": rng.standard_normal((cell.skip or 1, 4, 1))[slice(None) if cell.skip else 0]}
    states |= {"c0": rng.standard_normal((4, 1))} if cell.HAS_CELL_STATE else {}
    run = long_run(cell, params, 250, "m", drive=lambda a, b: x[a:b], discard=0, **states)
    *earlier, last = run
    whole = lyapunov_spectrum(forward(cell, params, x, **states), "m", direction="forward")
    np.testing.assert_allclose(last.exponents, whole.exponents, atol=1e-9)
    assert last.determinant == pytest.approx(whole.determinant)
    assert [found.steps for found in (*earlier, last)] == [100, 200, 250]


def test_a_free_net_at_rest_has_the_eigenvalues_of_its_weights():
    cell, params = free_net(0.8, 5)
    *_, found = long_run(cell, params, 2000, "rnn", discard=500)
    eigenvalues = np.sort(np.log(np.abs(np.linalg.eigvals(params["W_hh"]))))[::-1]
    np.testing.assert_allclose(found.exponents, eigenvalues, atol=2e-3)


def test_wrong_options_are_refused():
    trace = any_problem("gru", 5).trace()
    with pytest.raises(ValueError, match="direction"):
        lyapunov_spectrum(trace, "m", direction="up")
    with pytest.raises(ValueError, match="count"):
        lyapunov_spectrum(trace, "m", count=0)
    with pytest.raises(ValueError, match="steps"):
        long_run(trace.cell, trace.params, 0, "m")
    with pytest.raises(ValueError, match="would take about"):
        long_run(*free_net(1.0, 300), 10**7, "m")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"models": ("rnn",), "init": "identity", "hidden_size": 32}, -0.1352),
        ({"models": ("lstm",)}, 0.0277),
        ({"models": ("lstm",), "init": "identity", "hidden_size": 32}, 0.060),
    ],
    ids=str,
)
def test_the_largest_exponent_of_a_run_is_that_of_the_product(change, expected):
    """Not that of the axes, which is −0.1596, −0.0046 and −0.067."""
    (network,) = run(Experiment(**change)).values()
    found = lyapunov_spectrum(network.trace, "m")
    exact = product_spectrum(network.trace, "m").exponents[0]
    assert exact == pytest.approx(expected, abs=6e-4)
    assert found.largest == pytest.approx(exact, abs=1e-9)
    assert measures(network.trace).lambda_1 == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm", "gru", "rnn leaky tanh", "rnn leaky skip"])
def test_the_finite_time_exponent_is_the_log_of_a_norm(kind):
    trace = any_problem(kind, 12, 3).trace()
    product = np.eye(state_size(trace.cell))
    for k in range(12):
        product = linearize(trace, 0).matrix(k) @ product
    value, status = finite_time_exponent(trace)
    assert value == pytest.approx(np.log(np.linalg.norm(product, 2)) / 12, abs=1e-12)
    assert status == Status.FINITE


def test_a_finite_time_exponent_of_exactly_nothing():
    cell = RNN(1, 3, activation="identity")
    params = {"W_xh": np.ones((3, 1)), "W_hh": np.eye(3, k=-1), "b_h": np.zeros(3)}
    trace = bptt(cell, params, np.zeros((9, 1, 1)), np.ones((9, 3, 1)))
    assert finite_time_exponent(trace) == (-np.inf, Status.ZERO)


@pytest.mark.parametrize("gain", [1e-40, 1e40])
def test_a_finite_time_exponent_far_beyond_the_range_of_numbers(gain):
    cell = RNN(1, 3, activation="identity")
    params = {"W_xh": np.zeros((3, 1)), "W_hh": gain * np.eye(3), "b_h": np.zeros(3)}
    trace = bptt(cell, params, np.zeros((90, 1, 1)), np.ones((90, 3, 1)))
    value, status = finite_time_exponent(trace)
    assert value == pytest.approx(np.log(gain), rel=1e-12)
    assert status == Status.FINITE
