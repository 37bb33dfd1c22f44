"""What the table of a figure's values calls its columns and rows, in every language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import rnnviz
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.weights import weight_maps
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.plots.claims import growth_figure
from rnnviz.plots.claims_training import clipping_figure, truncation_figure
from rnnviz.plots.drawing import Drawing
from rnnviz.plots.pairs import lag_figure
from rnnviz.plots.training import loss_figure
from rnnviz.plots.weights import weight_figure
from rnnviz.views import fixed_points, gates, gradient_flow, lag_spectra, spectrum, states, weights
from rnnviz.views.picture import Picture
from rnnviz.wording.texts import speak_in
from tests.claims.support import agreeing, clipped, drawn
from tests.dashboard.tables import drawings, names_of, picture, tables
from tests.plots.courses import course

NAMES = {"LSTM", "tanh"}


def test_dots_of_one_panel_keep_their_names() -> None:
    found = [clipped([2.0, 3.0], [1.0, 1.0]), clipped([0.5, 0.2], [0.5, 0.2], case="vanishing")]
    (dots,) = (t for t in tables(clipping_figure.plain(found)) if "dots" in t["head"])
    (first, *_), (second, *_) = dots["rows"]
    assert first.endswith("exploding")
    assert second.endswith("vanishing")
    assert "&nbsp;" not in first


def test_a_legend_that_says_losses_is_no_panel_s_name() -> None:
    both, now = [course("rnn"), course("lstm")], {"rnn": (1.5, 0.25)}
    drawn = loss_figure.plain(both, 2.0, held_out_now=now)
    (legend,) = (n["text"] for n in drawn["layout"]["annotations"] if "RNN" in n["text"])
    assert re.search(r"RNN \d", legend)
    names = [name for it in tables(drawn) for name in it["head"][1:]]
    assert {"RNN", "LSTM"} <= {name.split()[0] for name in names}
    assert not re.search(r"\d", "".join(names))


def test_no_name_in_it_is_a_sentence_with_numbers() -> None:
    """A name is what is bold in a panel's headline; the rest may be numbers of a moment."""
    run = rnnviz.run(rnnviz.Experiment(hidden_size=4, seq_len=12, batch_size=2))
    seen = [d for page in (gradient_flow, gates) for d in drawings(page.pictures(page.view(run)))]
    seen.append(growth_figure.plain([drawn(-0.1, -0.1)]))
    seen.append(clipping_figure.plain([clipped([2.0], [1.0])]))
    names = {name for each in seen for it in tables(each) for name in names_of(it)}
    assert {name for name in names if re.search(r"[±=%]|\d[.,]\d|exactly", name)} == set()


def test_models_of_one_cell_have_columns_of_their_own() -> None:
    pair = ("lstm", "lstm:forget_bias=0")
    run = rnnviz.run(rnnviz.Experiment(models=pair, hidden_size=4, seq_len=12))
    found = [lag_profile(run[label].trace, label) for label in run]
    (it,) = tables(lag_figure.plain(found))
    assert len({*it["head"]}) == len(it["head"]) == 5


def test_a_power_is_written_as_one() -> None:
    every = spectrum.pictures(spectrum.view(rnnviz.run(rnnviz.Experiment(models=("rnn",)))))
    (powers,) = (p for p in every if isinstance(p, Picture) and p.key == "powers")
    (it,) = tables(powers.drawing)
    assert it["caption"].startswith("‖W^k‖^(1/k)")
    assert it["head"][1:] == ["RNN", "RNN measured"]


def test_names_and_units_are_those_of_the_panel() -> None:
    run = rnnviz.run(rnnviz.Experiment(models=("rnn", "lstm"), hidden_size=8, seq_len=20))
    shown = gradient_flow.view(run)
    detail = gradient_flow.quantity_picture(shown, "detail").drawing
    heads = [name for it in tables(detail) for name in it["head"][1:]]
    assert all(name.startswith(("RNN", "LSTM")) for name in heads)
    weights = tables(weight_figure.plain(weight_maps(run["lstm"].trace, "lstm")))
    assert {it["caption"] for it in weights if "median" not in it["caption"]} == {"%"}
    units = picture(gradient_flow, "units", models=("rnn",), hidden_size=8, seq_len=20)
    assert tables(units)[0]["head"] == ["time step t", "RNN"]


IN_CHINESE = [(gradient_flow, {"theory": True}), (spectrum, {"theory": True}), (gates, {}),
              (fixed_points, {}), (lag_spectra, {}), (states, {}), (weights, {})]  # fmt: skip


@pytest.mark.parametrize(("page", "choices"), IN_CHINESE)
def test_in_chinese_it_is_chinese(page: Any, choices: dict[str, Any]) -> None:
    run = rnnviz.run(rnnviz.Experiment(hidden_size=4, seq_len=12))
    how = (page.Choices(**choices),) if choices else ()
    assert_chinese(lambda: drawings(page.pictures(page.view(run, *how))))


def test_in_chinese_claims_training_and_parts_of_the_error_are() -> None:
    run = rnnviz.run(rnnviz.Experiment(hidden_size=4, seq_len=12))
    flow = gradient_flow.view(run)
    assert_chinese(lambda: [
        gradient_flow.quantity_picture(flow, "detail").drawing,
        growth_figure.plain([drawn(-0.1, -0.1)]), loss_figure.plain([course()], 2.0),
        clipping_figure.plain([clipped([2.0, 3.0], [1.0, 1.0])]),
        truncation_figure.plain([agreeing(0.9)], influence_curve(), EXACT),
    ])  # fmt: skip


def assert_chinese(draw: Callable[[], Iterable[Drawing]]) -> None:
    """But for names of cells and of what has no other name."""
    every = speak_in("zh", lambda: [it for each in draw() for it in tables(each)])
    words = {word for it in every for word in (it["caption"], it["head"][0], *names_of(it))}
    assert any(re.search("[\u4e00-\u9fff]", word) for word in words)
    assert {word for word in words if {*re.findall("[A-Za-z]{4,}", word)} - NAMES} == set()
