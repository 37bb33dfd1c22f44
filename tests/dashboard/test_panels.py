"""Below the fold: each panel stands whatever the knobs say, and says why where it does not."""

from __future__ import annotations

import html
import re
import tracemalloc
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pytest

from rnnviz import Experiment, run, to_query
from rnnviz.analysis import limits
from rnnviz.core.numerics import Status
from rnnviz.dashboard import compute, layout, measured
from rnnviz.plots import theme
from rnnviz.views import fixed_points, gradient_flow, states
from rnnviz.views.layer_choice import parts_of
from rnnviz.wording.texts import texts
from tests.dashboard.reading import read
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    line,
    numbers,
    said,
    same,
    verdict,
    visit,
)

FLOW, SPECTRUM = "gradient-flow", "spectrum"
PANELS = {
    FLOW: {
        "title_pairs": "one-loss",
        "title_lags": "lags",
        "title_contributions": "contributions",
        "title_saliency": "saliency",
    },
    SPECTRUM: {
        "title_weights": "weight-gradients",
        "title_fixed_points": "fixed-points",
        "title_lag_spectra": "lag-spectra",
        "title_lyapunov": "lyapunov",
        "title_bands": "bands",
    },
}
TEXTS = {FLOW: "gradient_flow", SPECTRUM: "spectrum"}


def small(**changes: Any) -> Experiment:
    return Experiment(**{"hidden_size": 12, "seq_len": 30, "batch_size": 4, **changes})


SITUATIONS = {
    "defaults": Experiment(),
    "two layers, both directions": small(layers=2, bidirectional="yes"),
    "depths of their own": small(models=("rnn:layers=3", "lstm", "gru:bidirectional=yes")),
    "padded": small(task="sentiment", bidirectional="yes"),
    "padded, loss at every step": small(task="sentiment", loss_at="every"),
    "float32": small(dtype="float32"),
    "overflow": small(models=("rnn", "gru"), activation="relu", gain=16.0, seq_len=300,
                      init="identity"),
    "every model overflows": small(models=("rnn",), activation="identity", gain=16.0,
                                   seq_len=300),
    "dead ReLU": small(activation="relu", gain=0.01, init="gaussian"),
    "delay line": small(init="delay_line", activation="identity"),
    "trained": small(train_steps=2),
    "skip and leak": small(models=("rnn:leak=0.5,skip=3", "lstm:skip=5", "gru:skip=2")),
    "variants": small(models=("lstm:variant=nfg", "lstm:variant=no_gates",
                              "gru:variant=reset_before", "lstm:variant=peepholes")),
    "copy": small(task="copy_memory"),
    "six models": small(models=("rnn", "lstm", "gru", "lstm:forget_bias=0", "rnn:gain=2",
                                "rnn:activation=relu")),
    "T = 2": small(seq_len=2),
    "H = 1, B = 1": small(hidden_size=1, batch_size=1),
    "no input": small(input_scale=0.0, distractor=0.0),
}  # fmt: skip


def opened(page: str, experiment: Experiment, **more: Any):
    """The page with every panel open, and what else is set."""
    text = texts(TEXTS[page])
    keys = {f"open-{text[title]}": True for title in PANELS[page]}
    return change(visit(page, experiment), **keys, **more)


def shown_with(page: str, experiment: Experiment, **views: str) -> Any:
    """The page as a link with these views opens it."""
    return visit(page, {**to_query(experiment), **views})


def of_run(what: str, experiment: Experiment) -> measured.Measured:
    """Of the first layer of every model."""
    run = compute.traces(experiment)
    return measured.measured(what, run, [each[0] for each in parts_of(run).values()])


@pytest.mark.trained
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("page", PANELS)
def test_every_panel_stands(page: str, situation: str) -> None:
    """With theory beside it, and on Gradient flow with each step split under "why"."""
    switches = {"view_theory": True, "lags_theory": True, "lyapunov_theory": True}
    if page == FLOW:
        switches["view_why"] = True
    app = opened(page, SITUATIONS[situation], **switches)
    assert_sound(app)
    shown = charts(app)
    for key in PANELS[page].values():
        assert key in shown or (key == "one-loss" and "pairs" in shown), key
    assert ("step-factors" in shown) == (page == FLOW)
    assert not app.error


