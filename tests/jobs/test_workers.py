"""Processes for long work: what they return and raise, whose work ends, what a lost one costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rnnviz.core import checks
from rnnviz.experiment import Experiment, plan
from rnnviz.jobs import training
from rnnviz.jobs.workers import WorkerLost, Workers
from tests.jobs.processes import LONG, ends
from tests.jobs.support import same_training


class Left(Exception):
    pass


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    workers = Workers(2, grace=0.2)
    yield workers
    workers.stop()


def test_a_worker_returns_and_raises_what_the_function_does(two: Workers) -> None:
    assert two.do(divmod, 7, 2) == (3, 1)
    assert two.do(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="hidden_size must be an integer of at least 1") as e:
        two.do(checks.size, "hidden_size", 0)
    assert "In a worker" in e.value.__notes__[0]


def test_what_prints_spoils_no_outcome(two: Workers) -> None:
    assert two.do(print, "heard") is None
    assert two.do(os.write, 1, b"heard\n") == 6
    assert two.do(divmod, 7, 2) == (3, 1)


def test_an_outcome_that_cannot_be_sent_is_said(two: Workers) -> None:
    with pytest.raises(Exception, match="cannot pickle"):
        two.do(threading.Lock)
    assert two.do(divmod, 7, 2) == (3, 1)


def test_as_many_calls_at_once_as_there_are_workers(two: Workers, tmp_path: Path) -> None:
    """Each of two calls waits for what the other does."""
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(2) as pool:
        heard = pool.submit(two.do, Path.read_text, tmp_path / "pipe")
        said = pool.submit(two.do, Path.write_text, tmp_path / "pipe", "both")
        assert heard.result(LONG) == "both"
        assert said.result(LONG) == 4


def test_work_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    one = Workers(1, grace=0.1)

    def leave() -> None:
        if not one.waiting:
            raise Left

    before = _pid(one)
    with pytest.raises(Left):
        one.do(Path.read_text, tmp_path / "pipe", tell=leave)  # nobody ever writes
    assert _pid(one) != before
    assert one.deaths == 0
    one.stop()


def _pid(workers: Workers) -> int:
    pid: int = workers.do(os.getpid)
    return pid


def test_a_worker_that_ends_is_replaced_and_its_work_tried_once_more(tmp_path: Path) -> None:
    one = Workers(1)
    first = _pid(one)
    os.kill(first, signal.SIGKILL)
    assert ends(first)
    assert _pid(one) != first
    assert one.deaths == 1
    with pytest.raises(WorkerLost):
        one.do(os._exit, 3)
    assert one.deaths == 3
    assert one.do(divmod, 7, 2) == (3, 1)
    last = _pid(one)
    one.stop()
    assert ends(last)


def test_workers_end_with_the_one_who_asks(tmp_path: Path) -> None:
    """Though it is killed, and they are at work."""
    os.mkfifo(tmp_path / "pipe")
    script = (
        "import os, sys, threading; from pathlib import Path; from rnnviz.jobs.workers import "
        "Workers; two = Workers(2); asked = threading.Thread(target=two.do, "
        "args=(Path.read_text, Path(sys.argv[1]))); asked.start()\n"
        "while two.waiting: pass\n"
        "print(two.do(os.getpid), flush=True); asked.join()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "pipe")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = _children(parent.pid, int(parent.stdout.readline()))
        parent.kill()
    assert len(children) == 2
    assert all(map(ends, children))


def _children(parent: int, one: int) -> set[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    found = {int(pid) for task in tasks for pid in task.read_text().split()}
    assert one in found
    return found


@pytest.mark.trained
def test_training_in_a_worker_is_training_here(two: Workers) -> None:
    begun = training.begin(plan(Experiment(models=("rnn", "lstm"), hidden_size=4, seq_len=6)))
    here, records = training.advance(begun, LONG, 3)
    there, same = training.advance(begun, LONG, 3, do=two.do)
    assert [label for label, _ in same] == [label for label, _ in records]
    assert there.updates == 3
    assert same_training(here, there)
