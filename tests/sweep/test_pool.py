"""Jobs on executors: none is lost with its worker, nor takes another one with it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rnnviz.sweep.pool import ATTEMPTS, IN_FLIGHT, Jobs, Pool, ThisProcess, chunked
from tests.sweep.work import Chunk, lost, ones, square, square_or_die, square_or_die_once, threads

pytestmark = pytest.mark.slow


def test_results_come_of_every_item() -> None:
    for executor in (ThisProcess(), Pool(2)):
        jobs = Jobs(square, lost, executor)
        assert sorted(jobs.results(iter([(1, 2), (3,), (4, 5, 6)]))) == [1, 4, 9, 16, 25, 36]
    assert multiprocessing.active_children() == []


def test_a_worker_s_blas_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    ((pid, found),) = Jobs(threads, lost, Pool(1)).results(ones([0]))
    assert pid != os.getpid()
    assert set(found.values()) == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_an_item_that_kills_its_worker_is_told_and_takes_no_other_with_it() -> None:
    chunks = iter([(1, 2, 3, 4), (5, 6), (7,), (8, 9)])
    found = list(Jobs(square_or_die, lost, Pool(2)).results(chunks))
    assert sorted(r for r in found if isinstance(r, int)) == [1, 4, 16, 25, 36, 49, 64, 81]
    ((item, why),) = [r for r in found if isinstance(r, tuple)]
    assert item == 3
    assert "BrokenProcessPool" in why


def test_a_worker_killed_once_loses_nothing(tmp_path: Path) -> None:
    names = [str(tmp_path / str(i)) for i in range(3)]
    found = list(Jobs(square_or_die_once, lost, Pool(2)).results(ones(names)))
    assert sorted(map(str, found)) == names


def test_no_process_is_left_behind_by_one_who_stops_early() -> None:
    early = Jobs(square, lost, Pool(2)).results(ones(range(5)))
    next(early)
    early.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


class Flaky(ThisProcess):
    """Loses its first jobs in the ways that executors do."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not self.failures:
            return super().submit(fn, *args, **kwargs)
        failure = self.failures.pop(0)
        if isinstance(failure, BrokenExecutor):
            raise failure
        future: Future[Any] = Future()
        if isinstance(failure, CancelledError):
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(failure)
        return future


@pytest.mark.parametrize("failure", [BrokenExecutor("gone"), CancelledError(), OSError("no way")])
def test_what_an_executor_loses_is_tried_again(failure: BaseException) -> None:
    assert sorted(Jobs(square, lost, Flaky(failure)).results(ones([1, 2, 3]))) == [1, 4, 9]
    often = Flaky(*[failure] * (1 + ATTEMPTS))
    found = list(Jobs(square, lost, often).results(iter([(1,)])))
    assert [(item, type(failure).__name__ in why) for item, why in found] == [(1, True)]


def test_an_executor_that_takes_no_more_ends_with_a_reason_for_each_item() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    found = list(Jobs(square, lost, executor).results(ones(range(9))))
    assert [item for item, _ in found] == list(range(9))
    assert all("shutdown" in why for _, why in found)


def test_few_chunks_are_under_way_at_once() -> None:
    taken: list[int] = []

    def chunks() -> Any:
        for i in range(10_000):
            taken.append(i)
            yield (i,)

    with ThreadPoolExecutor(2) as executor:
        results = Jobs(square, lost, executor).results(chunks())
        next(results)
        assert len(taken) <= 8
        results.close()  # type: ignore[attr-defined]

    class Unknown:
        """An executor that does not tell its size."""

        def submit(self, *args: Any) -> Future[Any]:
            return ThisProcess().submit(*args)

    taken.clear()
    next(Jobs(square, lost, Unknown()).results(chunks()))  # type: ignore[arg-type]
    assert len(taken) == IN_FLIGHT


def test_an_interrupt_is_not_kept_as_a_result() -> None:
    def interrupted(chunk: Chunk, attempt: int) -> list[Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Jobs(interrupted, lost, ThisProcess()).results(ones([1])))


def test_a_thread_may_sweep() -> None:
    found: list[Any] = []

    def sweep() -> None:
        found.extend(Jobs(square, lost, Pool(1)).results(ones([4])))

    thread = threading.Thread(target=sweep)
    thread.start()
    thread.join()
    assert found == [16]


def test_chunks_cost_about_the_same() -> None:
    items = [0.5, 0.1, 0.1, 0.1, 0.3, 9.0, 0.1]
    chunks = list(chunked(items, float, 0.3))
    assert chunks == [(0.5,), (0.1, 0.1, 0.1), (0.3,), (9.0,), (0.1,)]
    assert list(chunked([], float, 1)) == []


UNGUARDED = """
from rnnviz import Experiment, sweep
small = Experiment(models=("rnn",), hidden_size=2, seq_len=2, batch_size=1)
print([result.message for result in sweep(small, {"gain": [1.0]})])
"""


def test_a_script_that_its_own_processes_would_run_again_is_told_what_to_do(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    command, env = (
        [sys.executable, str(script)],
        {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert 'if __name__ == "__main__":' in done.stderr
    assert "AttributeError" not in done.stderr
    assert done.stdout.count("[") == 1  # the script's own line, and of no process
