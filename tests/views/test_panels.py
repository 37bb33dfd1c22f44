"""The panels of Spectrum as views: of any run, without Streamlit, and small enough to travel."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import limits
from rnnviz.analysis.fixed_points import fixed_points as find
from rnnviz.analysis.fixed_points import visited_states
from rnnviz.analysis.lag_spectra import lag_spectrum
from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network, backward_network, forward_network, run_network
from rnnviz.core.numerics import Status
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Run
from rnnviz.experiment.plan import plan
from rnnviz.plots.drawing import to_json
from rnnviz.tasks import Batch
from rnnviz.views import fixed_points, lag_spectra, states, weights
from rnnviz.views.picture import Picture, Words
from tests.views.situations import made_by_hand

VIEWS = (weights, lag_spectra, fixed_points)
T, B = 12, 3


@pytest.fixture(scope="module")
def by_hand() -> Run:
    """Weights and a batch that no Experiment describes."""
    both = Network((LSTM(2, 4), LSTM(8, 4)), 1, bidirectional=True)
    networks = {"rnn": Network((RNN(2, 4),), 1), "lstm": both}
    return made_by_hand(networks, T, B)


def drawn(page: ModuleType, of: Run, **choices: object) -> dict[str, Picture | Words]:
    """Key -> what the panel shows; its figures must be such that a browser can read them."""
    view = page.view(of, page.Choices(**choices))
    items = {item.key: item for item in page.pictures(pickle.loads(pickle.dumps(view)))}
    for item in items.values():
        if isinstance(item, Picture):
            assert item.alt
            assert item.how
            to_json(item.drawing)
    return items


@pytest.mark.parametrize("page", VIEWS, ids=lambda page: page.__name__.rpartition(".")[2])
@pytest.mark.parametrize("choices", [{}, {"layer": "1"}, {"direction": "backward"}])
def test_a_run_made_by_hand_is_shown(page: ModuleType, choices: dict, by_hand: Run) -> None:
    assert any(isinstance(item, Picture) for item in drawn(page, by_hand, **choices).values())


def test_the_weights_are_those_of_the_chosen_model_layer_and_direction(by_hand: Run) -> None:
    chosen = weights.Choices("lstm", "1", "backward")
    found = weights.view(by_hand, chosen).maps
    np.testing.assert_array_equal(
        found.maps[1].values, by_hand["lstm"].layers[0][1].params["W_hh"][:4]
    )
    picture = drawn(weights, by_hand, model="lstm")["weights"]
    assert isinstance(picture, Picture)
    assert f"to {weights.view(by_hand, weights.Choices('lstm')).maps.bound:.3g}," in picture.how


def test_a_line_of_w_skip_is_named_only_where_there_is_one(by_hand: Run) -> None:
    skipping = run(Experiment(models=("gru",), skip=2, hidden_size=4, seq_len=9))
    for of, there in ((by_hand, False), (skipping, True)):
        picture = drawn(weights, of)["weights"]
        assert isinstance(picture, Picture)
        assert ("W_skip" in picture.how) is there


def of_another_loss(window: int = 0, own: bool = False) -> Run:
    """Truncated, or of a loss that is known by its gradients alone."""
    planned = plan(Experiment(models=("rnn",), seq_len=12, hidden_size=4, batch_size=4))
    network, params, batch = planned.networks["rnn"], planned.init_params("rnn"), planned.batch
    if not own:
        cut = partial(truncated_backward, window=window)
        return Run({"rnn": run_network(network, params, batch, cut)}, batch)
    record = forward_network(network, params, batch.x)
    return Run({"rnn": backward_network(record, record.y)}, batch)


def test_what_a_step_against_a_gradient_does_is_said_of_its_own_loss_and_if_it_is_whole() -> None:
    mean, given = "of the mean loss over its sequences", "of the loss that was given"
    lowers, truncated = "against it lowers the loss", "truncated after 3 steps"
    for of, said in (
        (run(Experiment(models=("rnn",), seq_len=12, hidden_size=4)), (mean, lowers)),
        (of_another_loss(window=3), (mean, truncated)),
        (of_another_loss(own=True), (given, lowers)),
    ):
        how = drawn(weights, of)["weight-gradients"].how  # type: ignore[union-attr]
        every = (mean, given, lowers, truncated)
        assert tuple(text for text in every if text in how) == said


def test_so_it_is_of_the_gradients_of_the_states() -> None:
    whole = run(Experiment(models=("rnn",), seq_len=12, hidden_size=4, batch_size=4))
    own, cut = "taken for the mean of 4 sequences", "Truncated after 3 steps"
    for of, said in ((whole, []), (of_another_loss(3), [cut]), (of_another_loss(own=True), [own])):
        items = {item.key: item for item in states.pictures(states.view(of))}
        how = items["gradient-h"].how  # type: ignore[union-attr]
        assert [text for text in (own, cut) if text in how] == said


def test_gradients_of_weights_of_saturated_units_are_true_in_single_precision() -> None:
    made = {dtype: run(Experiment(models=("rnn",), gain=16.0, input_scale=100.0, hidden_size=8,
                                  seq_len=20, batch_size=2, dtype=dtype))
            for dtype in ("float32", "float64")}  # fmt: skip
    assert (made["float32"]["rnn"].trace.grads["W_hh"] == 0).mean() > 0.5
    found = {dtype: {block.parameter: block.gradient for block in weights.view(of).maps.maps}
             for dtype, of in made.items()}  # fmt: skip
    assert found["float32"]["W_hh"].all()
    for name, gradient in found["float32"].items():
        np.testing.assert_allclose(gradient, found["float64"][name], rtol=1e-2)


def test_gradients_that_are_zero_are_counted() -> None:
    """Without input every state is 0, and so is ∂L/∂W_hh."""
    silent = run(Experiment(models=("rnn",), input_scale=0.0, hidden_size=4, seq_len=9))
    count = sum(int(np.sum(m.gradient == 0)) for m in weights.view(silent).maps.maps)
    assert count >= 16
    said = [i for i in weights.pictures(weights.view(silent)) if isinstance(i, Words)]
    assert f"{count} of " in said[-1].lines[0]
    assert "entries of ∂L/∂W are 0 as computed" in said[-1].lines[0]


@pytest.mark.parametrize(("text", "size", "ranks", "others"), [
    ("1, 2, median, last", 7, [1, 2, 4, 7], []),
    ("1, 2, median, last", 8, [1, 2, 4, 8], []),
    ("3 1;3", 8, [1, 3], []),
    ("last, 9, -1, 1.5, best, ²", 8, [8], ["9", "-1", "1.5", "best", "²"]),
    ("median", 1, [1], []),
    ("", 5, [], []),
    ("1，2；3、4", 8, [1, 2, 3, 4], []),
])  # fmt: skip
def test_which_singular_values_a_text_means(
    text: str, size: int, ranks: list[int], others: list[str]
) -> None:
    assert lag_spectra.ranks_of(text, size) == (ranks, others)


def test_lag_spectra_of_the_chosen_layer_and_direction(by_hand: Run) -> None:
    found = lag_spectra.view(by_hand, lag_spectra.Choices("1", "backward")).spectra
    assert [s.label for s in found] == ["rnn", "lstm · layer 1 ←"]
    true = lag_spectrum(by_hand["lstm"].layers[0][1], "lstm")
    np.testing.assert_array_equal(found[1].log10, true.log10)


def test_of_many_singular_values_the_first_are_drawn_and_it_is_said(by_hand: Run) -> None:
    items = drawn(lag_spectra, by_hand, ranks=" ".join(map(str, range(1, 14))))
    assert isinstance(items["lag-spectra"], Picture)
    names = [t.get("name") for t in items["lag-spectra"].drawing["data"]]
    assert names[1:5] == [f"RNN σ {k}" for k in (1, 2, 3, 4)]
    assert items["warning"].lines[0].startswith("There is no singular value 9, 10, 11, 12, 13;")  # type: ignore[union-attr]
    with mock.patch.object(lag_spectra, "MOST", 2):
        items = drawn(lag_spectra, by_hand, ranks="1 2 3")
    assert items["warning"].lines == ("The first 2 of them are drawn.",)  # type: ignore[union-attr]


def test_the_best_direction_is_named_where_it_is_drawn(by_hand: Run) -> None:
    for ranks, there in (("1, last", True), ("2, last", False)):
        picture = drawn(lag_spectra, by_hand, ranks=ranks)["lag-spectra"]
        assert ("Thick" in picture.how) is there  # type: ignore[union-attr]


def test_a_panel_without_a_line_says_why(by_hand: Run) -> None:
    said = drawn(lag_spectra, by_hand, ranks="5")["warning"].lines  # type: ignore[union-attr]
    assert said == ("RNN has 4 singular values, and so none of these.",)


def test_singular_values_that_take_too_long_are_refused_by_name(by_hand: Run) -> None:
    with mock.patch.object(limits, "MAX_SECONDS", 1e-9):
        items = drawn(lag_spectra, by_hand)
    assert list(items) == ["warning"]
    assert items["warning"].lines[0].startswith("RNN: The singular values over the lags would take")  # type: ignore[union-attr]


def test_singular_values_of_saturated_units_are_of_their_true_slopes() -> None:
    """One unit: each is the product of the last k slopes times weights, in float64 0 as its format
    has it."""
    hot = run(Experiment(models=("rnn",), hidden_size=1, input_scale=10.0, seq_len=10))
    (found,) = lag_spectra.view(hot).spectra
    trace = hot["rnn"].trace
    a = trace.cell.preactivations(trace)
    assert a is not None
    steps = np.log10(np.abs(trace.params["W_hh"][0, 0])) - 2 * np.log10(np.cosh(a[:, 0, 0]))
    assert (np.abs(trace.h) == 1).any()
    np.testing.assert_allclose(found.log10[1:, 0], np.cumsum(steps[::-1]), atol=1e-9)
    assert (found.status == Status.FINITE).all()


def still(of: Run, **choices: object) -> str:
    said = drawn(fixed_points, of, **choices)["note"]
    assert isinstance(said, Words)
    return said.lines[0]


def test_fixed_points_are_told_with_their_kinds_and_searches(by_hand: Run) -> None:
    view = fixed_points.view(by_hand, fixed_points.Choices("lstm", "1", "backward", 0.5))
    assert view.found is not None
    assert view.label == "lstm · layer 1 ←"
    again = find(by_hand["lstm"].layers[0][1], "lstm", 0.5)
    np.testing.assert_array_equal(view.found.points, again.points)
    said = still(by_hand, model="lstm", layer="1", direction="backward", value=0.5)
    assert said.startswith("LSTM · layer 1 ←, inputs held at 0.5: ")
    assert f"{again.ended} of {again.starts} searches" in said
    rows = fixed_points.rows(view)
    assert len(rows) == len(again.points)
    path = visited_states(by_hand["lstm"].layers[0][1], 0)
    nearest = min(np.linalg.norm(state - again.points[0]) for state in path)
    assert rows[0]["from the run"] == pytest.approx(nearest)
    assert rows[0]["largest |λ|"] == again.radii[0]


def of_rnn(**settings: object) -> Run:
    return run(Experiment(models=("rnn",), init="identity", hidden_size=2, distractor=0,
                          **settings))  # fmt: skip


def test_a_fixed_point_on_a_kink_has_no_eigenvalue_in_the_table() -> None:
    kinked = of_rnn(activation="relu", gain=2.0)
    assert "one fixed point found (on a kink: 1)" in still(kinked)
    (row,) = fixed_points.rows(fixed_points.view(kinked))
    assert row["kind"] == "on a kink: no derivative"
    assert np.isnan(row["largest |λ|"])  # type: ignore[arg-type]
    assert row["|λ| above 1"] == "–"


def test_the_kind_of_a_fixed_point_its_count_and_its_largest_eigenvalue_agree() -> None:
    (row,) = fixed_points.rows(fixed_points.view(of_rnn(activation="identity", gain=1.0000005)))
    assert [row[c] for c in ("kind", "|λ| above 1", "largest |λ|")] == [
        "unstable", "2 / 2", "1.0000005",
    ]  # fmt: skip
    row = fixed_points.rows(fixed_points.view(of_rnn(activation="identity")))[0]
    assert [row[c] for c in ("kind", "|λ| above 1", "largest |λ|")] == ["marginal", "0 / 2", 1.0]


def test_slow_points_are_left_out_and_counted() -> None:
    slow = run(Experiment(models=("gru",), hidden_size=2, gain=4.0))
    found = fixed_points.view(slow).found
    assert found is not None
    assert found.slow
    assert f"Left out are slow points (ends of searches: {found.slow})" in still(slow)


def test_none_found_is_not_said_to_be_none() -> None:
    """h ↦ W h + b with an eigenvalue 1 along b."""
    network = Network((RNN(1, 1, "identity"),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params = {n: np.ones_like(v) if n.endswith(("W_hh", "b_h")) else v for n, v in params.items()}
    batch = Batch(x=np.zeros((3, 1, 1)), target=np.zeros((3, 1, 1)), mask=np.ones((3, 1)),
                  loss="squared_error", input_size=1, output_size=1,
                  lengths=np.full(1, 3))  # fmt: skip
    counting = Run({"rnn": run_network(network, params, batch)}, batch)
    assert still(counting) == (
        "RNN, inputs held at 0: no fixed point found from 128 starts. That does not say that there "
        "is none."
    )
    assert fixed_points.rows(fixed_points.view(counting)) == []


def test_fixed_points_of_a_run_that_overflows_say_what_is_not_drawn() -> None:
    wild = run(Experiment(models=("rnn",), activation="identity", gain=16.0, init="identity",
                          seq_len=700, hidden_size=3, batch_size=1))  # fmt: skip
    items, path = drawn(fixed_points, wild), visited_states(wild["rnn"].trace, 0)
    assert isinstance(items["fixed-points"], Picture)
    assert 1 < len(path) < 701
    said = items["warning"].lines[0]  # type: ignore[union-attr]
    assert said.startswith(f"Of the first sequence {701 - len(path)} states are left out")


def test_fixed_points_that_take_too_long_are_refused_by_name(by_hand: Run) -> None:
    with mock.patch.object(limits, "MAX_SECONDS", 1e-9):
        items = drawn(fixed_points, by_hand)
    assert items["warning"].lines[0].startswith("RNN: The fixed points would take about")  # type: ignore[union-attr]
    assert list(items) == ["warning"]


def test_streamlit_is_not_needed() -> None:
    code = """
import sys; sys.modules["streamlit"] = None
from rnnviz import Experiment, run
from rnnviz.views import fixed_points, lag_spectra, weights
result = run(Experiment(seq_len=9, hidden_size=4))
for panel in (fixed_points, lag_spectra, weights):
    assert list(panel.pictures(panel.view(result)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
