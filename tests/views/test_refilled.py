"""What Train and Your network say of a level gradient where new error enters on the way."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.experiment import plan
from rnnviz.jobs.training import begin
from rnnviz.models import load, read_data
from rnnviz.models.brought import FromWeights
from rnnviz.views import trained_on
from rnnviz.views.baselines import levels
from rnnviz.views.picture import Picture
from rnnviz.views.train import below_the_fold, first_screen, view
from rnnviz.wording.texts import OFFERED, speak_in, texts

pytestmark = pytest.mark.trained
BASE = {"models": ("rnn",), "seq_len": 12, "hidden_size": 4, "batch_size": 3}


def said(**changes: object) -> tuple[str, str]:
    """How to read the map and the profile of a training."""
    shown = view(begin(plan(Experiment(**{**BASE, **changes}))))
    hows = {each.key: each.how for each in (*first_screen(shown), *below_the_fold(shown))}
    return hows["state-maps"], hows["profile"]


def test_a_dotted_line_is_explained_where_one_is_drawn() -> None:
    for changes, drawn in (({}, True), ({"task": "words", "loss_at": "last"}, False)):
        e = Experiment(**{**BASE, "seq_len": 40, **changes})  # type: ignore[arg-type]
        (loss, *_) = first_screen(view(begin(plan(e))))
        assert isinstance(loss, Picture)
        assert ("Dotted: the baseline" in loss.how) == drawn
        assert bool(loss.drawing["layout"]["shapes"]) == drawn


@pytest.mark.parametrize(
    ("task", "states", "said"),
    [
        (
            "stocks",
            4,
            "The other dotted line: what the baseline's answer costs on what is held out",
        ),
        ("words", 4, "The other dotted lines: what counting and hidden states reach"),
        ("words", 0, "The other dotted line: what counting reaches, on the same held-out text."),
        ("counting", 4, "The other dotted line: what hidden states reach, on all sequences"),
        ("counting", 0, ""),
    ],
)
def test_of_what_losses_are_compared_with_that_is_said_which_is_drawn(
    task: str, states: int, said: str
) -> None:
    found = levels(plan(Experiment(models=("rnn",), task=task, loss_at="every")), states)
    assert found.of.startswith(said)
    assert bool(found.of) == bool(said)


def test_models_of_whole_sentences_are_not_drawn_beside_networks_that_read_beginnings() -> None:
    for seq_len, there in ((5, False), (20, True)):
        of = Experiment(models=("rnn",), task="words", loss_at="every", seq_len=seq_len)
        assert bool(levels(plan(of)).also) is there


def test_of_one_loss_at_the_end_a_bright_bottom_is_error_that_has_come_there() -> None:
    maps, profile = said(loss_at="last")
    assert maps.endswith("Bright at the bottom: the error reaches the past.")
    assert profile.endswith("flat means that the error arrives.")


@pytest.mark.parametrize(
    "changes",
    [
        {"loss_at": "every"},
        {"task": "copy_memory", "loss_at": "every", "seq_len": 30},
        {"task": "sentiment", "loss_at": "last"},
    ],
    ids=str,
)
def test_where_losses_stand_at_many_steps_no_learner_is_told_that_old_error_arrives(
    changes: dict[str, object],
) -> None:
    """A loss at every step, at several ones, or at the ends of sequences of different lengths."""
    for how in said(**changes):
        assert "New error enters at many steps" in how
        assert "the error arrives" not in how
        assert "reaches the past" not in how


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": 2},
        {"layers": 2, "loss_at": "every"},
        {"models": ("rnn", "gru:layers=3")},
        {"layers": 2, "bidirectional": "yes"},
    ],
    ids=str,
)
def test_of_a_stack_the_layer_is_named_and_nobody_is_told_that_old_error_arrives(
    changes: dict[str, object],
) -> None:
    """Layer 1 is recorded, which the layer above refills at every step."""
    for how in said(**changes):
        assert "layer 1" in how
        assert "new error enters on the way, from the layer above or a loss" in how
        assert "the error arrives" not in how
        assert "reaches the past" not in how


@pytest.mark.parametrize("language", OFFERED)
def test_it_is_said_in_every_language(language: str) -> None:
    text = speak_in(language, lambda: dict(texts("train")))
    for changes, entry in (
        ({}, ""),
        ({"loss_at": "every"}, "_refilled"),
        ({"layers": 2}, "_layers"),
    ):
        found = speak_in(language, lambda changes=changes: said(**changes))
        assert found == tuple(text[f"how_to_read_{name}{entry}"] for name in ("maps", "profile"))


def trained_on_said(weights: dict[str, np.ndarray], target: np.ndarray) -> str:
    data = {"x": np.ones((4, 5, 2)), "target": target}
    brought = FromWeights(load(weights), read_data(data, layout="btd"))
    items = trained_on.pictures(trained_on.view(brought))
    return next(
        each.how for each in items if isinstance(each, Picture) and each.key == "state-maps"
    )


LSTM = {
    "rnn.weight_ih_l0": np.full((16, 2), 0.1),
    "rnn.weight_hh_l0": np.full((16, 4), 0.1),
}
READOUT = {"fc.weight": np.full((1, 4), 0.1), "fc.bias": np.zeros(1)}
WEIGHTS = {**LSTM, **READOUT}


def test_a_network_of_one_s_own_is_read_the_same_way() -> None:
    assert "reaches the past" in trained_on_said(WEIGHTS, np.ones((4, 1)))
    assert "New error enters" in trained_on_said(WEIGHTS, np.ones((4, 5, 1)))
    above = {f"rnn.weight_{name}_l1": np.full((16, 4), 0.1) for name in ("ih", "hh")}
    assert "layer 1" in trained_on_said({**LSTM, **above, **READOUT}, np.ones((4, 1)))
