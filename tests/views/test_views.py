"""A page's numbers, words and pictures, made without Streamlit and of any run."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import limits
from rnnviz.analysis.batch_carry import batch_carry
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network
from rnnviz.experiment import Run
from rnnviz.plots import theme
from rnnviz.plots.drawing import to_json
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.flow_panels import (
    Look,
    contribution_pictures,
    lag_pictures,
    pair_pictures,
    slope_words,
)
from rnnviz.views.layer_choice import in_front, parts_of
from rnnviz.views.picture import Picture, Words
from rnnviz.views.theory import of_lags
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import percent, scientific
from rnnviz.wording.texts import OFFERED, speak_in, texts
from tests.views.situations import made_by_hand

VIEWS = (gradient_flow, spectrum, gates)
T, B = 12, 3


@pytest.fixture(scope="module")
def by_experiment() -> Run:
    return run(Experiment(models=("rnn", "lstm", "gru"), seq_len=20, hidden_size=8, batch_size=2))


@pytest.fixture(scope="module")
def by_hand() -> Run:
    """Weights and a batch that no Experiment describes."""
    networks = {"rnn": Network((RNN(2, 4),), 1), "lstm": Network((LSTM(2, 4), LSTM(4, 4)), 1)}
    return made_by_hand(networks, T, B)


def drawn(page: ModuleType, of: Run, **choices: object) -> dict[str, Picture | Words]:
    """Key -> what the page shows; its figures must be such that a browser can read them."""
    view = page.view(of, page.Choices(**choices))
    items = {item.key: item for item in page.pictures(pickle.loads(pickle.dumps(view)))}
    for item in items.values():
        if isinstance(item, Picture):
            assert item.alt
            assert item.how
            assert item.height > 0
            to_json(item.drawing)
    return items


@pytest.mark.parametrize("page", VIEWS, ids=lambda page: page.__name__.rpartition(".")[2])
def test_a_run_made_by_hand_is_shown(page: ModuleType, by_hand: Run) -> None:
    items = drawn(page, by_hand)
    assert items["verdict"].lines[0].endswith(".")  # type: ignore[union-attr]
    assert sum(isinstance(item, Picture) for item in items.values()) >= 2


def test_of_a_run_made_by_hand_theory_says_why_it_is_silent(by_hand: Run) -> None:
    said = drawn(gradient_flow, by_hand, theory=True)["warning"]
    assert "RNN: it is not known how these weights were drawn" in said.lines[-1]  # type: ignore[union-attr]
    said = drawn(spectrum, by_hand, theory=True)["warning"]
    assert said.lines == ("No law is drawn: it is not known how these weights were drawn.",)  # type: ignore[union-attr]


def test_a_rate_is_called_missing_of_those_models_alone_that_have_none() -> None:
    for models, said in (
        (("rnn",), "No rate is predicted. RNN: the identity initializer"),
        (("rnn", "lstm"), "Not every rate is predicted. RNN: the identity initializer"),
    ):
        of = run(Experiment(models=models, init="identity", hidden_size=8, seq_len=20))
        warning = drawn(gradient_flow, of, theory=True)["warning"]
        assert warning.lines[-1].startswith(said)  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_the_jacobian_of_a_step_is_said_to_be_without_a_skip(model: str) -> None:
    for skip, there in ((0, False), (3, True)):
        of = run(Experiment(models=(model,), skip=skip, hidden_size=4, seq_len=9))
        items = drawn(spectrum, of)
        assert ("a step without W_skip" in items["jacobians"].how) is there  # type: ignore[union-attr]
        spectra = [spectrum.view(of).jacobian]
        (bands,) = spectrum.bands_pictures(spectra, spectrum.view(of).styles, there)
        assert ("without W_skip" in bands.how) is there
    assert "powers below are of W_hh alone" in items["note"].lines[-1]  # type: ignore[union-attr]


def test_where_sequences_count_from_their_own_ends_the_picture_and_the_table_say_so() -> None:
    padded = run(Experiment(models=("rnn",), task="sentiment", hidden_size=4, batch_size=8))
    picture = drawn(gradient_flow, padded)["flow-state"]
    assert "own end, the number beside the curve counts from there" in picture.how  # type: ignore[union-attr]
    assert "New error enters at many steps" in picture.how  # type: ignore[union-attr]
    assert "Flat = it arrives" not in picture.how  # type: ignore[union-attr]
    assert "no line is fitted" in slope_words(gradient_flow.view(padded).drawn)
    laid_over = gradient_flow.view(padded, gradient_flow.Choices(theory=True))
    assert not laid_over.theory["rnn"].lines
    assert any("theory follows the error of one loss" in line for line in laid_over.warnings)
    alike = run(Experiment(models=("rnn",), hidden_size=4, batch_size=2, seq_len=8))
    assert "own end" not in drawn(gradient_flow, alike)["flow-state"].how  # type: ignore[union-attr]
    assert "own ends" not in slope_words(gradient_flow.view(alike).drawn)


def test_of_the_largest_exponents_alone_it_is_said_what_the_number_beside_a_line_is(
    by_experiment: Run,
) -> None:
    trace, styles = by_experiment["rnn"].trace, theme.model_styles(["rnn"])
    for count, said in ((2, True), (None, False)):
        found = lyapunov_spectrum(trace, "rnn", count=count)
        picture = spectrum.exponents_picture([found], [], {}, styles)
        assert ("λ₁ is at least the first of them" in picture.how) == said
        to_json(picture.drawing)


def test_while_a_knob_is_dragged_the_dots_are_of_the_sequence_that_the_verdict_names() -> None:
    of = run(Experiment(models=("lstm",), hidden_size=8, seq_len=20, batch_size=4))
    for coarse, of_which, dots in (
        (False, "median of 4 sequences", "the median of these sequences"),
        (True, "first of 4 sequences", "of the first sequence alone, too"),
    ):
        shown = drawn(gates, of, coarse=coarse)
        assert of_which in " ".join(shown["verdict"].lines)  # type: ignore[union-attr]
        assert dots in shown["carry"].how  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, {"Dashed", "Long dashes"}),
        ({"gain": 0.0}, {"Long dashes"}),
        ({"models": ("lstm:variant=no_gates",)}, set()),
        ({"models": ("lstm:variant=peepholes",)}, {"Dashed", "Dash-dotted", "Long dashes"}),
    ],
)
def test_of_the_ways_that_error_takes_those_that_are_drawn_are_explained(
    changes: dict[str, Any], lines: set[str]
) -> None:
    base: dict[str, Any] = {"models": ("lstm",), "hidden_size": 8, "seq_len": 20, "batch_size": 1}
    carry = drawn(gates, run(Experiment(**{**base, **changes})))["carry"]
    assert isinstance(carry, Picture)
    said = {each for each in ("Dashed", "Dash-dotted", "Long dashes") if f"{each}: " in carry.how}
    assert said == lines
    assert "Dots at step 0" not in carry.how  # of one sequence there are none


@pytest.mark.parametrize(
    ("changes", "said", "not_said"),
    [
        ({}, "Purple is negative", "Purple is 0"),
        ({"activation": "logistic"}, "Purple is 0, yellow is 1", "negative"),
        ({"leak": 0.1}, "Purple is negative", "Saturated"),
    ],
)
def test_states_are_read_by_the_colours_that_they_have(
    changes: dict[str, Any], said: str, not_said: str
) -> None:
    of = run(Experiment(models=("rnn",), hidden_size=6, seq_len=9, batch_size=2, **changes))
    shown = gates.view(of)
    (states,) = (each for each in gates.pictures(shown) if isinstance(each, Picture))
    assert said in states.how
    assert not_said not in states.how
    np.testing.assert_array_equal(shown.stats["a"].values, of["rnn"].layers[0][0].h[1:, :, 0].T)


def test_of_predictions_over_the_lag_those_that_are_drawn_are_explained() -> None:
    look = Look({})
    for kind, said, not_said in (("lstm", "The gate alone", "Fuss-Catalan"),
                                 ("rnn", "Fuss-Catalan", "The gate alone")):  # fmt: skip
        of = run(Experiment(models=(kind,), init="gaussian", hidden_size=32, seq_len=20))
        parts = [part for each in parts_of(of).values() for part in each]
        profiles = [lag_profile(part.trace, part.label) for part in parts]
        (picture, *_) = lag_pictures(profiles, look, of_lags(of, parts))
        assert said in picture.how  # type: ignore[union-attr]
        assert not_said not in picture.how  # type: ignore[union-attr]


def test_theory_of_a_gate_says_what_it_leaves_out() -> None:
    """The input moves the gate, though W_hh does nothing: theory does not see it."""
    result = run(Experiment(models=("lstm",), gain=1e-3, input_scale=4.0))
    choices = gradient_flow.Choices(theory=True)
    found = gradient_flow.view(result, choices)
    (line,), (flow,) = found.theory["lstm"].lines, found.flows
    assert line.name == "gate alone"
    foreseen = line.log10[1] - line.log10[flow.reach_from]
    assert abs(foreseen - flow.reach_log10) > 0.3
    picture = drawn(gradient_flow, result, theory=True)["flow-state"]
    assert "the gate's bias alone" in picture.how  # type: ignore[union-attr]


@pytest.mark.parametrize("page", VIEWS, ids=lambda page: page.__name__.rpartition(".")[2])
def test_a_view_is_small(page: ModuleType, by_experiment: Run) -> None:
    """It travels between processes: no trace in it."""
    recorded = sum(trace.trace.gate_values.nbytes for trace in by_experiment.values())
    small = len(pickle.dumps(page.view(by_experiment)))
    assert small < max(recorded, 40_000)


def test_choices_that_a_run_does_not_have_fall_back(by_hand: Run) -> None:
    view = gradient_flow.view(by_hand, gradient_flow.Choices(layer="7", direction="sideways"))
    assert (view.layers.layer, view.layers.direction) == ("all", "forward")
    assert spectrum.view(by_hand, spectrum.Choices(model="gru", gate="z")).label == "rnn"
    assert gates.view(by_hand, gates.Choices(model="rnn")).label == "lstm · layer 2"


def test_a_pinned_run_is_drawn_behind(by_experiment: Run, by_hand: Run) -> None:
    view = gradient_flow.view(by_experiment, pinned=by_hand)
    assert [flow.label for flow in view.ghosts] == ["rnn", "lstm · layer 1"]


PAIR = Experiment(models=("rnn",), seq_len=20, hidden_size=4, batch_size=2)
BOTH_WAYS = replace(PAIR, bidirectional="yes")
WORDS_BOTH_WAYS = replace(BOTH_WAYS, task="words")


@pytest.mark.parametrize(
    ("shown", "pinned", "directions"),
    [(BOTH_WAYS, PAIR, []), (BOTH_WAYS, BOTH_WAYS, [1]), (BOTH_WAYS, WORDS_BOTH_WAYS, []),
     (WORDS_BOTH_WAYS, BOTH_WAYS, [0]), (WORDS_BOTH_WAYS, PAIR, []),
     (WORDS_BOTH_WAYS, WORDS_BOTH_WAYS, [0])],
)  # fmt: skip
def test_no_ghost_is_drawn_that_reads_the_other_way(
    shown: Experiment, pinned: Experiment, directions: list[int]
) -> None:
    """Padded sequences that are read from their ends are drawn in steps of the layer's own."""
    choices = gradient_flow.Choices(direction="backward")
    view = gradient_flow.view(run(shown), choices, pinned=run(pinned))
    assert [ghost.direction for ghost in view.ghosts] == directions
    assert {flow.direction for flow in view.flows} == {int(shown is BOTH_WAYS)}
    forward = gradient_flow.view(run(shown), pinned=run(pinned))
    assert [ghost.direction for ghost in forward.ghosts] == [0]


