"""What a command says, which may find nobody: the work and its files matter more."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO, cast


class Output(io.TextIOBase):
    """A stream that goes on in silence where it cannot be written: a pipe that nobody reads any
    more, a full disk, or none at all. error: why, from then on."""

    def __init__(self, stream: TextIO | None) -> None:
        closed = OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._stream, self.error = stream, closed if stream is None else None

    def write(self, text: str) -> int:
        with self._in_silence():
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._in_silence():
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    @contextmanager
    def _in_silence(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error
            self._let_go()

    def _let_go(self) -> None:
        """What waits in the stream goes nowhere, or Python would try again when it ends."""
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            if self._stream is not None:
                os.dup2(nowhere.fileno(), self._stream.fileno())


@contextmanager
def heard_or_not() -> Iterator[Output]:
    """Standard output and error in whose place nothing fails while a command runs."""
    out, told = Output(sys.stdout), Output(sys.stderr)
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, told)):
        try:
            yield out
        finally:
            out.flush()
            told.flush()
