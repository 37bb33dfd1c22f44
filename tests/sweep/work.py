"""What workers are given to do: in a file of its own, so that they need not import pytest."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rnnviz.sweep.pool import THREADS

Chunk = tuple[Any, ...]


def square(chunk: Chunk, attempt: int) -> list[Any]:
    return [item * item for item in chunk]


def square_or_die(chunk: Chunk, attempt: int) -> list[Any]:
    """Item 3 kills its worker, always."""
    if 3 in chunk:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(chunk, attempt)


def square_or_die_once(chunk: Chunk, attempt: int) -> list[Any]:
    """The items are files; one that is not there is made, and its worker killed."""
    for name in chunk:
        if not Path(name).exists():
            Path(name).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return list(chunk)


def threads(chunk: Chunk, attempt: int) -> list[Any]:
    return [(os.getpid(), {name: os.environ.get(name) for name in THREADS}) for _ in chunk]


def lost(item: Any, why: str) -> list[Any]:
    return [(item, why)]


def ones(items: Iterable[Any]) -> Any:
    return iter([(item,) for item in items])
