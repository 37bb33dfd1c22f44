"""The run's way and the fixed points on one plane; each kind has a sign of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.fixed_points import fixed_points, principal_plane, visited_states
from rnnviz.plots import fixed_points_figure
from rnnviz.plots.fixed_points import SYMBOLS
from rnnviz.wording.texts import caption
from tests.analysis.support import last_step, simple
from tests.plots.support import as_json, named, texts, trace


def nine():
    """Two tanh units of weight 2: four stable points, four saddles, 0."""
    run = simple(2 * np.eye(2), last_step(5, 2), "tanh", h0=np.array([[0.1], [-0.3]]))
    path = visited_states(run, 0)
    return fixed_points(run, "rnn"), principal_plane(path), path


def test_the_run_and_every_point_are_projected():
    found, plane, path = nine()
    figure = as_json(fixed_points_figure(found, plane, path))
    (way,) = named(figure, "RNN states")
    np.testing.assert_allclose(
        np.column_stack([way["x"], way["y"]]), plane.project(path), atol=1e-6
    )
    for kind, first, count in (("stable", 0, 4), ("saddle", 4, 4), ("unstable", 8, 1)):
        (points,) = named(figure, caption(f"kind_{kind}"))
        true = plane.project(found.points[first : first + count])
        np.testing.assert_allclose(np.column_stack([points["x"], points["y"]]), true, atol=1e-6)
        assert points["marker"]["symbol"] == SYMBOLS[kind]
        numbers = np.array(points["customdata"]).reshape(-1, 2)
        np.testing.assert_allclose(numbers[:, 0], np.arange(first, first + count) + 1)
        np.testing.assert_allclose(numbers[:, 1], found.radii[first : first + count], rtol=1e-6)
    assert f"{100 * plane.shares[0]:.0f} %" in figure["layout"]["xaxis"]["title"]["text"]
    assert "<b>9</b>" in texts(figure)
    (start,) = named(figure, "RNN state at step 0")
    assert start["marker"]["symbol"] == "circle-open"
    go.Figure(figure)


def test_without_points_the_run_without_a_run_the_points():
    found, plane, path = nine()
    none = replace(found, points=found.points[:0], eigenvalues=found.eigenvalues[:0])
    assert [t["name"] for t in as_json(fixed_points_figure(none, plane, path))["data"]] == [
        "RNN states", "RNN state at step 0", "RNN state at step 5",
    ]  # fmt: skip
    shown = as_json(fixed_points_figure(found, plane, path[:0]))
    assert [t["name"] for t in shown["data"]] == ["stable", "a saddle", "unstable"]
    nothing = as_json(fixed_points_figure(none, plane, path[:0]))
    assert "There is no state to draw." in texts(nothing)


def test_a_point_on_a_kink_has_a_sign_of_its_own_and_no_eigenvalue():
    run = simple(2 * np.eye(2), last_step(5, 2), "relu", h0=np.array([[0.1], [0.3]]))
    path = visited_states(run, 0)
    figure = as_json(fixed_points_figure(fixed_points(run, "rnn"), principal_plane(path), path))
    (point,) = named(figure, caption("kind_kink"))
    assert point["marker"]["symbol"] == SYMBOLS["kink"]
    assert "on a kink: no derivative" in point["hovertemplate"]
    assert "λ" not in point["hovertemplate"]


def test_an_eigenvalue_near_1_is_told_from_it_under_the_pointer():
    run = simple((1 + 5e-7) * np.eye(2), last_step(5, 2), h0=np.array([[0.1], [-0.3]]))
    path = visited_states(run, 0)
    figure = as_json(fixed_points_figure(fixed_points(run, "rnn"), principal_plane(path), path))
    (point,) = named(figure, "unstable")
    assert point["text"] == ["1.0000005"]


def test_a_state_that_never_moves_has_axes():
    run = trace("gru")
    path = np.zeros((4, 5))
    figure = as_json(fixed_points_figure(fixed_points(run, "gru"), principal_plane(path), path))
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < high
