"""Singular values of products over the lag, against products in 400 decimal digits and closed
forms."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from rnnviz.analysis import lag_spectra, limits
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.lag_spectra import lag_spectrum, lags_of, singular_logs
from rnnviz.analysis.lags import lag_profile
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from rnnviz.experiment import Experiment, run
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, quiet_lstm, simple

DIGITS = 400
NOTHING = Decimal(10) ** -300
Columns = list[list[Decimal]]


def singular_values(columns: Columns) -> list[Decimal]:
    """By Jacobi's one-sided rotations, descending."""
    n, worst = len(columns), Decimal(1)
    while worst > Decimal(10) ** -30:
        worst = Decimal(0)
        for p in range(n):
            for q in range(p + 1, n):
                worst = max(worst, rotated(columns, p, q))
    return sorted((dot(c, c).sqrt() for c in columns), reverse=True)


def dot(a: list[Decimal], b: list[Decimal]) -> Decimal:
    return sum((x * y for x, y in zip(a, b, strict=True)), Decimal(0))


def rotated(columns: Columns, p: int, q: int) -> Decimal:
    """Make two columns orthogonal; the cosine that they had."""
    one, other = columns[p], columns[q]
    a, b, c = dot(one, one), dot(other, other), dot(one, other)
    if not c or min(a, b) < NOTHING:
        return Decimal(0)
    z = (b - a) / (2 * c)
    t = (1 if z >= 0 else -1) / (abs(z) + (1 + z * z).sqrt())
    cos = 1 / (1 + t * t).sqrt()
    columns[p] = [cos * (x - t * y) for x, y in zip(one, other, strict=True)]
    columns[q] = [cos * (t * x + y) for x, y in zip(one, other, strict=True)]
    return abs(c) / (a * b).sqrt()


def exact(trace, lags: list[int], sequence: int = 0) -> np.ndarray:
    """log10 of the singular values of the dense products, (n, S)."""
    steps, found = linearize(trace, sequence), []
    with localcontext() as context:
        context.prec = DIGITS
        product = [[Decimal(i == j) for i in range(steps.size)] for j in range(steps.size)]
        for lag in range(1, lags[-1] + 1):
            J = [[Decimal(float(v)) for v in column] for column in steps.matrix(len(steps) - lag).T]
            # Columns of M J: M applied to each column of J.
            rows = [list(row) for row in zip(*product, strict=True)]
            product = [[dot(row, column) for row in rows] for column in J]
            if lag in lags:
                values = singular_values([list(c) for c in product])
                found.append([float(v.log10()) if v > NOTHING else -np.inf for v in values])
    return np.array(found)


@pytest.mark.parametrize("name", EVERY)
def test_every_cell_s_are_those_of_the_dense_product(name):
    trace = any_problem(name, 8, H=2).trace()
    found = lag_spectrum(trace, name, sequence=1, most=3)
    true = exact(trace, found.lags[1:].tolist(), 1)
    living = np.isfinite(found.log10[1:])
    np.testing.assert_allclose(found.log10[1:][living], true[living], atol=1e-9)
    assert (true[~living] < -10).all()
    assert (found.log10[0] == 0).all()


@pytest.mark.parametrize(("name", "T", "deepest"), [("rnn tanh", 120, -50), ("lstm", 60, -60)])
def test_the_smallest_are_right_where_they_are_far_below_the_largest(name, T, deepest):
    trace = any_problem(name, T, H=3).trace()
    found = lag_spectrum(trace, name, most=4)
    np.testing.assert_allclose(found.log10[1:], exact(trace, found.lags[1:].tolist()), atol=1e-8)
    assert found.log10[-1, -1] - found.log10[-1, 0] < deepest


def test_beyond_what_float64_holds_at_once(monkeypatch):
    """Some at a time, those around them with them: the same as all at once."""
    trace = any_problem("lstm", 60, H=8).trace()
    whole = lag_spectrum(trace, "lstm", most=5)
    monkeypatch.setattr(lag_spectra, "WIDE", 40.0)
    monkeypatch.setattr(lag_spectra, "NEAR", 20.0)
    assert np.ptp(whole.log10[-1]) > 40
    np.testing.assert_allclose(lag_spectrum(trace, "lstm", most=5).log10, whole.log10, atol=1e-9)


