"""How far a long command is, as one line of a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

BAR = 30
INTERRUPTED = 130
"""Exit status of a command that was interrupted."""


def say(text: str) -> None:
    """Write to standard output at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


class Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, done: int, total: int, out: TextIO, what: str = "runs") -> None:
        self.done, self.total, self.out, self.failed, self.what = done, total, out, 0, what
        self._begin, self._first, self._shown = time.monotonic(), done, 0.0
        self._every = 0.2 if out.isatty() else 10.0
        if done:
            out.write(f"{done:,} of {total:,} {what} are there already\n")

    def tell(self, message: str) -> None:
        """One more result."""
        self.done += 1
        self.failed += bool(message)
        now = time.monotonic()
        if now - self._shown > self._every or self.done == self.total:
            self._shown = now
            self._write(now)

    def end(self, said: str) -> None:
        self.out.write(f"\n{said}\n")

    def _write(self, now: float) -> None:
        left = (now - self._begin) / (self.done - self._first) * (self.total - self.done)
        bar = "#" * (BAR * self.done // self.total)
        start, stop = ("\r", "") if self.out.isatty() else ("", "\n")
        self.out.write(f"{start}[{bar:.<{BAR}}] {self.done:,} of {self.total:,} {self.what}, "
                       f"about {left:.0f} s left   {stop}")  # fmt: skip
        self.out.flush()
