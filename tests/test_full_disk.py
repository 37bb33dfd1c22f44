"""Where a disk is full, no file that was there is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.__main__ import main
from rnnviz.diagnosis import diagnose
from rnnviz.experiment import checkpoints
from rnnviz.experiment.weights import Weights, load, save
from rnnviz.models.saved_runs import save_passages
from rnnviz.models.watched import Part, Passage
from rnnviz.training import TrainState

SMALL = Experiment(("rnn",), seq_len=5, hidden_size=4)  # type: ignore[arg-type]


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def weights(path: Path) -> None:
    save(Weights("rnn", SMALL, TrainState(0, run(SMALL)["rnn"].params)), path)


def checkpoint(path: Path) -> None:
    trace = run(SMALL)["rnn"]
    made = checkpoints.Checkpoint(path.stem, SMALL, trace.network, trace.params, {})
    checkpoints.save(made, path.parent)


def passages(path: Path) -> None:
    part = Part({"weight_hh_l0": np.ones((4, 4))}, np.zeros((5, 1, 1)), np.zeros((5, 4, 1)))
    save_passages({"": Passage("rnn", "tanh", "float64", (part,))}, path)


def report_json(path: Path) -> None:
    diagnose(run(SMALL)).json(path)


def report_html(path: Path) -> None:
    diagnose(run(SMALL)).html(path)


@pytest.mark.parametrize("write", [weights, checkpoint, passages, report_json, report_html])
def test_what_a_file_held_stays_where_the_new_one_does_not_fit(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "there.npz"
    path.write_bytes(b"what was there")
    with room(200), pytest.raises(OSError, match="File too large"):
        write(path)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]
    write(path)
    assert path.stat().st_size > 200
    assert list(tmp_path.iterdir()) == [path]


def test_the_lecture_that_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rnnviz.report.lecture_page", lambda **_: "a page" * 100)
    (tmp_path / "l.html").write_text("what was there")
    with room(200), pytest.raises(SystemExit):
        main(["lecture", "--out", str(tmp_path / "l.html")])
    assert "File too large" in capsys.readouterr().err
    assert (tmp_path / "l.html").read_text() == "what was there"


@pytest.mark.trained
@pytest.mark.parametrize("kept", ["rnn.npz", "rnn.json"])
def test_a_training_that_does_not_fit_leaves_the_one_it_goes_on_with(
    tmp_path: Path, kept: str
) -> None:
    """Its weights and its history, which are of the same step, whichever of them is too large."""
    size = ("--hidden-size", "40") if kept == "rnn.npz" else ("--hidden-size", "2")
    argv = ["train", "--models", "rnn", "--seq-len", "10", *size, "--out", str(tmp_path)]
    assert main([*argv, "--steps", "20"]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    most = max(len(data) for name, data in before.items() if name != kept)
    assert most < len(before[kept]), "the largest is the one that does not fit"
    more = ["train", "--resume", str(tmp_path / "rnn.npz"), "--steps", "22", "--out", str(tmp_path)]
    with room(len(before[kept]) - 1), pytest.raises(SystemExit) as stopped:
        main(more)
    assert stopped.value.code == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert main(more) == 0
    assert load(tmp_path / "rnn.npz").state.step == 22
