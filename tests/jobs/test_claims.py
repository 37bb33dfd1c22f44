"""Claims are measured slice by slice, the chosen one first; what no knob concerns is kept."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.jobs.claims import CLAIMS, Asked, Claims, advance, follow
from rnnviz.views.claims import so_far

FEW = 6
ASKED = Asked(0, 8, Experiment(("rnn",), hidden_size=4, seq_len=10))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few draws of each claim."""
    for name, claim in CLAIMS.items():
        monkeypatch.setitem(CLAIMS, name, replace(claim, count=min(FEW, claim.count)))
    return


def begun(name: str, results: int) -> Claims:
    ticks = count()
    claims = follow(None, ASKED, name)
    return advance(claims, float(results), clock=lambda: float(next(ticks)))[0]


def bits(results: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [
        {n: v.tobytes() if isinstance(v, np.ndarray) else repr(v) for n, v in vars(each).items()}
        for each in results
    ]


@pytest.mark.trained
def test_the_chosen_claim_is_measured_first_and_a_slice_ends_in_time() -> None:
    claims = begun("highway", 3)
    assert {n: len(found) for n, found in claims.results.items() if found} == {"highway": 3}
    claims, record = advance(claims, 0.0, clock=lambda: 0.0)
    assert claims.results["highway"][3:] == record
    claims, _ = advance(claims, math.inf)
    assert claims.is_finished("highway")
    assert not claims.results["sigma"]
    claims, _ = advance(claims, math.inf)
    assert claims.is_finished("sigma")
    while not claims.finished:
        claims, _ = advance(claims, math.inf)
    assert [len(found) for found in claims.results.values()] == [claims.total(n) for n in CLAIMS]
    assert claims.results["truncation"][-1].label == "rnn"
    assert advance(claims, math.inf) == (claims, ())


@pytest.mark.parametrize("name", ["sigma", "highway", "stability", "truncation"])
def test_what_is_pickled_goes_on_to_the_bit(name: str) -> None:
    whole, sliced = begun(name, FEW + 1), follow(None, ASKED, name)
    while not sliced.is_finished(name):
        sliced, record = advance(pickle.loads(pickle.dumps(sliced)), 0.0)
        assert len(record) == 1
    assert whole.is_finished(name)
    assert bits(sliced.results[name]) == bits(whole.results[name])


def test_only_what_a_knob_concerns_is_measured_again() -> None:
    before = begun("truncation", 1)
    before = advance(follow(before, ASKED, "sigma"), 0.0)[0]
    assert follow(before, ASKED, "sigma") is before
    moved = replace(ASKED, experiment=replace(ASKED.experiment, gain=2.0))
    after = follow(before, moved, "sigma")
    assert (len(after.results["sigma"]), after.results["truncation"]) == (1, ())
    assert not any(follow(before, replace(ASKED, seed=1), "sigma").results.values())


def test_how_far_a_claim_is_names_what_is_counted() -> None:
    def said(name: str, found: int) -> str:
        return so_far(Claims(ASKED, results={**Claims(ASKED).results, name: (None,) * found}), name)

    assert said("clipping", 3) == f"3 of {FEW} runs"
    assert said("truncation", FEW) == f"{FEW} of {FEW} draws"
    assert said("truncation", FEW + 1) == f"{FEW} of {FEW} draws, 1 of your 1 models"
