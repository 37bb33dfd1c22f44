"""The caches: keyed on the experiment alone, shared, and bounded."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st

import rnnviz.dashboard.compute as compute
from rnnviz import Experiment, estimate, run
from rnnviz.analysis import gradients
from rnnviz.analysis.gates import memory
from rnnviz.analysis.layers import layer_traces
from rnnviz.dashboard.memory import Memory
from rnnviz.experiment import Plan, plan, run_plan
from rnnviz.views import gates, gradient_flow, spectrum

TINY = Experiment(models=("lstm",), seq_len=3, hidden_size=2, batch_size=1)
FLOW, SPECTRUM, GATES = gradient_flow.Choices(), spectrum.Choices(), gates.Choices()
CACHED: dict[str, Callable[[Experiment], Any]] = {
    "traces": compute.traces,
    "flow_view": lambda experiment: compute.flow_view(experiment, FLOW, None),
    "spectrum_view": lambda experiment: compute.spectrum_view(experiment, SPECTRUM),
    "gates_view": lambda experiment: compute.gates_view(experiment, GATES),
    "_jacobians": lambda experiment: compute.jacobians(
        compute.traces(experiment), layer_traces(compute.traces(experiment)["lstm"], "lstm")[0]
    ),
}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    clear()
    yield
    clear()


def clear() -> None:
    st.cache_resource.clear()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each seed was run, where there is room for four, and for sixty views."""
    room = Memory(estimate(TINY).bytes + 3 * plan(TINY).recorded_bytes)
    view = pickle.dumps(gradient_flow.view(run(TINY), FLOW))
    views = Memory(60 * (compute.OBJECTS_BYTES + len(view)))
    monkeypatch.setattr(compute, "memory", lambda: room)
    monkeypatch.setattr(compute, "views", lambda: views)
    counted: Counter[int] = Counter()

    def counting(planned: Plan, *more: Any) -> Any:
        counted[planned.experiment.seed] += 1
        return run_plan(planned, *more)

    monkeypatch.setattr(compute, "run_plan", counting)
    return counted


def seeds(count: int) -> list[Experiment]:
    return [replace(TINY, seed=seed) for seed in range(count)]


@pytest.mark.parametrize("name", CACHED)
def test_the_same_experiment_is_computed_once(name: str, runs: Counter[int]) -> None:
    first = CACHED[name](TINY)
    again = CACHED[name](Experiment(**vars(TINY)))
    assert again is first
    assert runs == {0: 1}


@pytest.mark.parametrize(
    "change",
    [{"gain": 1.5}, {"seed": 1}, {"dtype": "float32"}, {"models": ("gru", "lstm")}, {"text": "x"}],
    ids=str,
)
def test_another_experiment_is_another_entry(change: dict[str, Any]) -> None:
    flow_view = CACHED["flow_view"]
    assert flow_view(TINY) is not flow_view(replace(TINY, **change))


def test_few_runs_are_kept(runs: Counter[int]) -> None:
    for experiment in seeds(5):
        compute.traces(experiment)
    compute.traces(replace(TINY, seed=4))
    assert runs[4] == 1
    compute.traces(TINY)
    assert runs[0] == 2


def test_what_is_drawn_outlives_its_run(runs: Counter[int]) -> None:
    for experiment in seeds(40):
        CACHED["flow_view"](experiment)
    CACHED["flow_view"](TINY)
    assert runs[0] == 1


@pytest.mark.parametrize("name", CACHED)
def test_no_cache_grows_without_end(name: str, runs: Counter[int]) -> None:
    for experiment in seeds(70):
        CACHED[name](experiment)
    CACHED[name](TINY)
    assert runs[0] == 2


def test_points_of_a_diagram_are_kept_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Memory(10 * compute.OBJECTS_BYTES)
    monkeypatch.setattr(compute, "views", lambda: room)
    points = [compute.few_numbers(experiment) for experiment in seeds(12)]
    assert compute.few_numbers(seeds(12)[-1]) is points[-1]
    assert compute.few_numbers(TINY) is not points[0]
    assert room.used <= room.ceiling


def test_coarse_is_cheaper_and_agrees_where_it_looks() -> None:
    experiment = replace(TINY, seq_len=60)
    coarse, exact = (
        compute.spectrum_view(experiment, replace(SPECTRUM, coarse=c)) for c in (True, False)
    )
    assert len(coarse.jacobian.steps) < len(exact.jacobian.steps)
    assert set(coarse.jacobian.steps) <= set(exact.jacobian.steps)
    assert coarse.spectrum.sigma_max == exact.spectrum.sigma_max


def test_results_are_those_of_the_library() -> None:
    trace = run(TINY)["lstm"].trace
    flow = gradients.gradient_flow(trace, "lstm", TINY.batch_size)
    assert compute.flow_view(TINY, FLOW, None).flows[0].reach_log10 == flow.reach_log10
    view = compute.gates_view(TINY, GATES)
    assert view.memory is not None
    assert (view.memory.half_life == memory(trace, "lstm").half_life).all()
