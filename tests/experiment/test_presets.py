"""Each preset shows what its sentence says, over several seeds."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import PRESETS, run
from rnnviz.analysis.gates import memory
from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.layers import layer_traces
from rnnviz.core.numerics import Status
from rnnviz.wording.texts import texts

SEEDS = (0, 1, 6, 10, 11, 14, 43, 83, 201)
"""The first, and those of the first 220 that come nearest to what a sentence would not allow."""


def flows(name: str, **changes: object) -> dict[str, GradientFlow]:
    result = run(PRESETS[name].experiment(**changes))
    return {label: gradient_flow(network.trace, label) for label, network in result.items()}


def reach(name: str, **changes: object) -> dict[str, float]:
    """Decades between the last step and step 1, 99 (or T − 1) steps back."""
    return {label: flow.reach_log10 for label, flow in flows(name, **changes).items()}


def test_a_preset_says_something_about_itself() -> None:
    text = texts("presets")
    assert set(text) == {*PRESETS, *(f"title_{name}" for name in PRESETS)}
    assert len({text[f"title_{name}"] for name in PRESETS}) == len(PRESETS)
    assert all(text[name].endswith(".") for name in PRESETS)


@pytest.mark.parametrize("seed", SEEDS)
def test_held_open(seed: int) -> None:
    found = reach("held_open", seed=seed)
    assert found["rnn"] < -18
    assert -2.5 < found["gru"] < -1
    assert -1.05 < found["lstm"] < 1.05


@pytest.mark.parametrize("seed", SEEDS)
def test_out_of_the_box(seed: int) -> None:
    assert max(reach("out_of_the_box", seed=seed).values()) < -18


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1])
def test_knife_edge(gain: float) -> None:
    found = reach("knife_edge", gain=gain)["rnn"]
    assert found == pytest.approx(99 * np.log10(gain), abs=1e-9)


def test_knife_edge_quotes_the_decades_of_its_closed_form() -> None:
    sentence = texts("presets")["knife_edge"]
    assert f"{-99 * np.log10(0.9):.2f} decades" in sentence
    assert f"by {99 * np.log10(1.1):.2f}" in sentence


def test_all_twos() -> None:
    result = run(PRESETS["all_twos"].experiment())["rnn"].trace
    assert np.linalg.svd(result.params["W_hh"], compute_uv=False) == pytest.approx(2)
    assert np.linalg.eigvals(result.params["W_hh"]) == pytest.approx(2)
    assert np.abs(result.h[20:]) == pytest.approx(0.9575, abs=1e-4)
    log10 = flows("all_twos")["rnn"].state.log10
    per_step_back = -np.diff(log10)
    assert 10 ** per_step_back[20:] == pytest.approx(0.166, abs=1e-3)
    assert per_step_back[:5] == pytest.approx(np.log10(2), abs=0.02)
    assert np.argmin(log10) in range(8, 13)


@pytest.mark.parametrize("seed", SEEDS)
def test_blow_up(seed: int) -> None:
    found = reach("blow_up", seed=seed)
    assert found["rnn"] > 6
    assert 1 < found["lstm"] < 4
    assert abs(found["gru"]) < 1


@pytest.mark.parametrize("seed", SEEDS)
def test_input_decides(seed: int) -> None:
    small, medium, large = (
        reach("input_decides", seed=seed, distractor=sigma)["rnn"] for sigma in (1.0, 2.0, 3.0)
    )
    assert small > 1.95
    assert 0 < medium < 1.5
    assert large < -0.5


def test_shift_register() -> None:
    state = flows("shift_register")["rnn"].state
    steps_back = 100 - np.arange(101)
    alive = steps_back <= 63
    assert (state.status[alive] == Status.FINITE).all()
    assert (state.status[~alive] == Status.ZERO).all()
    W_hh = run(PRESETS["shift_register"].experiment())["rnn"].trace.params["W_hh"]
    assert np.abs(np.linalg.eigvals(W_hh)).max() == 0
    assert np.linalg.norm(W_hh, 2) == pytest.approx(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_is_not_memory(seed: int) -> None:
    assert abs(reach("flat_is_not_memory", seed=seed)["rnn"]) < 0.3
    assert reach("flat_is_not_memory", seed=seed, loss_at="last")["rnn"] < -18


@pytest.mark.parametrize("seed", SEEDS)
def test_chrono(seed: int) -> None:
    found = reach("chrono", seed=seed)
    assert found["lstm"] == pytest.approx(-1, abs=0.4)
    assert found["lstm:forget_bias=1"] < -6
    trace = run(PRESETS["chrono"].experiment(seed=seed))["lstm"].trace
    kept = memory(trace, "lstm")
    assert kept is not None
    assert 25 < np.median(kept.half_life) < 45
    f = trace.params["b_h"][trace.cell.gate_rows("f")]
    time_scale = 1 + np.exp(f)
    assert time_scale.min() >= 2
    assert time_scale.max() <= 100


@pytest.mark.parametrize("seed", SEEDS)
def test_relu_identity(seed: int) -> None:
    log10 = flows("relu_identity", seed=seed)["rnn"].state.log10
    assert log10[99] < log10[100]
    assert np.ptp(log10[1:100]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_gates(seed: int) -> None:
    result = run(PRESETS["no_gates"].experiment(seed=seed))
    flows = [gradient_flow(network.trace, label) for label, network in result.items()]
    assert max(flow.reach_log10 for flow in flows) < -16
    squashed, plain = (result[f"lstm:variant={v}"].trace for v in ("no_gates", "no_gates_noaf"))
    for trace, output in ((squashed, np.tanh), (plain, np.asarray)):
        p, h = trace.params, trace.h[:-1]
        a = p["W_xh"] @ trace.x + p["W_hh"] @ h + p["b_h"][:, None]
        np.testing.assert_allclose(trace.h[1:], output(np.tanh(a)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_skip(seed: int) -> None:
    found = reach("skip", seed=seed)
    assert found["rnn"] < -18
    assert -4 < found["rnn:skip=10"] < -1


@pytest.mark.parametrize("seed", SEEDS)
def test_leaky(seed: int) -> None:
    found = reach("leaky", seed=seed)
    assert found["rnn"] < -18
    assert -3 < found["rnn:leak=0.1"] < -1.5
    assert -1 < found["rnn:leak=0.01"] < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_both_directions(seed: int) -> None:
    result = run(PRESETS["both_directions"].experiment(seed=seed))
    for item in layer_traces(result["rnn"], "rnn"):
        flow = gradient_flow(item.trace, item.label)
        log10 = flow.state.log10[1:]
        if item.layer == 2:
            assert flow.reach_log10 < -15
            continue
        assert np.argmin(log10) in range(35, 66)
        assert log10.min() < min(log10[0], log10[-1]) - 8
