"""How much memory the work of all visitors may take, and what is kept of it for the next one."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from threading import Condition, local
from typing import Any

from rnnviz.core.bptt import Tell
from rnnviz.wording.texts import fill, texts

VARIABLE, DEFAULT = "RNNVIZ_MEMORY", 1024
"""The setting, in MB of 2^20 bytes: for work that goes on and runs that are kept."""
PULSE = 0.2
"""Seconds between two looks at whether a visitor who waits is still there."""
PATIENCE = 20.0
"""Seconds that anybody waits at most."""


class Crowded(ValueError):
    """Why there was no room, in a sentence."""


class Memory:
    """Room for the work of all visitors and for its results, in bytes. One object a process.

    runs, seconds, refused: how much work there was since the start, how long it took, and for how
    much there was no room.
    Results are kept while there is room, the longest unused is the first to go. Work that does not
    fit beside other work waits for it.
    """

    def __init__(self, ceiling: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.ceiling = ceiling
        self._clock, self._changed, self._mine = clock, Condition(), local()
        self._working = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._keeps = 0
        self._making = set[Hashable]()
        self.runs, self.seconds, self.refused = 0, 0.0, 0

    @property
    def used(self) -> int:
        """Bytes of work that goes on and of what is kept."""
        return self._working + self._keeps

    def holds(self, key: Hashable) -> bool:
        return key in self._kept

    def is_free(self, size: int) -> bool:
        """Whether work of that size would begin at once."""
        return self._working + size <= self.ceiling

    def clear(self) -> None:
        with self._changed:
            self._kept.clear()
            self._keeps = 0
            self._changed.notify_all()

    def get(
        self,
        key: Hashable,
        make: Callable[[], Any],
        size: int,
        kept: int | Callable[[Any], int],
        tell: Tell,
    ) -> Any:
        """The result that is kept under `key`, or else what `make` makes, which is kept from then
        on. Who asks for the same meanwhile waits for it. size: bytes while it is made, 0 where it
        asks for room itself; kept: bytes of the result. `tell` is called while anybody waits.
        Raises Crowded where no room comes free in time, and what `make` and `tell` raise."""
        self._wait(lambda: key in self._kept or key not in self._making, tell)
        with self._changed:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            first = key not in self._making
            self._making.add(key)
        if not first:  # another one was quicker
            return self.get(key, make, size, kept, tell)
        try:
            with self.room(size, tell) if size else nullcontext():
                made = make()
            self._keep(key, made, kept if isinstance(kept, int) else kept(made))
        finally:
            with self._changed:
                self._making.discard(key)
                self._changed.notify_all()
        return made

    @contextmanager
    def room(self, size: int, tell: Tell) -> Iterator[None]:
        """Work of that size. Who is at work already does not wait for more room: two who did
        would wait for each other.
        Raises Crowded where no room comes free in time or there is not so much at all."""
        depth = getattr(self._mine, "depth", 0)
        if size > self.ceiling:
            self._refuse()
            sizes = {"size": f"{size / 2**20:,.0f}", "ceiling": f"{self.ceiling / 2**20:,.0f}"}
            raise Crowded(fill(texts("server")["too_large"], **sizes))
        self._wait(lambda: self._take(size, at_once=depth > 0), tell)
        self._mine.depth, begun = depth + 1, self._clock()
        try:
            yield
        finally:
            self._mine.depth = depth
            with self._changed:
                self._working -= size
                if not depth:  # the time of a part is in that of the whole
                    self.runs, self.seconds = self.runs + 1, self.seconds + self._clock() - begun
                self._changed.notify_all()

    def _take(self, size: int, at_once: bool) -> bool:
        if not (at_once or self.is_free(size)):
            return False
        self._make_room(size)
        self._working += size
        return True

    def _keep(self, key: Hashable, made: Any, size: int) -> None:
        with self._changed:
            if self.is_free(size):
                self._make_room(size)
                self._kept[key] = made, size
                self._keeps += size

    def _make_room(self, size: int) -> None:
        while self._kept and self.used + size > self.ceiling:
            _, (_, size_kept) = self._kept.popitem(last=False)
            self._keeps -= size_kept

    def _refuse(self) -> None:
        with self._changed:
            self.refused += 1

    def _wait(self, ready: Callable[[], bool], tell: Tell) -> None:
        """Until `ready`, which is asked with nobody else at this object."""
        end = self._clock() + PATIENCE
        while True:
            with self._changed:
                if ready():
                    return
                self._changed.wait(PULSE)
            if self._clock() > end:
                self._refuse()
                raise Crowded(texts("server")["crowded"])
            tell()


def ceiling(environment: Mapping[str, str] = os.environ) -> int:
    """Bytes, by the setting. Raises ValueError naming it where it is no number of MB."""
    given = environment.get(VARIABLE, str(DEFAULT))
    if not given.isascii() or not given.isdigit() or not int(given):
        raise ValueError(fill(texts("server")["bad_memory"], name=VARIABLE, value=repr(given)))
    return int(given) << 20
