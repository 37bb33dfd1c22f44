"""A sweep: every combination, what was measured there, and nothing that stops it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz.analysis import gradient_flow
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.core.numerics import Status
from rnnviz.experiment import Experiment, run
from rnnviz.sweep import Point, Result, count, measured, points, run_points, sweep
from rnnviz.sweep.pool import ThisProcess
from rnnviz.views.gradient_flow import view as gradient_view

SMALL = Experiment(("rnn", "lstm"), seq_len=6, hidden_size=4, batch_size=2)  # type: ignore[arg-type]
OVER = {"gain": [0.5, 2.0], "seq_len": [5, 9, 7]}


def here(over: dict[str, Any] = OVER, experiment: Experiment = SMALL, **more: Any) -> list[Result]:
    return list(sweep(experiment, over, executor=ThisProcess(), **more))


def numbers(results: Iterable[Result]) -> dict[Any, Any]:
    """What does not depend on the clock."""
    return {r.key: (r.measures, r.message) for r in results}


def test_every_combination_has_a_result_for_every_model_and_seed() -> None:
    found = here(seeds=[3, 1])
    wanted = itertools.product(*OVER.values(), [3, 1], SMALL.models)
    assert [(*dict(r.at).values(), r.seed, r.model) for r in found] == list(wanted)
    assert count(OVER, [3, 1]) == len(found) / 2
    assert all(list(dict(r.at)) == ["gain", "seq_len"] for r in found)


def test_the_seed_is_the_experiment_s_own_unless_given() -> None:
    assert {r.seed for r in here(experiment=Experiment(("rnn",), seed=7))} == {7}  # type: ignore[arg-type]


def test_a_stack_is_measured_where_gradient_flow_shows_it() -> None:
    """In front stands its last layer; every step of the layer above refills the first one's."""
    base = Experiment(("rnn",), layers=2, bidirectional="yes", seq_len=40, hidden_size=8)  # type: ignore[arg-type]
    (result,) = here({"gain": [1.0]}, base)
    flow = gradient_view(run(base)).flows[0]
    assert result.measures is not None
    assert flow.slope is not None
    assert result.measures.slope == pytest.approx(flow.slope.decades_per_step, rel=1e-12)
    assert result.measures.reach_log10 == pytest.approx(flow.reach_log10, rel=1e-12)


@pytest.mark.parametrize("match", ["hidden_size", "parameters"])
def test_the_numbers_are_those_of_a_run(match: str) -> None:
    base = Experiment(("rnn", "lstm"), hidden_size=8, batch_size=3, match=match)  # type: ignore[arg-type]
    found = here({"gain": [0.5], "seq_len": [20]}, base)
    alone = Experiment(base.models, hidden_size=8, batch_size=3, match=match, gain=0.5, seq_len=20)
    for result, (label, trace) in zip(found, run(alone).items(), strict=True):
        flow, m = gradient_flow(trace.trace, label, 3), result.measures
        assert m is not None
        assert flow.slope is not None
        assert (result.model, m.reach_status) == (label, flow.reach_status)
        assert m.slope == pytest.approx(flow.slope.decades_per_step, rel=1e-12)
        assert m.r2 == pytest.approx(flow.slope.r2, rel=1e-9)
        assert m.reach_log10 == pytest.approx(flow.reach_log10, rel=1e-12)
        assert m.final_log10 == pytest.approx(flow.state.log10[1], rel=1e-12)
        falls = flow.slope.decades_per_step < 0
        assert m.horizon == pytest.approx(
            -1 / np.log(flow.slope.factor_per_step) if falls else np.inf
        )
        exact = lyapunov_spectrum(trace.trace, label).largest
        assert m.lambda_1 == pytest.approx(exact, rel=1e-6)
        assert result.seconds > 0


def test_a_linear_orthogonal_network_is_g_to_the_k() -> None:
    base = Experiment(("rnn",), init="orthogonal", activation="identity", distractor=0.0)  # type: ignore[arg-type]
    found = {dict(r.at)["gain"]: r.measures for r in here({"gain": [0.5, 1.0, 2.0]}, base)}
    for gain, m in found.items():
        assert m is not None
        assert m.slope == pytest.approx(np.log10(gain), abs=1e-10)
        assert m.reach_log10 == pytest.approx(99 * np.log10(gain), abs=1e-8)
        assert m.lambda_1 == pytest.approx(np.log(gain), abs=1e-10)
    assert found[0.5].horizon == pytest.approx(1 / np.log(2))  # type: ignore[union-attr]
    assert found[2.0].horizon == np.inf  # type: ignore[union-attr]


