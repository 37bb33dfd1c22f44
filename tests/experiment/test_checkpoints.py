"""The networks that come with the package load, are small, solve their tasks, and it shows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.network import NetworkTrace, run_network
from rnnviz.experiment import Experiment, make_batch, make_task
from rnnviz.experiment.checkpoints import (
    FOLDER,
    MAX_BYTES,
    RECIPES,
    Checkpoint,
    load,
    save,
    settings,
)
from rnnviz.experiment.runs import held_out, start


@pytest.fixture(params=RECIPES)
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return load(request.param)


def traces(checkpoint: Checkpoint) -> tuple[NetworkTrace, NetworkTrace]:
    """Untrained and trained, on the experiment's own batch."""
    e = checkpoint.experiment
    _, state = start(e)[checkpoint.label]
    batch = make_batch(e)
    return (run_network(checkpoint.network, state.params, batch),
            run_network(checkpoint.network, checkpoint.params, batch))  # fmt: skip


def test_the_folder_holds_them_and_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.npz" for name in RECIPES}
    assert {RECIPES[name].models[0] for name in RECIPES} == {"lstm", "gru"}
    assert all(path.stat().st_size < MAX_BYTES for path in FOLDER.iterdir())


@pytest.mark.trained
def test_it_solves_its_task_as_well_as_it_says(checkpoint: Checkpoint) -> None:
    scores = held_out(checkpoint.experiment, checkpoint.network, checkpoint.params)
    assert scores == pytest.approx(checkpoint.scores, rel=1e-6)
    assert scores.get("accuracy", 1.0) > 0.95
    assert bool(scores) == bool(make_task(checkpoint.experiment).unseen)
    assert checkpoint.params["W_hy"].dtype == np.float64


@pytest.mark.trained
def test_training_gave_the_gates_structure(checkpoint: Checkpoint) -> None:
    """Untrained units do all the same; trained ones differ, and some gates are shut or open."""
    untrained, trained = (t.trace.gates for t in traces(checkpoint))
    for gate in set(untrained) - {"g", "n"}:
        spread_before, spread_after = (
            gates[gate].mean(axis=(0, 2)).std() for gates in (untrained, trained)
        )
        assert spread_after > 5 * spread_before
        assert np.mean((trained[gate] < 0.1) | (trained[gate] > 0.9)) > 0.2


def test_what_was_saved_is_loaded(tmp_path: Path, checkpoint: Checkpoint) -> None:
    save(checkpoint, tmp_path)
    again = load(checkpoint.name, tmp_path)
    assert again.scores == checkpoint.scores
    for name, value in checkpoint.params.items():
        np.testing.assert_array_equal(again.params[name], value)


def test_a_file_of_another_experiment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text_gru.npz"
    about = {"experiment": {"models": ["gru"]}, "scores": {}}
    np.savez(path, about=np.array(json.dumps(about)), W=np.zeros(2))
    with pytest.raises(ValueError, match="checkpoint text_gru must be of"):
        load("text_gru", tmp_path)
    about["experiment"] = settings(RECIPES["text_gru"])
    np.savez(path, about=np.array(json.dumps(about)), W=np.zeros(2))
    with pytest.raises(ValueError, match="params must have the keys"):
        load("text_gru", tmp_path)
    with pytest.raises(ValueError, match="name must be one of"):
        load("text_rnn")


def test_settings_are_what_is_not_at_its_default() -> None:
    assert settings(Experiment()) == {}
    changed = Experiment(("rnn", "gru:gain=2"), seq_len=7)  # type: ignore[arg-type]
    assert settings(changed) == {"models": ["rnn", "gru:gain=2"], "seq_len": 7}
    assert Experiment(**settings(changed)) == changed