def test_the_files_of_a_layer_that_reads_from_the_end_have_the_steps_of_the_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of six, its own first state is that of step 7, its last that of step 1."""
    files: dict[str, Any] = {}
    monkeypatch.setattr(layout, "data_button", lambda name, frame: files.update({name: frame()}))
    both = small(models=("lstm",), bidirectional="yes", seq_len=6)
    opened(FLOW, both, view_direction="backward")
    numbers_open = {f"open-{texts('gates')['numbers']}": True}
    change(visit("gates", both), view_direction="backward", **numbers_open)
    assert files["contributions"]["step"].tolist()[:6] == [6, 5, 4, 3, 2, 1]
    assert files["carry"]["step"].tolist()[:7] == [7, 6, 5, 4, 3, 2, 1]
    assert files["pair-matrix"]["step"].max() == 7
    assert files["lag-profile"]["end"].unique().tolist() == [1]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_files_of_sequences_read_from_different_ends_name_their_steps_as_the_layer_s_own(
    direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their steps are the input's alone where they are read forward."""
    files: dict[str, Any] = {}
    monkeypatch.setattr(layout, "data_button", lambda name, frame: files.update({name: frame()}))
    padded = small(models=("rnn",), task="sentiment", bidirectional="yes")
    more = {f"open-{texts('gradient_flow')['numbers']}": True, "view_why": True, "view_seeds": "5"}
    opened(FLOW, padded, view_direction=direction, **more)
    of_batch = ("gradient-flow", "seeds", "step-factors", "pair-matrix", "contributions")
    steps = {name: [c for c in files[name] if "step" in c] for name in of_batch}
    own = {"step": "own_step", "loss_step": "own_loss_step",
           "from_step": "own_from_step", "to_step": "own_to_step"}  # fmt: skip
    wanted = {name: ["step"] for name in of_batch}
    wanted |= {"step-factors": ["from_step", "to_step"], "pair-matrix": ["loss_step", "step"]}
    if direction == "backward":
        wanted = {name: [own[c] for c in columns] for name, columns in wanted.items()}
    assert steps == wanted
    run = compute.traces(padded)["rnn"].layers[0][direction == "backward"]
    assert files["lag-profile"]["end"].max() == (1 if direction == "backward" else run.lengths[0])


@pytest.mark.parametrize("page", PANELS)
def test_nothing_is_measured_before_it_is_opened(page: str) -> None:
    with mock.patch.object(measured, "measured", side_effect=AssertionError):
        app = visit(page, small(seed=77))
    assert not app.exception
    assert not set(PANELS[page].values()) & set(charts(app))


def test_every_panel_is_of_the_true_slopes_of_saturated_units() -> None:
    """As the curves above them: in the run's own format most steps are 0."""
    hot = Experiment(models=("rnn",), hidden_size=2, input_scale=10.0, seq_len=20, distractor=3,
                     batch_size=1)  # fmt: skip
    (added,) = of_run("contributions", hot).found
    assert np.isfinite(added.log10_norm[1:]).all()
    (profile,) = of_run("lags", hot).found
    assert np.isfinite(profile.state.log10).all()
    (spectrum,) = of_run("lag_spectra", hot).found
    np.testing.assert_allclose(spectrum.log10[-1, 0], profile.state.log10[-1], atol=1e-9)
    (exponents,) = of_run("exponents", hot).found
    assert np.isfinite(exponents.largest)
    assert exponents.residual != np.inf  # no sum to compare where rounding took an exponent
    (matrix,) = of_run("pairs", hot).found
    assert np.isfinite(matrix.h).all()


def test_what_was_measured_is_kept() -> None:
    experiment = small(seed=78)
    opened(FLOW, experiment)
    with mock.patch.object(measured.lags, "lag_profile", side_effect=AssertionError):
        assert not opened(FLOW, experiment).exception


def test_a_loss_at_every_step_makes_a_matrix() -> None:
    app = opened(FLOW, small())
    assert "one-loss" in charts(app)
    assert "pairs" not in charts(app)
    app = change(app, pairs_every=True)
    shown = charts(app)
    assert {"pairs", "cancellation"} <= set(shown)
    assert "one-loss" not in shown
    assert setting_is_still(app, "last")
    for key in ("pairs", "cancellation"):
        assert same(shown[key], charts(opened(FLOW, small(loss_at="every")))[key])


def setting_is_still(app: Any, loss_at: str) -> bool:
    """The panel's own switch moves no knob."""
    return app.session_state["loss_at"] == loss_at


