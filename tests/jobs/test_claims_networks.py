"""The networks that the Claims page speaks of: those that its buttons and dots open, those that it
trains, the visitor's own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import product_spectrum
from rnnviz.claims.counterexamples import counterexample
from rnnviz.claims.growth import STEPS, STRETCH, draw
from rnnviz.core import backward, forward
from rnnviz.experiment import check_size
from rnnviz.jobs.claims import (
    OPENS,
    Asked,
    clipped_run,
    experiment_of_draw,
    measure,
    own_agreement,
    set_up,
)
from rnnviz.views import claims


@pytest.mark.parametrize("name", OPENS)
def test_a_counterexample_is_the_network_that_it_says(name: str) -> None:
    path, opened = OPENS[name]
    assert not check_size(opened)
    trace, e = run(opened)["rnn"].trace, counterexample(name)
    W = trace.params["W_hh"]
    assert np.linalg.svd(W, compute_uv=False)[0] == pytest.approx(e.sigma_max, rel=1e-12)
    left = np.abs(trace.d_h[:, :, 0]).max(axis=1)
    if name == "nilpotent":
        assert left[-1] > 0
        assert (left[:-3] == 0).all()
    if name == "saturated":
        assert left[20] / left[21] == pytest.approx(e.rate, rel=1e-3)
    assert path in ("gradient-flow", "spectrum")


def test_a_draw_is_the_experiment_that_its_dot_opens() -> None:
    """The same weights and inputs: the same promises, and growth but for the error's direction."""
    for number in (1, 2, 5, 8):
        d = draw(4, 12, number)
        opened = experiment_of_draw(d)
        assert not check_size(opened)
        trace = run(opened)["rnn"].trace
        assert np.linalg.svd(trace.params["W_hh"], compute_uv=False)[0] == d.sigma_max
        record = forward(trace.cell, trace.params, trace.x[:, :, :1])
        direct = np.zeros((STEPS, 12, 1))
        direct[-1] = np.random.default_rng(0).standard_normal((12, 1))
        left = np.linalg.norm(backward(record, direct).d_h[:, :, 0], axis=1)
        with np.errstate(divide="ignore"):
            growth = np.log10(left[STEPS - STRETCH] / left[STEPS]) / STRETCH
        assert growth == pytest.approx(d.growth, abs=0.03)


def test_the_exponent_is_measured_on_the_second_sequence() -> None:
    """No direction grows faster than σ_max of the whole product: λ₁ of draw 82 is more than the
    judged sequence allows, and no more than the next one does."""
    d = draw(4, 12, 82)
    trace = run(replace(experiment_of_draw(d), batch_size=2))["rnn"].trace
    spectra = [product_spectrum(trace, "", b, STEPS - STRETCH, STEPS) for b in (0, 1)]
    judged, other = (s.exponents[0] * math.log10(math.e) for s in spectra)
    assert judged + 0.05 < d.lyapunov <= other + 1e-9


@pytest.mark.trained
def test_clipping_on_real_runs_shortens_and_never_turns() -> None:
    exploding, vanishing = (clipped_run(0, 8, number) for number in (0, 1))
    assert (exploding.case, vanishing.case) == ("exploding", "vanishing")
    assert exploding.clipped > 0
    for each in (exploding, vanishing):
        np.testing.assert_allclose(each.after, np.minimum(each.before, each.limit), rtol=1e-12)
        assert each.cosine.min() > 1 - 1e-12
        assert each.lengthened == 0
        assert each.slopes[0] == pytest.approx(each.slopes[1], rel=1e-9)
    assert vanishing.slopes[0] < -0.1
    assert exploding.by_value.min() < 0.95
    assert set_up(0, 8, 0).seed == set_up(0, 8, 1).seed != set_up(0, 8, 2).seed


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layers": 2, "bidirectional": "yes"},
        {"task": "captioning", "models": ("gru",)},
        {"task": "sentiment", "models": ("lstm:variant=cifg",)},
        {"skip": 3, "models": ("rnn:leak=0.5",), "loss_at": "every"},
    ],
    ids=str,
)
def test_own_networks_of_any_kind_are_measured(changes: dict[str, Any]) -> None:
    own = Experiment(**{"models": ("rnn", "lstm"), "hidden_size": 4, "seq_len": 12, **changes})
    for label in map(str, own.models):
        found = own_agreement(run(own), label)
        assert found.label == label
        assert np.nanmax(np.abs(found.cosine)) <= 1 + 1e-12
        assert found.cosine[found.windows >= 12] == pytest.approx(1)


def test_own_networks_that_would_take_long_are_not_measured() -> None:
    large = Experiment(("lstm",), hidden_size=512, seq_len=300)  # type: ignore[arg-type]
    assert np.isnan(measure(Asked(0, 8, large), "truncation", 80).cosine).all()


@pytest.mark.trained
def test_the_numbers_behind_a_verdict_are_a_table() -> None:
    found = [draw(0, 4, k) for k in range(5)]
    table = claims.scores(found)
    assert list(table["predictor"]) == ["γσₘₐₓ", "γρ", "mean field ½ ln χ", "λ₁ (measured)"]
    assert all(value == "–" or " of " in value for value in table["tanh"])
    assert [row["gain"] for row in claims.rows(found)] == [d.gain for d in found]
    (row,) = claims.rows([clipped_run(0, 4, 1)])
    assert len(row["before"].split()) == 30
