"""What Ctrl-C may not cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole() -> Iterator[None]:
    """What is written within is written whole: an interrupt waits for its end. Where none would be
    raised, as in the background of a shell or in another thread, nothing is changed."""
    raised = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not raised or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