def test_the_memory_is_told_over_the_batch_with_unit_norm_and_reference(by_experiment: Run) -> None:
    view = gates.view(by_experiment)
    first, second = view.verdict
    assert first.startswith("The median LSTM unit's forget gate keeps half for")
    assert "median of 2 sequences" in second
    assert "(best unit)" in second
    picture = drawn(gates, by_experiment)["carry"]
    assert isinstance(picture, Picture)
    for words in ("in the first sequence", "in its best direction", "in the best unit",
                  "the median unit's half-life, over all sequences", "bars: from the least",
                  "Gradient flow starts elsewhere"):  # fmt: skip
        assert words in picture.how
    wide = run(Experiment(models=("lstm",), seq_len=20, hidden_size=8, batch_size=5))
    assert "median of 5 sequences" in gates.view(wide).verdict[1]
    with mock.patch.object(gates, "BATCH_BUDGET", 2 * 20 * 4 * 8**3):
        assert "median of 2 of the 5" in gates.view(wide).verdict[1]
    while_dragged = gates.view(wide, gates.Choices(coarse=True))
    assert "first of 5 sequences" in while_dragged.verdict[1]
    assert while_dragged.batch is not None
    alone = batch_carry(wide["lstm"].trace, "lstm", 1)
    assert alone is not None
    np.testing.assert_allclose(while_dragged.batch.true, alone.true, atol=1e-9)
    np.testing.assert_allclose(while_dragged.batch.product, alone.product, atol=1e-9)


