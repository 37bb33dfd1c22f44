"""What a student is to try in a scene shows what the words lead one to look for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rnnviz.claims.influence import OPTIMUM, THETA, influence_runs
from rnnviz.core.numerics import Array
from rnnviz.experiment import Experiment, Run, run
from rnnviz.lecture.measures import Bench, measured
from rnnviz.lecture.scenes import SCENES, Number, Scene
from rnnviz.views import gates, gradient_flow, influence

BY_NAME = {scene.name: scene for scene in SCENES}
run_once = cache(run)


def made(name: str, **changes: object) -> Run:
    """The run of a scene, where some fields differ."""
    experiment: Experiment = replace(BY_NAME[name].experiment, **changes)  # type: ignore[arg-type]
    return run_once(experiment)


def end(name: str, of: str = "rnn", measure: str = "reach", **changes: object) -> float:
    """What a measure says: the number at a curve's end unless another one is named."""
    scene: Scene = BY_NAME[name]
    bench = Bench(last=made(name, **changes))
    return measured(bench, scene, Number(0.0, measure, of, changes=changes))


def curve(name: str, **changes: object) -> Array:
    """Decades at steps 1..T, 0 at the last."""
    (flow,) = gradient_flow.view(made(name, **changes)).flows
    return np.asarray(flow.state.log10[1:] - flow.state.log10[-1])


def test_twice_as_long_is_twice_as_far_down() -> None:
    assert end("travel", seq_len=200) == pytest.approx(2 * end("travel"), rel=0.02)


def test_at_500_steps_one_of_three_cells_is_near_0() -> None:
    ends = {of: abs(end("cells", of, seq_len=500)) for of in ("rnn", "lstm", "gru")}
    assert ends["lstm"] < 1 < 5 < min(ends["gru"], ends["rnn"])


def test_the_memory_bias_moves_the_curves_of_cells_with_gates() -> None:
    moved = {
        of: end("gate", of, memory_bias=3.0) - end("gate", of) for of in ("rnn", "lstm", "gru")
    }
    assert moved["rnn"] == 0
    assert min(moved["lstm"], moved["gru"]) > 15


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1])
def test_a_linear_network_s_line_is_straight_and_turns_with_the_gain(gain: float) -> None:
    slopes = np.diff(curve("edge", gain=gain))
    np.testing.assert_allclose(slopes, -np.log10(gain), atol=1e-9)


def test_without_tanh_gain_2_would_have_29_8() -> None:
    linear = end("tanh", gain=2.0, activation="identity")
    assert linear == pytest.approx(99 * np.log10(2)) == pytest.approx(29.8, abs=0.01)
    assert end("tanh", gain=2.0) < linear / 3


def test_where_the_spectral_radius_is_1_the_largest_singular_value_is_far_above() -> None:
    gain = 1 / end("sigma", measure="radius")
    assert end("sigma", measure="radius", gain=gain) == pytest.approx(1)
    assert end("sigma", measure="sigma_max", gain=gain) > 1.7


def test_between_amplitude_3_and_the_one_before_a_curve_is_level() -> None:
    assert end("input", distractor=3.0) < -1.5
    assert end("input", distractor=1.0) > 2
    assert np.abs(curve("input", distractor=2.1)).max() < 0.2


def test_the_product_falls_further_than_the_truth() -> None:
    ends = []
    for bias in (3.0, 0.0):
        carry = gates.view(made("product", memory_bias=bias)).carry
        assert carry is not None
        ends.append((carry.true.log10[0], carry.product.log10[0]))
    (true, product), (true_at_0, product_at_0) = ends
    assert product - product_at_0 > true - true_at_0 + 5


def test_windows_of_40_and_less_walk_away_and_longer_ones_come_nearer() -> None:
    runs = influence_runs(influence.WINDOWS)
    away = dict(zip(runs.windows, np.abs(runs.theta[-1] - OPTIMUM), strict=True))
    began = abs(THETA - OPTIMUM)
    assert {window for window, off in away.items() if off < began} == {41, 100, 0}


def test_the_curve_is_level_near_1_through_the_factor() -> None:
    gain = 1 / end("weights", measure="factor")
    assert np.abs(curve("weights", gain=gain)).max() < 1
    assert abs(end("weights", gain=0.9 * gain)) > 3 < abs(end("weights"))


def test_the_total_stays_level_and_single_losses_end_lower_and_lower() -> None:
    lowest = []
    for steps in (100, 200):
        assert abs(end("flat", seq_len=steps)) < 0.1
        own = gradient_flow.view(made("flat", seq_len=steps)).losses
        lowest.append([loss.state.log10[1] for loss in own])
    assert all(long < short for short, long in zip(*lowest, strict=True))
