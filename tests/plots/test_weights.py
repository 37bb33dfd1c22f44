"""Weight maps: one scale for all blocks, symmetric around 0; what is no number looks like none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.weights import weight_maps
from rnnviz.core.numerics import Status
from rnnviz.plots import weight_figure
from tests.plots.support import as_json, named, texts, trace


def maps(kind: str, gradient: float = 1.0, **init: object):
    """The gradients may be multiplied."""
    found = weight_maps(trace(kind, **init), kind)
    scaled = tuple(replace(m, gradient=m.gradient * gradient) for m in found.maps)
    return replace(found, maps=scaled, gradient_bound=found.gradient_bound * gradient)


def heatmaps(figure: dict) -> list[dict]:
    return [each for each in figure["data"] if each["type"] == "heatmap"]


@pytest.mark.parametrize("gradient", [False, True])
def test_the_eight_matrices_of_an_lstm_on_one_scale(gradient):
    found = maps("lstm")
    figure = as_json(weight_figure(found, gradient=gradient))
    drawn = heatmaps(figure)
    assert [d["name"] for d in drawn] == [f"W_{v}{gate}" for gate in "ifgo" for v in "xh"]
    assert {d["coloraxis"] for d in drawn} == {"coloraxis"}
    for block, shown in zip(found.maps, drawn, strict=True):
        true = block.gradient if gradient else block.values
        np.testing.assert_allclose(np.array(shown["z"]).reshape(true.shape), true, atol=1e-4)
    scale = figure["layout"]["coloraxis"]
    bound = found.gradient_bound if gradient else found.bound
    assert (scale["cmin"], scale["cmax"]) == (-bound, bound)
    assert scale["colorbar"]["ticktext"][-1] == f"{bound:.3g}"
    assert len(named(figure, "W_hf histogram")) == 1


@pytest.mark.parametrize("factor", [1e300, 1e-280])
def test_what_float32_cannot_hold_is_drawn_in_units_of_a_power_of_ten(factor):
    found = maps("rnn", factor)
    figure = as_json(weight_figure(found, gradient=True))
    decade = int(np.floor(np.log10(found.gradient_bound)))
    usual = as_json(weight_figure(maps("rnn"), gradient=True))
    assert figure["layout"]["margin"]["r"] > usual["layout"]["margin"]["r"], "for its bar's words"
    shown = heatmaps(figure)[1]
    true = found.maps[1].gradient / 10.0**decade
    np.testing.assert_allclose(np.array(shown["z"]).reshape(true.shape), true, atol=1e-4)
    assert f"·10<sup>{decade}</sup>" in shown["hovertemplate"]
    assert 1 <= figure["layout"]["coloraxis"]["cmax"] < 10


def test_what_is_no_number_is_marked():
    found = maps("rnn")
    broken = found.maps[1].gradient.copy()
    broken[0, 0], broken[1, 1] = np.inf, np.nan
    figure = as_json(
        weight_figure(
            replace(found, maps=(found.maps[0], replace(found.maps[1], gradient=broken))),
            gradient=True,
        )
    )
    codes = np.array(heatmaps(figure)[1]["z"]).reshape(broken.shape)
    assert (codes[0, 0], codes[1, 1]) == (Status.ABOVE, Status.NAN)
    assert "∞" in texts(figure)
    assert "NaN" in texts(figure)


def test_without_any_gradient_it_is_drawn_too():
    figure = as_json(weight_figure(maps("gru", 0.0), gradient=True))
    assert not np.any([np.any(d["z"]) for d in heatmaps(figure)])


def test_histograms_show_the_shares_on_the_scale_of_the_maps():
    found = maps("rnn")
    figure = as_json(weight_figure(found))
    (line,) = named(figure, "W_hh histogram")
    counts, _ = np.histogram(found.maps[1].values, len(line["x"]), (-found.bound, found.bound))
    filled = counts > 0
    np.testing.assert_allclose(
        np.array(line["y"])[filled], 100 * counts[filled] / counts.sum(), rtol=1e-6
    )
    assert np.all(np.array(line["y"])[~filled] < 10 ** figure["layout"]["yaxis3"]["range"][0])


def test_a_single_entry_of_a_large_matrix_is_within_the_axis():
    found = maps("rnn")
    values = np.full((256, 256), 0.01)
    values[0, 0] = found.bound
    large = replace(found.maps[1], values=values)
    figure = as_json(weight_figure(replace(found, maps=(found.maps[0], large))))
    (line,) = named(figure, "W_hh histogram")
    heights, low = np.array(line["y"]), 10 ** figure["layout"]["yaxis3"]["range"][0]
    assert np.sum(heights > low) == 2
    assert heights[-1] == pytest.approx(100 / 256**2)
    assert 0 < low < heights[-1]


def test_what_it_builds_is_valid_plotly():
    for kind in ("rnn", "lstm", "gru"):
        go.Figure(weight_figure(maps(kind)).to_plotly_json())
