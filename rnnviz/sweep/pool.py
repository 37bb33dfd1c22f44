"""Small jobs on any `concurrent.futures.Executor`: lazily submitted, and none lost with a worker.

A job is an item that a picklable function turns into results. Many short ones travel together.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Output = TypeVar("Output")
Chunk = tuple[Item, ...]

IN_FLIGHT = 256
"""Chunks that wait or run on an executor whose size is not known."""
ATTEMPTS = 2
"""Times that a job which was lost is tried again by itself."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(512 << 20)}
"""glibc keeps freed pages for the next run: taken fresh they cost a sixth of it."""
OF_A_WORKER = {**dict.fromkeys(THREADS, "1"), **MEMORY}
"""What a process finds in its environment that works on one core: more threads would wait."""
NO_GUARD = (
    "a sweep starts processes, and each reads your script first: call sweep under "
    '`if __name__ == "__main__":`, or give it an executor'
)
_STARTING = threading.Lock()


class ThisProcess(Executor):
    """Runs each job where it is submitted, one after the other. No processes, no pickling."""

    _max_workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Process(SpawnProcess):
    """A process whose BLAS has one thread, for a core a worker is all there is."""

    def start(self) -> None:
        with _STARTING, _environment(OF_A_WORKER):
            super().start()


class _Context(SpawnContext):
    """Knows the processes it has made."""

    def __init__(self) -> None:
        self.started: list[_Process] = []

    def Process(self, *args: Any, **kwargs: Any) -> _Process:  # type: ignore[override]
        self.started.append(_Process(*args, **kwargs))
        return self.started[-1]


class Pool(ProcessPoolExecutor):
    """Fresh processes, each with one BLAS thread, that end with the process that made them."""

    def __init__(self, workers: int) -> None:
        # What multiprocessing itself goes by; it says so later, and of each process apart.
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise RuntimeError(NO_GUARD)
        self.workers, self._context = workers, _Context()
        super().__init__(workers, self._context, _settle)

    def stop(self) -> None:
        """End every worker, whatever it does."""
        for process in self._context.started:
            if process.pid is not None:
                process.terminate()
        self.shutdown(cancel_futures=True)


def cores() -> int:
    """The cores that this process may use."""
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def _settle() -> None:
    """In a worker: an interrupt is left to the one who waits for the results; if that one is
    killed, there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """What a process that starts now finds in its environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(eq=False)
class Jobs(Generic[Item, Output]):
    """Chunks of items on an executor, their results as they finish.

    work(chunk, attempt) -> results of the chunk; lost(item, why) -> the results of an item that
    could not be run: its worker died every time, or the executor takes no more. What was under
    way when a worker died is tried again item by item, one at a time, so that an item which kills
    its worker takes no other with it. A `Pool` that broke is replaced, and stopped at the end.
    """

    work: Callable[[Chunk[Item], int], list[Output]]
    lost: Callable[[Item, str], list[Output]]
    executor: Executor
    running: dict[Future[list[Output]], Chunk[Item]] = field(default_factory=dict)
    suspects: deque[Item] = field(default_factory=deque)

    def results(self, chunks: Iterator[Chunk[Item]]) -> Iterator[Output]:
        """Run everything. Closed early, it cancels what has not begun."""
        try:
            more = True
            while more or self.running or self.suspects:
                yield from self._suspects()
                room = self._room()
                new = list(islice(chunks, room))
                more = len(new) == room
                for chunk in new:
                    self._submit(chunk)
                yield from self._finished()
        finally:
            self._close()

    def _room(self) -> int:
        return max(1, self._most() - len(self.running))

    def _most(self) -> int:
        size = getattr(self.executor, "_max_workers", None)
        return IN_FLIGHT if size is None else 2 * size

    def _submit(self, chunk: Chunk[Item]) -> None:
        try:
            self.running[self.executor.submit(self.work, chunk, 0)] = chunk
        except (BrokenExecutor, RuntimeError):
            self.suspects.extend(chunk)

    def _finished(self) -> Iterator[Output]:
        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in [f for f in self.running if f in done]:
            chunk = self.running.pop(future)
            found = _outcome(future)
            if isinstance(found, str):
                self.suspects.extend(chunk)
            else:
                yield from found

    def _suspects(self) -> Iterator[Output]:
        """What was lost, alone. Everything else under way ends first, for it may be lost too."""
        while self.suspects and self.running:
            yield from self._finished()
        if self.suspects:
            self._renew()
        while self.suspects:
            yield from self._alone(self.suspects.popleft())

    def _alone(self, item: Item) -> Iterator[Output]:
        found: list[Output] | str = ""
        for attempt in range(1, 1 + ATTEMPTS):
            try:
                found = _outcome(self.executor.submit(self.work, (item,), attempt))
            except (BrokenExecutor, RuntimeError) as error:
                found = _named(error)
            if not isinstance(found, str):
                break
            self._renew()
        yield from self.lost(item, found) if isinstance(found, str) else found

    def _renew(self) -> None:
        if isinstance(self.executor, Pool):
            self.executor.stop()
            self.executor = Pool(self.executor.workers)

    def _close(self) -> None:
        for future in self.running:
            future.cancel()
        if isinstance(self.executor, Pool):
            self.executor.stop()


def _outcome(future: Future[list[Output]]) -> list[Output] | str:
    """The results, or why there are none. `work` itself does not raise: what is raised here is
    the executor's."""
    try:
        return future.result()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a cancelled future's is no Exception
        return _named(error)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def chunked(
    items: Iterable[Item], cost: Callable[[Item], float], most: float
) -> Iterator[Chunk[Item]]:
    """Neighbouring items in chunks that cost about `most`, at least one item each."""
    chunk: list[Item] = []
    total = 0.0
    for item in items:
        chunk.append(item)
        total += cost(item)
        if total >= most:
            yield tuple(chunk)
            chunk, total = [], 0.0
    if chunk:
        yield tuple(chunk)
