"""`python -m rnnviz sweep`: a file that is complete in the end, however often it was stopped."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import rnnviz.lecture.check
from rnnviz.__main__ import main
from rnnviz.commands import sweep as command
from rnnviz.commands.progress import Progress
from rnnviz.commands.sweep import read_over, read_values
from rnnviz.experiment import Experiment
from rnnviz.lecture.check import check as checked
from rnnviz.sweep import measured, points
from rnnviz.sweep.file import SweepFile

SMALL = ("--models", "rnn", "gru", "--seq-len", "6", "--hidden-size", "4", "--batch-size", "2")
OVER = ("--over", "gain=0.5:2:log:3", "--over", "distractor=0,1")
BASE = Experiment(("rnn", "gru"), seq_len=6, hidden_size=4, batch_size=2)  # type: ignore[arg-type]


def sweep(out: Path, *more: str) -> int:
    return main(["sweep", *SMALL, *OVER, "--out", str(out), "--workers", "1", *more])


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, comment="#")


def test_every_run_is_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep(tmp_path / "a.csv", "--seeds", "0,1") == 0
    found = table(tmp_path / "a.csv")
    over = {"gain": [0.5, 1.0, 2.0], "distractor": [0.0, 1.0]}
    wanted = [r.row() for p in points(BASE, over, [0, 1]) for r in measured(p)]
    columns = ["gain", "distractor", "seed", "model", "slope", "reach_log10", "reach_status"]
    expected = pd.DataFrame(wanted)[columns]
    pd.testing.assert_frame_equal(found[columns], expected, check_dtype=False)
    assert "24 of 24 runs" in capsys.readouterr().err


def test_it_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(tmp_path / "whole.csv")
    whole = (tmp_path / "whole.csv").read_text().splitlines(keepends=True)
    stopped = tmp_path / "stopped.csv"
    stopped.write_text("".join(whole[:5]) + whole[5][:10])
    assert sweep(stopped) == 0
    assert "3 of 12 runs are there already" in capsys.readouterr().err
    lines = stopped.read_text().splitlines(keepends=True)
    assert lines[:5] == whole[:5]
    columns = ["gain", "distractor", "seed", "model", "slope"]
    pd.testing.assert_frame_equal(table(stopped)[columns], table(tmp_path / "whole.csv")[columns])
    before = stopped.read_bytes()
    assert sweep(stopped) == 0
    assert stopped.read_bytes() == before


def test_more_values_and_seeds_are_the_same_sweep(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    sweep(out)
    assert main(["sweep", *SMALL, "--over", "gain=1,3", "--over", "distractor=1", "--seed", "4",
                 "--out", str(out), "--workers", "1"]) == 0  # fmt: skip
    assert len(table(out)) == 12 + 4
    assert not table(out).duplicated(["gain", "distractor", "seed", "model"]).any()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--loss-at", "every"], "another sweep .loss_at is 'last' there and 'every' here"),
        (["--models", "lstm"], "another sweep .models is"),
        (["--over", "leak=0.5,1"], "another sweep .over is"),
    ],
)
def test_another_sweep_is_not_mixed_in(
    tmp_path: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()
    with pytest.raises(SystemExit):
        sweep(tmp_path / "a.csv", *more)
    said = " ".join(capsys.readouterr().err.split())
    assert message.replace(" .", " (") in said
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_file_of_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("my,data\n1,2\n")
    with pytest.raises(SystemExit):
        sweep(tmp_path / "a.csv")
    assert "is not the file of a sweep" in capsys.readouterr().err
    assert (tmp_path / "a.csv").read_text() == "my,data\n1,2\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--over", "gian=1"], "over must hold fields of an experiment"),
        (["--over", "gain=1,-1"], "gain must be"),
        (["--over", "gain"], "--over must look like"),
        (["--over", "gain=one"], "values of gain must be numbers, got 'one'"),
        (["--over", "seq_len=2.5"], "values of seq_len must be whole numbers"),
        (
            ["--over", "gain=1:2:1.5"],
            "the number of values in a range of gain must be a whole number, got '1.5'",
        ),
        (["--over", "gain=0.5:inf:3"], "from one finite number to another, in at least 2 values"),
        (["--over", "gain=0.5:inf:3"], "got 0.5 to inf in 3"),
        (["--over", "gain=1.0000001:1:3"], "got 1.0000001 to 1 in 3"),
        (["--over", "gain=nan:1:log:3"], "got nan to 1 in 3"),
        (["--over", "memory_bias=-1e308:1e308:3"], "got -1e+308 to 1e+308 in 3"),
        (["--over", "gain=1,2", "--gain", "3"], "gain must not be given with --over"),
        (["--over", "seq-len=5,6", "--seq-len", "7"], "seq_len must not be given with --over"),
        (
            ["--over", "gain=1,2", "--seed", "3", "--seeds", "0,1"],
            "seed must not be given with --seeds, which has its values",
        ),
        (["--over", "gain=1:2"], "a range of gain must be low:high:number"),
        *(
            (["--over", f"gain=0.5:2:{between}"], "low:high:number or low:high:log:number, got")
            for between in ("LOG:4", "lin:4", ":4", "4:log", "log:4:4")
        ),
        (["--over", "gain=2:1:5"], "a range must go up"),
        (["--over", "gain=0:1:log:5"], "on a log scale from above 0"),
        (["--over", "gain=1", "--over", "gain=2"], "got gain twice"),
        (["--over", "gain=1", "--seeds", "1,1"], "seeds must be different"),
        (
            ["--over", "gain=1", "--max-seconds", "nan"],
            "max_seconds must be a number from 0, got nan",
        ),
        (["--over", "gain=1", "--max-seconds", "-1"], "max_seconds must be a number from 0"),
        (["--over", "gain=1", "--workers", "0"], "workers must be at least 1"),
        (["--over", "gain=1", "--seq-len", "1"], "seq_len must be"),
        ([], "--over"),
    ],
)
def test_what_is_wrong_is_said_before_a_file_is_made(
    tmp_path: Path, argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["sweep", *argv, "--out", str(tmp_path / "a.csv")])
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("gain", "0.5:2:log:3", (0.5, 1.0, 2.0)),
        ("gain", "1:2:3", (1.0, 1.5, 2.0)),
        ("gain", "1,2.5", (1.0, 2.5)),
        ("seq_len", "10:1000:log:3", (10, 100, 1000)),
        ("seq_len", "2:4:9", (2, 3, 4)),
        ("init", "uniform,orthogonal", ("uniform", "orthogonal")),
        ("seed", "0:4:5", (0, 1, 2, 3, 4)),
    ],
)
def test_values_and_ranges(name: str, text: str, values: tuple[Any, ...]) -> None:
    assert read_values(name, text) == values


def test_dashes_are_as_good_as_underscores() -> None:
    assert read_over(BASE, ["seq-len=5,6"]) == {"seq_len": (5, 6)}


def test_refused_runs_are_rows_and_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(tmp_path / "a.csv", "--max-seconds", "0") == 1
    assert "12 of 12 runs without numbers" in capsys.readouterr().err
    found = table(tmp_path / "a.csv")
    assert found["message"].str.contains("limits").all()
    assert found["slope"].isna().all()


def test_what_was_refused_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.csv"
    for _ in range(2):  # the same limits refuse the same, and write it once
        assert sweep(out, "--max-seconds", "0") == 1
        said = capsys.readouterr().err
        assert "12 of 12 runs without numbers" in said
        assert "are there already" not in said
        assert len(table(out)) == 12
    assert sweep(out) == 0
    assert sweep(tmp_path / "whole.csv") == 0
    whole, found = table(tmp_path / "whole.csv"), table(out)
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), whole.drop(columns="seconds"))
    assert found["message"].isna().all()
    capsys.readouterr()
    assert sweep(out) == 0
    assert "12 of 12 runs are there already" in capsys.readouterr().err


def test_only_the_model_without_numbers_is_counted_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, over = tmp_path / "a.csv", {"gain": [0.5, 1.0, 2.0], "distractor": [0.0, 1.0]}
    file = SweepFile(out, BASE, list(over))
    for point in points(BASE, over):
        rnn, gru = measured(point)
        file.add(rnn)
        file.add(replace(gru, measures=None, message="refused"))
    assert sweep(out) == 0
    said = capsys.readouterr().err
    assert "6 of 12 runs are there already" in said
    assert "12 of 12 runs, about 0 s left" in said
    assert table(out)["message"].isna().all()


def test_an_interrupt_between_a_row_and_the_one_it_replaces_loses_neither(tmp_path: Path) -> None:
    """The new row is there before the old one goes, and that one goes when it is opened next."""
    path, (point,) = tmp_path / "a.csv", points(BASE, {"gain": [0.5]})
    found = list(measured(point))
    failed = [replace(each, measures=None, message='broken,\n"here"') for each in found]
    contents = []
    for results in (failed, found):
        file = SweepFile(tmp_path / f"{len(contents)}.csv", BASE, ["gain"])
        for result in results:
            file.add(result)
        contents.append(file.path.read_text())
    *_, first, second = contents[1].splitlines(keepends=True)
    path.write_text(contents[0] + first + second[:20])
    assert SweepFile(path, BASE, ["gain"]).done == {found[0].key}
    assert sorted(table(path)["model"]) == ["gru", "rnn"]
    again = SweepFile(path, BASE, ["gain"])
    assert [each.at for each in again.missing([point])] == [point.at]
    again.add(found[1])
    assert again.done == SweepFile(path, BASE, ["gain"]).done == {each.key for each in found}
    assert table(path)["message"].isna().all()


def test_two_sweeps_that_try_the_same_again_replace_it_once(tmp_path: Path) -> None:
    path, (point,) = tmp_path / "a.csv", points(BASE, {"gain": [0.5]})
    found = list(measured(point))
    file = SweepFile(path, BASE, ["gain"])
    for result in found:
        file.add(replace(result, measures=None, message="refused"))
    one, other = (SweepFile(path, BASE, ["gain"]) for _ in range(2))
    for result in found:
        one.add(result)
    for result in found:
        other.add(replace(result, measures=None, message="refused for another reason"))
    assert list(table(path)["message"].isna()) == [True, True]
    assert other.done == one.done


def test_an_interrupt_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(todo: Any, *_: Any) -> Any:
        yield from measured(next(todo))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_points", interrupted)
    assert sweep(tmp_path / "a.csv") == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert len(table(tmp_path / "a.csv")) == 2


def test_a_message_with_a_line_break_is_one_row(tmp_path: Path) -> None:
    file = SweepFile(tmp_path / "a.csv", BASE, ["text"])
    (point,) = points(BASE, {"text": ['two\nlines, "quoted"']})
    for result in measured(point):
        file.add(result)
    again = SweepFile(tmp_path / "a.csv", BASE, ["text"])
    assert again.done == file.done
    assert list(again.missing([point])) == []
    cut = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(cut[: cut.rindex("two\n") + 6])
    assert len(SweepFile(tmp_path / "a.csv", BASE, ["text"]).done) == 1


def test_two_sweeps_into_one_file_write_each_row_once(tmp_path: Path) -> None:
    """One adds what the other has not, and neither writes again what is there."""
    over = {"gain": [0.5, 1.0], "distractor": [0.0]}
    one, other = (SweepFile(tmp_path / "a.csv", BASE, list(over)) for _ in range(2))
    found = [each for point in points(BASE, over) for each in measured(point)]
    for result in found[:3]:
        one.add(result)
    for result in found:
        other.add(result)
    for result in found[::-1]:
        one.add(result)
    assert len(table(tmp_path / "a.csv")) == len(found) == 4
    assert one.done == other.done == {each.key for each in found}
    assert SweepFile(tmp_path / "a.csv", BASE, list(over)).done == one.done


ADDING = """
import sys, time
from dataclasses import replace
from functools import partial
from pathlib import Path
from rnnviz.experiment import Experiment
from rnnviz.lecture.check import check as checked
from rnnviz.sweep.file import SweepFile
from rnnviz.sweep.grid import Result
path = Path(sys.argv[1])
file = SweepFile(path, Experiment(("rnn",)), ["gain"])
print("ready", flush=True)
sys.stdin.readline()
for k in range(400):
    file.add(Result((("gain", k / 100),), 0, "rnn", None, 0.0, "x" * 300))
