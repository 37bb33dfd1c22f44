"""The panel of the states: which model and units, and what is drawn of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.core.numerics import Status
from rnnviz.experiment import Run
from rnnviz.views import states
from rnnviz.views.picture import Picture, Words
from rnnviz.views.states import Choices, read_units
from tests.views.situations import SITUATIONS, small
from tests.views.test_views import by_hand

__all__ = ["by_hand"]

LSTM_KEYS = [
    f"{what}-{name}"
    for name in ("h", "c")
    for what in ("state", "gradient", "state-lines", "gradient-lines")
]


def drawn(of: Run, **choices: object) -> dict[str, Picture | Words]:
    view = states.view(of, Choices(**choices))  # type: ignore[arg-type]
    return {item.key: item for item in states.pictures(pickle.loads(pickle.dumps(view)))}


@pytest.fixture(scope="module")
def of_three() -> Run:
    return run(Experiment(seq_len=20, hidden_size=8, batch_size=3))


def test_a_run_made_by_hand_is_shown(by_hand: Run) -> None:
    assert list(drawn(by_hand, model="lstm")) == LSTM_KEYS
    assert list(drawn(by_hand)) == LSTM_KEYS[:4]
    assert states.view(by_hand, Choices(model="lstm", layer="1")).label == "lstm · layer 1"


def test_the_units_with_the_largest_gradient_are_those_of_the_true_one() -> None:
    """Read off rounded values the gradients are 0 of units alike, and the first four are taken."""
    experiment = Experiment(models=("rnn",), gain=16.0, input_scale=100.0, hidden_size=8,
                            seq_len=50, batch_size=4)  # fmt: skip
    view = states.view(run(experiment))
    (h,) = states.recorded(run(experiment), Choices())
    assert view.by == "gradient"
    largest = np.argsort(-h.log10[:, 0], kind="stable")[:4] + 1
    assert view.chosen == tuple(largest) == (1, 2, 7, 4)


def test_maps_and_lines_show_the_recorded_states_and_gradients(of_three: Run) -> None:
    trace = of_three["lstm"].trace
    items = drawn(of_three, model="lstm", units="2 8")
    for name, values, gradient in (("h", trace.h, trace.d_h), ("c", trace.c, trace.d_c)):
        rows = np.asarray(values)[1:, :, 0].T
        log10 = np.log10(3 * np.abs(np.asarray(gradient)[1:, :, 0].T))
        shown = items[f"state-{name}"].drawing["data"][-1]["z"]  # type: ignore[union-attr]
        np.testing.assert_allclose(shown, rows, atol=0.0051)
        lines = items[f"state-lines-{name}"].drawing["data"]  # type: ignore[union-attr]
        assert [line["name"] for line in lines] == ["unit 2", "unit 8"]
        np.testing.assert_allclose([line["y"] for line in lines], rows[[1, 7]], rtol=1e-6)
        finite = np.isfinite(log10)
        shown = items[f"gradient-{name}"].drawing["data"][-1]["z"]  # type: ignore[union-attr]
        np.testing.assert_allclose(shown[finite], log10[finite], atol=0.051)
        lines = items[f"gradient-lines-{name}"].drawing["data"]  # type: ignore[union-attr]
        np.testing.assert_allclose([line["y"] for line in lines], log10[[1, 7]], rtol=1e-6)


def test_h_and_c_share_the_colours_of_their_gradients(of_three: Run) -> None:
    items = drawn(of_three, model="lstm")
    scales = [items[f"gradient-{name}"].drawing["layout"]["coloraxis"] for name in "hc"]  # type: ignore[union-attr]
    assert scales[0] == scales[1]
    trace = of_three["lstm"].trace
    both = np.log10(3 * np.abs(np.concatenate([trace.d_h[1:, :, 0], trace.d_c[1:, :, 0]])))
    assert (scales[0]["cmin"] <= both).mean() >= 0.99
    assert both.max() <= scales[0]["cmax"] < both.max() + 1
    assert "−0" not in scales[0]["colorbar"]["ticktext"]


def test_a_state_beyond_one_has_a_scale_that_holds_it() -> None:
    result = run(small(models=("rnn",), activation="identity", gain=1.2))
    scale = drawn(result)["state-h"].drawing["layout"]["coloraxis"]  # type: ignore[union-attr]
    assert scale["cmax"] == -scale["cmin"] == np.abs(result["rnn"].trace.h[1:, :, 0]).max() > 1


def test_a_line_that_is_cut_off_says_so() -> None:
    result = run(SITUATIONS["identity overflows"])
    for model, cut in (("rnn", True), ("lstm", False)):
        title = drawn(result, model=model)["state-lines-h"].drawing["layout"]["yaxis"]["title"]  # type: ignore[union-attr]
        assert ("cut off" in title["text"]) == cut


def test_exact_zero_rounded_and_nan_look_as_elsewhere() -> None:
    result = run(small(models=("rnn",), init="delay_line", activation="identity"))
    view = states.view(result)
    assert Status.ZERO in view.states[0].gradient.found
    picture = drawn(result)["gradient-h"]
    assert "= 0" in picture.drawing["layout"]["annotations"][0]["text"]  # type: ignore[union-attr]
    unit = int(np.flatnonzero((view.states[0].gradient.special == Status.ZERO).any(axis=1))[0]) + 1
    said = drawn(result, units=str(unit))["gradient-lines-h"].drawing["layout"]["annotations"]  # type: ignore[union-attr]
    assert any(each["text"].startswith(f"unit {unit}: exactly 0") for each in said)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", ()),
        ("  ", ()),
        ("1", (0,)),
        ("1, 6;8 6", (0, 5, 7)),
        ("8 1", (7, 0)),
        (",3,", (2,)),
        ("1，6；8、2", (0, 5, 7, 1)),
    ],
)
def test_units_are_read(text: str, units: tuple[int, ...]) -> None:
    assert read_units(text, 8) == (units, "")


@pytest.mark.parametrize("text", ["0", "9", "-1", "2.5", "six", "1, <b>", "1 2 ٣"])
def test_what_is_no_unit_is_named_with_what_is_allowed(text: str, of_three: Run) -> None:
    units, problem = read_units(text, 8)
    assert units == ()
    wrong = text.split()[-1].replace("<b>", "?b?").replace("٣", "?")
    assert f"“{wrong}” is not a unit" in problem
    assert "from 1 to 8" in problem
    items = drawn(of_three, units=text)
    assert items["warning"].lines == (problem,)  # type: ignore[union-attr]
    assert len(items) == 5


def test_too_many_units_are_refused() -> None:
    assert read_units("1 2 3 4 5 6", 8)[0] == tuple(range(6))
    units, problem = read_units("1 2 3 4 5 6 7", 8)
    assert units == ()
    assert "7 are too many" in problem
    assert "up to 6" in problem


def test_who_chose_the_units_is_said(of_three: Run) -> None:
    for model, units, words in (
        ("lstm", "", "memory gate keeps the longest"),
        ("rnn", "", "largest gradient"),
        ("rnn", "3", "that you chose"),
    ):
        picture = drawn(of_three, model=model, units=units)["state-lines-h"]
        assert words in picture.how  # type: ignore[union-attr]
    order = states.view(of_three, Choices(model="gru")).chosen
    trace = of_three["gru"].trace
    mean = np.log(trace.gates["z"]).mean(axis=(0, 2))
    assert list(order) == (np.argsort(-mean) + 1).tolist()[:4]


def test_the_view_is_small_however_large_the_network_is() -> None:
    result = run(Experiment(models=("lstm",), hidden_size=300, seq_len=400, batch_size=1))
    assert len(pickle.dumps(states.view(result, Choices()))) < 2_000_000


KEEPS, LOSES_LEFT, LOSES_RIGHT = "level line keeps", "falls to the left", "falls to the right"


@pytest.mark.parametrize(
    ("changes", "direction", "said", "unsaid"),
    [
        ({}, "", (KEEPS, LOSES_LEFT), ("New error",)),
        ({"loss_at": "every"}, "", ("New error enters at many steps",), (KEEPS, "falls")),
        ({"layers": 2, "bidirectional": "yes"}, "backward", (), (KEEPS, "falls")),
        ({"bidirectional": "yes"}, "backward", (KEEPS, LOSES_RIGHT), (LOSES_LEFT, "New error")),
        ({"bidirectional": "yes", "loss_at": "every"}, "backward", ("New error",), (KEEPS,)),
        ({"task": "sentiment"}, "", (KEEPS, LOSES_LEFT), ("New error",)),
    ],
    ids=str,
)
def test_what_a_level_line_says_hangs_on_where_error_enters_and_which_way_it_travels(
    changes: dict[str, str], direction: str, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    """The panel is of one sequence: where it ends, and others elsewhere, does not refill it."""
    layer = "1" if "layers" in changes else ""
    of = run(small(models=("rnn",), **changes))  # type: ignore[arg-type]
    how = drawn(of, direction=direction, layer=layer)["gradient-lines-h"].how  # type: ignore[union-attr]
    assert all(words in how for words in said)
    assert not any(words in how for words in unsaid)
    assert how.endswith("in grey, and says so.")