def test_the_pair_matrix_adds_up_to_the_pages_curve() -> None:
    """The rows' own checksum, and the total gradient of h of the same run."""
    experiment = small(models=("rnn",), loss_at="every", batch_size=1)
    (matrix,) = of_run("pairs", experiment).found
    assert matrix.worst_checksum < 1e-12
    (flow,) = gradient_flow.view(compute.traces(experiment)).flows
    together = np.log10(np.nansum(10.0**matrix.h, axis=0)) + np.log10(matrix.cancellation)
    np.testing.assert_allclose(together[1:], flow.h.log10[1:], atol=1e-9)


@pytest.mark.parametrize(("what", "page"), [("pairs", FLOW), ("lags", FLOW),
                                            ("contributions", FLOW), ("lag_spectra", SPECTRUM),
                                            ("exponents", SPECTRUM)])  # fmt: skip
def test_what_takes_too_long_is_refused_in_a_sentence(what: str, page: str) -> None:
    def refuse(*arguments: Any) -> None:
        limits.check("The analysis", limits.Estimate(bytes=0, python=99))

    refusing = replace(measured.MEASURES[what], run=refuse)
    with mock.patch.dict(measured.MEASURES, {what: refusing}):
        app = opened(page, small(seed=100 + len(what)))
    assert_sound(app)
    key = {"pairs": "one-loss", "exponents": "lyapunov", "lag_spectra": "lag-spectra"}.get(
        what, what
    )
    assert key not in charts(app)
    for name in ("RNN", "LSTM", "GRU"):
        assert f"{name}: The analysis would take about 99 s" in said(app)


def test_a_long_measurement_has_a_progress_bar() -> None:
    shares: list[float] = []
    bar = mock.Mock()
    bar.progress.side_effect = lambda share, text: shares.append(share) or bar
    with (
        mock.patch.object(measured, "SOON", 0.0),
        mock.patch.object(measured.st, "empty", return_value=bar),
    ):
        found = of_run("lags", small(seed=79)).found
        assert len(found) == 3
        assert shares[0] == 0
        assert shares == sorted(shares)
        assert shares[-1] > 0.9
        count = len(shares)
        of_run("lags", small(seed=79))
        assert len(shares) == count + 1  # nothing left to do but to say so