"""


def test_two_processes_write_each_row_of_one_file_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADDING, str(tmp_path / "a.csv")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    rows = table(tmp_path / "a.csv")
    assert sorted(rows["gain"]) == [k / 100 for k in range(400)]


def test_a_finished_file_that_may_only_be_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SweepFile(tmp_path / "a.csv", BASE, ["gain"])
    point, more = points(BASE, {"gain": [0.5, 1.0]})
    found = measured(point)
    for result in found:
        file.add(result)
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *rest: object) -> object:
        if "a" in mode:
            raise PermissionError(13, "Permission denied")
        return opened(path, mode, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    again = SweepFile(tmp_path / "a.csv", BASE, ["gain"])
    assert again.done == file.done
    assert [each.at for each in again.missing([point, more])] == [more.at]
    with pytest.raises(OSError, match="cannot be written: Permission denied"):
        again.add(next(iter(measured(more))))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_fills() -> None:
    out = Terminal()
    progress = Progress(0, 2, out)
    progress.tell("")
    progress.tell("failed")
    assert f"[{'#' * 30}] 2 of 2 runs" in out.getvalue()
    assert "\r" in out.getvalue()
    assert progress.failed == 1


def listen_to_ctrl_c() -> None:
    """A shell lets what it runs in the background ignore the signal; here the tests may be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_stops_it_and_the_same_command_ends_it(tmp_path: Path) -> None:
    """As a person does it: two worker processes, a signal to all of them."""
    out = tmp_path / "a.csv"
    command = [sys.executable, "-m", "rnnviz", "sweep", "--models", "rnn", "--over",
               "seq_len=300:379:80", "--out", str(out), "--workers", "2"]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, process_group=0, preexec_fn=listen_to_ctrl_c
    ) as process:
        while len(out.read_text().splitlines() if out.exists() else []) < 4:
            assert process.poll() is None, process.stderr
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert subprocess.run(command, capture_output=True, check=True).returncode == 0
    found = table(out)
    assert sorted(found["seq_len"]) == list(range(300, 380))


