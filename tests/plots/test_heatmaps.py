"""Unit × time: one scale for all models, and cells that are no number off that scale."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.core.numerics import Status
from rnnviz.plots import unit_heatmaps
from rnnviz.plots.cells import SPECIAL_COLOURS, panel_traces, thinned
from tests.plots.support import BAD_TEXT, as_json, flow, made, texts


def panels(figure: dict) -> list[dict]:
    return [t for t in figure["data"] if "coloraxis" in t]


def backdrops(figure: dict) -> list[dict]:
    return [t for t in figure["data"] if "coloraxis" not in t]


def half(status: Status, value: float) -> object:
    values = np.concatenate((np.full(6, value), np.full(6, -2.0)))
    return made("rnn", values, [status] * 6 + [Status.FINITE] * 6)


def test_one_panel_a_model_on_one_colour_axis():
    figure = as_json(unit_heatmaps([flow("rnn"), flow("lstm"), flow("gru")]))
    assert len(panels(figure)) == 3
    assert {t["coloraxis"] for t in panels(figure)} == {"coloraxis"}
    assert figure["layout"]["coloraxis"]["cmin"] == -26
    assert figure["layout"]["coloraxis"]["cmax"] == 4
    domains = [figure["layout"][axis]["domain"] for axis in ("xaxis", "xaxis2", "xaxis3")]
    assert all(a[1] < b[0] for a, b in pairwise(domains))


@pytest.mark.parametrize(("sizes", "own"), [((4, 4), False), ((4, 9), True), ((9, 4), True)])
def test_networks_of_other_sizes_have_units_of_their_own(sizes, own):
    """Room for their numbers and the word before each panel."""
    log10, codes = np.full(12, -2.0), [Status.FINITE] * 12
    figure = as_json(unit_heatmaps([made("rnn", log10, codes, units=n) for n in sizes]))
    layout = figure["layout"]
    assert layout["yaxis2"].get("showticklabels", True) is own
    assert ("title" in layout["yaxis2"]) is own
    gap = layout["xaxis2"]["domain"][0] - layout["xaxis"]["domain"][1]
    assert (gap > 0.05) is own
    assert layout["yaxis"].get("showticklabels", True)


def test_colour_means_what_height_means_in_the_curve():
    one = flow("lstm")
    z = panels(as_json(unit_heatmaps([one])))[0]["z"]
    exact = one.units[:, 1:] - one.state.log10[-1]
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, np.round(exact, 1).astype(np.float32))


@pytest.mark.parametrize("digits", [1, 2])
def test_what_is_read_is_the_value_rounded_once(digits: int):
    """Rounded to sixteenths first, its last digit could be one off."""
    values = np.linspace(-3, 3, 997)[None, :300]
    cells = thinned(values, np.full(values.shape, -1), 10**6)
    (panel,) = panel_traces(cells, {}, "rnn", f"%{{z:.{digits}f}}", {}, digits)
    read = [float(f"{z:.{digits}f}") for z in panel["z"][0]]
    np.testing.assert_allclose(read, values[0], rtol=0, atol=0.5 * 10**-digits + 1e-9)


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (Status.ZERO, -np.inf),
        (Status.ROUNDED, -np.inf),
        (Status.NAN, np.nan),
        (Status.ABOVE, np.inf),
        (Status.NOT_RECORDED, np.nan),
    ],
)
def test_what_is_no_number_lies_under_a_gap(status, value):
    figure = as_json(unit_heatmaps([half(status, value)]))
    z = panels(figure)[0]["z"]
    assert not np.isinf(z).any()
    np.testing.assert_array_equal(np.isnan(z), np.repeat([[True] * 6 + [False] * 6], 4, axis=0))
    (below,) = backdrops(figure)
    assert below["z"].tolist() == [[int(status)]]
    assert figure["data"].index(below) < figure["data"].index(panels(figure)[0])
    place = (below["zmin"], below["zmax"])
    share = (int(status) - place[0]) / (place[1] - place[0])
    found = next(colour for at, colour in below["colorscale"] if at >= share)
    assert found == SPECIAL_COLOURS[status]
    assert SPECIAL_COLOURS[status] in texts(figure)


def test_several_kinds_of_cells_keep_their_places():
    values = [np.nan, -np.inf, -1.0]
    one = made("rnn", values, [Status.NAN, Status.ZERO, Status.FINITE])
    (below,) = backdrops(as_json(unit_heatmaps([one])))
    assert below["z"][0].tolist() == [Status.NAN, Status.ZERO, -1]


def test_nothing_but_nan_is_still_a_picture():
    figure = as_json(unit_heatmaps([made("rnn", [np.nan] * 5, [Status.NAN] * 5)]))
    assert len(figure["data"]) == 1
    assert "not a number" in texts(figure)
    assert "No model chosen." in texts(as_json(unit_heatmaps([])))


def test_below_float64_is_a_number():
    figure = as_json(unit_heatmaps([half(Status.BELOW, -400.0)]))
    assert not backdrops(figure)
    assert panels(figure)[0]["z"].min() == -398


def test_thinning_keeps_the_largest_and_the_range():
    values = np.arange(40 * 1000, dtype=float).reshape(40, 1000)
    cells = thinned(values, np.full(values.shape, -1), 3000)
    assert cells.values.size <= 3000
    assert cells.values[0, -1] == 999
    assert cells.steps_each * cells.values.shape[1] >= 1000
    first, last = (
        cells.first_step,
        cells.first_step + cells.steps_each * (cells.values.shape[1] - 1),
    )
    assert first >= 1
    assert last <= 1000 + cells.steps_each / 2


@pytest.mark.parametrize(
    ("kept", "value"), [("largest", 0.9), ("smallest", -1.0), ("furthest", -1.0)]
)
def test_thinning_keeps_the_extreme_that_matters(kept, value):
    values = np.full((1, 600), 0.5)
    values[0, [100, 101]] = -1.0, 0.9
    values[0, 200] = np.nan
    cells = thinned(values, np.full(values.shape, -1), 3000, kept)
    assert cells.values.shape == (1, 300)
    assert cells.values[0, 50] == value
    assert (np.delete(cells.values, 50) == 0.5).all()


@pytest.mark.parametrize("count", [1, 3, 6])
def test_payload(count):
    flows = [flow(f"rnn:gain={g}", T=100, H=64) for g in range(1, count + 1)]
    assert len(unit_heatmaps(flows).to_json(validate=False)) < 130_000


def test_huge_networks_are_thinned():
    big = made("rnn", np.zeros(2000), np.zeros(2000, int), units=512)
    assert len(unit_heatmaps([big] * 3).to_json(validate=False)) < 130_000


def test_titles_fit_and_are_inert():
    labels = [f"lstm:forget_bias={b},gain=2,init=orthogonal" for b in range(5)] + [BAD_TEXT]
    figure = unit_heatmaps([made(label, [-1.0] * 4, [0] * 4) for label in labels])
    assert "javascript:1}" not in figure.to_json(validate=False)
    titles = [n["text"] for n in as_json(figure)["layout"]["annotations"] if "<b>" in n["text"]]
    assert len(titles) == 6
    assert all("…" in title for title in titles[:5])


def test_what_it_builds_is_valid_plotly():
    go.Figure(unit_heatmaps([flow("rnn"), half(Status.NAN, np.nan)]).to_plotly_json())
    go.Figure(unit_heatmaps([]).to_plotly_json())
