"""A training that somebody stops with Ctrl-C keeps what was trained until then."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rnnviz.__main__ import main
from rnnviz.commands import train as command

SMALL = ("--seq-len", "6", "--hidden-size", "4", "--batch-size", "2")


class Interrupted:
    """A clock that somebody stops with Ctrl-C when it was asked so often."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> float:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return 0.0


@pytest.mark.trained
def test_what_was_trained_until_it_was_interrupted_is_written_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", *SMALL, "--models", "rnn", "gru", "--steps", "9", "--task", "adding"]
    assert main([*argv, "--out", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr("rnnviz.commands.train.time.monotonic", Interrupted(4))
        assert main([*argv, "--out", str(tmp_path / "cut")]) == 130
    rest = tmp_path / "cut" / "rnn.npz"
    said = capsys.readouterr().out
    goes_on = f"--resume {rest} --out {rest.parent} with --steps goes on."
    assert f"training up to step 5 is written; {goes_on}" in said
    assert "The models after it were not trained." in said
    assert {path.stem for path in rest.parent.iterdir()} == {"rnn"}
    assert main(["train", "--resume", str(rest), "--steps", "9", "--out", str(rest.parent)]) == 0
    for name in ("rnn.csv", "rnn.npz"):
        assert (rest.parent / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.trained
@pytest.mark.parametrize("resumed", [False, True])
def test_what_was_interrupted_takes_no_finished_training_s_place(
    resumed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["train", *SMALL, "--models", "rnn", "--task", "adding"]
    assert main([*argv, "--steps", "2", "--out", str(tmp_path / "short")]) == 0
    long = tmp_path / "long"
    assert main([*argv, "--steps", "20", "--out", str(long)]) == 0
    before = {path.name: path.read_bytes() for path in long.iterdir()}
    more = ["train", "--resume", str(tmp_path / "short" / "rnn.npz")] if resumed else argv
    with monkeypatch.context() as patch:
        patch.setattr("rnnviz.commands.train.time.monotonic", Interrupted(4))
        assert main([*more, "--steps", "30", "--out", str(long)]) == 130
    assert {name: (long / name).read_bytes() for name in before} == before
    rest = long / "rnn_interrupted.npz"
    assert main(["train", "--resume", str(rest), "--steps", "30", "--out", str(tmp_path)]) == 0
    rows = (tmp_path / "rnn.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 31
    with monkeypatch.context() as patch:
        patch.setattr("rnnviz.commands.train.time.monotonic", Interrupted(2))
        assert main([*more, "--steps", "30", "--out", str(long)]) == 130
    assert (long / "rnn_interrupted_2.npz").exists()
    assert main(["train", "--resume", str(rest), "--steps", "30", "--out", str(long)]) == 0
    assert {name: (long / name).read_bytes() for name in before} == before
    assert len(rest.with_suffix(".csv").read_text(encoding="utf-8").splitlines()) == 31


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Presses Ctrl-C, which is heard even where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield partial(signal.raise_signal, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


ALL = {"rnn.csv", "rnn.json", "rnn.npz"}


@pytest.mark.trained
@pytest.mark.parametrize("in_training", [False, True])
def test_an_interrupt_while_a_network_is_scored_loses_nothing_that_was_trained(
    in_training: bool, ctrl_c: Callable[[], None], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The first one then, or the second one, after training itself was interrupted."""
    argv = ["train", *SMALL, "--models", "rnn", "gru", "--steps", "9", "--task", "adding"]
    assert main([*argv, "--out", str(tmp_path / "whole")]) == 0
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        patch.setattr("rnnviz.commands.train.held_out", lambda *_: ctrl_c())
        if in_training:
            patch.setattr("rnnviz.commands.train.time.monotonic", Interrupted(4))
        assert main([*argv, "--out", str(cut)]) == 130
    said = capsys.readouterr().out
    assert f"training up to step {5 if in_training else 9} is written; --resume " in said
    assert "goes on. The network was not scored. The models after it were not trained." in said
    assert {path.name for path in cut.iterdir()} == ALL
    assert json.loads((cut / "rnn.json").read_text(encoding="utf-8"))["held_out"] == {}
    more = ["train", "--resume", str(cut / "rnn.npz"), "--steps", "12", "--out", str(cut)]
    assert main(more) == 0
    rows = (cut / "rnn.csv").read_text(encoding="utf-8").splitlines()
    assert rows[:10] == (tmp_path / "whole/rnn.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 13


@pytest.mark.trained
@pytest.mark.parametrize("writer", ["save_weights", "to_csv", "to_json"])
def test_an_interrupt_while_files_are_written_waits_for_their_end(
    writer: str, ctrl_c: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = getattr(command, writer)

    def pressed(*given: Any, **named: Any) -> Any:
        ctrl_c()
        return written(*given, **named)

    monkeypatch.setattr(command, writer, pressed)
    argv = ["train", *SMALL, "--models", "rnn", "--steps", "3", "--out", str(tmp_path)]
    assert main(argv) == 130
    assert {path.name for path in tmp_path.iterdir()} == ALL
    assert json.loads((tmp_path / "rnn.json").read_text(encoding="utf-8"))["steps"] == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_before_there_is_anything_to_keep_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnviz.commands.train.train", stopped)
    with pytest.raises(SystemExit) as found:
        main(["train", *SMALL, "--steps", "9", "--out", str(tmp_path)])
    assert found.value.code == 130
    assert capsys.readouterr().err.endswith(": interrupted\n")
    assert list(tmp_path.iterdir()) == []
