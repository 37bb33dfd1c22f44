"""What the library says in English, in the language that is spoken.

Tasks, links and errors have sentences of their own, which know nothing of a page. A page that
shows one looks it up here: `en/library.md` has the sentences as the library says them, with
[[values]], and each language has what they mean. A sentence that is not there stays English.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from functools import cache

from rnnviz.wording.language import ENGLISH, language, speak_in
from rnnviz.wording.lists import apart, sentences
from rnnviz.wording.texts import LIBRARY, fill, texts

END = r"(?=[\s;]|\Z)"
VALUE = r"(?:(?!\. ).)+?"
"""Within one sentence."""
PART = "part_"
"""Begins the names of what stands within a sentence alone."""


def translated(said: str) -> str:
    """Sentences of the library, each in the language that is spoken; other text as it is."""
    if language() == ENGLISH or not said:
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


def _begins(said: str) -> tuple[str, re.Match[str] | None]:
    """The sentence that a text begins with: the longest."""
    matches = [(name, pattern.match(said)) for name, (pattern, _) in _patterns().items()]
    known = [(name, match) for name, match in matches if match and not name.startswith(PART)]
    return max(known, key=lambda each: each[1].end(), default=("", None))


def _filled(name: str, match: re.Match[str]) -> str:
    values = {key: _part(value) for key, value in match.groupdict().items()}
    return fill(texts(LIBRARY)[name], **values)


def _part(value: str) -> str:
    """A value, itself in other words if it has any."""
    for name, (_, pattern) in _patterns().items():
        if match := pattern.fullmatch(value):
            return _filled(name, match)
    return value


@cache
def _patterns() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """Name -> what a sentence looks like at the beginning of a text, and by itself."""
    english = speak_in(ENGLISH, lambda: dict(texts(LIBRARY)))
    return {name: (_pattern(text, END), _pattern(text, "")) for name, text in english.items()}


def _pattern(text: str, end: str) -> re.Pattern[str]:
    """What ends with a value goes on to the end of the text."""
    pieces = re.split(r"\[\[(\w+)\]\]", text)
    fixed, named = map(re.escape, pieces[::2]), [f"(?P<{name}>{VALUE})" for name in pieces[1::2]]
    parts = itertools.zip_longest(fixed, named, fillvalue="")
    return re.compile("".join(itertools.chain(*parts)) + (end if pieces[-1] else r"\Z"))
