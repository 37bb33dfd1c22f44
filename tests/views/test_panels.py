"""The panels of Spectrum as views: of any run, without Streamlit, and small enough to travel."""

from __future__ import annotations

import pickle
from types import ModuleType
from unittest import mock

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import limits
from rnnviz.analysis.lag_spectra import lag_spectrum
from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network, run_network
from rnnviz.experiment import Run
from rnnviz.plots.drawing import to_json
from rnnviz.tasks import Batch
from rnnviz.views import lag_spectra, weights
from rnnviz.views.picture import Picture, Words

VIEWS = (weights, lag_spectra)
T, B = 12, 3


@pytest.fixture(scope="module")
def by_hand() -> Run:
    """Weights and a batch that no Experiment describes."""
    rng = np.random.default_rng(3)
    both = (LSTM(2, 4), LSTM(8, 4))
    networks = {
        "rnn": Network((RNN(2, 4),), 1),
        "lstm": Network(both, 1, bidirectional=True),
    }
    batch = Batch(
        x=rng.standard_normal((T, 2, B)),
        target=rng.standard_normal((T, 1, B)),
        mask=np.concatenate([np.zeros((T - 1, B)), np.ones((1, B))]),
        loss="squared_error",
        input_size=2,
        output_size=1,
        lengths=np.full(B, T),
    )
    traces = {}
    for label, network in networks.items():
        shapes = network.param_shapes().items()
        params = {name: 0.4 * rng.standard_normal(shape) for name, shape in shapes}
        traces[label] = run_network(network, params, batch)
    return Run(traces, batch)


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


def test_singular_values_that_take_too_long_are_refused_by_name(by_hand: Run) -> None:
    with mock.patch.object(limits, "MAX_SECONDS", 1e-9):
        items = drawn(lag_spectra, by_hand)
    assert list(items) == ["warning"]
    assert items["warning"].lines[0].startswith("RNN: The singular values over the lags would take")  # type: ignore[union-attr]
