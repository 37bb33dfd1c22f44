"""A setting that acts on no model is refused or said, never dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, sweep
from rnnviz.__main__ import main
from rnnviz.core.network import NetworkTrace
from rnnviz.experiment import idle, plan, run_plan
from rnnviz.experiment.effects import acted_on
from rnnviz.jobs.phase import Diagram, make_axis
from rnnviz.views import phase
from rnnviz.views.picture import batch_note, idle_note

SMALL: dict[str, Any] = {"seq_len": 6, "hidden_size": 3, "batch_size": 2}
IDLE = [
    ("activation", {"models": ("lstm",), "activation": "relu"}),
    ("leak", {"models": ("lstm", "gru"), "leak": 0.1}),
    ("leak", {"models": ("rnn:leak=0.5",), "leak": 0.1}),
    ("memory_bias", {"models": ("rnn",), "memory_bias": 1.0}),
    ("memory_bias", {"models": ("lstm:variant=nfg",), "memory_bias": 1.0}),
    ("memory_bias", {"models": ("lstm:forget_bias=0",), "memory_bias": 1.0}),
    ("memory_bias", {"models": ("lstm",), "memory_bias": 1.0, "gate_init": "chrono"}),
    ("gate_init", {"models": ("rnn",), "gate_init": "chrono"}),
    ("gate_init", {"models": ("lstm:forget_bias=0",), "gate_init": "chrono"}),
    ("skip", {"models": ("rnn",), "skip": 1}),
    ("match", {"models": ("rnn",), "match": "parameters"}),
    ("distractor", {"models": ("rnn",), "distractor": 2.0, "task": "adding"}),
    ("learning_rate", {"models": ("rnn",), "learning_rate": 0.1}),
    *(
        ("seq_len", {"models": ("rnn",), "seq_len": 7, "task": task})
        for task in ("digit_rows", "digit_pixels", "captioning", "sentiment")
    ),
]


def same(a: NetworkTrace, b: NetworkTrace) -> bool:
    arrays = ((a.params[n], b.params[n]) for n in a.params)
    return a.loss == b.loss and all(np.array_equal(x, y) for x, y in arrays)


@pytest.mark.parametrize(("name", "given"), IDLE)
def test_a_setting_that_acts_on_no_model_is_named_and_changes_nothing(
    name: str, given: dict[str, Any]
) -> None:
    sizes = {n: v for n, v in SMALL.items() if n not in given}
    experiment = Experiment(**sizes, **given)
    without = Experiment(**sizes, **{n: v for n, v in given.items() if n != name})
    assert idle(experiment) == (name,)
    assert idle(without) == ()
    before, after = run_plan(plan(without)), run_plan(plan(experiment))
    assert all(same(before[label], after[label]) for label in before)


@pytest.mark.parametrize(
    "given",
    [
        {"models": ("rnn", "lstm"), "leak": 0.1},
        {"models": ("lstm:variant=nfg",), "gate_init": "chrono"},  # which sets b_i
        {"models": ("lstm:variant=nig",), "memory_bias": 1.0},
        {"models": ("rnn",), "task": "adding", "loss_at": "every", "dtype": "float32"},
        {"models": ("rnn", "gru"), "match": "parameters"},
    ],
)
def test_a_setting_that_acts_on_any_model_is_not_named(given: dict[str, Any]) -> None:
    experiment = Experiment(**SMALL, **given)
    assert idle(experiment) == ()


@pytest.mark.parametrize(
    ("given", "acts"),
    [
        ({"models": ("lstm", "rnn:leak=0.5"), "task": "captioning", "hidden_size": 1}, True),
        ({"models": ("lstm", "gru"), "task": "captioning", "hidden_size": 1}, False),
        ({"models": ("lstm", "gru"), "hidden_size": 1}, False),
        ({"models": ("rnn", "lstm"), "text": "abcab", "hidden_size": 2, "task": "text"}, True),
    ],
)
def test_whether_counts_are_matched_is_judged_by_the_inputs_and_outputs_of_the_task(
    given: dict[str, Any], acts: bool
) -> None:
    experiment = Experiment(**{**SMALL, **given}, match="parameters")
    plain = Experiment(**{**SMALL, **given})
    assert (plan(experiment).networks != plan(plain).networks) is acts
    assert ("match" in idle(experiment)) is not acts
    axes: dict[str, Any] = {"match": ("hidden_size", "parameters")}
    assert bool(acted_on(plain, axes, "match")) is acts


@pytest.mark.parametrize(
    ("models", "hidden_size", "name", "values"),
    [
        (("lstm", "gru"), 1, "hidden_size", (1, 8)),
        (("lstm", "lstm:variant=cifg"), 3, "bidirectional", ("no", "yes")),
    ],
)
def test_sizes_that_are_swept_decide_whether_a_match_acts(
    models: Any, hidden_size: int, name: str, values: tuple[Any, ...]
) -> None:
    small = Experiment(models, "captioning", hidden_size=hidden_size)
    axes: dict[str, Any] = {"match": ("hidden_size", "parameters")}
    assert acted_on(small, axes, "match") == ()
    assert acted_on(small, {**axes, name: values}, "match") == models[1:]


def test_settings_of_training_act_where_it_trains() -> None:
    truncated = {"train_steps": 5, "learning_rate": 0.1, "window": 3, "stride": 2}
    assert idle(Experiment(**SMALL, **truncated)) == ()
    assert idle(Experiment(**SMALL, train_steps=5, clip_at=0.5)) == ("clip_at",)
    assert idle(Experiment(**SMALL, train_steps=5, window=6, stride=2)) == ("window", "stride")


def test_lengths_that_are_swept_decide_whether_a_window_acts() -> None:
    truncated = Experiment(**SMALL, train_steps=5, window=10)
    assert idle(truncated, {"seq_len": (6, 20)}) == ()


def test_how_long_sequences_are_is_said_once() -> None:
    """By the note of the batch, and where there is none, by why a sweep is refused."""
    pixels = Experiment(("rnn",), task="digit_pixels", seq_len=20, hidden_size=3, batch_size=2)  # type: ignore[arg-type]
    assert idle_note(pixels) == ""
    assert "so T is 64, not 20" in batch_note(plan(pixels).batch)
    with pytest.raises(ValueError, match="of rnn: the task digit_pixels has 64 steps"):
        sweep(pixels, {"seq_len": [20, 40]})


def test_a_sweep_over_what_acts_on_no_model_is_refused() -> None:
    lstm = Experiment(("lstm",), **SMALL)  # type: ignore[arg-type]
    for name, values in {"activation": ["tanh", "relu"], "leak": [0.1, 1.0]}.items():
        message = f"{name} acts on none of lstm: it is a setting of rnn"
        with pytest.raises(ValueError, match=message):
            sweep(lstm, {name: values})
    with pytest.raises(ValueError, match="it acts in training, and train_steps is 0"):
        sweep(lstm, {"learning_rate": [0.1, 1.0]})


def test_a_field_may_act_through_another_one_that_is_swept() -> None:
    both = Experiment(("rnn", "lstm"), **SMALL)  # type: ignore[arg-type]
    assert acted_on(both, {"memory_bias": (1.0, 2.0)}, "memory_bias") == ("lstm",)
    axes = {"learning_rate": (0.1, 0.2), "train_steps": (0, 1)}
    assert acted_on(both, axes, "learning_rate") == ("rnn", "lstm")
    chrono = Experiment(("lstm",), **SMALL, gate_init="chrono")  # type: ignore[arg-type]
    bias: dict[str, Any] = {"memory_bias": (1.0, 2.0)}
    assert acted_on(chrono, bias, "memory_bias") == ()
    bias["gate_init"] = ("chrono", "constant")
    assert acted_on(chrono, bias, "memory_bias") == ("lstm",)
    sweep(chrono, bias).close()  # type: ignore[attr-defined]


@pytest.mark.trained
def test_the_commands_say_what_does_not_act(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--seq-len", "6", "--hidden-size", "3", "--batch-size", "2"]
    into = [*sizes, "--out", str(tmp_path / "a.csv"), "--workers", "1"]
    assert main(["train", *sizes, "--models", "lstm", "--activation", "relu", "--leak", "0.1",
                 "--steps", "1", "--out", str(tmp_path)]) == 0  # fmt: skip
    said = capsys.readouterr().err
    assert "note: activation relu acts on none of lstm: it is a setting of rnn" in said
    assert "note: leak 0.1 acts on none of lstm" in said
    assert main(["sweep", *into, "--models", "rnn", "lstm", "--over", "leak=0.1,1",
                 "--clip-at", "2"]) == 0  # fmt: skip
    said = capsys.readouterr().err
    assert "note: leak does not act on lstm: the rows are equal" in said
    assert "note: clip_at 2 acts on none of rnn, lstm: it acts in training" in said
    with pytest.raises(SystemExit):
        main(["sweep", *into, "--models", "lstm", "--over", "leak=0.1,1"])
    assert "leak acts on none of lstm" in capsys.readouterr().err


def test_a_sweep_over_one_value_says_of_no_rows_that_they_are_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There are no others to be equal to; a value that acts on nothing is said to do so."""
    argv = ["sweep", "--seq-len", "5", "--hidden-size", "3", "--workers", "1", "--seeds", "0,1",
            "--models", "lstm", "--out"]  # fmt: skip
    assert main([*argv, str(tmp_path / "a.csv"), "--over", "gain=1"]) == 0
    assert "note:" not in capsys.readouterr().err
    more = ["--over", "gain=1,2", "--over", "leak=0.5"]
    assert main([*argv, str(tmp_path / "b.csv"), *more]) == 0
    said = capsys.readouterr().err
    assert "note: leak 0.5 acts on none of lstm: it is a setting of rnn" in said
    assert "rows are equal" not in said


def test_the_pages_say_what_does_not_act() -> None:
    relu = Experiment(("lstm",), activation="relu", learning_rate=0.1)  # type: ignore[arg-type]
    assert idle_note(relu) == "Activation ReLU acts on none of these models."
    assert idle_note(Experiment(learning_rate=0.1)) == ""
    both = Experiment(("rnn", "lstm"))  # type: ignore[arg-type]
    diagram = Diagram(both, make_axis("gain", 3), make_axis("leak", 3))
    assert phase.view(diagram).notes == (
        "Leak (RNN) does not act on LSTM: cells along it are equal.",
    )


@pytest.mark.parametrize(("seq_len", "window", "acts"), [(20, 30, True), (100, 80, False)])
def test_a_window_is_judged_by_the_steps_that_the_task_has(
    seq_len: int, window: int, acts: bool
) -> None:
    """Pictures of 64 pixels, whatever length is asked for."""
    truncated = {"train_steps": 5, "window": window, "seq_len": seq_len}
    found = idle(Experiment(**{**SMALL, "task": "digit_pixels", **truncated}))
    assert ("window" not in found) is acts
