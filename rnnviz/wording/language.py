"""The language that things are said in.

It belongs to the thread that says them, never to the process: one server speaks to a hall.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
FOLDER = Path(__file__).parent
ENGLISH = "en"
PSEUDO = "xx"
"""English in brackets and longer: for tests, which see what is not said through `texts`, and what
has no room for a longer language. No page offers it."""
OFFERED = tuple(sorted(path.name for path in FOLDER.iterdir() if (path / "layout.md").exists()))
"""What a link may ask for: every language that has a folder here."""

LONGEST = 400
"""Characters of a browser's header that are read."""
QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)")

_LANGUAGE = ContextVar("language", default=ENGLISH)


def language() -> str:
    """What is spoken in this thread: English unless `speak` has said otherwise."""
    return _LANGUAGE.get()


def preferred(accepted: str) -> str:
    """The language that a browser likes best of those that are here: English if it names none.
    accepted: its Accept-Language header, such as "zh-CN,zh;q=0.9,en;q=0.8"."""
    liked = []
    for place, part in enumerate(accepted[:LONGEST].split(",")):
        tag, _, quality = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in OFFERED and (weight := _weight(quality)) > 0:
            liked.append((-weight, place, name))
    return min(liked)[2] if liked else ENGLISH


def _weight(quality: str) -> float:
    """1 where a browser names none, or nonsense."""
    number = QUALITY.fullmatch(quality.replace(" ", ""))
    return float(number[1]) if number else 1.0


def speak_in(name: str, say: Callable[[], T]) -> T:
    """What `say` gives in a language; what is spoken before and after stays what it is. Raises
    ValueError for a language that is not here."""
    token = _LANGUAGE.set(_known(name))
    try:
        return say()
    finally:
        _LANGUAGE.reset(token)


def speak(name: str) -> None:
    """Let this thread speak a language from now on. Only the dashboard does, for each visit."""
    _LANGUAGE.set(_known(name))


def _known(name: str) -> str:
    if name not in (*OFFERED, PSEUDO):
        raise ValueError(f"language must be one of {', '.join(OFFERED)}, got {name!r}")
    return name
