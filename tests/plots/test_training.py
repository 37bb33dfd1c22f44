"""Figures of a training course: what is drawn is what was recorded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.courses import Course
from rnnviz.analysis.states import State
from rnnviz.claims.influence import EXACT, OPTIMUM, influence_curve, influence_runs
from rnnviz.plots import theme
from rnnviz.plots.claims_training import runs_figure, slope_figure
from rnnviz.plots.drawing import Drawing
from rnnviz.plots.rails import Bands
from rnnviz.plots.states import shown, state_map
from rnnviz.plots.training import loss_figure, running_mean, span
from rnnviz.plots.training_gradients import norm_figure, state_heatmaps
from rnnviz.plots.training_profile import profile_figure, profile_tracks
from rnnviz.plots.training_weights import (
    GateCourse,
    gate_course_figure,
    gate_tracks,
    spectrum_figure,
)
from tests.plots.courses import course
from tests.plots.support import as_json, heights, named, texts

THREE = [course("rnn"), course("lstm"), course("gru")]
GATES = [
    GateCourse("lstm", "f", np.array([0, 4]), np.linspace(0, 1, 24).reshape(2, 3, 4)),
    GateCourse("rnn", "a", np.array([0, 4]), np.linspace(-1, 1, 24).reshape(2, 3, 4)),
]
NAN = course(
    "rnn",
    loss_per_answer=np.full(30, np.nan),
    norm_before=np.full(30, np.inf),
    norm_after=np.full(30, np.nan),
    event="the loss is NaN at training step 29",
)
DEAD = course("rnn", log10_state=np.full((30, 7), -np.inf))
HUGE = course("rnn", loss_per_answer=np.full(30, 1e200), norm_before=np.full(30, 1e308))
FIGURES = {
    "loss": lambda courses: loss_figure(courses, 2.079),
    "loss, log": lambda courses: loss_figure(courses, 2.079, log=True),
    "loss, squared error": lambda courses: loss_figure(courses, metric_name="mean squared error"),
    "ghosts": lambda courses: loss_figure(courses, ghosts=[course("run 1 LSTM", 50)]),
    "maps": state_heatmaps,
    "profile": profile_figure,
    "norms": lambda courses: norm_figure(courses, 1.0),
    "norms, free": norm_figure,
    "spectra": spectrum_figure,
}


@pytest.mark.parametrize(
    "courses", [THREE, [course()], [NAN], [DEAD], [HUGE], [course(steps=1)], []]
)
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_valid_and_strict_json(name: str, courses: list) -> None:
    figure = FIGURES[name](courses)
    as_json(figure)
    go.Figure(figure.to_dict())


def test_the_loss_is_drawn_with_the_baseline_named() -> None:
    figure = as_json(loss_figure(THREE, 2.079))
    thick, metric = named(figure, "LSTM")
    assert heights(thick)[0] == 2.0
    assert metric["xaxis"] == "x2"
    assert heights(named(figure, "LSTM batch")[0])[-1] == 1.0
    assert "baseline 2.079" in texts(figure)
    assert figure["layout"]["shapes"][0]["y0"] == 2.079


def test_held_out_numbers_are_circles_in_the_colour_of_their_model() -> None:
    seen = np.full((2, 30), np.nan)
    seen[:, [10, 20]] = [[3.0, 4.0], [0.5, 0.25]]
    one = course("rnn", held_out_loss=seen[0], held_out_metric=seen[1])
    figure = as_json(loss_figure([one, course("lstm")], 2.0))
    loss, metric = named(figure, "RNN held out")
    assert (list(loss["x"]), list(heights(loss))) == ([10, 20], [3.0, 4.0])
    assert (metric["xaxis"], list(heights(metric))) == ("x2", [0.5, 0.25])
    assert loss["marker"]["symbol"] == "circle-open"
    assert loss["marker"]["color"] == named(figure, "RNN")[0]["line"]["color"]
    assert figure["layout"]["yaxis"]["range"][1] > 4.0
    assert not named(figure, "LSTM held out")
    now = as_json(loss_figure([one], held_out_now={"rnn": (10.0, 0.125)}, log=True))
    loss, metric = named(now, "RNN held out")
    assert list(loss["x"]) == [10, 20, 29]
    assert heights(loss)[-1] == pytest.approx(1.0)
    assert heights(metric)[-1] == 0.125


@pytest.mark.parametrize(("baseline", "also"), [(0.02, {}), (None, {"best n-gram (n = 3)": 0.02})])
def test_every_dotted_line_lies_within_the_axis(
    baseline: float | None, also: dict[str, float]
) -> None:
    for log in (False, True):
        layout = as_json(loss_figure(THREE, baseline, also=also, log=log))["layout"]
        low, high = layout["yaxis"]["range"]
        (level,) = [shape["y0"] for shape in layout["shapes"]]
        assert level == pytest.approx(np.log10(0.02) if log else 0.02)
        assert low <= level <= high


def test_the_log_scale_moves_the_baseline_too() -> None:
    figure = as_json(loss_figure(THREE, 0.01, log=True))
    assert figure["layout"]["shapes"][0]["y0"] == pytest.approx(-2)
    assert heights(named(figure, "RNN batch")[0])[-1] == pytest.approx(0.0)


def test_models_keep_their_colours_in_every_figure() -> None:
    styles = theme.model_styles(["rnn", "lstm"])
    only = [course("lstm")]
    for make in (loss_figure, norm_figure, profile_figure, spectrum_figure):
        figure = as_json(make(only, styles=styles))
        colours = {trace["line"]["color"] for trace in figure["data"]}
        assert colours == {styles["lstm"].colour}


def test_lines_that_have_left_their_axis_end_with_an_arrow_each() -> None:
    n = np.arange(30)
    lost = [course(name, loss_per_answer=10.0**n, metric=2 * 10.0**n) for name in ("rnn", "gru")]
    drawn = [*lost, course("lstm")]
    figure = as_json(loss_figure(drawn, 0.1, metric_name="mean squared error"))
    styles = theme.model_styles(["rnn", "gru", "lstm"])
    arrows = [f"<span style='color:{styles[name].colour}'>▲</span>" for name in ("rnn", "gru")]
    said = [note for note in figure["layout"]["annotations"] if "▲" in note["text"]]
    assert [note["text"] for note in said] == ["".join(arrows) + " above the axis"] * 2
    for note, axis in zip(said, ("", "2"), strict=True):
        top = figure["layout"][f"yaxis{axis}"]["range"][1]
        assert top < 100
        assert (note["x"], note["y"]) == (29, top)
        assert (note["xref"], note["yref"]) == (f"x{axis}", f"y{axis}")
    assert "▲" not in texts(as_json(loss_figure(THREE)))


def test_the_step_axis_stands_still_while_training_goes_on() -> None:
    assert span([course(steps=2)]) == span([course(steps=40)]) == 50
    assert span([course(steps=52)]) == 100
    assert span([course(steps=1002)]) == 2000


def test_a_running_mean_leaves_out_what_is_no_number() -> None:
    assert running_mean(np.array([1.0, np.nan, 3.0]), 2).tolist() == [1.0, 1.0, 3.0]
    assert np.isnan(running_mean(np.array([np.inf]))).all()


def test_the_heatmap_has_training_steps_across_and_time_upwards() -> None:
    figure = as_json(state_heatmaps(THREE))
    panel = figure["data"][0]
    assert panel["z"].shape == (6, 30)
    assert panel["z"][:, 0].tolist() == [-5, -4, -3, -2, -1, 0]
    assert (panel["x0"], panel["dx"], panel["y0"], panel["dy"]) == (0, 1, 1, 1)
    assert {trace["coloraxis"] for trace in figure["data"]} == {"coloraxis"}


def test_a_gap_between_recorded_steps_shows_the_last_one_before_it() -> None:
    rows = np.stack([np.full(7, 0.0), np.full(7, -3.0)]).astype(np.float32)
    thin = course(steps=2, log10_state=rows)
    thin.curves.steps = np.array([0, 10])
    z = as_json(state_heatmaps([thin]))["data"][0]["z"]
    assert z.shape[1] == 11
    assert (z[:, :10] == 0).all()
    assert (z[:, 10] == -3).all()


def test_a_long_course_is_drawn_with_few_cells() -> None:
    figure = as_json(state_heatmaps([course(steps=3000, T=300)]))
    rows, columns = figure["data"][0]["z"].shape
    assert rows <= 50
    assert columns <= 121


def test_a_zero_is_not_a_dark_colour_and_not_said_to_be_exact() -> None:
    """A record does not keep whether a zero is exact or was rounded."""
    figure = as_json(state_heatmaps([DEAD]))
    assert [trace["z"].dtype for trace in figure["data"]] == [np.int8]
    assert "0, exact or rounded" in figure["data"][0]["hovertemplate"]
    assert "exactly" not in str(figure)


def test_cells_without_a_number_are_named_in_the_title_of_their_panel() -> None:
    rows = np.tile(np.array([0, -np.inf, np.nan, -3, -2, -1, 0], np.float32), (30, 1))
    found = texts(as_json(state_heatmaps([course("rnn", log10_state=rows)])))
    assert "0, exact or rounded" in found
    assert "not a number" in found
    labels = ["rnn", "lstm", "gru", "rnn:init=orthogonal", "lstm:forget_bias=0"]
    crowded = texts(as_json(state_heatmaps([course(one, log10_state=rows) for one in labels])))
    assert crowded.count("■</span> 0") == crowded.count("■</span> NaN") == 5
    assert "= 0" not in crowded
    assert "■" not in texts(as_json(state_heatmaps(THREE)))


def fading(label: str, zeros: int) -> Course:
    """Its first time steps are zero at the last training step, and at no other one."""
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    rows[-1, 1 : 1 + zeros] = -np.inf
    return course(label, log10_state=rows)


def test_a_zero_in_the_profile_stands_on_a_rail_with_its_words_and_not_on_the_line() -> None:
    figure = as_json(profile_figure([fading("rnn", 3), course("lstm")]))
    assert heights(named(figure, "RNN")[0]) == [None] * 3 + [-2, -1, 0]
    rail, words = named(figure, "RNN zero")
    level = heights(rail)[0]
    assert heights(rail) == [level] * 3 + [None] * 3
    assert words["text"] == ["RNN: 0, exact or rounded"]
    assert heights(words) == pytest.approx([level], abs=1e-3)
    assert not named(figure, "LSTM zero")
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < level < high
    (band,) = figure["layout"]["shapes"]
    assert band["y0"] < level < band["y1"] < -5
    assert min(figure["layout"]["yaxis"]["tickvals"]) > band["y1"]


def test_nothing_that_a_scrub_shows_leaves_the_axis_of_the_profile() -> None:
    """Lines and rails of every recorded step have their place; zeros that are not there no word."""
    deep = np.tile(np.linspace(-25, 0, 7), (30, 1)).astype(np.float32)
    courses = [fading("rnn", 3), course("lstm", log10_state=deep)]
    figure = as_json(profile_figure(courses, height=230))
    tracks = profile_tracks(courses, height=230)
    low, high = figure["layout"]["yaxis"]["range"]
    assert [track.trace for track in tracks] == list(range(len(figure["data"])))
    for track, drawn in zip(tracks, figure["data"], strict=True):
        values = track.values[np.isfinite(track.values)]
        assert ((low < values) & (values < high)).all()
        last = [None if np.isnan(value) else value for value in track.values[-1]]
        assert heights(drawn) == pytest.approx(last, abs=1e-3)
    rail, words = (track.values for track in tracks[2:])
    assert np.isnan(rail[:-1]).all()
    assert np.isnan(words[:-1]).all()


def test_what_is_no_number_stands_on_a_rail_above_the_profile() -> None:
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    rows[-1, 1:] = [-np.inf, np.inf, np.nan, np.nan, -1.0, 0.0]
    courses = [course("rnn", log10_state=rows), course("lstm")]
    figure = as_json(profile_figure(courses))
    assert heights(named(figure, "RNN")[0]) == [None] * 4 + [-1, 0]
    levels = {}
    for status, at, said in (
        ("zero", [0], "RNN: 0, exact or rounded"),
        ("infinite", [1], "RNN: infinite"),
        ("nan", [2, 3], "RNN: not a number"),
    ):
        rail, words = named(figure, f"RNN {status}")
        there = [k for k, height in enumerate(heights(rail)) if height is not None]
        assert (there, words["text"]) == (at, [said])
        (levels[status],) = {heights(rail)[k] for k in at}
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < levels["zero"] < -6 < 0 < levels["infinite"] < levels["nan"] < high
    assert not named(figure, "LSTM nan")
    tracks = profile_tracks(courses)
    assert [track.trace for track in tracks] == list(range(len(figure["data"])))
    for track, drawn in zip(tracks, figure["data"], strict=True):
        assert np.isnan(track.values[:-1]).all() == (track.trace > 1)
        last = [None if np.isnan(value) else value for value in track.values[-1]]
        assert heights(drawn) == pytest.approx(last, abs=1e-3)


def test_a_model_whose_gradient_is_far_above_the_axis_is_said_to_be_there() -> None:
    """Its line leaves the axis of the others, and it must not seem to have none."""
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    huge = rows + 95.0
    huge[-1, -2:] = 3.0, 0.0
    courses = [course("rnn", log10_state=huge), course("lstm", log10_state=rows)]
    figure = as_json(profile_figure(courses))
    low, high = figure["layout"]["yaxis"]["range"]
    rail, words = named(figure, "RNN above the axis")
    assert heights(named(figure, "RNN")[0]) == [None] * 4 + [3, 0]
    (level,) = {height for height in heights(rail) if height is not None}
    assert heights(rail)[4:] == [None, None]
    assert words["text"] == ["RNN: above 10<sup>30.5</sup>"]
    assert 30.5 < level < high
    assert low < -5
    assert not named(figure, "LSTM above the axis")
    tracks = profile_tracks(courses)
    for track, drawn in zip(tracks, figure["data"], strict=True):
        last = [None if np.isnan(value) else value for value in track.values[-1]]
        assert heights(drawn) == pytest.approx(last, abs=1e-3)


def test_what_lies_far_below_the_axis_is_said_to_be_there() -> None:
    """And where another model has zeros, the lines of the others are not made flat by it."""
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    deep = rows - np.array([290.0] * 4 + [0.0] * 3)
    figure = as_json(profile_figure([course("rnn", log10_state=deep), fading("lstm", 2)]))
    low, _ = figure["layout"]["yaxis"]["range"]
    rail, words = named(figure, "RNN below the axis")
    assert words["text"] == ["RNN: below 10<sup>−30.5</sup>"]
    (level,) = {height for height in heights(rail) if height is not None}
    assert [height is None for height in heights(rail)] == [False] * 3 + [True] * 3
    assert -60 < low < level < -30.5
    assert heights(named(figure, "RNN")[0])[:3] == [None] * 3


def test_a_few_steps_that_blow_up_leave_the_axis_of_the_profile_to_the_others() -> None:
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    rows[-2:] += 150
    figure = as_json(profile_figure([course("rnn", log10_state=rows)]))
    assert figure["layout"]["yaxis"]["range"][1] < 40
    assert named(figure, "RNN above the axis")[1]["text"] == ["RNN: above 10<sup>30.5</sup>"]


def test_the_scale_of_colours_says_where_it_does_not_reach() -> None:
    rows = np.tile(np.arange(-6, 1.0), (30, 1)).astype(np.float32)
    figure = as_json(state_heatmaps([course("rnn", log10_state=rows + 900), course("lstm")]))
    bar = figure["layout"]["coloraxis"]["colorbar"]
    assert bar["ticktext"] == ["≤ −6", "0", "≥ 6"]
    assert figure["data"][0]["z"].max() == 900
    bar = as_json(state_heatmaps(THREE))["layout"]["coloraxis"]["colorbar"]
    assert bar["ticktext"] == ["≤ −12", "−6", "0"]


def test_a_profile_without_a_number_is_said_and_not_left_empty() -> None:
    """Where training ends with NaN there is no gradient at any step."""
    figure = as_json(profile_figure([course("rnn", log10_state=np.full((30, 7), np.nan))]))
    rail, words = named(figure, "RNN nan")
    assert len(set(heights(rail))) == 1
    assert words["text"] == ["RNN: not a number"]


def test_a_tick_beside_a_rail_is_not_minus_zero() -> None:
    assert Bands((-0.4, 30.0), 0, 1, 100).ticks["ticktext"][:2] == ["0", "5"]


def test_a_profile_of_zeros_alone_is_drawn() -> None:
    figure = as_json(profile_figure([DEAD]))
    rail, words = named(figure, "RNN zero")
    assert len(set(heights(rail))) == 1
    assert words["text"] == ["RNN: 0, exact or rounded"]
    assert "No step" not in texts(figure)


def test_clipping_is_drawn_before_and_after() -> None:
    figure = as_json(norm_figure([course()], 1.0))
    assert heights(named(figure, "RNN before")[0])[0] == pytest.approx(np.log10(4), abs=1e-6)
    assert heights(named(figure, "RNN")[0])[0] == 0
    assert "clipped at 1" in texts(figure)
    assert "clipped" not in texts(as_json(norm_figure([course()])))


def test_the_axis_of_norms_has_a_decade_at_least_and_room_for_its_numbers() -> None:
    """Of next to no change the numbers would have more digits than there is room for."""
    layouts = []
    for size in (0.9, 1e-11):
        norms = np.full(30, size)
        figure = as_json(norm_figure([course("rnn", norm_before=norms, norm_after=norms)]))
        layouts.append(figure["layout"])
        low, high = layouts[-1]["yaxis"]["range"]
        assert high - low == pytest.approx(1)
        assert low < np.log10(size) < high
    assert layouts[0]["margin"]["l"] < layouts[1]["margin"]["l"]


def test_a_norm_of_one_step_alone_is_a_dot_and_not_a_line_without_length() -> None:
    """A model that diverges at once has no other."""
    norms = np.full(30, np.nan)
    norms[0] = 10.0
    figure = as_json(norm_figure([course("rnn", norm_before=norms, norm_after=norms), course()]))
    dot, line = named(figure, "RNN")
    assert dot["mode"] == "markers"
    assert heights(dot)[0] == 1
    assert line["mode"] == "lines"


def test_numbers_of_four_digits_leave_the_title_of_the_profile_s_axis_its_room() -> None:
    deep = np.tile(np.linspace(0, 2000, 7), (30, 1)).astype(np.float32)
    wide = as_json(profile_figure([course("rnn", log10_state=deep)]))["layout"]["margin"]["l"]
    assert wide > as_json(profile_figure(THREE))["layout"]["margin"]["l"]


def test_the_profile_has_a_track_a_model() -> None:
    tracks = profile_tracks(THREE)
    assert [track.trace for track in tracks] == [0, 1, 2]
    assert tracks[1].values.shape == (30, 6)
    figure = as_json(profile_figure(THREE))
    assert heights(figure["data"][2]) == pytest.approx(tracks[2].values[-1])


def test_singular_values_start_with_the_largest() -> None:
    figure = as_json(spectrum_figure([course()]))
    assert heights(named(figure, "RNN σ 1")[0]) == [2.0] * 4
    assert heights(named(figure, "RNN radius")[0]) == [1.5] * 4


@pytest.mark.parametrize(("sizes", "own"), [((5, 5), False), ((5, 8), True)])
def test_gates_of_networks_of_other_sizes_have_units_of_their_own(
    sizes: tuple[int, ...], own: bool
) -> None:
    gates = [GateCourse("lstm", "f", np.array([0]), np.full((1, n, 6), 0.5)) for n in sizes]
    axis = as_json(gate_course_figure(gates))["layout"]["yaxis2"]
    assert axis.get("showticklabels", True) is own
    assert ("title" in axis) is own


def test_gates_share_one_scale_and_states_have_their_own() -> None:
    figure = as_json(gate_course_figure(GATES))
    assert [trace["coloraxis"] for trace in figure["data"]] == ["coloraxis", "coloraxis2"]
    assert figure["layout"]["coloraxis"]["cmin"] == 0
    assert figure["layout"]["coloraxis2"]["cmin"] == -1
    assert np.allclose(figure["data"][0]["z"], GATES[0].values[-1])
    assert [track.attribute for track in gate_tracks(GATES)] == ["z", "z"]
    go.Figure(gate_course_figure([]).to_dict())


def test_a_thinned_gate_map_counts_the_units_and_steps_of_the_network() -> None:
    values = np.linspace(0, 1, 24).reshape(2, 3, 4)
    figure = as_json(gate_course_figure([GateCourse("lstm", "f", np.array([0, 4]), values, 2, 5)]))
    (trace,) = figure["data"]
    assert [trace[key] for key in ("x0", "dx", "y0", "dy")] == [1, 5, 1, 2]
    assert figure["layout"]["yaxis"]["title"]["text"] == "1 unit in 2"


def test_the_colours_of_states_reach_the_largest_of_all_checkpoints() -> None:
    values = np.array([[[0.0, 2.32]], [[0.5, np.nan]]])
    figure = as_json(gate_course_figure([GateCourse("rnn", "a", np.array([0, 4]), values)]))
    (trace,), scale = figure["data"], figure["layout"]["coloraxis2"]
    assert trace["coloraxis"] == "coloraxis2"
    assert (scale["cmin"], scale["cmax"]) == (-2.32, 2.32)
    assert scale["colorbar"]["ticktext"] == ["−2.32", "0", "2.32"]


def checkpoint_of_a_state(largest: float) -> Drawing:
    return gate_course_figure([GateCourse("rnn", "h", np.array([0]), np.array([[[0, largest]]]))])


def map_of_a_state(largest: float) -> Drawing:
    values = np.array([[0, largest]])
    state = State("rnn", "rnn", "h", values, np.zeros((1, 2)), np.zeros((1, 2), np.int8))
    return state_map(shown(state, [0]))


@pytest.mark.parametrize("paint", [checkpoint_of_a_state, map_of_a_state])
def test_a_colour_bar_has_room_for_the_numbers_of_large_states(
    paint: Callable[[float], Drawing],
) -> None:
    margins = [as_json(paint(largest))["layout"]["margin"]["r"] for largest in (0.5, 2.32e5)]
    assert margins[0] < margins[1]


def test_truncation_changes_its_sign_at_41() -> None:
    figure = as_json(slope_figure(influence_curve(), EXACT))
    wrong, right = figure["data"]
    assert wrong["x"].max() == 40
    assert right["x"].min() == 41
    assert "K = 40" in texts(figure)
    assert figure["layout"]["shapes"][0]["y0"] == -6


def test_each_window_has_its_line_and_a_diverging_one_stops_at_the_edge() -> None:
    figure = as_json(runs_figure(influence_runs((20, 0), steps=800), OPTIMUM))
    short, whole = figure["data"]
    assert (short["name"], whole["name"]) == ("K = 20", "whole past")
    assert heights(short)[-1] == 1.5
    assert heights(whole)[-1] == pytest.approx(OPTIMUM, abs=0.1)


def test_further_levels_stand_beside_the_baseline() -> None:
    found = as_json(loss_figure(THREE, 2.0, also={"best n-gram (n = 3)": 0.75}))
    assert [shape["y0"] for shape in found["layout"]["shapes"]] == [2.0, 0.75]
    assert "best n-gram (n = 3) 0.75" in texts(found)