def test_an_exact_zero_has_its_status_and_no_number() -> None:
    base = Experiment(("rnn",), init="delay_line", activation="identity", hidden_size=5)  # type: ignore[arg-type]
    (result,) = here({"seq_len": [30]}, base)
    m = result.measures
    assert m is not None
    assert (m.reach_log10, m.reach_status) == (None, Status.ZERO)
    assert (m.final_log10, m.final_status) == (None, Status.ZERO)
    assert (m.lambda_1, m.lambda_1_status) == (None, Status.ZERO)
    assert result.row()["reach_status"] == "zero"


def test_a_row_holds_the_fields_and_the_numbers() -> None:
    (result,) = here({"gain": [0.5]}, Experiment(("gru",), seq_len=8, hidden_size=3))  # type: ignore[arg-type]
    row = result.row()
    assert list(row)[:3] == ["gain", "seed", "model"]
    assert row["gain"] == 0.5
    assert result.measures is not None
    assert row["slope"] == result.measures.slope
    refused = Result((("gain", 0.5),), 0, "gru", None, 0.0, "too large").row()
    assert list(refused) == list(row)
    assert refused["slope"] is None


@pytest.mark.parametrize(
    ("over", "seeds", "message"),
    [
        ({"gian": [1]}, None, "over must hold fields of an experiment .*gain.*got 'gian'"),
        ({"gain": [1, -1.0]}, None, "gain must be .*got -1"),
        ({"seq_len": [10, 10.5]}, None, "seq_len must be .*got 10.5"),
        ({"init": ["nothing"]}, None, "init must be one of"),
        ({"gain": []}, None, r"over\['gain'\] must hold at least one value"),
        ({"gain": [1, 1.0]}, None, r"over\['gain'\] must be different values, got 1.0 twice"),
        ({"gain": "12"}, None, r"over\['gain'\] must be a list of values"),
        ({"gain": 2}, None, r"over\['gain'\] must be a list of values"),
        ({"seed": [1]}, None, "over must not hold seed: give seeds="),
        ({"models": [("rnn",)]}, None, "over must not hold models"),
        ({}, [1, 1], "seeds must be different values"),
        ({}, [-1], "seed must be"),
        (None, None, "over must be a mapping from fields to their values, got None"),
        ([("gain", [1])], None, "over must be a mapping from fields to their values"),
        ({"gain": np.array(2)}, None, r"over\['gain'\] must be a list of values"),
        ({}, 5, "seeds must be a list of values, got 5"),
        ({}, "12", "seeds must be a list of values, got '12'"),
    ],
)
def test_everything_is_checked_before_anything_runs(over: Any, seeds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sweep(SMALL, over, seeds)


@pytest.mark.parametrize("limit", [None, "long", -1, np.nan])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match="max_seconds must be a number from 0, got"):
        sweep(SMALL, {}, max_seconds=limit)


def test_a_point_that_is_too_large_is_a_result() -> None:
    found = here({"seq_len": [2000, 6]}, max_seconds=0.04)
    assert [bool(r.message) for r in found] == [True, True, False, False]
    assert "the limits are 1,024 MiB and 0.04 s" in found[0].message
    assert found[0].measures is None
    huge = Experiment(seq_len=2000, hidden_size=512, batch_size=256)
    assert all("MiB" in r.message for r in here({}, huge))


def test_a_point_that_cannot_be_made_is_a_result() -> None:
    found = here({"task": ["text", "adding"]})
    assert [bool(r.message) for r in found] == [True, True, False, False]
    assert "text" in found[0].message


def test_a_model_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(experiment: Experiment) -> Any:
        if experiment.models[0] == "lstm":
            raise FloatingPointError("it broke")
        return run(experiment)

    monkeypatch.setattr(sys.modules["rnnviz.sweep.grid"], "run", fail)
    found = here({"gain": [1, 2]})
    assert [r.message for r in found] == ["", "FloatingPointError: it broke"] * 2


def test_points_are_taken_as_results_are_asked_for() -> None:
    taken = []

    def endless() -> Any:
        for seed in itertools.count():
            taken.append(seed)
            yield next(points(Experiment(SMALL.models), {}, [seed]))

    found = run_points(endless(), ThisProcess())
    assert [next(found).seed for _ in range(6)] == [0, 0, 1, 1, 2, 2]
    assert len(taken) < 30
    found.close()  # type: ignore[attr-defined]


def test_another_executor_finds_the_same_numbers() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert numbers(sweep(SMALL, OVER, executor=executor)) == numbers(here())
        assert executor.submit(int, "3").result() == 3  # it is left open


def test_processes_find_the_same_numbers() -> None:
    assert numbers(rnnviz.sweep(SMALL, OVER, [0, 1])) == numbers(here(seeds=[0, 1]))


def test_a_point_is_measured_model_by_model() -> None:
    found = measured(Point((), SMALL))
    assert [next(found).model, next(found).model] == ["rnn", "lstm"]
