"""A process that does what others ask of it: `python -m rnnviz.jobs.worker`.

Calls come by its standard input, outcomes leave by its standard output, pickled. It ends when the
one who asks has ended, whatever it is at.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any, BinaryIO

from rnnviz.jobs.workers import NotKnownHere

NICENESS = 10
"""How far it stands back behind the answers to visitors' hands, where a system knows that."""


def main() -> None:
    """One call after the other."""
    outcomes = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints is no outcome
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    asked = SimpleQueue[bytes]()
    threading.Thread(target=_hear, args=(sys.stdin.buffer, asked), daemon=True).start()
    while True:
        pickle.dump(outcome(asked.get()), outcomes)
        outcomes.flush()


def _hear(calls: BinaryIO, asked: SimpleQueue[bytes]) -> None:
    try:
        while True:
            asked.put(pickle.load(calls))
    except (EOFError, OSError):
        os._exit(0)


def outcome(call: bytes) -> bytes:
    """(True, what the function returned) or (False, what it raised), pickled."""
    try:
        function, args = pickle.loads(call)
    except Exception as error:
        return pickle.dumps((False, NotKnownHere(repr(error))))
    try:
        return pickle.dumps((True, function(*args)))
    except Exception as error:
        error.add_note(f"In a worker:\n{traceback.format_exc()}")
        return _failed(error)


def _failed(error: Exception) -> bytes:
    try:
        said = pickle.dumps((False, error))
        pickle.loads(said)  # some errors are pickled, but cannot be read back
    except Exception:
        return pickle.dumps((False, RuntimeError(*_said(error))))
    return said


def _said(error: Exception) -> list[Any]:
    return [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]


if __name__ == "__main__":
    main()
