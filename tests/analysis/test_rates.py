"""Slopes, mean rates, and the times that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.rates import Curve, Rate, Slope, fit_slope, mean_rate
from rnnviz.core.numerics import status_of


def curve(log10):
    values = np.asarray(log10, dtype=float)
    return Curve(values, status_of(values))


def test_slope_of_a_straight_line():
    """Falling towards the past: log10 rises with t, the rate per step back is negative."""
    slope = fit_slope(curve(0.25 * np.arange(21)))
    assert slope == Slope(pytest.approx(-0.25), 1, 19, 1.0, 19)
    assert slope.factor_per_step == pytest.approx(10**-0.25)
    assert slope.verdict == "vanishes"


def test_slope_and_r2_are_those_of_least_squares():
    y = np.random.default_rng(0).standard_normal(30)
    slope = fit_slope(curve(y), start=3, stop=25)
    t = np.arange(3, 26)
    fit = np.polyfit(t, y[3:26], 1)
    residual, spread = y[3:26] - np.polyval(fit, t), y[3:26] - y[3:26].mean()
    assert slope.decades_per_step == pytest.approx(-fit[0])
    assert slope.r2 == pytest.approx(1 - residual @ residual / (spread @ spread))
    assert (slope.start, slope.stop, slope.points) == (3, 25, 23)


def test_only_finite_points_enter():
    y = np.arange(10.0)
    y[2], y[5], y[7] = -np.inf, np.nan, np.inf
    slope = fit_slope(curve(y))
    assert slope.decades_per_step == pytest.approx(-1)
    assert slope.points == 5


@pytest.mark.parametrize("log10", [[0.0], [0.0, 0.0], [0.0, 1.0, 2.0], [-np.inf] * 9])
def test_no_slope_through_fewer_than_two_points(log10):
    assert fit_slope(curve(log10)) is None


def test_a_level_curve_is_straight():
    slope = fit_slope(curve(1e-15 * np.random.default_rng(0).standard_normal(50)))
    assert slope.r2 == 1
    assert slope.verdict == "level"


@pytest.mark.parametrize(
    ("decades", "verdict"),
    [(-0.021, "vanishes"), (-0.02, "level"), (0.0, "level"), (0.02, "level"), (0.021, "explodes")],
)
def test_verdict_of_a_rate(decades, verdict):
    assert Rate(decades).verdict == verdict


def test_times_of_a_rate():
    halving = Rate(-np.log10(2) / 4)
    assert halving.halving_steps == pytest.approx(4)
    assert halving.e_fold_steps == pytest.approx(4 / np.log(2))
    assert Rate(np.log10(2) / 4).halving_steps == pytest.approx(4)
    assert Rate(0.0).halving_steps is None
    assert Rate(0.0).e_fold_steps is None


def test_mean_rate_agrees_with_the_reach():
    """P4: a turn on the way does not matter, what is left after n steps is rate**n."""
    y = np.concatenate([np.linspace(5, 0, 10), np.linspace(0, 30, 40)])
    assert mean_rate(curve(y)).decades_per_step == pytest.approx((y[1] - y[-1]) / 48)


def test_mean_rate_falls_back_on_the_slope():
    y = np.concatenate([[-np.inf] * 5, np.arange(10.0)])
    assert mean_rate(curve(y)).decades_per_step == pytest.approx(-1)
    assert mean_rate(curve([-np.inf] * 8)) is None
