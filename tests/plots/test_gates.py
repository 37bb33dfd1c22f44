"""Gates: always 0 to 1, rows in the order asked for, half-lives on a log scale drawn linear."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.batch_carry import batch_carry
from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.gates import gate_stats, memory
from rnnviz.analysis.rates import Curve
from rnnviz.core.numerics import Status
from rnnviz.plots import carry_figure, gate_heatmap, gate_strips, half_life_figure, theme
from rnnviz.wording.numbers import magnitude, signed
from tests.plots.support import as_json, named, texts, trace

LSTM = trace("lstm", H=5, T=12)
STATS = gate_stats(LSTM, "lstm")
MEMORY = memory(LSTM, "lstm")


def shown(figure: dict) -> np.ndarray:
    return figure["data"][-1]["z"]


def test_a_sigmoid_gate_is_on_0_to_1_a_candidate_on_minus_1_to_1():
    sigmoid, candidate = (as_json(gate_heatmap(STATS[gate])) for gate in "fg")
    assert sigmoid["data"][0]["coloraxis"] == "coloraxis"
    assert candidate["data"][0]["coloraxis"] == "coloraxis2"
    layout = candidate["layout"]
    assert (layout["coloraxis"]["cmin"], layout["coloraxis"]["cmax"]) == (0, 1)
    assert (layout["coloraxis2"]["cmin"], layout["coloraxis2"]["cmax"]) == (-1, 1)
    assert layout["coloraxis2"]["colorscale"] == [list(stop) for stop in theme.DIVERGING]


def test_rows_follow_the_order_and_keep_their_names():
    figure = as_json(gate_heatmap(STATS["f"], MEMORY.order))
    values = np.round(STATS["f"].values[MEMORY.order], 2).astype(np.float32)
    np.testing.assert_array_equal(shown(figure), values)
    assert figure["data"][0]["y"] == [str(unit + 1) for unit in MEMORY.order]
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"
    plain = as_json(gate_heatmap(STATS["f"]))
    assert plain["data"][0]["y"] == ["1", "2", "3", "4", "5"]


def test_title_gives_mean_and_sd_and_says_when_all_units_are_alike():
    flat = replace(STATS["f"], mean=0.953, sd=0.011)
    assert "mean 0.95, sd 0.01: all units alike" in texts(as_json(gate_heatmap(flat)))
    varied = replace(STATS["f"], sd=0.2)
    assert "alike" not in texts(as_json(gate_heatmap(varied)))


def test_titles_of_strips_are_short():
    strips = gate_strips([replace(STATS["i"], mean=0.5, sd=0.07), STATS["o"]])
    assert "0.50 ± 0.07" in texts(as_json(strips))


def test_title_does_not_give_a_mean_that_is_no_number():
    broken = replace(STATS["f"], mean=np.nan, sd=np.nan)
    assert "no mean: not a number in places" in texts(as_json(gate_heatmap(broken)))


def test_nan_cells_are_off_the_scale():
    values = STATS["f"].values.copy()
    values[:, :3] = np.nan
    figure = as_json(gate_heatmap(replace(STATS["f"], values=values)))
    assert figure["data"][0]["z"].tolist() == [[int(Status.NAN)]] * 5
    assert "dy" not in figure["data"][0], "a cell cannot span rows that have names"
    assert np.isnan(shown(figure)[:, :3]).all()


def test_states_beyond_float32_keep_their_size():
    values = STATS["g"].values * 1e300
    z = shown(as_json(gate_heatmap(replace(STATS["g"], values=values))))
    np.testing.assert_allclose(z, values)


def test_three_strips_are_high_enough_to_see_a_unit_in():
    layout = as_json(gate_strips([STATS["i"], STATS["g"], STATS["o"]]))["layout"]
    plot = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
    places = [layout[f"yaxis{suffix}"]["domain"] for suffix in ("", "2", "3")]
    assert all((high - low) * plot >= 28 for low, high in places)
    gaps = [low - below[1] for (low, _), below in pairwise(places)]
    assert min(gaps) * plot >= 20  # where the next one's title stands


def test_strips_share_one_time_axis_and_scale():
    figure = as_json(gate_strips([STATS["i"], STATS["o"]], MEMORY.order))
    assert [t["yaxis"] for t in figure["data"]] == ["y", "y2"]
    assert {t["coloraxis"] for t in figure["data"]} == {"coloraxis"}
    assert "LSTM i" in texts(figure)
    assert "LSTM o" in texts(figure)
    assert "No gates chosen." in texts(as_json(gate_strips([])))


def test_half_lives_are_log10_on_a_linear_axis():
    figure = as_json(half_life_figure([MEMORY], 100))
    line = named(figure, "LSTM")[0]
    np.testing.assert_allclose(10.0 ** line["x"], np.sort(MEMORY.half_life), rtol=1e-5)
    axis = figure["layout"]["xaxis"]
    assert axis.get("type", "linear") == "linear"
    assert axis["ticktext"][: len(axis["tickvals"])] == ["1", "10", "100", "1,000"]
    assert [s["x0"] for s in figure["layout"]["shapes"]] == [2.0]
    assert "T = 100" in texts(figure)


def test_share_of_units_that_outlast_the_gap():
    half_life = np.array([1.0, 10.0, 200.0, np.inf])
    four = replace(MEMORY, half_life=half_life, order=np.arange(4))
    figure = as_json(half_life_figure([four], 100))
    assert "LSTM 50 %" in texts(figure)
    assert np.isfinite(named(figure, "LSTM")[0]["x"]).all()


@pytest.mark.parametrize("half_life", [[0.0, np.inf, np.nan], [np.nan] * 3, [1e300, 1e-300, 1.0]])
def test_extreme_half_lives_stay_inside(half_life):
    odd = replace(MEMORY, half_life=np.array(half_life), order=np.arange(3))
    figure = as_json(half_life_figure([odd], 100))
    x, (low, high) = named(figure, "LSTM")[0]["x"], figure["layout"]["xaxis"]["range"]
    assert len(x) == 3
    assert ((x >= low - 1e-6) & (x <= high + 1e-6)).all()
    assert high < 20


def test_units_beyond_the_axis_of_half_lives_are_arrows_and_say_what_they_are():
    odd = replace(MEMORY, half_life=np.array([0.0, 1.0, np.inf, np.nan]), order=np.arange(4))
    line = named(as_json(half_life_figure([odd], 100)), "LSTM")[0]
    assert line["marker"]["symbol"] == ["triangle-left", "circle", "triangle-right", "x"]
    assert line["customdata"] == ["0 steps", "1 step", "∞ steps", "an unknown number of steps"]


def test_half_lives_below_a_step_have_ticks_that_are_not_zero():
    short = replace(MEMORY, half_life=np.array([1e-3, 1.0]), order=np.arange(2))
    axis = as_json(half_life_figure([short], 100))["layout"]["xaxis"]
    assert axis["ticktext"][:4] == ["0.001", "0.01", "0.1", "1"]


def test_carry_draws_product_beside_truth():
    product = carry_paths(LSTM, "lstm")
    figure = as_json(carry_figure([product]))
    true, textbook, through = named(figure, "LSTM")
    np.testing.assert_allclose(true["y"], product.true.log10, atol=1e-5)
    np.testing.assert_allclose(textbook["y"], product.product.log10, atol=1e-5)
    assert (true["x"][0], true["x"][-1]) == (0, 12)
    assert true["line"]["width"] > textbook["line"]["width"]
    np.testing.assert_allclose(through["y"], product.through.log10[:-2], atol=1e-5)
    assert (textbook["line"]["dash"], through["line"]["dash"]) == ("dot", "dash")


def test_with_peepholes_the_cell_has_a_line_of_its_own():
    product = carry_paths(LSTM, "lstm")
    other = Curve(product.carry.log10 - 1, product.carry.status)
    figure = as_json(carry_figure([replace(product, carry=other)]))
    np.testing.assert_allclose(named(figure, "LSTM")[3]["y"], other.log10, atol=1e-5)
    assert "within the cell" in texts(figure)


def test_half_life_product_and_truth_stand_in_one_picture_over_the_batch():
    paths, each = carry_paths(LSTM, "lstm"), batch_carry(LSTM, "lstm", 9)
    figure = as_json(carry_figure([paths], batches=[each], memories=[MEMORY]))
    half_life = named(figure, "LSTM")[3]
    np.testing.assert_allclose(half_life["y"], -0.30103 * np.arange(12, -1, -1) / MEMORY.median,
                               rtol=1e-4, atol=1e-6)  # fmt: skip
    bars = [piece for piece in figure["data"] if "error_y" in piece]
    for bar, values in zip(bars, (each.true, each.product), strict=True):
        low, high = bar["y"][0] - bar["error_y"]["arrayminus"][0], bar["error_y"]["array"][0]
        assert (low, bar["y"][0] + high) == pytest.approx((values.min(), values.max()))
        assert bar["y"][0] == pytest.approx(np.median(values))
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < min(each.true.min(), each.product.min())
    assert high > max(each.true.max(), each.product.max())
    for words in ("true, best direction", "Π f, best unit", "half-life, median unit", "through h"):
        assert words in texts(figure)
    for values in (each.true, each.product):
        middle = float(np.median(values))
        number, power, exponent = magnitude(middle).partition("^")
        written = f"{number}<sup>{exponent}</sup>" if power else number
        assert f"● {signed(middle)} = {written}" in texts(figure)
    assert "lines: sequence 1    ● median of" in texts(figure)
    alone = as_json(carry_figure([paths], batches=[batch_carry(LSTM, "lstm", 1)]))
    assert "●" not in texts(alone)
    assert not [piece for piece in alone["data"] if "error_y" in piece]
    assert "LSTM true, best direction" in texts(as_json(carry_figure([paths, paths])))


def test_carry_joins_the_recorded_points():
    every = carry_paths(LSTM, "lstm", every=5)
    figure = as_json(carry_figure([every]))
    assert named(figure, "LSTM")[0]["x"].tolist() == [0, 2, 7, 12]


def test_a_closed_gate_is_no_number_in_the_carry_figure():
    product = carry_paths(LSTM, "lstm")
    log10 = product.product.log10.copy()
    log10[:6] = -np.inf
    gone = replace(
        product, product=Curve(log10, product.true.status), true=Curve(log10, product.true.status)
    )
    figure = as_json(carry_figure([gone]))
    assert all(np.isfinite(t["y"]).all() for t in figure["data"])
    assert "Π f, best unit 0" in texts(figure)


def test_without_a_memory_gate_the_figures_say_so():
    for figure in (carry_figure([]), half_life_figure([], 100)):
        assert "No model here has a memory gate." in texts(as_json(figure))


def test_what_they_build_is_valid_plotly():
    for figure in (
        gate_heatmap(STATS["g"], MEMORY.order),
        gate_strips([STATS["i"], STATS["g"]]),
        half_life_figure([MEMORY], 12),
        carry_figure([carry_paths(LSTM, "lstm")], batches=[batch_carry(LSTM, "lstm", 9)]),
        half_life_figure([], 12),
    ):
        go.Figure(figure.to_plotly_json())
