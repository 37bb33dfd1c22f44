"""What the library says in English, in the language that is spoken.

Tasks, links and errors have sentences of their own, which know nothing of a page. A page that
shows one looks it up here: `en/library.md` has the sentences as the library says them, with
[[values]], and each language has what they mean. A sentence that is not there stays English.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from rnnviz.wording.lists import apart, said_of, sentences
from rnnviz.wording.texts import ENGLISH, LIBRARY, fill, language, speak_in, texts

END = r"(?=[\s;]|\Z)"
VALUE = r"(?:(?!\. ).)+?"
"""Within one sentence."""
PART = "part_"
"""Begins the names of what stands within a sentence alone."""
ERROR = "error"
"""The name of a value that is what another library says: it stays as it is, whatever is in it."""

LONGEST = 2500
"""Characters. What is longer is a stranger's for the most part, and would be searched for long."""


def translated(said: str) -> str:
    """Sentences of the library, each in the language that is spoken; other text as it is."""
    if language() == ENGLISH or not 0 < len(said) <= LONGEST:
        return said
    done, rest, join = "", said.strip(), sentences
    while rest:
        name, match = _begins(rest)
        if match is None:
            one, dot, rest = rest.partition(". ")
            one += dot.strip()
        else:
            one, rest = _filled(name, match), rest[match.end() :]
        done = join(filter(None, (done, one)))
        join = apart if rest.startswith(";") else sentences
        rest = rest.lstrip("; ")
    return done


def note_words(said: str) -> str:
    """A note of the library, the name of what it is of before it or not: "encoder.rnn: ..."."""
    name, _, of_it = said.partition(": ")
    known = translated(of_it)
    return translated(said) if known == of_it else said_of(name, known)


def _begins(said: str) -> tuple[str, re.Match[str] | None]:
    """The sentence that a text begins with: the longest."""
    likely = [(name, each) for name, each in _sentences().items() if each.fixed in said]
    matches = [(name, each.first.match(said)) for name, each in likely]
    known = [(name, match) for name, match in matches if match and not name.startswith(PART)]
    return max(known, key=lambda each: each[1].end(), default=("", None))


def _filled(name: str, match: re.Match[str]) -> str:
    given = match.groupdict()
    values = {key: value if key == ERROR else _part(value) for key, value in given.items()}
    return fill(texts(LIBRARY)[name], **values)


def _part(value: str) -> str:
    """A value, itself in other words if it has any."""
    for name, each in _sentences().items():
        if each.fixed in value and (match := each.alone.fullmatch(value)):
            return _filled(name, match)
    return value


class Sentence(NamedTuple):
    """What it looks like at the beginning of a text, and alone. fixed: the longest of what stands
    between its values; whether a text has that is far sooner known than whether it matches."""

    fixed: str
    first: re.Pattern[str]
    alone: re.Pattern[str]


@cache
def _sentences() -> Mapping[str, Sentence]:
    """By name."""
    english = speak_in(ENGLISH, lambda: dict(texts(LIBRARY)))
    return {name: _sentence(text) for name, text in english.items()}


def _sentence(text: str) -> Sentence:
    pieces = re.split(r"\[\[(\w+)\]\]", text)
    return Sentence(max(pieces[::2], key=len), _pattern(pieces, END), _pattern(pieces, ""))


def _pattern(pieces: Sequence[str], end: str) -> re.Pattern[str]:
    """Of what is fixed and the names of values in turn. What ends with a value goes on to the end
    of the text."""
    any_of = {name: "(?s:.+?)" if name == ERROR else VALUE for name in pieces[1::2]}
    named = [f"(?P<{name}>{value})" for name, value in any_of.items()]
    parts = itertools.zip_longest(map(re.escape, pieces[::2]), named, fillvalue="")
    return re.compile("".join(itertools.chain(*parts)) + (end if pieces[-1] else r"\Z"))
