"""The pair matrix as drawn: one scale, every status of its own, blank where nothing was asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.pairs import PairMatrix, pair_matrix
from rnnviz.core import bptt
from rnnviz.core.numerics import Status
from rnnviz.plots.pairs import cancellation_figure, one_loss_figure, pair_heatmaps
from rnnviz.wording.numbers import signed
from tests.plots.support import as_json, heights, named, texts, trace

CELLS = ("rnn", "lstm", "gru")
T = 12


def every(kind: str, **options: object):
    """A trace with a loss at every step."""
    one = trace(kind, **options)
    rng = np.random.default_rng(5)
    return bptt(one.cell, one.params, one.x, rng.standard_normal(one.d_h_direct.shape))


def matrix(kind: str = "rnn", **options: object) -> PairMatrix:
    return pair_matrix(every(kind, **options), kind)


def maps(figure: dict) -> list[dict]:
    """The heatmaps on the shared scale."""
    return [each for each in figure["data"] if each.get("coloraxis")]


def test_one_panel_a_model_on_one_scale():
    matrices = [matrix(kind) for kind in CELLS]
    figure = as_json(pair_heatmaps(matrices))
    drawn = maps(figure)
    assert len(drawn) == 3
    for m, panel in zip(matrices, drawn, strict=True):
        assert panel["z"].shape == (T, T + 1)
        inside = np.arange(T + 1) <= m.losses[:, None]
        np.testing.assert_array_equal(panel["z"][inside], np.float32(np.round(m.h[inside], 1)))
        assert np.isnan(panel["z"][~inside]).all()
        assert (panel["x0"], panel["y0"]) == (0, 1)
    scale = figure["layout"]["coloraxis"]
    largest = max(np.nanmax(m.h) for m in matrices)
    assert scale["cmin"] < scale["cmax"]
    assert scale["cmax"] >= largest
    assert scale["cmin"] >= scale["cmax"] - 31


def test_statuses_have_colours_of_their_own():
    m = matrix()
    h, status = m.h.copy(), m.h_status.copy()
    for column, code in enumerate((Status.ZERO, Status.ROUNDED, Status.NAN, Status.ABOVE)):
        h[-1, column], status[-1, column] = np.nan, code
    figure = as_json(pair_heatmaps([replace(m, h=h, h_status=status)]))
    backdrop = next(each for each in figure["data"] if not each.get("coloraxis"))
    assert backdrop["z"][-1, :5].tolist() == [1, 2, 5, 4, -1]
    for word in ("exactly 0", "rounded to 0", "not a number", "infinite"):
        assert word in texts(figure)
    assert "exactly 0" not in texts(as_json(pair_heatmaps([m])))


def test_a_row_without_a_loss_is_not_recorded():
    m = matrix()
    some = np.array([0, 1, T - 1])
    fewer = replace(m, losses=m.losses[some], h=m.h[some], h_status=m.h_status[some])
    figure = as_json(pair_heatmaps([fewer]))
    assert np.isnan(maps(figure)[0]["z"][5]).all()
    assert "not recorded" in texts(figure)


def test_a_long_run_is_thinned_to_the_largest_of_each_cell():
    size = 900
    losses = np.arange(1, size + 1)
    h = np.where(np.arange(size + 1) <= losses[:, None], -5.0, np.nan)
    h[700, 300] = 2.0
    status = np.where(np.isnan(h), Status.NOT_RECORDED, Status.FINITE).astype(np.int8)
    blank = np.ones(size + 1)
    m = PairMatrix("rnn", losses, h, h, status, status, blank, blank)
    (panel,) = maps(as_json(pair_heatmaps([m])))
    assert panel["z"].size <= 41_000
    assert np.nanmax(panel["z"]) == 2
    row, column = np.unravel_index(np.nanargmax(panel["z"]), panel["z"].shape)
    assert panel["y0"] + row * panel["dy"] == pytest.approx(701, abs=panel["dy"])
    assert panel["x0"] + column * panel["dx"] == pytest.approx(300, abs=panel["dx"])


def test_no_loss_is_said():
    m = matrix()
    none = replace(m, losses=m.losses[:0], h=m.h[:0], h_status=m.h_status[:0],
                   cancellation=m.cancellation * np.nan)  # fmt: skip
    for figure in (pair_heatmaps([none]), cancellation_figure([none])):
        assert "No error enters" in texts(as_json(figure))


def test_cancellation_between_nought_and_one():
    matrices = [matrix(kind) for kind in CELLS]
    figure = as_json(cancellation_figure(matrices))
    for m, name in zip(matrices, ("RNN", "LSTM", "GRU"), strict=True):
        (line,) = named(figure, name)
        np.testing.assert_allclose(line["y"], m.cancellation, atol=1e-6)
    assert figure["layout"]["yaxis"]["range"][0] == 0


def test_a_single_loss_is_a_curve():
    m = pair_matrix(trace("rnn"), "rnn")
    (line,) = named(as_json(one_loss_figure([m])), "RNN")
    np.testing.assert_allclose(heights(line), m.h[-1, 1:], atol=1e-6)


def test_a_single_loss_before_the_last_step_has_its_number_at_the_end_of_its_line():
    one = trace("rnn")
    direct = np.zeros_like(one.d_h_direct)
    direct[7] = 1.0
    m = pair_matrix(bptt(one.cell, one.params, one.x, direct), "rnn")
    figure = as_json(one_loss_figure([m]))
    (line,) = named(figure, "RNN")
    np.testing.assert_allclose(heights(line), m.h[-1, 1:9], atol=1e-6)
    assert f"<b>RNN</b> {signed(m.h[-1, 8])}" in texts(figure)


def test_the_scale_is_about_the_losses_own_size():
    """An explosion of one model leaves the others their colours; its end of the scale says ≥."""
    calm = matrix()
    wild = replace(calm, label="gru", h=np.where(np.isnan(calm.h), np.nan, calm.h + 1))
    wild.h[-1, 0] = 200.0
    scale = as_json(pair_heatmaps([calm, wild]))["layout"]["coloraxis"]
    assert scale["cmin"] == np.floor(np.nanmin(calm.h[np.isfinite(calm.h)]))
    assert scale["cmax"] < 40
    assert scale["colorbar"]["ticktext"][-1].startswith("≥ ")
    assert (
        "≥" not in as_json(pair_heatmaps([calm]))["layout"]["coloraxis"]["colorbar"]["ticktext"][-1]
    )


def test_what_lies_after_a_loss_stays_blank_beside_cells_of_one_kind():
    m = matrix()
    status, h = m.h_status.copy(), m.h.copy()
    status[-1, 0], h[-1, 0] = Status.ZERO, np.nan
    figure = as_json(pair_heatmaps([replace(m, h=h, h_status=status)]))
    backdrop = next(each for each in figure["data"] if not each.get("coloraxis"))
    assert (backdrop["z"][0, 2:] == -1).all()
    assert backdrop["z"][-1, 0] == Status.ZERO
