"""The Gates page's switch: the same network untrained and trained, without any training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, run
from rnnviz.analysis.gates import gate_stats
from rnnviz.dashboard.trained import still_to_do
from rnnviz.experiment import runs
from rnnviz.experiment.checkpoints import TRAINED, load, shipped
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    experiment,
    numbers,
    visit,
    widget_key,
)
from tests.dashboard.test_knobs import never


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "params_after", never)


def weights(app: AppTest) -> list[str]:
    return list(_switch(app).options)


def choose(app: AppTest, name: str) -> AppTest:
    return _switch(app).set_value(name).run()


def _switch(app: AppTest):  # type: ignore[no-untyped-def]
    (found,) = [w for w in app.get("button_group") if w.key == widget_key(app, "gates.weights")]
    return found


def forget_gates(app: AppTest) -> np.ndarray:
    """Rows sorted: the page puts units in the order of their half-lives."""
    return np.sort(numbers(charts(app)["memory-gate"])[0], axis=0)


@pytest.mark.trained
@pytest.mark.parametrize("task", TRAINED)
@pytest.mark.usefixtures("no_training")
def test_one_click_shows_the_trained_gates_and_one_the_untrained_ones(task: str) -> None:
    app = choose(visit("gates"), task)
    assert_sound(app)
    assert experiment(app) == TRAINED[task]
    trained = run(TRAINED[task], shipped(TRAINED[task]))
    expected = gate_stats(trained["lstm"].trace, "lstm")["f"].values
    np.testing.assert_allclose(forget_gates(app), np.sort(expected, axis=0), atol=0.01)

    app = choose(app, "untrained")
    assert experiment(app) == replace(TRAINED[task], train_steps=0)
    assert np.std(forget_gates(app)) < np.std(expected) / 3


@pytest.mark.usefixtures("no_training")
def test_a_link_opens_the_trained_network() -> None:
    app = visit("gates", TRAINED["text"])
    assert_sound(app)
    assert _switch(app).value == "text"


@pytest.mark.usefixtures("no_training")
def test_a_moved_knob_starts_from_initial_weights() -> None:
    app = change(visit("gates", TRAINED["delayed_recall"]), gain=1.3)
    assert experiment(app).train_steps == 0
    assert _switch(app).value == "untrained"


@pytest.mark.trained
def test_a_training_of_the_visitors_own_is_named() -> None:
    own = Experiment(("lstm",), seq_len=10, hidden_size=4, batch_size=2, train_steps=3)
    app = visit("gates", own)
    assert weights(app)[-1] == "after 3 steps"
    assert _switch(app).value == "after 3 steps"
    assert experiment(choose(app, "untrained")) == replace(own, train_steps=0)


def test_only_the_very_recipe_comes_trained() -> None:
    recall = TRAINED["delayed_recall"]
    assert set(shipped(recall)) == {"lstm", "gru"}
    assert shipped(recall)["gru"].keys() == load("delayed_recall_gru").params.keys()
    for other in ({"seed": 1}, {"seq_len": 51}, {"train_steps": 1999}):
        assert shipped(replace(recall, **other)) == {}
    assert still_to_do(recall).train_steps == 0
    with_rnn = replace(recall, models=("rnn", "lstm"))
    assert set(shipped(with_rnn)) == {"lstm"}
    assert still_to_do(with_rnn) == with_rnn
