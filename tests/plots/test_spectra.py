"""Spectra: what is promised is drawn where it is promised, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.spectra import jacobian_spectrum, weight_spectra
from rnnviz.plots import (
    eigenvalue_figure,
    jacobian_figure,
    powers_figure,
    singular_values_figure,
    theme,
)
from tests.plots.support import as_json, named, texts, trace

GATE = {"rnn": "a", "lstm": "f", "gru": "n"}


def spectrum(kind: str, **init: object):
    return weight_spectra(trace(kind, **init), kind)[GATE[kind]]


def blank(kind: str = "rnn"):
    full = spectrum(kind)
    nan = np.full(5, np.nan)
    powers = np.full(len(full.powers_k), np.nan)
    both = {"singular_values": nan, "eigenvalues": nan.astype(complex), "powers_log10": powers}
    return replace(full, **both, sigma_max=np.nan, spectral_radius=np.nan)


def test_bars_for_one_model_lines_for_several():
    one = as_json(singular_values_figure([spectrum("rnn")]))
    assert [t["type"] for t in one["data"]] == ["bar"]
    np.testing.assert_allclose(one["data"][0]["y"], spectrum("rnn").singular_values, rtol=1e-6)
    several = as_json(singular_values_figure([spectrum("rnn"), spectrum("gru")]))
    assert [t["type"] for t in several["data"]] == ["scatter", "scatter"]


@pytest.mark.parametrize(("activation", "edge"), [("tanh", 1), ("logistic", 4)])
def test_an_rnn_is_promised_vanishing_below_one_over_gamma(activation, edge):
    figure = as_json(singular_values_figure([replace(spectrum("rnn"), lipschitz=1 / edge)]))
    assert f"above: may explode<br><b>1/γ = {edge}</b><br>below: must vanish" in texts(figure)
    assert [s["y0"] for s in figure["layout"]["shapes"]] == [edge]
    assert figure["layout"]["yaxis"]["range"][1] > edge


def test_a_gate_alone_is_promised_nothing():
    said = texts(as_json(singular_values_figure([spectrum("lstm")])))
    assert "no single gate" in said
    assert "must vanish" not in said


def test_eigenvalues_in_a_square_with_the_unit_circle():
    one = spectrum("rnn")
    figure = as_json(eigenvalue_figure([one]))
    layout = figure["layout"]
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"]
    assert [(s["type"], s["x1"]) for s in layout["shapes"]] == [("circle", 1.0)]
    np.testing.assert_allclose(figure["data"][0]["customdata"], np.abs(one.eigenvalues), rtol=1e-6)
    assert f"{one.spectral_radius:.2f}" in texts(figure)


def test_dashed_circle_is_where_mean_slope_takes_an_eigenvalue_to_one():
    figure = as_json(eigenvalue_figure([spectrum("rnn")], 0.8))
    dashed = [s for s in figure["layout"]["shapes"] if s["line"]["dash"] == "dash"]
    assert [s["x1"] for s in dashed] == [pytest.approx(1.25)]
    assert figure["layout"]["xaxis"]["range"][1] > 1.25


@pytest.mark.parametrize("slope", [None, 0.0, 1.0, 1e-9, np.nan])
def test_no_dashed_circle_where_it_would_say_nothing(slope):
    figure = as_json(eigenvalue_figure([spectrum("rnn")], slope))
    assert len(figure["layout"]["shapes"]) == 1


def test_powers_fall_from_sigma_max_and_measured_is_dotted():
    one = spectrum("rnn")
    figure = as_json(powers_figure([one], {"rnn": 0.5}))
    (line,), (measured,) = named(figure, "RNN"), named(figure, "RNN measured")
    assert line["y"][0] == pytest.approx(one.sigma_max, rel=1e-6)
    assert measured["line"]["dash"] == "dot"
    np.testing.assert_allclose(measured["y"], 0.5)
    for words in (f"σ<sub>max</sub> = {one.sigma_max:.2f}", "ρ = ", "measured ×0.50"):
        assert words in texts(figure)


def test_powers_of_a_nilpotent_matrix_reach_zero():
    figure = as_json(powers_figure([spectrum("rnn", init="delay_line")], {"rnn": None}))
    (line,) = figure["data"]
    assert line["y"][3] == 1
    assert line["y"][5] == 0
    assert "measured" not in texts(figure)


@pytest.mark.parametrize("draw", [singular_values_figure, eigenvalue_figure, powers_figure])
def test_never_blank(draw):
    for spectra, words in (
        ([], "No model chosen."),
        ([blank()], "W_hh holds values that are not finite."),
        ([spectrum("rnn", gain=1e14)], "W_hh stretches by more than"),
    ):
        figure = as_json(draw(spectra))
        assert words in texts(figure)
        assert figure["data"]


def test_jacobians_through_time():
    spectra = [jacobian_spectrum(trace(kind), kind) for kind in ("rnn", "lstm")]
    figure = as_json(jacobian_figure(spectra))
    (top, slope), (rate,) = named(figure, "RNN"), named(figure, "RNN measured")
    np.testing.assert_allclose(10.0 ** top["y"], spectra[0].singular_values[:, 0], rtol=1e-5)
    np.testing.assert_allclose(10.0 ** rate["y"], spectra[0].measured_rate, rtol=1e-5)
    np.testing.assert_allclose(slope["y"], spectra[0].mean_slope, rtol=1e-6)
    assert slope["yaxis"] == "y2"
    assert figure["layout"]["yaxis2"]["range"][0] == 0


def test_a_jacobian_of_zeros_or_nan_is_named():
    one = jacobian_spectrum(trace("rnn"), "rnn")
    for value, words in ((0.0, "zero at 12 of 12 steps"), (np.nan, "no number at 12 of 12 steps")):
        dead = replace(one, singular_values=one.singular_values * 0 + value, measured_rate=None)
        assert words in texts(as_json(jacobian_figure([dead])))
    assert "No model chosen." in texts(as_json(jacobian_figure([])))


def test_colours_are_the_models():
    figure = as_json(singular_values_figure([spectrum("gru")]))
    assert figure["data"][0]["marker"]["color"] == theme.model_colour("gru")


def test_what_they_build_is_valid_plotly():
    both = [spectrum("rnn"), spectrum("lstm")]
    for figure in (
        singular_values_figure(both),
        eigenvalue_figure(both, 0.9),
        powers_figure(both, {"rnn": 0.5, "lstm": 1.0}),
        jacobian_figure([jacobian_spectrum(trace("gru"), "gru")]),
        powers_figure([]),
    ):
        go.Figure(figure.to_plotly_json())