def crowded(out: Path, room: int) -> subprocess.CompletedProcess[str]:
    """A sweep in a process whose files may not grow beyond so many bytes."""
    code = f"""
import resource, sys
from rnnviz.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
sys.exit(main({["sweep", *SMALL, *OVER, "--out", str(out), "--workers", "1"]!r}))
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_full_disk_is_named_with_the_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    whole, out = tmp_path / "whole.csv", tmp_path / "a.csv"
    sweep(whole)
    size = whole.stat().st_size
    done = crowded(out, size - 200)
    assert done.returncode == 2
    assert f"{out} cannot be written" in done.stderr
    assert "make room" in done.stderr
    assert "usage:" not in done.stderr
    assert "Traceback" not in done.stderr
    before = out.read_bytes()
    assert len(before) == size - 200  # its last row is cut off
    again = crowded(out, 100)  # too little even for the rows that are whole
    assert (again.returncode, "cannot be written" in again.stderr) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {"whole.csv", "a.csv"}
    assert out.read_bytes() == before[: before.rindex(b"\n") + 1]
    assert sweep(out) == 0
    assert len(table(out)) == len(table(whole))


def test_the_lecture_is_checked_and_a_false_number_ends_in_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = rnnviz.lecture.scenes.SCENES[0]
    wrong = replace(scene, numbers={"reach": replace(scene.numbers["reach"], value=-23.2)})
    for questions, status in (([scene], 0), ([scene, wrong], 1)):
        monkeypatch.setattr(rnnviz.lecture.check, "check", partial(checked, questions))
        assert main(["lecture", "--check"]) == status
    assert "OFF  travel.reach             said    -23.2   run    -24.207" in capsys.readouterr().out


def test_the_lecture_needs_to_be_told_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lecture"])
    assert "--check" in capsys.readouterr().err
