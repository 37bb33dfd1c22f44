"""Figures of the claims: what they hold, and that every sentence's data can be drawn."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.claims.counterexamples import EXAMPLES, counterexample
from rnnviz.claims.growth import PREDICTORS, draws
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.claims.stability import sensitivity
from rnnviz.plots.claims import (
    FLOOR,
    drawn_at,
    examples_figure,
    growth_figure,
    stability_figure,
)
from rnnviz.plots.claims_cells import carry_figure, reduction_figure
from rnnviz.plots.claims_training import clipping_figure, truncation_figure
from rnnviz.wording.names import setting_name
from tests.claims.support import agreeing, carried, clipped, drawn, moved, reduced
from tests.plots.support import BAD_TEXT, as_json, heights, named, texts

DRAWS = [drawn(0.3, 0.2), drawn(0.4, -0.1), drawn(0.5, -np.inf, activation="relu"),
         drawn(-0.3, -0.5, activation="identity", mean_field=np.nan)]  # fmt: skip


def truncation(found: list) -> go.Figure:
    return truncation_figure(found, influence_curve(), EXACT)


FIGURES = {
    "growth": (growth_figure, DRAWS),
    "reduction": (reduction_figure, [reduced(0.3), reduced(0.6)]),
    "carry": (carry_figure, [carried(-3.0, 1.0, b) for b in (0.0, 1.0, 3.0, 5.0)]),
    "clipping": (clipping_figure, [clipped([2.0], [1.0]), clipped([0.5], [0.5], case="vanishing")]),
    "truncation": (truncation, [agreeing(0.9), agreeing(np.nan), agreeing(0.5, label="lstm")]),
    "stability": (stability_figure, [moved(0.5, 3.0), moved(0.99, 3e5)]),
    "examples": (examples_figure, [counterexample(name) for name in EXAMPLES]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_it_from_the_first_result_on(name: str) -> None:
    make, found = FIGURES[name]
    for count in range(len(found) + 1):
        figure = make(found[:count])
        go.Figure(figure.to_dict())
        shown = as_json(figure)
        assert shown["data"]
        assert not any(np.isinf(h) for t in shown["data"] for h in heights(t) if h is not None)


@pytest.mark.parametrize("name", FIGURES)
def test_panels_do_not_overlap(name: str) -> None:
    make, found = FIGURES[name]
    layout = as_json(make(found))["layout"]
    places = sorted(layout[key]["domain"] for key in layout if key.startswith("xaxis"))
    assert places[0][0] == 0
    assert places[-1][1] == pytest.approx(1)
    assert all(a[1] < b[0] for a, b in pairwise(places))


def test_a_panel_for_each_predictor_with_its_score() -> None:
    figure = as_json(growth_figure(DRAWS))
    for index, predictor in enumerate(PREDICTORS):
        suffix = "" if index == 0 else str(index + 1)
        points = [h for t in figure["data"] if t["xaxis"] == f"x{suffix}" for h in heights(t)]
        known = [d for d in DRAWS if not math.isnan(getattr(d, predictor))]
        assert len([h for h in points if h is not None]) == len(known)
    titles = texts(figure)
    assert "γσ<sub>max</sub></b>: <b>50 % right</b> (4)" in titles
    assert "mean field</b>: <b>100 % right</b> (3)" in titles
    assert "should<br>explode,<br>vanishes:<br><b>2</b>" in titles


def test_what_is_off_the_scale_stands_at_its_edge_and_says_what_it_is() -> None:
    (dead,) = [t for t in named(as_json(growth_figure(DRAWS)), "ReLU") if t["xaxis"] == "x"]
    assert heights(dead) == pytest.approx([FLOOR])
    assert "measured: exactly zero" in dead["customdata"][0]


def test_a_click_finds_its_draw() -> None:
    found = list(draws(1, 4, 30))
    figure = as_json(growth_figure(found))
    for curve, trace in enumerate(figure["data"]):
        for point, text in enumerate(trace["customdata"]):
            draw = drawn_at(found, curve, point)
            assert draw is not None
            assert setting_name(draw.activation) == trace["name"]
            assert f"gain {draw.gain:g}, input {draw.input_scale:g}" in text
    assert drawn_at(found, 0, 999) is None
    assert drawn_at(found, 0, -1) is None
    assert drawn_at([], 3, 0) is None


def test_both_ways_of_the_carry_are_drawn() -> None:
    figure = as_json(carry_figure([carried(-3.0, 1.0, 5.0), carried(-4.0, 2.0, 5.0)]))
    solid, dotted = named(figure, "b<sub>f</sub> = 5")[:2]
    assert (solid["line"].get("dash"), dotted["line"]["dash"]) == (None, "dot")
    assert (heights(solid)[0], heights(dotted)[0]) == (1.0, -3.0)
    marks = next(t for t in named(figure, "b<sub>f</sub> = 5") if t["mode"] == "markers")
    assert (marks["x"].tolist(), heights(marks)) == ([-3.0, -4.0], [1.0, 2.0])


def test_a_clipped_profile_lies_below_itself() -> None:
    figure = as_json(clipping_figure([clipped([10.0], [1.0])]))
    after, before = [t for t in named(figure, "exploding") if t["mode"] == "lines"]
    assert np.subtract(heights(before), heights(after)) == pytest.approx(np.ones(10), abs=1e-5)
    (dots,) = [t for t in named(figure, "exploding") if t["mode"] == "markers"]
    assert (dots["x"].tolist(), heights(dots)) == ([1.0], [0.0])


def test_own_models_keep_their_colours() -> None:
    found = [agreeing(0.9), agreeing(0.5, label="lstm", kind="lstm"), agreeing(0.7, label="rnn")]
    figure = as_json(truncation(found))
    own = {t["name"]: t["line"]["color"] for t in figure["data"] if t["mode"] == "lines+markers"}
    assert own == {"LSTM": "#1d72cd", "RNN": "#bf5400"}


def test_samples_lie_on_the_closed_form() -> None:
    figure = as_json(stability_figure([sensitivity(0, 4)]))
    line, dot = named(figure, "ρ = 0")
    at = np.interp(dot["x"][0], line["x"], heights(line))
    assert heights(dot)[0] == pytest.approx(at, abs=0.1)


def test_exact_zeros_are_crosses() -> None:
    figure = as_json(examples_figure([counterexample("nilpotent")]))
    (cross,) = named(figure, "exactly 0")
    assert cross["marker"]["symbol"] == "x"
    assert cross["x"].tolist() == [2, 3, 4, 5, 6]
    assert "soon exactly 0" in texts(figure)


def test_user_text_is_inert() -> None:
    figure = truncation([agreeing(0.9), agreeing(0.5, label=BAD_TEXT, kind="lstm")])
    assert "javascript:1}" not in figure.to_json(validate=False)


def test_payload_of_300_draws() -> None:
    found = [drawn(0.3, 0.2, number=k) for k in range(300)]
    assert len(growth_figure(found).to_json(validate=False)) < 260_000
