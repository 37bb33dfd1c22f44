"""The language that things are said in.

It belongs to the thread that says them, never to the process: one server speaks to a hall.
"""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

FOLDER = Path(__file__).parent
ENGLISH = "en"
PSEUDO = "xx"
"""English in brackets and longer: for tests, which see what is not said through `texts`, and what
has no room for a longer language. No page offers it."""
OFFERED = tuple(sorted(path.name for path in FOLDER.iterdir() if (path / "layout.md").exists()))
"""What a link may ask for: every language that has a folder here."""

_LANGUAGE = ContextVar("language", default=ENGLISH)


def language() -> str:
    """What is spoken in this thread: English unless `speak` has said otherwise."""
    return _LANGUAGE.get()


def speak(name: str) -> None:
    """Let this thread speak a language from now on. Only the dashboard does, for each visit."""
    if name not in (*OFFERED, PSEUDO):
        raise ValueError(f"language must be one of {', '.join(OFFERED)}, got {name!r}")
    _LANGUAGE.set(name)
