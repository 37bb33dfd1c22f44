"""Long work in the server's own process takes turns, and lets a moving knob go first.

Python runs one thread at a time: ten visitors with work in slices would leave a tenth of it to an
eleventh who drags. So one slice is worked on at a time, whoever asked first, and none begins while
the live route makes an answer. That holds no slice up for more than a moment: in a hall where some
knob always moves, the work goes on. What workers do needs none of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

LOOK = 0.05
"""Seconds between two questions whether anybody still waits for the work."""
MOMENT = 0.25
"""Seconds that a slice waits for answers, at most."""


class Turns:
    """Of all visitors. moment: see `MOMENT`."""

    def __init__(self, moment: float = MOMENT) -> None:
        self.moment = moment
        self._changed = Condition()
        self._line: deque[object] = deque()
        self._answers = 0

    @contextmanager
    def answer(self) -> Iterator[None]:
        """While an answer is made; no slice begins."""
        with self._changed:
            self._answers += 1
        try:
            yield
        finally:
            with self._changed:
                self._answers -= 1
                self._changed.notify_all()

    @contextmanager
    def slice(self, tell: Callable[[], None] = lambda: None) -> Iterator[None]:
        """While a slice is worked on. tell: called now and then while it waits for its turn; what
        it raises ends the waiting."""
        mine = object()
        with self._changed:
            self._line.append(mine)
        try:
            while not self._is_first(mine):
                tell()
            with self._changed:
                self._changed.wait_for(lambda: not self._answers, self.moment)
            yield
        finally:
            with self._changed:
                self._line.remove(mine)
                self._changed.notify_all()

    def _is_first(self, mine: object) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._line[0] is mine, LOOK)