@pytest.mark.parametrize(
    "changes",
    [
        {"models": ("lstm",), "seq_len": 400, "input_scale": 50.0, "memory_bias": 0.0},
        {"models": ("lstm",), "seq_len": 150, "input_scale": 50.0, "dtype": "float32",
         "layers": 2, "bidirectional": "yes"},
    ],
    ids=["one layer", "four traces"],
)  # fmt: skip
def test_what_single_precision_takes_is_not_underestimated(changes: dict[str, Any]) -> None:
    """Of saturated units each entry has an exponent of its own."""
    of = run(Experiment(hidden_size=32, batch_size=16, **changes))
    (parts,) = parts_of(of).values()
    measure = measured.MEASURES["precision"]
    tracemalloc.start()
    measure.run(of, parts[0], None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= measure.cost(of, parts[0]).bytes


def test_fewer_sequences_where_many_take_long() -> None:
    few = small(models=("rnn",), loss_at="every", batch_size=8, seed=80)
    assert measured.pair_sequences(compute.traces(few)) == 8
    with mock.patch.object(measured, "PAIR_SECONDS", 1e-9):
        assert measured.pair_sequences(compute.traces(few)) == 1
        app = opened(FLOW, few)
    assert any("first 1 of 8 sequences" in text for text in read(app))


def test_theory_is_drawn_only_where_it_applies() -> None:
    wide = small(hidden_size=32)
    plain, theory = opened(FLOW, wide), opened(FLOW, wide, view_theory=True, lags_theory=True)
    for key in ("flow-state", "lags"):
        names = {trace.get("name") for trace in charts(theory)[key]["data"]}
        assert {"RNN mean field", "RNN bound", "LSTM gate alone", "GRU gate alone"} <= names
        assert not any("mean field" in str(t.get("name")) for t in charts(plain)[key]["data"])
        np.testing.assert_array_equal(
            line(charts(plain)[key], "RNN"), line(charts(theory)[key], "RNN")
        )
    assert "No rate is predicted" not in said(theory)


@pytest.mark.trained
@pytest.mark.parametrize(("changes", "reason"), [
    ({"train_steps": 1}, "trained"), ({"init": "delay_line"}, "delay line"),
    ({"hidden_size": 8}, "H = 8"), ({"activation": "logistic"}, "logistic"),
    ({"loss_at": "every"}, "error enters on the way"), ({"skip": 3}, "a skip"),
])  # fmt: skip
def test_where_theory_is_silent_it_is_said(changes: dict[str, Any], reason: str) -> None:
    app = shown_with(FLOW, small(**{"hidden_size": 32, **changes}), view_theory="True")
    names = [str(trace.get("name")) for trace in charts(app)["flow-state"]["data"]]
    assert not any("mean field" in name for name in names)
    assert reason in said(app)


def test_the_laws_of_random_matrices_lie_over_the_spectrum() -> None:
    drawn = {"singular-values": "quarter circle", "powers": "Fuss-Catalan"}
    app = shown_with(SPECTRUM, Experiment(models=("rnn",)), view_theory="True")
    for key, name in drawn.items():
        assert any(trace.get("name") == name for trace in charts(app)[key]["data"])
    shaded = [s for s in charts(app)["eigenvalues"]["layout"]["shapes"] if s.get("fillcolor")]
    assert len(shaded) == 1
    silent = shown_with(
        SPECTRUM, Experiment(models=("rnn",), init="orthogonal"), view_theory="True"
    )
    assert "W<sub>hh</sub> is orthogonal: every singular value" in said(silent)
    for key, name in drawn.items():
        assert not any(trace.get("name") == name for trace in charts(silent)[key]["data"])


def test_a_link_switches_theory_on() -> None:
    app = visit(query={"view_theory": "True"})
    assert app.session_state["gradient-flow.view_theory"] is True
    assert any("mean field" in str(t.get("name")) for t in charts(app)["flow-state"]["data"])
    assert (
        visit(query={"view_theory": "nonsense"}).session_state["gradient-flow.view_theory"] is False
    )


def test_why_splits_every_step_at_a_click_and_in_a_link() -> None:
    with mock.patch.object(gradient_flow, "splits_of", side_effect=AssertionError):
        assert "step-factors" not in charts(visit(query=small(seed=79)))
    app = change(visit(query=small(seed=79)), view_why=True)
    assert_sound(app)
    assert "step-factors" in charts(app)
    app = change(app, **{f"open-{texts('gradient_flow')['numbers']}": True})
    assert "Data: step-factors (CSV)" in [each.label for each in app.get("download_button")]
    assert "step-factors" in charts(visit(query={"view_why": "True"}))


def test_seeds_are_drawn_when_asked_for_and_in_a_link() -> None:
    with mock.patch.object(compute, "_seed_curves", side_effect=AssertionError):
        alone = visit(query=small(seed=80))
        nonsense = visit(query={"view_seeds": "7"})
    assert not alone.exception
    assert not nonsense.exception
    app = change(alone, view_seeds="5")
    assert_sound(app)
    assert verdict(app) == verdict(alone)
    assert app.query_params["view_seeds"] == "5"
    again = charts(visit(query=app.query_params))["flow-state"]
    assert same(again, charts(app)["flow-state"])
    assert line(again, "LSTM, median of 5 seeds").shape == (30,)
    app = change(app, **{f"open-{texts('gradient_flow')['numbers']}": True})
    assert "Data: seeds (CSV)" in [each.label for each in app.get("download_button")]


def test_too_many_seeds_are_refused_with_what_they_would_take() -> None:
    with mock.patch.object(compute, "SEEDS_SECONDS", 1e-9):
        app = change(visit(query=small(seed=81)), view_seeds="11")
    assert "11 seeds would take about" in said(app)
    assert not any("seeds" in (t.get("name") or "") for t in charts(app)["flow-state"]["data"])


def test_after_the_last_seed_comes_the_first() -> None:
    last = small(models=("rnn",), seed=2**31 - 1)
    found = compute.flow_view(last, gradient_flow.Choices(seeds=5), None)
    zero = compute.flow_view(replace(last, seed=0), gradient_flow.Choices(), None)
    log10 = zero.flows[0].state.log10[1:]
    (band,) = found.bands
    assert (band.least <= log10 - log10[-1] + 1e-9).all()
    assert (log10 - log10[-1] <= band.greatest + 1e-9).all()


STATES = {f"{what}-h" for what in ("state", "gradient", "state-lines", "gradient-lines")}


def test_the_states_are_shown_at_a_click_and_in_a_link() -> None:
    with mock.patch.object(states, "view", side_effect=AssertionError):
        app = visit("gates", small(seed=79))
    assert not app.exception
    assert not STATES & set(charts(app))
    app = change(app, view_states=True, view_of="lstm", view_units="3, 12")
    assert_sound(app)
    assert STATES | {"state-c", "gradient-lines-c"} <= set(charts(app))
    assert app.query_params["view_units"] == "3, 12"
    again = visit("gates", app.query_params)
    assert {t["name"] for t in charts(again)["state-lines-c"]["data"]} == {"unit 3", "unit 12"}
    assert "Data: states (CSV)" in [each.label for each in again.get("download_button")]


def test_of_the_states_a_bad_unit_is_named_and_the_usual_ones_are_drawn() -> None:
    app = change(visit("gates", small()), view_states=True, view_units="3, 13")
    assert "“13” is not a unit" in said(app)
    assert "from 1 to 12" in said(app)
    assert len(charts(app)["state-lines-h"]["data"]) == 4


def test_the_states_follow_the_page_until_a_model_is_chosen() -> None:
    app = change(visit("gates", small()), view_states=True)
    assert "LSTM" in charts(app)["state-h"]["layout"]["annotations"][0]["text"]
    app = change(app, view_model="gru")
    assert "GRU" in charts(app)["state-h"]["layout"]["annotations"][0]["text"]
    app = change(app, view_of="rnn")
    assert "RNN" in charts(app)["state-h"]["layout"]["annotations"][0]["text"]


@pytest.mark.trained
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_states_stand_in_every_situation(situation: str) -> None:
    app = shown_with("gates", SITUATIONS[situation], view_states="True")
    assert_sound(app)
    assert set(charts(app)) >= STATES


def test_exponents_of_the_long_run_and_of_theory() -> None:
    wide = small(models=("rnn", "gru"), hidden_size=24)
    with mock.patch.object(measured, "LONG_RUN", 200):
        app = opened(SPECTRUM, wide, long_run=True, lyapunov_theory=True)
    figure = charts(app)["lyapunov"]
    names = {trace.get("name") for trace in figure["data"]}
    assert {"RNN", "RNN long run", "GRU long run", "RNN mean field"} <= names
    assert "GRU mean field" not in names
    assert "GRU: there is no formula here for gated cells" in said(app)
    bodies = [element.proto.body for element in app.get("html")]
    table = next(body for body in bodies if texts("spectrum")["column_lambda_1"] in body)
    assert table.count("e-fold in") == 4


def test_the_panels_follow_the_layer_that_is_shown() -> None:
    two = small(models=("rnn",), layers=2)
    last, first = (opened(FLOW, two, view_layer=layer) for layer in ("2", "1"))
    assert not same(charts(last)["lags"], charts(first)["lags"])
    assert same(charts(last)["lags"], charts(opened(FLOW, two))["lags"])


def test_chosen_singular_values_are_in_the_link_and_a_wrong_one_is_named() -> None:
    query = {"models": "rnn", "hidden_size": "12", "seq_len": "30", "view_ranks": "1, 5, 13, best"}
    app = change(visit(SPECTRUM, query), **{"open-" + texts("spectrum")["title_lag_spectra"]: True})
    assert_sound(app)
    names = [trace.get("name") for trace in charts(app)["lag-spectra"]["data"]]
    assert names[1:] == ["RNN σ 1", "RNN σ 5"]
    assert said(app) == (
        "There is no singular value 13, best; allowed: numbers from 1 to 12, median, last."
    )
    app = change(app, view_ranks="median")
    assert app.query_params["view_ranks"] == "median"
    names = [trace.get("name") for trace in charts(app)["lag-spectra"]["data"]]
    assert names[1:] == ["RNN σ 6"]


@pytest.mark.parametrize(("asked", "held"), [
    ("0.5", "0.5"), ("-3", "−3"), ("99", "10"), ("nan", "0"), ("<b>", "0"), ("", "0"),
])  # fmt: skip
def test_the_input_that_is_held_is_in_the_link(asked: str, held: str) -> None:
    query = {"models": "rnn", "hidden_size": "6", "seq_len": "12", "view_input": asked}
    app = change(
        visit(SPECTRUM, query), **{"open-" + texts("spectrum")["title_fixed_points"]: True}
    )
    assert_sound(app)
    assert any(f"RNN, inputs held at {held}: " in text for text in read(app))


def test_fixed_points_are_searched_for_when_the_panel_is_opened_and_kept() -> None:
    query = {"models": "gru", "hidden_size": "7", "seq_len": "12"}
    opens = {"open-" + texts("spectrum")["title_fixed_points"]: True}
    with mock.patch.object(fixed_points, "fixed_points", side_effect=AssertionError):
        app = visit(SPECTRUM, query)
        assert not app.exception
    app = change(app, **opens)
    assert "fixed-points" in charts(app)
    assert "Data: fixed-points (CSV)" in [each.label for each in app.get("download_button")]
    with mock.patch.object(fixed_points, "fixed_points", side_effect=AssertionError):
        assert not change(visit(SPECTRUM, query), **opens).exception


def test_statuses_differ_in_the_matrix() -> None:
    """A dead unit is exactly zero, and does not look like a small number."""
    app = opened(FLOW, small(models=("rnn",), init="delay_line", activation="identity",
                             loss_at="every", hidden_size=5))  # fmt: skip
    figure = charts(app)["pairs"]
    codes = np.unique(np.concatenate([n.ravel() for n in numbers(figure)[:1]]))
    assert Status.ZERO in codes
    assert any(theme.EXACT_ZERO in str(note["text"]) for note in figure["layout"]["annotations"])


def test_the_largest_exponents_where_all_take_too_long() -> None:
    experiment = small(models=("lstm",), seed=81)
    trace = compute.traces(experiment)["lstm"].trace
    one = limits.spectrum_cost(trace.cell, trace.seq_len, 1).seconds
    with mock.patch.object(limits, "MAX_SECONDS", one), mock.patch.object(measured, "LARGEST", 1):
        (found,) = of_run("exponents", experiment).found
    assert len(found.exponents) == 1
    (every,) = of_run("exponents", small(models=("lstm",))).found
    assert len(every.exponents) == 24


@pytest.mark.parametrize(("changes", "words"), [
    ({}, "RNN: mean field, ½ ln χ a step; LSTM, GRU: the gate's bias alone"),
    ({"models": ("rnn",), "init": "orthogonal", "activation": "identity"}, "RNN: exact"),
    ({"models": ("gru",)}, "(LSTM, GRU: the gate's bias alone)"),
    ({"loss_at": "every"}, "Thick: all losses together"),
])  # fmt: skip
def test_the_lines_of_theory_are_named_as_they_are(changes: dict[str, Any], words: str) -> None:
    app = shown_with(FLOW, small(hidden_size=32, **changes), view_theory="True")
    first = next(e.proto.body for e in app.get("html") if "rnnviz-how" in e.proto.body)
    assert words in html.unescape(first)


def test_the_precision_panel_says_what_each_format_would_hold() -> None:
    """0.5 a step: 2^−150 is rounded to 0 in float32, 2^−25 in float16."""
    text = texts("gradient_flow")
    experiment = small(models=("rnn",), activation="identity", init="identity", gain=0.5,
                       seq_len=200, distractor=0.0, input_scale=0.0)  # fmt: skip
    app = change(visit(FLOW, experiment), **{f"open-{text['title_precision']}": True})
    assert_sound(app)
    bodies = [each.proto.body for each in app.get("html")]
    table = next(body for body in bodies if text["column_recursion"] in body)
    cells = re.findall(r"<td>(.*?)</td>", table)
    assert cells[:2] == ["RNN", "–"]
    (flow,) = gradient_flow.view(compute.traces(experiment)).flows
    largest = np.log2(10.0) * np.nanmax(flow.units[:, -1]) - np.log2(experiment.batch_size)
    assert abs(int(re.search(r"\((\d+) steps from", cells[2])[1]) - (150 + largest)) <= 1  # type: ignore[index]
    assert [cell.startswith("0 from step ") for cell in cells[2:]] == [True] * 4


def test_the_precision_panel_goes_by_the_error_that_truly_arrives_in_a_lower_layer() -> None:
    """Read off rounded values the slopes above make 0 of nearly all of it, which any format holds.
    In truth it is 10^−22 at step 30, and 10^−309 at step 1."""
    experiment = Experiment(models=("rnn",), layers=2, gain=4.0, input_scale=100.0, seq_len=30,
                       hidden_size=4, batch_size=1)  # fmt: skip
    found = compute.traces(experiment)
    below = parts_of(found)["rnn"][0]
    (exact,) = measured.measured("precision", found, [below]).found
    assert [each.zero_from for each in exact.held] == [None, 27, 27, 30]
