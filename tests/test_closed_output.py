"""A command whose output goes nowhere does its work to the end, and writes its files."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnviz.__main__ import main
from rnnviz.commands.output import Output, heard_or_not
from rnnviz.experiment.weights import load

SMALL = ("--models", "rnn", "--seq-len", "6", "--hidden-size", "4", "--batch-size", "2")
NO_READER = "| nobody reads"
NOWHERE = {">&-": "Bad file descriptor", ">/dev/full": "No space left on device",
           NO_READER: "Broken pipe"}  # fmt: skip


def command(argv: list[str], where: str) -> subprocess.CompletedProcess[str]:
    """What a shell runs with its output sent there."""
    python = [sys.executable, "-m", "rnnviz", *argv]
    if where != NO_READER:
        shell = ["sh", "-c", f'exec "$@" {where}', "sh"]
        return subprocess.run([*shell, *python], stderr=subprocess.PIPE, text=True)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(python, stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)


def told_once(said: str, why: str) -> bool:
    """That and why nobody heard it, and nothing of how the program was made."""
    return said.count(why) == 1 and "Traceback" not in said and "ignored" not in said


@pytest.mark.trained
@pytest.mark.parametrize("where", NOWHERE)
def test_a_training_that_nobody_hears_is_trained_and_written(tmp_path: Path, where: str) -> None:
    done = command(["train", *SMALL, "--steps", "9", "--out", str(tmp_path)], where)
    assert done.returncode == 2
    assert told_once(done.stderr, NOWHERE[where]), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"rnn.npz", "rnn.csv", "rnn.json"}
    assert load(tmp_path / "rnn.npz").state.step == 9


@pytest.mark.parametrize("where", NOWHERE)
def test_a_report_is_written_as_a_file_and_what_is_serious_stays_the_status(
    tmp_path: Path, where: str
) -> None:
    weights = {"weight_ih_l0": np.ones((4, 2)), "weight_hh_l0": 0.1 * np.eye(4),
               "bias_ih_l0": np.zeros(4), "bias_hh_l0": np.zeros(4)}  # fmt: skip
    np.savez(tmp_path / "w.npz", **weights)  # type: ignore[arg-type]
    argv = ["diagnose", str(tmp_path / "w.npz"), "--json", str(tmp_path / "r.json")]
    calm = command(argv, where)
    assert (calm.returncode, told_once(calm.stderr, NOWHERE[where])) == (2, True), calm.stderr
    assert (tmp_path / "r.json").stat().st_size > 0
    assert command([*argv, "--lag", "50"], where).returncode == 1


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_a_sweep_whose_progress_nobody_hears_runs(tmp_path: Path, where: str) -> None:
    argv = ["sweep", *SMALL, "--over", "gain=1,2", "--out", str(tmp_path / "a.csv")]
    assert command([*argv, "--workers", "1"], where).returncode == 0
    with (tmp_path / "a.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 4  # the head is two


def test_what_is_heard_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with heard_or_not() as out:
        sys.stdout.write("a word")
        sys.stderr.write("another")
    assert capsys.readouterr() == ("a word", "another")
    assert (sys.stdout, sys.stderr, out.error) == (*before, None)


@pytest.mark.trained
def test_what_was_heard_in_part_is_not_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The pipe breaks after some words, as that of `head` does."""

    class Breaks(io.StringIO):
        def write(self, text: str) -> int:
            if self.tell():
                raise BrokenPipeError(32, "Broken pipe")
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", Breaks())
    with pytest.raises(SystemExit) as stopped:
        main(["train", *SMALL, "--steps", "3", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "could not be written ([Errno 32] Broken pipe)" in capsys.readouterr().err
    assert load(tmp_path / "rnn.npz").state.step == 3


def test_nothing_at_all_is_a_stream_too() -> None:
    nothing = Output(None)
    assert nothing.write("a word") == 6
    nothing.flush()
    assert not nothing.isatty()
    assert isinstance(nothing.error, OSError)
