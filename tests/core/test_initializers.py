"""Initial values: exact where a construction is exact, statistics with a stated tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import CELLS, GRU, LSTM, RNN
from rnnviz.core.initializers import INITIALIZERS, chrono_bias, init_W_hh


def generator(seed=0):
    return np.random.default_rng(seed)


def draw(name, n=300, seed=0):
    return INITIALIZERS[name](generator(seed), n)


def spectral_radius(W):
    return np.abs(np.linalg.eigvals(W)).max()


@pytest.mark.parametrize("n", [1, 2, 50])
def test_orthogonal(n):
    W = draw("orthogonal", n)
    np.testing.assert_allclose(W.T @ W, np.eye(n), rtol=0, atol=1e-13)


def test_orthogonal_matrices_are_evenly_spread():
    """Haar measure: E[trace] = 0, E[trace²] = 1; QR without the sign correction has E[trace] of
    another value. 4,000 draws: standard errors 0.016 and 0.022."""
    rng = generator()
    traces = np.array([np.trace(INITIALIZERS["orthogonal"](rng, 4)) for _ in range(4000)])
    assert abs(traces.mean()) < 0.07
    assert abs((traces**2).mean() - 1) < 0.1


def test_gaussian_fills_the_unit_disc():
    """Circular law: a share r² of the eigenvalues within r, ± 0.05 at n = 300; σ_max → 2."""
    W = draw("gaussian")
    radii = np.abs(np.linalg.eigvals(W))
    for r in (0.3, 0.5, 0.7, 0.9):
        assert abs((radii < r).mean() - r**2) < 0.05
    assert radii.max() == pytest.approx(1.04, abs=0.06)
    assert np.linalg.norm(W, 2) == pytest.approx(1.98, abs=0.05)
    assert W.std() * np.sqrt(300) == pytest.approx(1, abs=0.01)


def test_departure_of_a_gaussian_matrix_from_normality():
    """Henrici: √(‖W‖² − Σ|λ|²) / ‖W‖ → 1/√2."""
    W = draw("gaussian")
    squares = (W**2).sum()
    departure = np.sqrt(squares - (np.abs(np.linalg.eigvals(W)) ** 2).sum())
    assert departure / np.sqrt(squares) == pytest.approx(np.sqrt(0.5), abs=0.02)


@pytest.mark.parametrize(("name", "bound"), [("uniform", 1 / np.sqrt(300)), ("glorot", 0.1)])
def test_uniform_ranges(name, bound):
    """90,000 values: they come within 0.1 % of the bound; the mean has 0.2 % of it as error."""
    W = draw(name)
    assert 0.999 * bound < W.max() <= bound
    assert -bound <= W.min() < -0.999 * bound
    assert abs(W.mean()) < 0.01 * bound
    assert W.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)


def test_identity_and_delay_line():
    np.testing.assert_array_equal(draw("identity", 4), np.eye(4))
    W = draw("delay_line", 5)
    np.testing.assert_array_equal(W @ np.eye(5)[:, 0], np.eye(5)[:, 1])
    np.testing.assert_array_equal(np.linalg.svd(W, compute_uv=False), [1, 1, 1, 1, 0])
    assert (np.linalg.matrix_power(W, 5) == 0).all()
    assert (draw("delay_line", 1) == 0).all()


@pytest.mark.parametrize("n", [1, 2, 64])
@pytest.mark.parametrize("gain", [0.5, 1.0, 1.7])
def test_spectral_radius_is_the_gain(n, gain):
    W = init_W_hh("spectral_radius", generator(), n, 3, gain)
    for block in W.reshape(3, n, n):
        assert spectral_radius(block) == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("gain", [0.0, -0.5, 2.5])
def test_gain_scales_every_block(name, gain):
    once = init_W_hh(name, generator(), 6, 4, 1.0)
    np.testing.assert_array_equal(init_W_hh(name, generator(), 6, 4, gain), gain * once)
    assert once.shape == (24, 6)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"identity", "delay_line"}))
def test_blocks_differ(name):
    blocks = init_W_hh(name, generator(), 6, 4, 1.0).reshape(4, 36)
    assert len({block.tobytes() for block in blocks}) == 4


@pytest.mark.parametrize("t_max", [3, 10, 1000])
def test_chrono_time_scales_are_uniform_from_2_to_t_max(t_max):
    """E13: 1/(1 − σ(b)) ~ U[2, t_max]. Kolmogorov-Smirnov at n = 5,000: 1.95/√n for p = 0.001."""
    b = chrono_bias(generator(), 5000, t_max)
    steps = 1 + np.exp(b)
    assert steps.min() >= 2
    assert steps.max() <= t_max
    quantiles = (np.sort(steps) - 2) / (t_max - 2)
    empirical = (np.arange(5000) + 0.5) / 5000
    assert np.abs(quantiles - empirical).max() < 1.95 / np.sqrt(5000)


def test_chrono_in_the_lstm_and_the_gru():
    lstm, gru = LSTM(2, 40), GRU(2, 40)
    b = lstm.init_params(generator(), chrono=50)["b_h"]
    keep = b[lstm.gate_rows("f")]
    np.testing.assert_array_equal(b[lstm.gate_rows("i")], -keep)
    assert not b[lstm.gate_rows("g")].any()
    assert not b[lstm.gate_rows("o")].any()
    assert 2 <= (1 + np.exp(keep)).min() <= (1 + np.exp(keep)).max() <= 50
    params = gru.init_params(generator(), chrono=50)
    np.testing.assert_array_equal(params["b_h"][gru.gate_rows("z")], keep)
    assert not params["b_h"][gru.gate_rows("r")].any()
    assert not params["b_h"][gru.gate_rows("n")].any()
    assert not params["b_hn"].any()


@pytest.mark.parametrize(("cell", "keeps"), [(LSTM(2, 3), "f"), (GRU(2, 3), "z")])
def test_memory_bias_sets_the_gate_that_keeps(cell, keeps):
    b = cell.init_params(generator(), memory_bias=3.0)["b_h"]
    for gate in cell.GATES:
        assert (b[cell.gate_rows(gate)] == (3.0 if gate == keeps else 0.0)).all()


def test_an_rnn_has_no_memory_to_bias():
    assert not RNN(2, 3).init_params(generator(), memory_bias=3.0)["b_h"].any()
    assert not RNN(2, 3).init_params(generator(), chrono=9)["b_h"].any()


@pytest.mark.parametrize("kind", CELLS)
def test_shapes_and_dtype(kind):
    cell = CELLS[kind](3, 5)
    for dtype in (np.float64, np.float32):
        params = cell.init_params(generator(), dtype=dtype)
        assert {name: value.shape for name, value in params.items()} == cell.param_shapes()
        assert {value.dtype for value in params.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("kind", CELLS)
def test_the_same_seed_gives_the_same_bits(kind):
    one, two = (CELLS[kind](3, 5).init_params(generator(7)) for _ in range(2))
    other = CELLS[kind](3, 5).init_params(generator(8))
    for name, value in one.items():
        assert value.tobytes() == two[name].tobytes()
    assert one["W_hh"].tobytes() != other["W_hh"].tobytes()


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ({"gain": 2.0}, {"W_hh"}),
        ({"init": "orthogonal"}, {"W_hh"}),
        ({"init": "identity"}, {"W_hh"}),
        ({"memory_bias": 2.0}, {"b_h"}),
        ({"chrono": 20}, {"b_h"}),
        ({"input_scale": 2.0}, {"W_xh"}),
    ],
)
def test_an_option_redraws_only_what_it_is_about(kind, option, changes):
    cell = CELLS[kind](3, 5)
    before, after = cell.init_params(generator()), cell.init_params(generator(), **option)
    different = {name for name in before if before[name].tobytes() != after[name].tobytes()}
    assert different == (changes if kind != "rnn" or changes != {"b_h"} else set())


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("init", INITIALIZERS)
def test_the_first_gate_has_the_weights_of_the_rnn_of_the_same_seed(kind, init):
    rnn = RNN(3, 5).init_params(generator(), init=init)
    gated = CELLS[kind](3, 5).init_params(generator(), init=init)
    np.testing.assert_array_equal(gated["W_hh"][:5], rnn["W_hh"])
    np.testing.assert_array_equal(gated["W_xh"][:5], rnn["W_xh"])


def test_input_weights_are_uniform_within_their_scale():
    """10,000 values: within 1 % of the bound, standard deviation within 3 %."""
    W = RNN(100, 100).init_params(generator(), input_scale=3.0)["W_xh"]
    assert 0.297 < np.abs(W).max() <= 0.3
    assert W.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.03)
    assert not RNN(4, 4).init_params(generator(), input_scale=0.0)["W_xh"].any()


def test_the_generator_that_was_given_draws_on_as_if_nothing_had_happened():
    used, untouched = generator(), generator()
    LSTM(2, 3).init_params(used)
    assert used.standard_normal() == untouched.standard_normal()


def test_weights_beyond_single_precision_are_infinite_without_a_warning():
    params = RNN(1, 3).init_params(np.random.default_rng(0), gain=1e200, dtype="float32")
    assert np.isinf(params["W_hh"]).all()
