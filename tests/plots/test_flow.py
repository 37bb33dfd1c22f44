"""The gradient curve: every status has its own look, nothing is ever blank or misleading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.numerics import Status
from rnnviz.plots import flow_detail_figure, flow_figure, flow_range, theme
from tests.plots.support import BAD_TEXT, as_json, flow, heights, made, named, texts

T = 12
FINE = [Status.FINITE] * T


def ramp(low: float, high: float = -1.0) -> np.ndarray:
    return np.linspace(low, high, T)


def with_status(status: Status, steps: int, value: float):
    values, codes = ramp(-6), np.array(FINE)
    values[:steps], codes[:steps] = value, status
    return made("rnn", values, codes)


def drawn(figure: dict) -> np.ndarray:
    """Every y of a trace that can be seen."""
    seen = [t for t in figure["data"] if t.get("opacity") != 0]
    values = [y for t in seen for y in heights(t) if y is not None]
    return np.array(values, dtype=float)


def test_line_is_relative_to_step_T():
    figure = as_json(flow_figure([made("rnn", ramp(-9, -3), FINE)]))
    line = named(figure, "RNN")[0]
    np.testing.assert_allclose(heights(line), ramp(-6, 0), atol=1e-6)
    assert (line["x0"], line["dx"]) == (1, 1)


def test_each_model_has_its_own_reference_and_colour():
    flows = [made("rnn", ramp(-9), FINE), made("lstm", ramp(20, 30), FINE)]
    figure = as_json(flow_figure(flows))
    for label, name in (("rnn", "RNN"), ("lstm", "LSTM")):
        line = named(figure, name)[0]
        assert heights(line)[-1] == 0
        assert line["line"]["color"] == theme.model_colour(label)
        assert line["line"]["width"] == 3


def test_labels_at_the_line_ends_instead_of_a_legend():
    figure = as_json(flow_figure([flow("rnn"), flow("lstm")]))
    assert figure["layout"]["showlegend"] is False
    labels = [n for n in figure["layout"]["annotations"] if n["text"].startswith("<b>")]
    assert [n["font"]["color"] for n in labels] == [theme.model_colour(k) for k in ("rnn", "lstm")]
    assert all("xref" not in n and n["x"] == 1 for n in labels)


def test_labels_do_not_overlap():
    flows = [made(f"{kind}:gain={g}", ramp(-6), FINE) for kind in ("rnn", "lstm") for g in (1, 2)]
    figure = as_json(flow_figure(flows))
    labels = [n for n in figure["layout"]["annotations"] if n["text"].startswith("<b>")]
    shifts = sorted(n["yshift"] for n in labels)
    assert min(np.diff(shifts)) >= 40


def test_steady_range_unless_the_curve_leaves_it():
    small = made("rnn", ramp(-9), FINE)
    assert flow_range([small]) == (-26, 4)
    low, high = flow_range([small, made("gru", ramp(-40), FINE), made("lstm", ramp(40), FINE)])
    assert low <= -39
    assert high >= 41
    assert flow_range([]) == (-26, 4)


def test_range_is_the_pages_if_given():
    figure = as_json(flow_figure([flow("rnn")], y_range=(-50, 10)))
    assert figure["layout"]["yaxis"]["range"] == [-50, 10]
    assert as_json(flow_figure([flow("rnn")]))["layout"]["yaxis"]["range"] == [-26, 4]


def test_a_line_that_leaves_the_range_says_so():
    figure = as_json(flow_figure([made("rnn", ramp(-90), FINE)], y_range=(-26, 4)))
    assert "−89.0 ↓" in texts(figure)


@pytest.mark.parametrize("layout_axis", ["xaxis", "yaxis"])
def test_axes_are_linear(layout_axis):
    layout = as_json(flow_figure([flow("rnn")]))["layout"]
    assert layout[layout_axis].get("type", "linear") == "linear"


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
    low, high = figure["layout"]["yaxis"]["range"]
    floor = status in (Status.ZERO, Status.ROUNDED)
    assert abs(rails[0]["y"][0] - (low if floor else high)) < 0.1 * (high - low)
    assert heights(named(figure, "RNN")[0])[:5] == [None] * 5


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


def test_quantities():
    flows = [flow("rnn"), flow("lstm")]
    for quantity, names in (("h", ["RNN", "LSTM"]), ("c", ["LSTM"])):
        figure = as_json(flow_figure(flows, quantity=quantity))
        assert [t["name"] for t in figure["data"]] == names
    with pytest.raises(ValueError, match="quantity.*'d_h'.*state, h, c, direct"):
        flow_figure(flows, quantity="d_h")


def test_flags_and_arrow():
    figure = as_json(flow_figure([flow("rnn")], clue_steps=(3, 90)))
    assert "clue, step 3" in texts(figure)
    assert "step 90" not in texts(figure)
    assert f"loss, step {T}" in texts(figure)
    arrows = [n["text"] for n in figure["layout"]["annotations"] if "travels" in n["text"]]
    assert len(arrows) == 1
    assert arrows[0].startswith("◀")
    every = as_json(flow_figure([flow("rnn")], clue_steps=range(1, 6), loss_at="every"))
    assert "loss at every step" in texts(every)
    assert "clues at 5 steps" in texts(every)


def test_ghosts_are_faded_dashed_and_named_where_they_differ():
    now, before = made("rnn", ramp(-20), FINE), made("rnn", ramp(-6), FINE)
    figure = as_json(flow_figure([now], ghosts=[before]))
    ghost = named(figure, "pinned RNN")[0]
    assert ghost["line"]["color"] == theme.model_colour("rnn")
    assert ghost["line"]["dash"] != named(figure, "RNN")[0]["line"]["dash"]
    assert ghost["opacity"] < 1
    assert "pinned RNN −5.0" in texts(figure)
    assert "pinned" not in texts(as_json(flow_figure([now], ghosts=[now])))


def test_identity_over_updates():
    a, b = flow_figure([flow("rnn")]), flow_figure([flow("rnn", gain=2.0)])
    assert a.layout.uirevision == b.layout.uirevision == "flow-state"
    assert [t.name for t in a.data] == [t.name for t in b.data]
    assert a.layout.margin == b.layout.margin


def test_labels_of_users_are_inert():
    figure = flow_figure([made(BAD_TEXT, ramp(-6), FINE)])
    said = figure.to_json(validate=False)
    for bad in ("onload=x\\u003e", "\\u003cb onload", "$\\\\", "javascript:1}"):
        assert bad not in said


def test_what_it_builds_is_valid_plotly():
    for figure in (
        flow_figure([flow("rnn"), with_status(Status.NAN, 3, np.nan)], ghosts=[flow("gru")]),
        flow_detail_figure([flow("rnn"), flow("lstm")]),
        flow_figure([]),
    ):
        go.Figure(figure.to_plotly_json())


def test_payload_of_the_default_figure():
    flows = [flow(kind, T=100, H=8) for kind in ("rnn", "lstm", "gru")]
    assert len(flow_figure(flows).to_json(validate=False)) < 60_000
    longest = [flow(kind, T=2000, H=2, B=1) for kind in ("rnn", "lstm", "gru")]
    assert len(flow_figure(longest).to_json(validate=False)) < 90_000


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


def test_detail_has_every_quantity_on_one_scale():
    lstm = flow("lstm")
    figure = as_json(flow_detail_figure([flow("rnn"), lstm]))
    names = {t["name"] for t in figure["data"]}
    assert {"∂L/∂s", "∂L/∂h", "∂L/∂c", "direct ∂⁺L/∂h single steps"} <= names
    assert figure["layout"]["yaxis2"]["matches"] == "y"
    c = [t for t in figure["data"] if t["name"] == "∂L/∂c"]
    assert [t["yaxis"] for t in c] == ["y2"]
    np.testing.assert_allclose(c[0]["y"], lstm.c.log10[1:] - lstm.state.log10[-1], atol=1e-5)


def test_a_layer_that_reads_from_the_end_is_drawn_as_the_mirror_image():
    forward, backward = made("rnn", ramp(-9, -3), FINE), made("rnn", ramp(-9, -3), FINE)
    mirrored = as_json(flow_figure([replace(backward, direction=1)]))
    plain = as_json(flow_figure([forward]))
    line = named(mirrored, "RNN")[0]
    np.testing.assert_allclose(heights(line), heights(named(plain, "RNN")[0])[::-1])
    assert heights(line)[0] == 0
    assert mirrored["layout"]["yaxis"]["side"] == "left"
    assert "step 1 = 0" in mirrored["layout"]["yaxis"]["title"]["text"]
    (label,) = [n for n in mirrored["layout"]["annotations"] if n["text"].startswith("<b>")]
    assert label["x"] == T
    assert "6.0" in label["text"]
    assert "error enters, step 1" in texts(mirrored)


def test_rails_of_a_layer_that_reads_from_the_end_name_the_steps_of_the_input():
    flow_ = replace(with_status(Status.ZERO, 4, -np.inf), direction=1)
    figure = as_json(flow_figure([flow_]))
    assert "RNN: exactly 0 from step 9 on" in texts(figure)
    (label,) = [n for n in figure["layout"]["annotations"] if n["text"].startswith("<b>")]
    assert "= 0" in label["text"]


def test_a_layer_behind_another_is_thin_and_named_in_small():
    labels = ["rnn · layer 1", "rnn · layer 2"]
    styles = theme.model_styles(labels)
    styles[labels[0]] = replace(styles[labels[0]], faint=True)
    figure = as_json(flow_figure([made(n, ramp(-9), FINE) for n in labels], styles=styles))
    widths = {t["name"]: t["line"]["width"] for t in figure["data"]}
    assert widths["RNN · layer 1"] < widths["RNN · layer 2"]
    names = [n["text"] for n in figure["layout"]["annotations"]]
    assert sum(text.startswith("<b>RNN</b>") for text in names) == 1
    assert any("layer 1" in text and "<b>" not in text for text in names)