@pytest.mark.parametrize("coarse", [False, True])
def test_the_share_of_saturated_gates_is_in_sight_and_follows_the_knobs(coarse: bool) -> None:
    for bias in (0.0, 3.0):
        experiment = Experiment(models=("lstm", "rnn"), memory_bias=bias, seq_len=20, gain=4.0)
        result = run(experiment)
        items, values = drawn(gates, result, coarse=coarse), result["lstm"].trace.gates
        ends = {"f": 0.1, "i": 0.1, "g": -0.9, "o": 0.1}
        below = {gate: percent((values[gate] < low).mean()) for gate, low in ends.items()}
        above = {gate: percent((values[gate] > 0.9).mean()) for gate in ends}
        f, i, g, o = (f"{gate} {below[gate]} / {above[gate]}" for gate in ends)
        said = f"Saturated, below 0.1 / above 0.9: {f}."
        assert items["memory-gate"].how.endswith(said)  # type: ignore[union-attr]
        said = f"Saturated, below 0.1 / above 0.9: {i}, {o}; below −0.9 / above 0.9: {g}."
        assert items["gate-strips"].how.endswith(said)  # type: ignore[union-attr]


def test_a_state_without_flat_ends_is_not_called_saturated() -> None:
    for activation, said in (("tanh", True), ("relu", False)):
        result = run(Experiment(models=("rnn",), activation=activation, seq_len=9))
        assert ("Saturated" in drawn(gates, result)["states"].how) is said  # type: ignore[union-attr]


