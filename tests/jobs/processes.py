"""Whether a process lives, by its id."""

from __future__ import annotations

import time
from pathlib import Path

LONG = 60.0
"""Seconds after which a test gives up."""


def ends(pid: int) -> bool:
    """Whether the process has ended, or does so before long."""
    end = time.monotonic() + LONG
    while _alive(pid):
        if time.monotonic() > end:
            return False
    return True


def _alive(pid: int) -> bool:
    """Whether it runs; one that has ended but was not yet asked for its status does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
