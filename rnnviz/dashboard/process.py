"""What the server asks of the process it is: many open files, and a clean end."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import Any

from rnnviz.wording.texts import fill, texts

FILES = 16_384
"""Open files to ask for: a connected visitor takes 4 of them."""
FILES_OF_A_VISITOR = 4


def allow_many_files() -> None:
    """Raise the limit on open files as far as the system lets a process do so by itself, and say
    how far that is if it falls short. Windows has no such limit."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FILES:
        return
    allowed = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):  # below what is said to be allowed, as on macOS
        allowed = soft
    if allowed < FILES:
        said = fill(
            texts("server")["few_files"],
            files=f"{allowed:,}",
            visitors=f"{allowed // FILES_OF_A_VISITOR:,}",
        )
        logging.getLogger(__name__).warning("%s", said)


def end_on_signals() -> None:
    """Let Ctrl-C and SIGTERM end the server with exit status 0.

    uvicorn ends in good order at either, but then raises the signal once more: Streamlit says
    "Aborted!" and the status is that of a failure. A second signal is left to uvicorn, which then
    waits for nothing. Under another server, or away from the main thread, nothing is changed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        server = getattr(before, "__self__", None)
        if hasattr(server, "should_exit"):
            signal.signal(number, _ends(server, before))


def _ends(server: Any, before: Any) -> Any:
    def end(number: int, frame: FrameType | None) -> None:
        if server.should_exit:
            before(number, frame)
        server.should_exit = True

    return end
