"""Figures below the fold: what is drawn, on which scales, and what is said where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.analysis.predictions import (
    Prediction,
    Predictions,
    gradient_predictions,
    norm_predictions,
    weight_law,
)
from rnnviz.analysis.spectra import jacobian_spectrum, stretch, weight_spectra
from rnnviz.analysis.step_factors import step_factors
from rnnviz.core.numerics import Status
from rnnviz.plots import spectra as spectrum_plots
from rnnviz.plots import theme
from rnnviz.plots.contributions import contributions_figure
from rnnviz.plots.drawing import to_json
from rnnviz.plots.gradients import flow_figure
from rnnviz.plots.jacobians import jacobian_bands
from rnnviz.plots.lyapunov import lyapunov_figure
from rnnviz.plots.pairs import cancellation_figure, lag_figure, one_loss_figure, pair_heatmaps
from rnnviz.plots.step_factors import step_factors_figure
from rnnviz.wording.numbers import signed
from tests.plots.support import as_json, flow, heights, named, texts, trace
from tests.plots.test_pairs import CELLS, T, every, matrix


def test_lags_of_all_models_on_one_axis():
    profiles = [lag_profile(trace(kind), kind) for kind in CELLS]
    figure = as_json(lag_figure(profiles))
    for profile, name in zip(profiles, ("RNN", "LSTM", "GRU"), strict=True):
        (line,) = named(figure, name)
        np.testing.assert_allclose(heights(line), profile.state.log10[1:], atol=1e-5)
        assert (line["x0"], line["dx"]) == (1, 1)
    assert len(named(figure, "LSTM h alone")) == 1
    assert not named(figure, "RNN h alone")
    low, high = figure["layout"]["yaxis"]["range"]
    values = np.concatenate([p.state.log10 for p in profiles])
    assert low < values.min() <= values.max() < high


def test_the_end_of_a_delay_line_is_exactly_zero():
    profile = lag_profile(trace("rnn", init="delay_line"), "rnn")
    figure = as_json(lag_figure([profile]))
    assert "exactly 0 from step 5 on" in texts(figure)


def test_theory_lies_under_the_measured_lines():
    one = trace("rnn", H=32)
    bound = stretch(one, "a")
    found = norm_predictions(one, "rnn", T, "gaussian", False, bound)
    figure = as_json(lag_figure([lag_profile(one, "rnn")], theory={"rnn": found}))
    names = [each.get("name") for each in figure["data"]]
    assert names.index("RNN mean field") < names.index("RNN")
    (line,) = named(figure, "RNN mean field")
    np.testing.assert_allclose(line["y"], found.lines[0].log10[1:], atol=1e-5)
    assert line["line"]["dash"] != named(figure, "RNN bound")[0]["line"]["dash"]
    assert line["line"]["width"] < named(figure, "RNN")[0]["line"]["width"]
    silent = Predictions("rnn", (), "no formula")
    plain = as_json(lag_figure([lag_profile(one, "rnn")], theory={"rnn": silent}))
    assert not named(plain, "RNN mean field")


def test_theory_begins_where_the_error_enters():
    one = flow("rnn")
    line = Prediction("mean field", -0.5 * np.arange(T + 1), -0.5)
    theory = {"rnn": Predictions("rnn", (line,), "")}
    (drawn,) = named(as_json(flow_figure([one], theory=theory)), "RNN mean field")
    by_step = dict(zip(drawn["x"].tolist(), drawn["y"].tolist(), strict=True))
    assert by_step[T] == 0
    assert by_step[1] == -0.5 * (T - 1)
    backward = replace(one, direction=1)
    (drawn,) = named(as_json(flow_figure([backward], theory=theory)), "RNN mean field")
    by_step = dict(zip(drawn["x"].tolist(), drawn["y"].tolist(), strict=True))
    assert by_step[1] == 0
    assert by_step[T] == -0.5 * (T - 1)
    assert not named(as_json(flow_figure([one])), "RNN mean field")


def test_theory_of_a_gradient_starts_at_nought():
    one = trace("rnn", H=32)
    found = gradient_predictions(one, "rnn", T, "gaussian", False, stretch(one, "a"))
    assert [line.log10[0] for line in found.lines] == [0, 0]


def test_contributions_and_their_shares():
    found = [weight_contributions(every(kind), kind) for kind in CELLS]
    figure = as_json(contributions_figure(found))
    for c, name in zip(found, ("RNN", "LSTM", "GRU"), strict=True):
        norm, share = named(figure, name)
        assert share["yaxis"] == "y2"
        np.testing.assert_allclose(share["y"], c.share, atol=1e-6)
        finite = np.isfinite(c.log10_norm)
        np.testing.assert_allclose(norm["y"], c.log10_norm[finite], atol=1e-5)
        (alone,) = named(figure, f"{name} one by one")
        assert alone["line"]["width"] < norm["line"]["width"]
    none = replace(found[0], log10_norm=np.full(T, -np.inf), share=np.full(T, np.nan))
    assert "Every contribution is zero" in texts(as_json(contributions_figure([none])))


def test_factors_of_a_step_stand_between_its_two_points():
    found = [step_factors(trace(kind), kind) for kind in CELLS]
    figure = as_json(step_factors_figure(found))
    (weights,), (whole,) = named(figure, "weights"), named(figure, "all together")
    np.testing.assert_allclose(weights["x"], np.arange(1.5, T), atol=1e-6)
    np.testing.assert_allclose(weights["y"], found[0].factors["weight"][1:], atol=1e-6)
    bars = [np.array(named(figure, name)[0]["y"]) for name in ("slope φ′", "weights", "direction")]
    np.testing.assert_allclose(np.sum(bars, axis=0), whole["y"], atol=1e-5)
    carry = named(figure, "carry")
    assert [each["xaxis"] for each in carry] == ["x2", "x3"]
    np.testing.assert_allclose(carry[0]["y"], found[1].shares["carry"][1:], atol=1e-6)
    assert not named(figure, "enters")
    back = as_json(step_factors_figure(found, backward=True))
    np.testing.assert_allclose(named(back, "weights")[0]["x"], np.arange(T - 0.5, 1, -1), atol=1e-6)


def test_a_bar_of_a_long_run_is_the_mean_of_a_few_steps():
    found = step_factors(trace("rnn", T=600), "rnn")
    figure = as_json(step_factors_figure([found]))
    (slopes,) = named(figure, "slope φ′")
    assert len(slopes["y"]) == 200
    np.testing.assert_allclose(slopes["y"][0], found.factors["slope"][1:4].mean(), rtol=1e-5)
    np.testing.assert_allclose(slopes["x"][:2], [2.5, 5.5])
    assert np.sum(slopes["width"]) == 599


def test_without_an_error_there_is_nothing_to_split():
    gone = replace(step_factors(trace("rnn"), "rnn"), change=np.full(T, np.nan))
    assert "No step has an error to split" in texts(as_json(step_factors_figure([gone])))
    ending = step_factors(trace("rnn", init="delay_line"), "rnn")
    (weights,) = named(as_json(step_factors_figure([ending])), "weights")
    assert weights["y"][0] is None


def test_exponents_long_run_and_mean_field():
    short = [lyapunov_spectrum(trace(kind), kind) for kind in CELLS]
    long = [replace(short[0], steps=999)]
    figure = as_json(lyapunov_figure(short, long_run=long, mean_field={"rnn": -0.4}))
    for s, name in zip(short, ("RNN", "LSTM", "GRU"), strict=True):
        (line,) = named(figure, name)
        np.testing.assert_allclose(line["y"], s.exponents, rtol=1e-5)
    assert named(figure, "RNN long run")[0]["line"]["dash"] == "dash"
    np.testing.assert_allclose(named(figure, "RNN mean field")[0]["y"], -0.4)
    assert not named(figure, "LSTM mean field")
    assert "mean field" not in texts(as_json(lyapunov_figure(short)))


def test_the_largest_exponents_alone_say_what_the_first_is_at_least_and_reach_the_page():
    found = lyapunov_spectrum(trace("rnn"), "rnn", count=2)
    plain = lyapunov_figure.plain([found])
    assert "NaN" not in to_json(plain)
    said = texts(as_json(lyapunov_figure([found])))
    assert f"≥{signed(found.exponents[0], 3)}" in said
    assert found.exponents[0] <= lyapunov_spectrum(trace("rnn"), "rnn").largest


def test_exponents_of_minus_infinity_are_counted():
    one = lyapunov_spectrum(trace("rnn"), "rnn")
    exponents, status = one.exponents.copy(), one.status.copy()
    exponents[-2:], status[-2:] = -np.inf, (Status.ROUNDED, Status.ZERO)
    figure = as_json(lyapunov_figure([replace(one, exponents=exponents, status=status)]))
    for words in ("1 of 5 −∞: exactly singular", "1 of 5 −∞ by rounding"):
        assert words in texts(figure)
    none = replace(one, exponents=one.exponents * np.nan, status=one.status * 0 + 5)
    assert "No exponent is a number" in texts(as_json(lyapunov_figure([none])))


def test_bands_hold_all_singular_values():
    found = [jacobian_spectrum(trace(kind), kind) for kind in CELLS]
    figure = as_json(jacobian_bands(found))
    for j, name in zip(found, ("RNN", "LSTM", "GRU"), strict=True):
        (largest,) = named(figure, name)
        np.testing.assert_allclose(10.0 ** largest["y"], j.singular_values[:, 0], rtol=1e-4)
        (median,) = named(figure, f"{name} median")
        middle = np.median(np.log10(j.singular_values), axis=1)
        np.testing.assert_allclose(median["y"], middle, atol=1e-5)
        whole = named(figure, f"{name} band")[0]
        assert whole["y"].max() == pytest.approx(largest["y"].max())
    ranges = [figure["layout"][f"yaxis{k}"]["range"] for k in ("", "2", "3")]
    assert ranges[0] == ranges[1] == ranges[2]
    singular = replace(found[0], singular_values=found[0].singular_values * 0)
    assert "60 of 60 are zero to rounding" in texts(as_json(jacobian_bands([singular])))


def test_laws_over_a_spectrum():
    one = trace("rnn", H=32)
    block = weight_spectra(one, "rnn")["a"]
    law = weight_law(one.params["W_hh"], "gaussian", False, block.powers_k)
    assert not isinstance(law, str)
    bars = as_json(spectrum_plots.singular_values_figure([block], law=law))
    (line,) = named(bars, "quarter circle")
    np.testing.assert_allclose(line["y"], law.singular_values, atol=1e-5)
    plane = as_json(spectrum_plots.eigenvalue_figure([block], law=law))
    (disc,) = [s for s in plane["layout"]["shapes"] if s.get("fillcolor")]
    assert disc["x1"] == pytest.approx(law.radius)
    powers = as_json(spectrum_plots.powers_figure([block], law=law))
    np.testing.assert_allclose(named(powers, "Fuss-Catalan")[0]["y"], 10**law.powers_log10,
                               rtol=1e-5)  # fmt: skip
    assert not named(as_json(spectrum_plots.powers_figure([block])), "Fuss-Catalan")


def test_colours_are_the_models_and_what_is_built_is_valid():
    both = [matrix(kind) for kind in CELLS]
    figures = [
        pair_heatmaps(both),
        cancellation_figure(both),
        one_loss_figure(both),
        lag_figure([lag_profile(trace(kind), kind) for kind in CELLS]),
        contributions_figure([weight_contributions(every(kind), kind) for kind in CELLS]),
        step_factors_figure([step_factors(every(kind), kind) for kind in CELLS]),
        lyapunov_figure([lyapunov_spectrum(trace(kind), kind) for kind in CELLS]),
        jacobian_bands([jacobian_spectrum(trace(kind), kind) for kind in CELLS]),
    ]
    for figure in figures:
        go.Figure(figure.to_plotly_json())
        assert theme.model_colour("gru") in figure.to_json(validate=False)
    for draw in (pair_heatmaps, cancellation_figure, lag_figure, contributions_figure,
                 step_factors_figure, lyapunov_figure, jacobian_bands,
                 one_loss_figure):  # fmt: skip
        empty = as_json(draw([]))
        assert empty["data"]
        assert texts(empty)
