"""`python -m rnnviz` trains and writes what it trained."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rnnviz.__main__ import main
from rnnviz.experiment import Experiment, plan
from rnnviz.experiment.checkpoints import RECIPES
from rnnviz.experiment.runs import held_out, params_after

SMALL = ("--seq-len", "6", "--hidden-size", "4", "--batch-size", "2")
DIVERGES = (
    "train", *SMALL, "--models", "rnn", "--activation", "identity", "--optimizer", "sgd",
    "--learning-rate", "10", "--task", "adding", "--loss-at", "every", "--steps", "500",
)  # fmt: skip


@pytest.mark.trained
def test_train_writes_history_and_parameters_of_every_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ("rnn", "lstm:forget_bias=0")
    argv = ["train", *SMALL, "--models", *models, "--steps", "5", "--task", "adding",
            "--out", str(tmp_path)]  # fmt: skip
    assert main(argv) == 0
    assert "lstm:forget_bias=0: step 5 of 5" in capsys.readouterr().out
    assert {p.name for p in tmp_path.iterdir()} == {
        f"{stem}.{kind}"
        for stem in ("rnn", "lstm_forget_bias-0")
        for kind in ("csv", "json", "npz")
    }
    told = json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))
    experiment = Experiment(**told["experiment"])
    assert (experiment.task, experiment.train_steps, experiment.models) == ("adding", 5, models)
    assert told["step"] == [0, 1, 2, 3, 4]
    assert len(told["log10_state"][0]) == 7
    assert "share within 0.04" in told["held_out"]
    rows = list(csv.DictReader((tmp_path / "rnn.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["loss"]) for row in rows] == told["loss"]
    with np.load(tmp_path / "lstm_forget_bias-0.npz") as file:
        for name, value in params_after(experiment, models[1], 5).items():
            np.testing.assert_array_equal(file[name], value)


@pytest.mark.trained
def test_held_out_numbers_are_printed_and_written_beside_those_of_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "--seq-len", "6", "--hidden-size", "4", "--batch-size", "64", "--models",
            "rnn", "--steps", "12", "--task", "digit_rows", "--out", str(tmp_path)]  # fmt: skip
    assert main(argv) == 0
    rows = list(csv.DictReader((tmp_path / "rnn.csv").read_text(encoding="utf-8").splitlines()))
    asked = {row["step"]: row for row in rows if row["held_out_loss"]}
    assert list(asked) == ["10"]
    told = json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))
    experiment = Experiment(**told["experiment"])
    network, params = plan(experiment).networks["rnn"], params_after(experiment, "rnn", 10)
    loss = held_out(experiment, network, params, 64)["loss_per_answer"]
    assert float(asked["10"]["held_out_loss"]) == loss
    printed = capsys.readouterr().out
    assert "step 12 of 12, training loss " in printed
    assert f", held out {loss:.4g} at step 10" in printed


@pytest.mark.trained
def test_of_counting_which_has_nine_sequences_none_is_said_to_be_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", *SMALL, "--models", "rnn", "--steps", "2", "--task", "counting",
            "--loss-at", "every", "--out", str(tmp_path)]  # fmt: skip
    assert main(argv) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.strip() == ("rnn: nothing is held out, for the data are too few or repeat "
                            "themselves: nothing to compare with.")  # fmt: skip
    assert json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))["held_out"] == {}


@pytest.mark.trained
def test_divergence_is_told_and_is_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DIVERGES, "--out", str(tmp_path)]) == 1
    assert "at training step" in capsys.readouterr().out
    told = json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))
    assert told["sentence"].endswith(f"at training step {told['step'][-1]}")
    with np.load(tmp_path / "rnn.npz") as file:
        assert all(np.isfinite(file[name]).all() for name in file.files if name != "about")


@pytest.mark.trained
def test_where_the_loss_overflows_no_scores_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DIVERGES, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == ("rnn: new sequences: the loss is not a finite number, so that there is nothing "
                    "to score.")  # fmt: skip
    assert json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))["held_out"] == {}


@pytest.mark.trained
def test_a_text_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abcabc" * 9, encoding="utf-8")
    argv = ["train", *SMALL, "--models", "gru", "--task", "text", "--steps", "1",
            "--text-file", str(tmp_path / "a.txt"), "--out", str(tmp_path)]  # fmt: skip
    assert main(argv) == 0
    assert (tmp_path / "gru.npz").exists()


def test_a_folder_that_takes_no_file_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr("rnnviz.experiment.targets.TemporaryFile", full)
    with pytest.raises(SystemExit) as found:
        main(["train", *SMALL, "--steps", "9", "--out", str(tmp_path)])
    assert found.value.code == 2
    said = capsys.readouterr()
    assert "No space left on device" in said.err
    assert "step 1 of" not in said.out


@pytest.mark.parametrize("name", ["rnn.json", "gru.npz", "gru.csv"])
def test_a_folder_in_a_file_s_place_is_said_before_anything_is_trained(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SystemExit) as found:
        main(["train", *SMALL, "--models", "rnn", "gru", "--steps", "1", "--out", str(tmp_path)])
    assert found.value.code == 2
    said = capsys.readouterr()
    assert f"{tmp_path / name} is a folder, and a file is to be written there" in said.err
    assert "step 1 of" not in said.out


def test_a_folder_in_a_checkpoint_s_place_is_said_before_any_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text_gru.npz").mkdir()
    with pytest.raises(SystemExit) as found:
        main(["checkpoints", "text_gru", "--out", str(tmp_path)])
    assert found.value.code == 2
    said = capsys.readouterr()
    assert "text_gru.npz is a folder, and a file is to be written there" in said.err
    assert "training" not in said.out


def test_a_text_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\xff")
    with pytest.raises(SystemExit):
        main(["train", "--task", "text", "--text-file", str(tmp_path / "a.txt")])
    assert (f"text_file must be text in UTF-8, got {tmp_path / 'a.txt'}, whose byte 3 is 0xff"
            in capsys.readouterr().err)  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["app", "--port", "99999"], "port must be from 1 to 65535, got 99999"),
        (["app", "--port", "-5"], "port must be from 1 to 65535, got -5"),
        (
            ["checkpoints", "text_gru", "foo"],
            "name must be one of delayed_recall_lstm, delayed_recall_gru, text_lstm, text_gru, ",
        ),
        (["train", "--seq-len", "1"], "seq_len must be an integer of at least 2"),
        (["train", "--steps", "0"], "train_steps must be at least 1"),
        (["train", "--models", "rnn", "perceptron"], "model must be one of"),
        (["train", "--text-file", "/no/such/file"], "No such file"),
        (
            ["train", "--task", "text", "--text-file", "/no/such/file", "--text", "abab"],
            "text must not be given with --text-file, which has it",
        ),
        (["checkpoints", "nothing"], "name must be one of"),
        ([], "required"),
    ],
)
def test_what_is_wrong_is_said(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.trained
def test_checkpoints_are_made_by_their_recipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = Experiment(("gru",), seq_len=4, hidden_size=3, train_steps=2)  # type: ignore[arg-type]
    monkeypatch.setitem(RECIPES, "text_gru", short)
    assert main(["checkpoints", "text_gru", "--out", str(tmp_path)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["text_gru.npz"]
    assert "accuracy" in capsys.readouterr().out