def test_every_step_is_split_when_that_is_asked_for(by_experiment: Run, by_hand: Run) -> None:
    for of in (by_experiment, by_hand):
        assert "step-factors" not in drawn(gradient_flow, of)
        assert not gradient_flow.view(of).splits
        shown = drawn(gradient_flow, of, why=True)
        assert list(shown)[:2] == ["verdict", "step-factors"]
        picture = shown["step-factors"]
        assert isinstance(picture, Picture)
        assert "Decades:" in picture.how
        assert "Shares:" in picture.how
    alone = run(Experiment(models=("rnn",), seq_len=600, hidden_size=3, batch_size=2))
    picture = drawn(gradient_flow, alone, why=True)["step-factors"]
    assert isinstance(picture, Picture)
    assert "Shares:" not in picture.how
    assert picture.how.endswith("One bar is the mean of 3 steps.")


@pytest.mark.parametrize("language", OFFERED)
@pytest.mark.parametrize(
    ("changes", "ways"), [({"leak": 0.3}, ["leak"]), ({"leak": 0.3, "skip": 3}, ["leak", "skip"])]
)
def test_of_a_leaky_rnn_nobody_is_promised_what_w_hh_alone_would_do(
    changes: dict[str, float], ways: list[str], language: str
) -> None:
    """W_hh = −1.5 behind a leak of 0.3 must vanish, though a singular value lies above the line."""
    leaky = run(Experiment(models=("rnn",), gain=3.0, seq_len=12, hidden_size=8, **changes))
    items = speak_in(language, lambda: drawn(spectrum, leaky))
    text, labels = (speak_in(language, lambda page=p: texts(page)) for p in ("spectrum", "plots"))
    assert items["note"].lines == tuple(text[way] for way in ways)  # type: ignore[union-attr]
    singular, eigenvalues = items["singular-values"], items["eigenvalues"]
    assert isinstance(singular, Picture)
    assert isinstance(eigenvalues, Picture)
    assert singular.how == text[f"how_to_read_singular_{ways[-1]}"]
    assert eigenvalues.how == text[f"how_to_read_eigenvalues_{ways[-1]}"]
    beside = [note["text"] for note in singular.drawing["layout"]["annotations"]]
    assert any(note.endswith(labels["w_hh_alone"]) for note in beside)
    assert not any(part in note for note in beside for part in labels["promise"].split("<br>")[::2])


