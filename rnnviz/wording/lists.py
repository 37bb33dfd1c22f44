"""How names, parts and sentences follow each other in the language that is spoken, and how much
room they take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import reduce

from rnnviz.wording.texts import say

COMMA = re.compile("[,，、]")
BETWEEN = re.compile(r"[\s,;，；、]+")


def names(parts: Iterable[str]) -> str:
    """RNN, LSTM, GRU. Where a part has commas of its own: RNN; LSTM, forget bias 0."""
    every = list(parts)
    return _joined("parts" if any(map(COMMA.search, every)) else "names", every)


def names_and(parts: Iterable[str]) -> str:
    """RNN, LSTM and GRU."""
    *some, last = parts
    return say("names", "names_and", names=_joined("names", some), last=last) if some else last


def listed(parts: Iterable[str]) -> str:
    """LSTM, forget bias 0."""
    return _joined("clauses", parts)


def clauses(parts: Iterable[str], named: Iterable[str] | None = None) -> str:
    """Parts of a sentence; with semicolons where one of them, or of the names in them, has commas
    of its own."""
    every = list(parts)
    commas = any(map(COMMA.search, every if named is None else named))
    return _joined("parts" if commas else "clauses", every)


def sentence(said: str) -> str:
    """With its full stop."""
    return say("lists", "sentence", said=said)


def apart(parts: Iterable[str]) -> str:
    """One thing; another thing."""
    return _joined("parts", parts)


def sentences(parts: Iterable[str]) -> str:
    """One sentence after the other; what is empty is left out."""
    return _joined("sentences", filter(None, parts))


def said_of(name: str, said: str) -> str:
    """LSTM: what is said of it."""
    return say("lists", "said_of", name=name, said=said)


def typed(text: str) -> list[str]:
    """The parts of a list as a visitor types it, with the commas of any keyboard."""
    return list(filter(None, BETWEEN.split(text)))


def text_width(text: str) -> int:
    """How many Latin letters have the same room: a Chinese character takes that of two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def cut(text: str, most: int) -> str:
    """As much of a text as has the room of so many Latin letters, with … where some is left out."""
    if text_width(text) <= most:
        return text
    while text and text_width(text) > most - 1:
        text = text[:-1]
    return text + "…"


def shortened(text: str, most: int) -> str:
    """As `cut`, with … in the middle: names that begin alike differ at their ends."""
    if text_width(text) <= most:
        return text
    end, room = text, max(most - 1, 0)
    while text_width(end) > room // 2:
        end = end[1:]
    start = text
    while text_width(start) > room - text_width(end):
        start = start[:-1]
    return f"{start.rstrip()}…{end.lstrip()}"


def _joined(how: str, parts: Iterable[str]) -> str:
    every = list(parts)
    return reduce(lambda a, b: say("lists", how, before=a, after=b), every) if every else ""
