"""Processes that work for all visitors, so that long work leaves the interpreter that answers.

Each call goes to a process of its own that is free, whoever asked first. Nothing is lost with a
process: what it was at is tried once more in another.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnviz.sweep.pool import OF_A_WORKER

LOOK = 0.05
"""Seconds between two questions whether anybody still waits for the work."""
GRACE = 1.0
"""Seconds that work goes on for nobody, before its process is ended."""
TRIES = 2
PATH = str(Path(__file__).parents[2])


class WorkerLost(RuntimeError):
    """The processes that did this ended, every time."""


class NotKnownHere(Exception):
    """A call is of what a worker does not know, such as a cell that this process has registered."""


@dataclass(eq=False)
class Call:
    """A function and its arguments, pickled; its outcome, once it is done. process: who is at it;
    left: nobody waits for it any more."""

    asked: bytes
    done: threading.Event = field(default_factory=threading.Event)
    succeeded: bool = False
    outcome: Any = None
    process: subprocess.Popen[bytes] | None = None
    tries: int = 0
    left: bool = False

    def end(self, succeeded: bool, outcome: Any) -> None:
        self.succeeded, self.outcome, self.process = succeeded, outcome, None
        self.done.set()


class Workers:
    """So many processes; they begin at once, and end with this one.

    count, grace: see `GRACE`. deaths: how many processes have ended before their work.
    """

    def __init__(self, count: int, grace: float = GRACE) -> None:
        self.count, self.grace, self.deaths = count, grace, 0
        self._changed = threading.Condition()
        self._line = deque[Call]()
        self._free, self._stopped = count, False
        for _ in range(count):
            threading.Thread(target=self._serve, name="worker", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Calls that no process has taken up."""
        return len(self._line)

    @property
    def idle(self) -> int:
        """Processes that would take up a call at once."""
        return max(0, self._free - len(self._line))

    def do(self, function: Callable[..., Any], *args: Any,
           tell: Callable[[], None] = lambda: None) -> Any:  # fmt: skip
        """What `function(*args)` returns, or raise what it raises; see `begin` and `result`."""
        return self.result(self.begin(function, *args), tell)

    def begin(self, function: Callable[..., Any], *args: Any) -> Call:
        """Let it be worked on. Everything must be picklable."""
        call = Call(pickle.dumps((function, args)))
        with self._changed:
            self._line.append(call)
            self._changed.notify()
        return call

    def result(self, call: Call, tell: Callable[[], None] = lambda: None) -> Any:
        """Wait for it. `tell` is called now and then; what it raises ends the waiting, and soon
        the work. Raises WorkerLost where two processes have ended at it, NotKnownHere where they do
        not know what it is of."""
        try:
            while not call.done.wait(LOOK):
                tell()
        except BaseException:
            self._leave(call)
            raise
        if not call.succeeded:
            raise call.outcome
        return call.outcome

    def stop(self) -> None:
        """End every process, whatever it does; calls that wait are never done."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _leave(self, call: Call) -> None:
        with self._changed:
            call.left = True
            if call in self._line:
                self._line.remove(call)
        if not call.done.is_set():
            ends = threading.Timer(self.grace, _kill, (call,))
            ends.daemon = True
            ends.start()

    def _next(self) -> Call | None:
        """None when there is nothing more to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._stopped)
            self._free -= 1
            return None if self._stopped else self._line.popleft()

    def _serve(self) -> None:
        """The life of one process, and of those that take its place."""
        process = _started()
        while (call := self._next()) is not None:
            try:
                process = process or start()
                call.end(*_answer(process, call))
            except Exception as error:
                _end(process)
                process = None
                self._lost(call, error)
            with self._changed:
                self._free += 1
        _end(process)

    def _lost(self, call: Call, error: Exception) -> None:
        call.process, call.tries = None, call.tries + 1
        with self._changed:
            if call.left:
                return
            self.deaths += 1
            if call.tries < TRIES:
                self._line.appendleft(call)
                self._changed.notify()
                return
        lost = WorkerLost(f"the work was tried {TRIES} times, and its process ended each time")
        lost.__cause__ = error
        call.end(False, lost)


def start() -> subprocess.Popen[bytes]:
    """A process whose BLAS has one thread: for a core it is all there is."""
    path = os.pathsep.join(filter(None, (PATH, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, **OF_A_WORKER, "PYTHONPATH": path}
    command = [sys.executable, "-m", "rnnviz.jobs.worker"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)


def _started() -> subprocess.Popen[bytes] | None:
    """None where the system makes no process now: the first call tries again, and is told why."""
    with suppress(OSError):
        return start()
    return None


def _answer(process: subprocess.Popen[bytes], call: Call) -> tuple[bool, Any]:
    """Raises EOFError or OSError where the process ends."""
    calls, outcomes = process.stdin, process.stdout
    assert calls is not None
    assert outcomes is not None
    call.process = process
    pickle.dump(call.asked, calls)
    calls.flush()
    succeeded, outcome = pickle.loads(pickle.load(outcomes))
    return succeeded, outcome


def _kill(call: Call) -> None:
    """End the process that is still at it."""
    if (process := call.process) is not None:
        process.kill()


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.communicate()