def test_a_plain_rnn_is_promised_what_its_singular_values_say(by_hand: Run) -> None:
    items = drawn(spectrum, by_hand)
    assert "note" not in items
    assert "may explode" in items["singular-values"].how  # type: ignore[union-attr]


def test_what_takes_too_long_to_split_is_said(by_experiment: Run) -> None:
    with mock.patch.object(limits, "MAX_BYTES", 1 << 10):
        view = gradient_flow.view(by_experiment, gradient_flow.Choices(why=True))
    assert [split.label for split in view.splits] == ["rnn"]
    assert any(said.startswith("LSTM: The paths would take about") for said in view.warnings)


def test_streamlit_is_not_needed() -> None:
    code = """
import sys; sys.modules["streamlit"] = None
from rnnviz import Experiment, run
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.lags import lag_profile
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.flow_panels import Look, contribution_pictures
result = run(Experiment(seq_len=9, hidden_size=4))
print(sum(len(list(p.pictures(p.view(result)))) for p in (gates, gradient_flow, spectrum)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 10


def test_a_memory_gate_that_forgets_once_is_seen_to_forget_in_a_long_run() -> None:
    """Two steps share a column; the one that keeps least is drawn, and the page says so."""
    long = run(Experiment(models=("lstm",), seq_len=600, hidden_size=3, batch_size=2))
    view = gates.view(long)
    assert view.memory is not None
    values = view.stats["f"].values.copy()
    values[:, 301] = 0.01
    view = replace(view, stats={**view.stats, "f": replace(view.stats["f"], values=values)})
    made = (each for each in gates.pictures(view) if isinstance(each, Picture))
    (picture,) = (each for each in made if each.key == "memory-gate")
    assert np.nanmin(picture.drawing["data"][-1]["z"]) < 0.02
    assert "one column the smallest of 2 steps" in picture.how


@pytest.mark.parametrize(("task", "is_zero"), [("delayed_recall", True), ("captioning", False)])
def test_the_first_step_adds_nothing_only_where_the_first_state_is_zero(
    task: str, is_zero: bool
) -> None:
    made = run(Experiment(models=("rnn",), task=task, loss_at="every", seq_len=6, hidden_size=4))
    found = [weight_contributions(made["rnn"].trace, "rnn")]
    picture = next(contribution_pictures(found, Look({})))
    assert isinstance(picture, Picture)
    assert ("adds exactly nothing" in picture.how) is is_zero


def test_a_first_step_that_adds_nothing_for_another_reason_is_not_laid_to_the_first_state() -> None:
    """The only ReLU is off at step 1."""
    made = run(Experiment(models=("rnn",), activation="relu", task="captioning", loss_at="every",
                          seq_len=6, hidden_size=1, batch_size=1, seed=1))  # fmt: skip
    found = weight_contributions(made["rnn"].trace, "rnn")
    assert np.isneginf(found.log10_norm[0])
    picture = next(contribution_pictures([found], Look({})))
    assert isinstance(picture, Picture)
    assert "adds exactly nothing" not in picture.how


@pytest.mark.parametrize("loss_at", ["last", "every"])
def test_the_panels_end_with_the_longest_sequence_as_the_curves_do(loss_at: str) -> None:
    """Both sequences have 10 steps, padded to 14."""
    made = run(Experiment(models=("rnn", "lstm"), task="words", hidden_size=5, batch_size=2,
                          loss_at=loss_at))  # fmt: skip
    shown = gradient_flow.view(made, gradient_flow.Choices(why=True))
    assert {flow.seq_len for flow in shown.flows} == {10}
    assert made.batch.x.shape[0] == 14
    labels = ("rnn", "lstm")
    sums = [weight_contributions(made[label].trace, label) for label in labels]
    matrices = [pair_matrix(made[label].trace, label) for label in labels]
    items = [*contribution_pictures(sums, Look({})), *pair_pictures(matrices, Look({}), 2, 2)]
    items += [item for item in gradient_flow.pictures(shown) if item.key == "step-factors"]
    drawn = [item for item in items if isinstance(item, Picture)]
    assert len(drawn) == (3 if loss_at == "last" else 4)
    for picture in drawn:
        layout = picture.drawing["layout"]
        assert 10 <= layout["xaxis"]["range"][1] < 11
        said = [note["text"] for note in layout["annotations"]]
        assert not any("—" in text or "zero" in text for text in said)


def pair_items(made: Run, layer: str) -> tuple[dict[str, Picture | Words], gradient_flow.View]:
    view = gradient_flow.view(made, gradient_flow.Choices(layer=layer))
    front = in_front(parts_of(made), view.layers)
    found = [pair_matrix(part.trace, part.label) for part in front]
    return {i.key: i for i in pair_pictures(found, Look(view.styles, lower=view.lower), 2, 2)}, view


def test_the_rows_of_a_lower_layer_s_pairs_are_steps_at_which_error_comes_from_above() -> None:
    deep = run(Experiment(models=("rnn", "lstm"), seq_len=9, hidden_size=4, batch_size=2, layers=2))
    items, view = pair_items(deep, "1")
    assert view.lower
    pairs, cancellation = items["pairs"], items["cancellation"]
    assert isinstance(pairs, Picture)
    assert isinstance(cancellation, Picture)
    assert "comes from the layer above" in pairs.how
    assert "loss" not in (pairs.how + pairs.alt + cancellation.how).lower()
    assert pairs.drawing["layout"]["yaxis"]["title"]["text"] == "entry step s"
    assert "error that entered" in pairs.drawing["data"][0]["hovertemplate"]
    every = run(Experiment(models=("rnn",), seq_len=9, hidden_size=4, batch_size=2,
                           loss_at="every", layers=2))  # fmt: skip
    for layer in ("all", "2"):
        items, view = pair_items(every, layer)
        assert not view.lower
        pairs = items["pairs"]
        assert isinstance(pairs, Picture)
        assert pairs.how.startswith("One row a loss")
        assert pairs.drawing["layout"]["yaxis"]["title"]["text"] == "loss step s"


@pytest.mark.parametrize("models", [("lstm", "rnn"), ("rnn", "lstm")])
def test_a_checksum_is_that_of_those_models_that_have_one(models: tuple[str, ...]) -> None:
    """The other one explodes: its states are no numbers."""
    wild = {"rnn": "rnn:activation=identity,gain=16"}
    made = run(Experiment(models=tuple(wild.get(m, m) for m in models), seq_len=400,
                          hidden_size=16, batch_size=2))  # fmt: skip
    sums = [weight_contributions(made[label].trace, label) for label in made]
    matrices = [pair_matrix(made[label].trace, label) for label in made]
    panels = contribution_pictures(sums, Look({})), pair_pictures(matrices, Look({}), 2, 2)
    lstm = next(label for label in made if label == "lstm")
    only = [c for c in sums if c.label != lstm]
    numbers = [c.checksum for c in sums if c.label == lstm]
    numbers += [m.worst_checksum for m in matrices if m.label == lstm]
    for items, number in zip(panels, numbers, strict=True):
        said = [item for item in items if isinstance(item, Words)][-1].lines[0]
        assert said.startswith("Checksum: ")
        assert scientific(number) in said
        assert said.endswith(f"holds: {display_name(only[0].label)}.")
    assert not any(isinstance(i, Words) for i in contribution_pictures(only, Look({})))


def test_a_dotted_line_of_the_sums_is_explained_where_one_is_drawn() -> None:
    made = run(Experiment(models=("rnn", "lstm", "gru", "lstm:forget_bias=0"), hidden_size=4,
                          batch_size=2, seq_len=8))  # fmt: skip
    found = [weight_contributions(made[label].trace, str(label)) for label in made]
    for some, drawn_there in ((found[:3], True), (found, False)):
        picture = next(contribution_pictures(some, Look({})))
        assert isinstance(picture, Picture)
        names = [trace.get("name", "") for trace in picture.drawing["data"]]
        assert any(name.endswith("one by one") for name in names) is drawn_there
        assert ("dotted" in picture.how) is drawn_there
        assert "adds exactly nothing" in picture.how


def test_a_product_that_needs_too_much_memory_is_left_out_and_said() -> None:
    wide = run(Experiment(models=("lstm",), seq_len=6, hidden_size=1024, batch_size=2))
    view = gates.view(wide)
    assert view.carry is None
    assert texts("gates")["too_large"] in view.notes
    assert {picture.key for picture in gates.pictures(view)} >= {"memory-gate", "gate-strips"}


def test_the_law_of_powers_names_the_gain_that_the_matrix_has() -> None:
    of = run(Experiment(models=("rnn",), seq_len=10, hidden_size=64))
    shown = spectrum.view(of, spectrum.Choices(theory=True))
    W = of["rnn"].trace.params["W_hh"]
    (powers,) = (each for each in spectrum.pictures(shown) if each.key == "powers")
    assert f"(g = {np.sqrt(64) * W.std():.2g})." in powers.how  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({}, True),
        ({"loss_at": "every"}, False),
        ({"task": "sentiment"}, False),
        ({"input_scale": 0.0, "layers": 2, "loss_at": "every"}, False),
    ],
)
def test_what_the_error_did_is_read_of_a_line_that_is_there(
    changes: dict[str, Any], drawn: bool
) -> None:
    made = run(Experiment(models=("rnn",), seq_len=20, hidden_size=5, batch_size=3, **changes))
    found = {each.key: each for each in spectrum.pictures(spectrum.view(made))
             if isinstance(each, Picture)}  # fmt: skip
    for key, said, lines in (("powers", "Thick dots: what the error did.", 2),
                             ("jacobians", "Dotted: what the error really did", 3)):  # fmt: skip
        assert (said in found[key].how) == drawn
        assert (len(found[key].drawing["data"]) == lines) == drawn, key


@pytest.mark.parametrize("name", OFFERED)
def test_the_letters_of_spectrum_s_figures_are_said_under_them(name: str) -> None:
    found = run(Experiment(("rnn",), seq_len=8, hidden_size=4, batch_size=2))
    view = spectrum.view(found, spectrum.Choices())
    items = speak_in(name, lambda: list(spectrum.pictures(view)))
    said = " ".join(item.how for item in items if isinstance(item, Picture))
    for letter in ("1/γ", "σ_max", "ρ", "k = 1"):
        assert letter in said
    assert said.count("γ") > 1  # what it is, too
