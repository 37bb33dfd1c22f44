"""The diagram: one scale for all models, round ticks, cells without a number off the scale."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.phase import QUANTITIES, Axis, CellStatus, PhaseGrid
from rnnviz.plots.phase import COLOURS, SCALES, phase_figure, round_ticks
from tests.plots.support import BAD_TEXT, as_json, texts

X = Axis("gain", tuple(np.geomspace(0.25, 4, 9).tolist()), log=True)
Y = Axis("memory_bias", tuple(np.linspace(-2, 6, 5).tolist()), log=False)


def grid(model: str = "rnn", quantity: str = "slope", size: float = 1.0) -> PhaseGrid:
    values = size * np.linspace(-1, 0.5, 45).reshape(5, 9)
    values = 10**values if quantity == "horizon" else values
    return PhaseGrid(model, quantity, X, Y, values, np.full((5, 9), CellStatus.NUMBER))


def panels(figure: dict) -> list[dict]:
    return [t for t in figure["data"] if "coloraxis" in t]


def backdrops(figure: dict) -> list[dict]:
    return [t for t in figure["data"] if t["type"] == "heatmap" and "coloraxis" not in t]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("count", [1, 3, 6])
def test_plotly_accepts_it(quantity: str, count: int) -> None:
    grids = [grid(f"rnn:gain={k}", quantity) for k in range(1, count + 1)]
    figure = phase_figure(grids, here=(1.0, 3.0))
    go.Figure(figure.to_dict())
    shown = as_json(figure)
    assert len(panels(shown)) == count
    assert {t["coloraxis"] for t in panels(shown)} == {"coloraxis"}
    places = [(shown["layout"][f"xaxis{s}"]["domain"], shown["layout"][f"yaxis{s}"]["domain"])
              for s in ["", *map(str, range(2, count + 1))]]  # fmt: skip
    assert len({str(place) for place in places}) == count
    assert all(0 <= a < b <= 1 for place in places for a, b in place)


def test_a_signed_quantity_is_centred_on_zero() -> None:
    for quantity in ("slope", "reach", "lambda_1"):
        axis = as_json(phase_figure([grid(quantity=quantity)]))["layout"]["coloraxis"]
        assert axis["cmin"] == -axis["cmax"]
        bar = axis["colorbar"]
        assert bar["ticktext"][bar["tickvals"].index(0)] == "0"
    axis = as_json(phase_figure([grid(quantity="horizon")]))["layout"]["coloraxis"]
    assert axis["colorbar"]["ticktext"][-1] == "≥ 1000"


def test_the_scale_holds_the_largest_value_of_all_models() -> None:
    scale = SCALES["slope"]
    for size in (0.03, 0.4, 3.0, 8.0):
        figure = as_json(phase_figure([grid(), grid("lstm", size=size)]))
        assert figure["layout"]["coloraxis"]["cmax"] >= scale.colour(np.array(size)) - 1e-9


def test_an_endless_horizon_is_the_brightest() -> None:
    endless = grid(quantity="horizon")
    endless.values[0, 0] = np.inf
    figure = as_json(phase_figure([endless]))
    assert panels(figure)[0]["z"][0, 0] == 3
    assert "∞" in backdrops(figure)[0]["customdata"][0][0]


def test_the_table_has_the_medians_of_the_true_numbers_at_the_settings() -> None:
    """Beside colours: zeros are below every number, and where a cell is not run yet there is
    nothing."""
    shown = grid(size=3.0)
    shown.cells[:, 1], shown.cells[:3, 2], shown.cells[0, 3] = CellStatus.ZERO, CellStatus.ZERO, 4
    shown.cells[:4, 4], shown.cells[:, 5] = CellStatus.PENDING, CellStatus.PENDING
    (top,) = panels(as_json(phase_figure([shown])))
    meta = top["meta"]
    assert meta["of"] == list(X.values)
    columns = {0: np.median(shown.values[:, 0]), 4: shown.values[4, 4]}
    assert all(meta["values"][k] == pytest.approx(value) for k, value in columns.items())
    assert [meta["values"][k] for k in (1, 2, 3, 5)] == ["exactly zero"] * 2 + [None] * 2
    assert meta["note"] == "decades a step: each number is the median over the Memory bias"


def test_an_endless_horizon_is_endless_in_the_table() -> None:
    endless = grid(quantity="horizon")
    endless.values[:] = np.inf
    (top,) = panels(as_json(phase_figure([endless])))
    assert top["meta"]["values"] == ["∞"] * 9


def test_cells_without_a_number_are_seen_through_gaps() -> None:
    holes = grid()
    for k, cell in enumerate(COLOURS):
        holes.values[0, k], holes.cells[0, k] = np.nan, cell
    figure = as_json(phase_figure([holes]))
    assert np.isnan(panels(figure)[0]["z"][0, : len(COLOURS)]).all()
    (below,) = backdrops(figure)
    for k, (cell, colour) in enumerate(COLOURS.items()):
        code = below["z"][0, k]
        assert code == cell
        share = (code - below["zmin"]) / (below["zmax"] - below["zmin"])
        assert next(c for at, c in below["colorscale"] if at >= share) == colour
    assert "not computed yet" in str(below["customdata"])


def test_nothing_computed_is_still_a_picture() -> None:
    empty = PhaseGrid(
        "rnn", "slope", X, Y, np.full((5, 9), np.nan), np.full((5, 9), CellStatus.PENDING)
    )
    figure = as_json(phase_figure([empty]))
    assert not panels(figure)
    assert len(backdrops(figure)) == 1
    (dots,) = (t for t in figure["data"] if t["type"] == "scatter")
    assert set(zip(dots["x"], dots["y"], strict=True)) == {
        (x, y) for x in range(9) for y in range(5)
    }
    assert "No model chosen." in texts(as_json(phase_figure([])))


def test_a_cell_that_is_not_run_yet_looks_like_no_result() -> None:
    """A dot on the page's own ground, where a level one has a fill and no dot."""
    filled = [colour for status, colour in COLOURS.items() if status != CellStatus.PENDING]
    assert all(colour.startswith("#") for colour in filled)
    assert COLOURS[CellStatus.PENDING] == "rgba(0,0,0,0)"
    assert not [t for t in as_json(phase_figure([grid()]))["data"] if t["type"] == "scatter"]


