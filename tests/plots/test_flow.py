"""The gradient curve: lines, labels, ranges, ghosts, directions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.core.numerics import Status
from rnnviz.plots import flow_detail_figure, flow_figure, flow_range, theme
from rnnviz.wording.numbers import signed
from tests.analysis.support import nine_and_five
from tests.plots.support import (
    BAD_TEXT,
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


def test_the_label_at_the_end_is_the_reach_of_the_verdict_in_sequences_of_different_lengths():
    found = nine_and_five(error=10.0)
    figure = as_json(flow_figure([found]))
    mixed = found.state.log10[1] - found.state.log10[-1]
    left = (0.8**16 + 100 * 0.8**8) / (1 + 100)
    assert found.reach_log10 == pytest.approx(np.log10(left) / 2)
    assert signed(found.reach_log10) != signed(mixed)
    assert f"<b>RNN</b> {signed(found.reach_log10)}" in texts(figure)
    assert heights(named(figure, "RNN")[0])[0] == pytest.approx(mixed, abs=1e-3)
    hidden = as_json(flow_figure([found], quantity="h"))
    assert f"<b>RNN</b> {signed(mixed)}" in texts(hidden)


def test_labels_do_not_overlap():
    flows = [made(f"{kind}:gain={g}", ramp(-6), FINE) for kind in ("rnn", "lstm") for g in (1, 2)]
    figure = as_json(flow_figure(flows))
    labels = [n for n in figure["layout"]["annotations"] if n.get("xanchor") == "right"]
    lines = sorted((n["yshift"], n["font"]["size"], n["text"]) for n in labels)
    assert len(lines) == 8  # each name with what is its own
    room = [(b - a, (m + n) / 2) for (a, m, _), (b, n, _) in pairwise(lines)]
    assert all(apart >= needed for apart, needed in room)
    below = [apart for apart, _ in room[::2]]
    assert max(below) < min(apart for apart, _ in room[1::2])  # nearer to its own name


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


def test_quantities():
    flows = [flow("rnn"), flow("lstm")]
    for quantity, names in (("h", ["RNN", "LSTM"]), ("c", ["LSTM"])):
        figure = as_json(flow_figure(flows, quantity=quantity))
        assert [t["name"] for t in figure["data"]] == names
    with pytest.raises(ValueError, match=r"quantity.*'d_h'.*state, h, c, direct"):
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