def test_a_diagonal_product_over_thousands_of_decades():
    """E2: σ_i(W^k) = |λ_i|^k."""
    values = np.array([3.0, 0.5, -0.5, 1e-3, 1e-6])
    Q = orthogonal(np.random.default_rng(1), 5)
    trace = simple(Q @ np.diag(values) @ Q.T, last_step(2000, 5))
    found = lag_spectrum(trace, "rnn", most=7)
    true = found.lags[:, None] * np.log10(np.abs(values))
    np.testing.assert_allclose(found.log10, true, rtol=1e-11, atol=1e-11)


def test_orthogonal_weights_stretch_every_direction_alike():
    trace = simple(0.9 * orthogonal(np.random.default_rng(0), 6), last_step(300, 6))
    found = lag_spectrum(trace, "rnn")
    expected = np.repeat(found.lags[:, None] * np.log10(0.9), 6, axis=1)
    np.testing.assert_allclose(found.log10, expected, atol=1e-10)


def test_a_delay_line_loses_one_direction_a_step_exactly():
    """E3."""
    found = lag_spectrum(simple(np.eye(5, k=-1), last_step(9, 5)), "rnn")
    for lag, log10, status in zip(found.lags, found.log10, found.status, strict=True):
        alive = max(5 - lag, 0)
        np.testing.assert_allclose(log10[:alive], 0, atol=1e-14)
        assert np.isneginf(log10[alive:]).all()
        assert (status[alive:] == Status.ZERO).all()


def test_a_cell_state_alone_carries_half_of_the_directions():
    """E9 with W_hh = 0: what is left over k steps is f^k in the H directions of c, once o
    tanh′ and o have had their say in h; the others are 0."""
    found = lag_spectrum(quiet_lstm(12, 3, 2.0), "lstm")
    f = 1 / (1 + np.exp(-2.0))
    steps = np.diff(found.log10[1:, :3], axis=0)
    np.testing.assert_allclose(steps, np.log10(f), atol=1e-12)
    assert np.isneginf(found.log10[1:, 3:]).all()


@pytest.mark.parametrize("name", ["rnn relu", "lstm", "gru"])
def test_the_largest_is_the_lag_profile(name):
    trace = any_problem(name, 20, H=5).trace()
    found, profile = lag_spectrum(trace, name, 1, 17), lag_profile(trace, name, 1, 17)
    np.testing.assert_allclose(found.log10[:, 0], profile.state.log10[found.lags], atol=1e-12)


@pytest.mark.parametrize(("kind", "skip", "gain"), [("rnn", 2, 0.5), ("rnn", 3, 1.0),
                                                    ("lstm", 2, 1.5)])  # fmt: skip
def test_it_ends_where_a_direction_is_lost_at_the_very_end(kind, skip, gain):
    e = Experiment(
        models=(kind,), skip=skip, init="delay_line", gain=gain, seq_len=20, hidden_size=8
    )
    trace = run(e)[kind].trace
    found = lag_spectrum(trace, kind)
    largest = lag_profile(trace, kind).state.log10[found.lags]
    np.testing.assert_allclose(found.log10[:, 0], largest, atol=1e-9)


def test_a_state_that_is_not_finite_has_no_spectrum():
    found = lag_spectrum(simple(np.array([[np.nan, 0.0], [0.0, 1.0]]), last_step(4, 2)), "rnn")
    assert (found.status[1:] == Status.NAN).all()


def test_a_direction_that_float64_loses_beside_another_is_not_called_zero():
    found = lag_spectrum(simple(np.diag([1e200, 1.0]), last_step(4, 2)), "rnn")
    np.testing.assert_allclose(found.log10[:, 0], 200 * found.lags)
    assert (found.status[1:, 1] == Status.ROUNDED).all()


def test_lags_are_few_and_reach_both_ends():
    assert lags_of(5).tolist() == [1, 2, 3, 4, 5]
    assert (lags_of(5000)[[0, -1]] == [1, 5000]).all()
    assert len(lags_of(5000)) == lag_spectra.MOST_LAGS


def test_what_would_take_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SECONDS", 1e-9)
    with pytest.raises(ValueError, match="The singular values over the lags would take about"):
        lag_spectrum(any_problem("gru", 9).trace(), "gru")


def test_of_nothing_there_is_nothing():
    assert singular_logs(np.zeros(0), np.zeros((0, 0))).shape == (0,)