def test_the_present_setting_is_marked_where_it_lies() -> None:
    figure = as_json(phase_figure([grid()], here=(1.0, 3.0)))
    rings = [t for t in figure["data"] if t["type"] == "scatter"]
    assert {(t["x"][0], t["y"][0]) for t in rings} == {(4.0, 2.5)}
    outside = as_json(phase_figure([grid()], here=(9.0, 3.0)))
    assert not [t for t in outside["data"] if t["type"] == "scatter"]


@pytest.mark.parametrize(
    ("axis", "wanted"),
    [
        (X, ["0.25", "0.5", "1", "2", "4"]),
        (Y, ["−2", "0", "2", "4", "6"]),
        (Axis("a", (10.0, 70.0, 500.0), True), ["10", "20", "50", "100", "200", "500"]),
        (Axis("a", (1e-4, 1e-2, 1.0), True), ["0.0001", "0.001", "0.01", "0.1", "1"]),
        (Axis("a", (0.0, 1.5, 3.0), False), ["0", "1", "2", "3"]),
        (Axis("a", (2.0, 3.0, 4.0), False), ["2", "3", "4"]),
        (Axis("a", (7.0,), False), ["7"]),
    ],
)
def test_ticks_are_round_and_where_they_belong(axis: Axis, wanted: list[str]) -> None:
    found = round_ticks(axis, 6)
    assert found["ticktext"] == wanted
    for place, text in zip(found["tickvals"], wanted, strict=True):
        assert place == pytest.approx(axis.place(float(text.replace("−", "-"))))


def test_user_text_is_inert() -> None:
    assert "javascript:1}" not in phase_figure([grid(BAD_TEXT)]).to_json(validate=False)


def test_payload_of_a_fine_diagram() -> None:
    x = Axis("gain", tuple(np.geomspace(0.25, 4, 25).tolist()), log=True)
    y = Axis("seq_len", tuple(range(10, 27)), log=True)
    big = [PhaseGrid(m, "slope", x, y, np.full((17, 25), -0.123456), np.zeros((17, 25), int))
           for m in ("rnn", "lstm", "gru")]  # fmt: skip
    assert len(phase_figure(big).to_json(validate=False)) < 130_000
