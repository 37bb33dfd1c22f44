"""The gradient curve where it has no number: every status has its own look, nothing is blank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.numerics import Status
from rnnviz.plots import flow_detail_figure, flow_figure, flow_range
from tests.plots.support import (
    FINE,
    T,
    as_json,
    flow,
    heights,
    made,
    named,
    ramp,
    texts,
    with_status,
)


def drawn(figure: dict) -> np.ndarray:
    """Every y of a trace that can be seen."""
    seen = [t for t in figure["data"] if t.get("opacity") != 0]
    values = [y for t in seen for y in heights(t) if y is not None]
    return np.array(values, dtype=float)


@pytest.mark.parametrize(
    ("status", "value", "words", "symbol"),
    [
        (Status.ZERO, -np.inf, "exactly 0 from step 5 back", "circle-open"),
        (Status.ROUNDED, -np.inf, "rounded to 0 from step 5 back", "triangle-down-open"),
        (Status.ABOVE, np.inf, "infinite from step 5 back", "triangle-up"),
        (Status.NAN, np.nan, "not a number from step 5 back", "x"),
    ],
)
def test_what_is_no_number_is_a_rail_with_words(status, value, words, symbol):
    figure = as_json(flow_figure([with_status(status, 5, value)]))
    assert words in texts(figure)
    rails = [t for t in figure["data"] if t.get("marker", {}).get("symbol") == symbol]
    assert [t["x"] for t in rails] == [[1, 5]]
    axis, level = figure["layout"]["yaxis"], rails[0]["y"][0]
    low, high = flow_range([with_status(status, 5, value)])
    floor = status in (Status.ZERO, Status.ROUNDED)
    assert axis["range"][0] < level < low if floor else high < level < axis["range"][1]
    assert all(low <= tick <= high for tick in axis["tickvals"])
    band = next(s for s in figure["layout"]["shapes"] if s["type"] == "rect")
    assert band["y0"] < level < band["y1"]
    assert not band["y0"] < low < band["y1"]
    assert not band["y0"] < high < band["y1"]
    assert heights(named(figure, "RNN")[0])[:5] == [None] * 5


def test_six_rails_leave_half_of_the_height_to_numbers():
    labels = ["rnn", "lstm", "gru", "rnn:init=orthogonal", "rnn:init=gaussian", "gru:init=gaussian"]
    zeros = [replace(with_status(Status.ZERO, 5, -np.inf), label=label) for label in labels]
    axis = as_json(flow_figure(zeros))["layout"]["yaxis"]
    low, high = flow_range(zeros)
    assert (high - low) / np.ptp(axis["range"]) == pytest.approx(0.5)
    assert axis["range"][1] == high
    figure = as_json(flow_figure(zeros))
    rails = [t["y"][0] for t in figure["data"] if t.get("marker", {}).get("symbol")]
    assert len(set(rails)) == 6
    assert max(rails) < low


def test_rails_of_a_small_panel_are_off_its_axis_too():
    figure = as_json(flow_detail_figure([with_status(Status.ZERO, 5, -np.inf)]))
    levels = [t["y"][0] for t in figure["data"] if t.get("marker", {}).get("symbol")]
    axis = figure["layout"]["yaxis"]
    assert levels
    assert all(axis["range"][0] < level < -26 for level in levels)
    assert min(axis["tickvals"]) >= -26


def test_not_recorded_is_a_gap():
    figure = as_json(flow_figure([with_status(Status.NOT_RECORDED, 5, np.nan)]))
    assert len(figure["data"]) == 1
    assert heights(figure["data"][0])[:5] == [None] * 5
    assert "<b>RNN</b> —" in texts(figure)


@pytest.mark.parametrize(("status", "value"), [(Status.BELOW, -400), (Status.ABOVE, 400)])
def test_beyond_float64_the_curve_goes_on_thin_past_a_rule(status, value):
    figure = as_json(flow_figure([with_status(status, 5, value)]))
    thin = named(figure, "RNN beyond float64")[0]
    assert [y is None for y in heights(thin)] == [False] * 5 + [True] * 7
    assert thin["line"]["width"] < 3
    assert "float64 ends here" in texts(figure)
    edge = -307.65 if status is Status.BELOW else 308.25
    rules = [s["y0"] for s in figure["layout"]["shapes"] if s["y0"] == s["y1"]]
    assert rules == pytest.approx([edge + 1], abs=0.01)  # the reference is 10^-1


def test_runs_become_one_shape_not_a_marker_a_step():
    codes = np.array([Status.ZERO, Status.FINITE] * 1000)
    values = np.where(codes == Status.ZERO, -np.inf, -1.0)
    figure = as_json(flow_figure([made("rnn", values, codes)]))
    assert "exactly 0 at 1000 of 2000 steps" in texts(figure)
    ends = [t for t in figure["data"] if t.get("marker", {}).get("symbol") == "circle-open"]
    assert [t["x"] for t in ends] == [[1, 1999]]
    assert len(figure["data"]) < 6


def test_reference_is_the_last_step_with_a_number_and_is_named():
    values, codes = ramp(-6), np.array(FINE)
    values[-3:], codes[-3:] = np.nan, Status.NAN
    figure = as_json(flow_figure([made("rnn", values, codes)]))
    assert heights(named(figure, "RNN")[0])[8] == 0
    assert "relative to step 9" in texts(figure)


@pytest.mark.parametrize(
    ("flows", "quantity", "words"),
    [
        ([], "state", "No model chosen."),
        ([made("rnn", [np.nan] * T, [Status.NAN] * T)], "state", "No step has a number to draw."),
        ([flow("rnn")], "c", "None of these models has a cell state c."),
    ],
)
def test_never_blank(flows, quantity, words):
    figure = as_json(flow_figure(flows, quantity=quantity))
    assert words in texts(figure)
    assert figure["data"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Status)),
            st.floats(-5000, 5000),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_curve_can_be_drawn(points):
    special = {Status.ZERO: -np.inf, Status.ROUNDED: -np.inf, Status.NAN: np.nan}
    special[Status.NOT_RECORDED] = np.nan
    values = [special.get(status, value) for status, value in points]
    codes = [status for status, _ in points]
    one = made("rnn", values, codes)
    for figure in (flow_figure([one]), flow_detail_figure([one])):
        done = as_json(figure)
        assert np.isfinite(drawn(done)).all()
        assert drawn(done).size or texts(done)


def test_rails_of_a_layer_that_reads_from_the_end_name_the_steps_of_the_input():
    flow_ = replace(with_status(Status.ZERO, 4, -np.inf), direction=1)
    figure = as_json(flow_figure([flow_]))
    assert "RNN: exactly 0 from step 9 on" in texts(figure)
    (label,) = [n for n in figure["layout"]["annotations"] if n["text"].startswith("<b>")]
    assert "= 0" in label["text"]


def test_digits_that_are_lost_have_a_mark_and_a_word_and_keep_their_place():
    """Unlike what is no number: the value is drawn, and the label at its end says about."""
    figure = as_json(flow_figure([with_status(Status.LOST, 5, -7.0)]))
    (lost,) = named(figure, "RNN, digits lost:")
    assert lost["hovertemplate"].startswith("RNN, digits lost:")
    assert lost["marker"]["symbol"] == "diamond-open"
    (sure,) = named(figure, "RNN")
    assert [y is None for y in heights(lost)] == [False] * 5 + [True] * (T - 5)
    assert [y is None for y in heights(sure)] == [True] * 5 + [False] * (T - 5)
    assert "<b>RNN</b> ≈−" in texts(figure)
