"""The reproductions themselves run for minutes; that they can run, and their statistics, are
checked here."""

from __future__ import annotations

import pytest

from tests.reproduce.cases import CASES, ours
from tests.reproduce.jobs import job
from tests.reproduce.statistics import exact_p_value


@pytest.mark.parametrize("name", CASES)
def test_a_case_compares_the_same_seeds(name: str) -> None:
    seeds = [[dict(job.arguments)["seed"] for job in jobs] for jobs in CASES[name].jobs.values()]
    assert all(own == seeds[0] for own in seeds)


def test_bands_judge_both_ways() -> None:
    case = CASES["temporal_order"]
    assert case.judge({"lstm": [1.0, 1.0, 0.2], "rnn": [0.25, 0.3, 0.9]})
    assert not case.judge({"lstm": [1.0, 0.9, 0.2], "rnn": [0.25, 0.3, 0.9]})
    assert not case.judge({"lstm": [1.0, 1.0, 1.0], "rnn": [0.25, 0.5, 0.9]})


def test_the_line_of_a_case_names_median_range_and_p_value() -> None:
    line = ours(CASES["clipping"], {"none": [0.1, 0.2, 0.3], "norm": [0.9, 1.0, 1.0]})
    assert line == "none 20.0 % (10.0 %–30.0 %); norm 100.0 % (90.0 %–100.0 %, p = 0.1)"


def test_p_value_by_enumeration() -> None:
    """All of a below all of b: 2 of the C(6, 3) = 20 assignments are as extreme."""
    assert exact_p_value([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert exact_p_value([1, 4, 5], [2, 3, 6]) == pytest.approx(1.0)
    assert exact_p_value([1, 1], [1, 1]) == 1.0


@pytest.mark.trained
def test_a_job_trains_a_network() -> None:
    assert job("counting", kind="rnn", seed=0).run() == 1.0
