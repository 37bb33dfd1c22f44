"""Norms are right where their squares are not, and every kind of point has its own status."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core.numerics import Status, log10_hypot, log10_norm, log10_rms, status_of


@pytest.mark.parametrize(
    "decade", [-320, -307, -200, -161, -158, -141, -139, -1, 0, 139, 141, 154, 200, 307]
)
def test_norm_is_right_over_the_whole_range(decade):
    values = np.full(64, 10.0**decade)
    expected = np.log10(values[0]) + np.log10(8)
    assert log10_norm(values) == pytest.approx(expected, abs=1e-12)


def test_norm_of_the_smallest_and_the_largest_number():
    assert log10_norm(np.array([5e-324])) == pytest.approx(np.log10(5e-324), abs=1e-12)
    top = np.finfo(float).max
    assert log10_norm(np.array([top, top])) == pytest.approx(np.log10(top) + np.log10(2) / 2)


def test_each_column_is_treated_by_itself():
    values = np.array([[3e200, 0.0, 3.0, np.inf, np.nan, -3e-200], [4e200, 0, 4, 1, 1, 4e-200]])
    expected = [200 + np.log10(5), -np.inf, np.log10(5), np.inf, np.nan, -200 + np.log10(5)]
    np.testing.assert_allclose(log10_norm(values, axis=0), expected, atol=1e-12)


def test_a_single_large_negative_entry_counts():
    assert log10_norm(np.array([-1e300, 1.0])) == pytest.approx(300)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_any_axis(axis):
    values = np.random.default_rng(0).standard_normal((3, 4, 5))
    expected = np.log10(np.linalg.norm(values, axis=axis))
    np.testing.assert_allclose(log10_norm(values, axis), expected, atol=1e-14)


def test_exponents_are_added():
    assert log10_norm(np.array([3.0, 4.0]), log2=16000) == pytest.approx(
        np.log10(5) + 16000 * np.log10(2), abs=1e-11
    )


@pytest.mark.parametrize("values", [np.float32([3e30, 4e30]), np.float32([3e-40, 4e-40])])
def test_float32_is_squared_in_float64(values):
    expected = np.log10(np.linalg.norm(values.astype(np.float64)))
    assert log10_norm(values) == pytest.approx(expected, abs=1e-12)


def test_integers_and_complex_values():
    assert log10_norm(np.array([3, 4])) == pytest.approx(np.log10(5))
    assert log10_norm(np.array([3j, 4])) == pytest.approx(np.log10(5))


@pytest.mark.parametrize("decade", [-5000.0, -300.0, 0.0, 5000.0])
def test_hypot_beyond_the_range_of_float64(decade):
    found = log10_hypot(np.array(decade + np.log10(3)), np.array(decade + np.log10(4)))
    assert found == pytest.approx(decade + np.log10(5), abs=1e-9)


def test_hypot_at_the_edges():
    a = np.array([-np.inf, -np.inf, np.inf, np.nan])
    b = np.array([-np.inf, 2.0, 2.0, 2.0])
    np.testing.assert_allclose(log10_hypot(a, b), [-np.inf, 2, np.inf, np.nan])


def test_rms_cannot_overflow():
    values = np.array([[5000.0, 5000.0], [-5000.0, -np.inf], [-np.inf, -np.inf]])
    expected = [5000, -5000 - np.log10(2) / 2, -np.inf]
    np.testing.assert_allclose(log10_rms(values), expected, atol=1e-9)
    assert np.isnan(log10_rms(np.array([0.0, np.nan])))
    assert log10_rms(np.array([0.0, np.inf])) == np.inf


def test_every_status():
    log10 = np.array([0.0, -np.inf, -np.inf, -400.0, 400.0, np.inf, np.nan])
    reachable = np.array([True, False, True, True, True, True, True])
    assert [Status(s) for s in status_of(log10, reachable)] == [
        Status.FINITE,
        Status.ZERO,
        Status.ROUNDED,
        Status.BELOW,
        Status.ABOVE,
        Status.ABOVE,
        Status.NAN,
    ]


def test_a_zero_is_exact_unless_told_otherwise():
    assert status_of(np.array([-np.inf]))[0] == Status.ZERO
