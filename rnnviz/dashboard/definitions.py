"""Words with a definition, which is seen while the pointer or the keyboard's focus is on them.

A part of a page that runs by itself defines each word where it stands first in that part.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rnnviz.wording.glossary import definition, first_places

OPEN, SHUT = "\x02", "\x03"
"""Around a word that is defined, while its text is turned into HTML."""
MARKED = re.compile(rf"{OPEN}(\d){OPEN}(.*?){SHUT}", re.DOTALL)
_DEFINED: ContextVar[list[str] | None] = ContextVar("defined", default=None)
"""The terms that this part of the page has defined so far; None where nothing is defined."""


@contextmanager
def afresh() -> Iterator[None]:
    """A part of the page in which no word is defined yet."""
    token = _DEFINED.set([])
    try:
        yield
    finally:
        _DEFINED.reset(token)


def missing(text: str, written: str) -> list[str]:
    """The words of what is `written` in a figure that are not defined yet and not in the text."""
    if (defined := _DEFINED.get()) is None:
        return []
    said = [place.term for place in first_places(text, defined)]
    return [_symbol(written[p.start : p.stop]) for p in first_places(written, defined + said)]


def _symbol(word: str) -> str:
    """Without its subscript: s for s_t."""
    return word.partition("_")[0]


def mark(text: str) -> str:
    """The text with a mark around each word that is defined there: its number among the defined
    ones, which no later change of the text mistakes for a word."""
    if (defined := _DEFINED.get()) is None:
        return text
    for start, stop, term in reversed(first_places(text, defined)):
        text = f"{text[:start]}{OPEN}{len(defined)}{OPEN}{text[start:stop]}{SHUT}{text[stop:]}"
        defined.append(term)
    return text


def as_html(text: str) -> str:
    """Each mark as an element that the Tab key and a finger reach; page.css shows its
    definition."""
    return MARKED.sub(lambda found: _element(int(found[1]), found[2]), text)


def _element(number: int, word: str) -> str:
    means = html.escape(definition((_DEFINED.get() or [])[number]))
    return f'<dfn class="rnnviz-term" tabindex="0" aria-description="{means}">{word}</dfn>'
