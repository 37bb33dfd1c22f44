"""Answers to knobs are made one after the other in the server's interpreter. What waits for that
is lent to a worker that has nothing to do.

Python runs one thread at a time: of two answers that were made here at once, each would wait for
the other at every small step of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import ParamSpec, TypeVar

from rnnviz.dashboard import jobs
from rnnviz.jobs.workers import NotKnownHere, WorkerLost

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(eq=False)
class Turn:
    """Of one answer. interpreter: held by the one that is made in it; mine: whether that is this
    one. checked: whether what is lent is to be checked, too."""

    interpreter: Lock
    checked: bool
    mine: bool = False

    def take(self, wait: bool = True) -> bool:
        """Make it here from now on; tells whether that is so."""
        self.mine = self.mine or self.interpreter.acquire(blocking=wait)
        return self.mine

    def end(self) -> None:
        if self.mine:
            self.interpreter.release()


_TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def answering(interpreter: Lock, checked: bool) -> Iterator[None]:
    """While an answer is made: see `Turn`."""
    turn = Turn(interpreter, checked)
    if not turn.take(wait=False) and not ((workers := jobs.workers()) and workers.idle):
        turn.take()
    token = _TURN.set(turn)
    try:
        with jobs.turns().answer():
            yield
    finally:
        _TURN.reset(token)
        turn.end()


def is_checked() -> bool:
    """Whether what is lent is to be checked, too."""
    turn = _TURN.get()
    return turn is not None and turn.checked


def here() -> None:
    """What comes now is made here, when the turn has come for it."""
    if turn := _TURN.get():
        turn.take()


def lent(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """What a worker returns; None where it is to be made here, now."""
    turn = _TURN.get()
    if turn is None or turn.mine:
        return None
    if (workers := jobs.workers()) and workers.idle:
        with suppress(NotKnownHere, WorkerLost):
            found: R = workers.do(function, *args, tell=jobs.give_way)
            return found
    here()
    return None
