"""Influence balancing: truncated gradients point the wrong way up to a window of 40 steps."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.claims.influence import (
    EXACT,
    OPTIMUM,
    InfluenceRuns,
    influence_curve,
    influence_runs,
    system,
)


def test_the_apparent_gradient_for_windows_with_known_values() -> None:
    curve = influence_curve(400)
    slope = dict(zip(curve.windows.tolist(), curve.slope, strict=True))
    known = {1: 1.0, 10: 10.0, 20: 16.476059, 30: 9.869932, 50: -4.752671, 100: -6.0}
    for window, value in known.items():
        assert slope[window] == pytest.approx(value, abs=5e-7)
    assert slope[400] == pytest.approx(EXACT, rel=1e-12)


def test_the_sign_is_wrong_up_to_40_steps_and_right_from_41_on() -> None:
    curve = influence_curve()
    assert (curve.slope[curve.windows <= 40] > 0).all()
    assert (curve.slope[curve.windows >= 41] < 0).all()
    assert curve.last_wrong == 40
    assert influence_curve(40).last_wrong == 40


def test_the_exact_gradient_is_the_fixed_points() -> None:
    A, v = system()
    fixed = np.linalg.solve(np.eye(len(v)) - A, v)
    assert fixed[0] == pytest.approx(EXACT, rel=1e-12)
    assert OPTIMUM * fixed[0] == pytest.approx(1.0)


def converging(runs: InfluenceRuns) -> list[bool]:
    """Whether θ ended nearer to `OPTIMUM` than it began, for each window."""
    distance = np.abs(runs.theta - OPTIMUM)
    return (distance[-1] < distance[0]).tolist()


@pytest.mark.trained
def test_descent_runs_away_under_truncation_and_arrives_without() -> None:
    runs = influence_runs(windows=(1, 10, 20, 30, 100, 0), steps=4000)
    assert converging(runs) == [False, False, False, False, True, True]
    np.testing.assert_allclose(runs.theta[-1, -2:], OPTIMUM, atol=1e-4)
    assert (runs.loss[-1, :4] > 2 * runs.loss[100, :4]).all()
    assert (runs.loss[-1, 1:4] > 1e6).all()
    assert (runs.loss[-1, -2:] < 1e-6).all()


@pytest.mark.trained
def test_at_the_turning_point_the_window_alone_decides() -> None:
    runs = influence_runs(windows=(40, 41), steps=8000)
    assert converging(runs) == [False, True]


def test_the_state_is_carried_by_the_run() -> None:
    runs = influence_runs(windows=(0,), steps=1, learning_rate=0.0)
    A, v = system()
    s = A @ np.ones(23) + 0.5 * v
    assert runs.loss[0, 0] == pytest.approx(0.5 * (s[0] - 1) ** 2)
    assert runs.loss[1, 0] == pytest.approx(0.5 * ((A @ s + 0.5 * v)[0] - 1) ** 2)


def test_the_past_is_as_long_as_the_run_so_far() -> None:
    """Step by step with ∂s/∂θ carried forward, which needs no window."""
    runs = influence_runs(windows=(0,), steps=60, learning_rate=1e-3)
    A, v = system()
    s, ds_dtheta, theta = np.ones(23), np.zeros(23), 0.5
    for t in range(60):
        s, ds_dtheta = A @ s + theta * v, A @ ds_dtheta + v
        assert runs.theta[t, 0] == pytest.approx(theta, rel=1e-12)
        theta -= 1e-3 * (s[0] - 1) * ds_dtheta[0]


def test_bad_values_are_named() -> None:
    with pytest.raises(ValueError, match="windows must be"):
        influence_runs(windows=(-1,))
    with pytest.raises(ValueError, match="longest must be"):
        influence_curve(0)
