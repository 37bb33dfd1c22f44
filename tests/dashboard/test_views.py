"""Layers and directions: choices of what is shown, in the link, and true words about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnviz.dashboard.compute as compute
from rnnviz import Experiment, run
from rnnviz.analysis.gradients import gradient_flow
from tests.dashboard.support import (
    PAGES,
    assert_sound,
    change,
    charts,
    experiment,
    knobs,
    line,
    notes,
    said,
    same,
    verdict,
    visit,
    widget_key,
)  # fmt: skip
from tests.dashboard.test_knobs import never


def deep(**changes: Any) -> Experiment:
    return Experiment(**{"models": ("rnn", "lstm"), "layers": 2, "bidirectional": "yes",
                         "hidden_size": 6, "seq_len": 20, "batch_size": 3, **changes})  # fmt: skip


DEEP = deep()


@pytest.mark.parametrize("tab", PAGES)
def test_a_plain_network_has_no_such_choice(tab: str) -> None:
    app = visit(tab, DEEP)
    drawn = {widget.key for widget in knobs(app)}
    there = {widget_key(app, f"{tab}.view_layer"), widget_key(app, f"{tab}.view_direction")}
    assert drawn & there == there
    app = visit(tab, deep(layers=1, bidirectional="no"))
    assert not {widget.key for widget in knobs(app)} & there


@pytest.mark.parametrize("tab", PAGES)
def test_the_choice_of_a_layer_and_a_direction_runs_nothing(
    tab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(tab, DEEP)
    monkeypatch.setattr(compute, "run_plan", never)
    pictures = [charts(app)]
    for layer, direction in (("1", "forward"), ("1", "backward"), ("2", "backward")):
        app = change(app, view_layer=layer, view_direction=direction)
        assert_sound(app)
        assert experiment(app) == DEEP
        assert app.query_params["view_layer"] == layer
        pictures.append(charts(app))
    for one, other in ((1, 2), (2, 3)):
        assert any(not same(pictures[one][key], pictures[other][key]) for key in pictures[one])


@pytest.mark.parametrize("tab", PAGES)
def test_the_choice_is_in_the_link(tab: str) -> None:
    app = change(visit(tab, DEEP), view_layer="1", view_direction="backward")
    again = visit(tab, app.query_params)
    assert all(same(chart, charts(again)[key]) for key, chart in charts(app).items())
    assert verdict(again) == verdict(app)


def test_all_layers_are_drawn_and_the_last_one_stands_in_front() -> None:
    app = visit(query=DEEP)
    drawn = {t["name"]: t["line"]["width"] for t in charts(app)["flow-state"]["data"]}
    assert drawn["RNN · layer 2 →"] > drawn["RNN · layer 1 →"]
    assert "in the RNN · layer 2 →" in verdict(app)
    assert "layer 1" not in verdict(app)
    assert "arrives from the layer above at every step" in said(app)


def test_error_of_the_backward_direction_is_drawn_in_the_order_of_the_input() -> None:
    app = change(visit(query=DEEP), view_layer="2", view_direction="backward")
    drawn = line(charts(app)["flow-state"], "RNN · layer 2 ←")
    own = gradient_flow(run(DEEP)["rnn"].layers[1][1], "rnn").state.log10
    assert drawn == pytest.approx((own[1:] - own[-1])[::-1], abs=1e-3)
    assert drawn[0] == 0
    assert verdict(app).startswith("Of the error at step 1,")
    assert "reaches step 20" in verdict(app)
    text = str(charts(app)["flow-state"]["layout"])
    assert "error travels this way ━━━▶" in text


def test_gates_of_the_backward_direction_are_drawn_in_the_order_of_the_input() -> None:
    app = change(visit("gates", DEEP), view_layer="1", view_direction="backward")
    drawn = np.asarray(charts(app)["memory-gate"]["data"][-1]["z"], float)
    gate = run(DEEP)["lstm"].layers[0][1].gates["f"][:, :, 0].T
    first = sorted(drawn[:, 0])
    assert first == pytest.approx(sorted(gate[:, -1]), abs=1e-2)


def test_a_model_without_the_direction_is_left_out_and_named() -> None:
    app = change(visit(query=deep(models=("rnn:bidirectional=no", "lstm"))),
                 view_direction="backward")  # fmt: skip
    assert "RNN, one direction" in said(app)
    assert not any("RNN" in t.get("name", "") for t in charts(app)["flow-state"]["data"])


def test_a_padded_batch_says_what_is_not_drawn_and_keeps_its_own_order_backwards() -> None:
    app = visit(query=deep(task="sentiment"))
    lengths = compute.plan(experiment(app)).batch.lengths
    words = f"Sequences have {lengths.min()} to {lengths.max()} steps; padding is not drawn"
    assert words in notes(app)
    forward = charts(app)["flow-state"]["layout"]["xaxis"]["title"]["text"]
    assert forward == "time step t"
    app = change(app, view_direction="backward")
    assert "of its own" in charts(app)["flow-state"]["layout"]["xaxis"]["title"]["text"]
    assert "steps of its own" in said(app)
    assert "exactly 0" not in str(charts(app)["flow-state"])


def test_nonsense_in_the_link_shows_the_default() -> None:
    app = visit(query={"layers": "2", "hidden_size": "4", "seq_len": "9",
                       "view_layer": "<b>", "view_direction": "up"})  # fmt: skip
    assert_sound(app)
    assert "layer 2" in verdict(app)
