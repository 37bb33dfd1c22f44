"""What `python -m rnnviz train` writes is read back, and what does not fit is named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.__main__ import main
from rnnviz.core import checks
from rnnviz.experiment.runs import params_after
from rnnviz.experiment.weights import from_arrays, load

SIZES = ("--seq-len", "6", "--hidden-size", "4", "--batch-size", "2", "--task", "adding")
SMALL = Experiment(("rnn", "lstm:forget_bias=0"), "adding", 6, 4, 2)  # type: ignore[arg-type]
LSTM = "lstm_forget_bias-0.npz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With both models after 3 steps of training."""
    train(tmp_path, "--models", *SMALL.models, "--steps", "3")
    return tmp_path


def train(out: Path, *more: str) -> int:
    return main(["train", *SIZES, "--out", str(out), *more])


def arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


@pytest.mark.trained
def test_a_run_takes_what_train_wrote(folder: Path) -> None:
    given = {"rnn": arrays(folder / "rnn.npz"), "lstm:forget_bias=0.0": arrays(folder / LSTM)}
    result = run(SMALL, trained=given)
    for label, trace in result.items():
        expected = params_after(SMALL, label, 3)
        assert set(trace.params) == set(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(trace.params[name], value)


@pytest.mark.parametrize("label", ["LSTM", "lstm", "lstm:memory_bias=3", "", 5])
def test_an_unknown_label_is_refused_with_those_there_are(label: Any) -> None:
    params = run(SMALL)["rnn"].params
    message = re.escape(f"models of the experiment (rnn, lstm:forget_bias=0), got {label!r}")
    with pytest.raises(ValueError, match=message):
        run(SMALL, trained={label: params})


def test_a_model_named_twice_is_refused() -> None:
    params = run(SMALL)["lstm:forget_bias=0"].params
    with pytest.raises(ValueError, match="each model once, got lstm:forget_bias=0 twice"):
        run(SMALL, trained={"lstm:forget_bias=0": params, "lstm:forget_bias=0.0": params})


def test_what_does_not_fit_is_named() -> None:
    good = dict(run(SMALL)["rnn"].params)
    without = {n: p for n, p in good.items() if n != "b_y"}
    cases: tuple[tuple[Any, str], ...] = (
        (without, "missing b_y"),
        ({**good, "W_no": np.ones(3)}, "not among them W_no"),
        ({**good, "W_hy": np.ones((1, 5))}, r"params\['W_hy'\] must have shape"),
        (None, "must be a mapping"),
    )
    for given, message in cases:
        with pytest.raises(ValueError, match=rf"^trained\['rnn'\].*{message}"):
            run(SMALL, trained={"rnn": given})


@pytest.mark.trained
def test_a_file_of_another_network_is_refused(folder: Path) -> None:
    relu = Experiment(("rnn",), "adding", 6, 4, 2, activation="relu")  # type: ignore[arg-type]
    message = "activation must be 'relu', the file's network has 'tanh'"
    with pytest.raises(ValueError, match=message):
        run(relu, trained={"rnn": arrays(folder / "rnn.npz")})
    lstm = Experiment(("lstm",), "adding", 6, 4, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the cell must be a LSTM, the file's is a RNN"):
        run(lstm, trained={"lstm": arrays(folder / "rnn.npz")})


@pytest.mark.trained
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum", "rmsprop"])
def test_a_resumed_training_ends_as_if_it_had_not_stopped(tmp_path: Path, optimizer: str) -> None:
    how = ("--models", "gru", "--optimizer", optimizer)
    train(tmp_path / "at_once", *how, "--steps", "7")
    train(tmp_path / "stopped", *how, "--steps", "3")
    stopped, out = tmp_path / "stopped" / "gru.npz", tmp_path / "stopped"
    assert main(["train", "--resume", str(stopped), "--steps", "7", "--out", str(out)]) == 0
    expected, found = arrays(tmp_path / "at_once" / "gru.npz"), arrays(stopped)
    assert set(expected) == set(found)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    for kind in ("csv", "json"):  # the steps before it stopped are among them
        at_once = (tmp_path / "at_once" / f"gru.{kind}").read_text(encoding="utf-8")
        assert (out / f"gru.{kind}").read_text(encoding="utf-8") == at_once


@pytest.mark.trained
@pytest.mark.parametrize("stem", ["rnn", "lstm_forget_bias-0"])
def test_the_model_of_what_is_resumed_may_be_named(folder: Path, tmp_path: Path, stem: str) -> None:
    argv = ["train", "--resume", str(folder / f"{stem}.npz"), "--steps", "5", "--out"]
    named = {"rnn": "rnn", "lstm_forget_bias-0": "lstm:forget_bias=0.0"}[stem]
    assert main([*argv, str(tmp_path / "a")]) == 0
    assert main([*argv, str(tmp_path / "b"), "--models", named]) == 0
    for kind in ("csv", "json", "npz"):
        one, other = (tmp_path / out / f"{stem}.{kind}" for out in "ab")
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.trained
def test_a_resumed_history_may_stand_in_another_folder(folder: Path, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "b"))
    for _ in range(2):  # of the same steps it is written again
        assert main(["train", "--resume", str(folder / "rnn.npz"), "--steps", "5", *out]) == 0
        assert steps_in(tmp_path / "b") == [0, 1, 2, 3, 4]
    assert steps_in(folder) == [0, 1, 2]


@pytest.mark.trained
def test_a_training_that_ended_by_itself_goes_on_with_its_history(tmp_path: Path) -> None:
    """The step at which it ended, which made no update, is done again."""
    wild = ("--optimizer", "sgd", "--learning-rate", "1000", "--gain", "16")
    assert train(tmp_path, "--models", "rnn", *wild, "--steps", "400") == 1
    written = (tmp_path / "rnn.csv").read_text(encoding="utf-8")
    assert 0 < steps_in(tmp_path)[-1] < 399
    again = ["train", "--resume", str(tmp_path / "rnn.npz"), "--steps", "500"]
    assert main([*again, "--out", str(tmp_path)]) == 1
    assert (tmp_path / "rnn.csv").read_text(encoding="utf-8") == written


def steps_in(folder: Path) -> list[int]:
    lines = (folder / "rnn.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [int(line.partition(",")[0]) for line in lines]


@pytest.mark.trained
@pytest.mark.parametrize("what", ["gone", "damaged", "of another run"])
def test_without_the_history_it_says_where_it_begins_and_takes_the_place_of_none(
    folder: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told, before = folder / "rnn.json", (folder / "rnn.csv").read_bytes()
    text = told.read_text(encoding="utf-8")
    other = {"gone": None, "damaged": text[:100], "of another run": text.replace("adding", "words")}
    told.unlink() if what == "gone" else told.write_text(str(other[what]), encoding="utf-8")
    argv = ["train", "--resume", str(folder / "rnn.npz"), "--steps", "5"]
    with pytest.raises(SystemExit):
        main([*argv, "--out", str(folder)])
    said = " ".join(capsys.readouterr().err.split())
    assert "rnn.csv has training steps 0 to 2, and a history of steps 3 to 4 would take" in said
    assert (folder / "rnn.csv").read_bytes() == before
    assert main([*argv, "--out", str(tmp_path / "b")]) == 0
    assert "so that what is written begins at step 3." in capsys.readouterr().out
    assert steps_in(tmp_path / "b") == [3, 4]


@pytest.mark.trained
def test_weights_are_where_another_training_starts(folder: Path, tmp_path: Path) -> None:
    file = folder / "rnn.npz"
    train(tmp_path / "b", "--models", "gru", "rnn", "--learning-rate", "1e-6", "--steps", "1",
          "--seed", "5", "--weights", str(file))  # fmt: skip
    started, ended = load(file).state.params, load(tmp_path / "b" / "rnn.npz").state
    assert ended.step == 1
    for name, value in started.items():
        np.testing.assert_allclose(ended.params[name], value, atol=2e-6)
    gru = params_after(load(tmp_path / "b" / "gru.npz").experiment, "gru", 1)
    np.testing.assert_array_equal(
        load(tmp_path / "b" / "gru.npz").state.params["W_hy"], gru["W_hy"]
    )


@pytest.mark.trained
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--resume", "rnn.npz"], "train_steps must be above 3"),
        (["--resume", "rnn.npz", "--steps", "3"], "train_steps must be above 3"),
        (
            ["--resume", "rnn.npz", "--steps", "5", "--models", "rnn", "lstm"],
            "models must be left as rnn.npz has it (rnn), got rnn lstm: --weights starts another",
        ),
        (["--resume", "rnn.npz", "--steps", "5", "--optimizer", "sgd"], "optimizer must be left"),
        (["--resume", "rnn.npz", "--steps", "5", "--hidden-size", "5"], "hidden_size must be 5"),
        (["--resume", "rnn.npz", "--steps", "5", "--weights", "rnn.npz"], "weights must not be"),
        (["--resume", "rnn.csv", "--steps", "5"], "must be a file of weights (.npz)"),
        (["--resume", "no.npz", "--steps", "5"], "No such file"),
        (["--weights", "rnn.npz", "--models", "gru"], "rnn.npz is of rnn"),
        (["--weights", *["rnn.npz"] * 2, "--models", "rnn", "--hidden-size", "4"], "at most"),
        (["--weights", "rnn.npz", "--models", "rnn", "--hidden-size", "5"], "hidden_size must be"),
        (["--weights", "bare.npz", "--models", "rnn"], "a file of weights must have 'about'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    folder: Path,
    argv: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = {n: p for n, p in arrays(folder / "rnn.npz").items() if n != "about"}
    np.savez(folder / "bare.npz", **params)
    monkeypatch.chdir(folder)
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--task", "adding", *argv])
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"label": "rnn:layers=1000000", "experiment": {"models": ["rnn:layers=1000000"]},
          "steps": 0}, "layers must be at most 2, as many as there are arrays, got 1000000"),
        ({"label": "rnn", "experiment": {"models": ["rnn"], "seed": 10**30}, "steps": 0},
         "seed must be a whole number from 0 to 2147483647, got 1000"),
        ({"label": "rnn", "experiment": {"models": ["rnn"], "gain": 10**400}, "steps": 0},
         "gain must be a finite number from 0, got 1000"),
        ("[" * 100_000, "'about' must be JSON with label, experiment and steps"),
    ],
)  # fmt: skip
def test_what_a_hostile_file_says_of_itself_is_refused_in_few_words(about: Any, said: str) -> None:
    text = about if isinstance(about, str) else json.dumps(about)
    with pytest.raises(ValueError, match=re.escape(said)) as refusal:
        from_arrays({"about": np.array(text), "W_xh": np.ones((1, 1))})
    assert len(str(refusal.value)) < 500


def test_of_very_many_names_the_first_are_said() -> None:
    arrays = {f"W_{k}": np.ones(1) for k in range(100_000)}
    with pytest.raises(ValueError, match="params must have the keys") as refusal:
        checks.params(arrays, {"W": (1,)})
    assert len(str(refusal.value)) < 5_000
