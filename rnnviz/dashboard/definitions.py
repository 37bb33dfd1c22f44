"""Words with a definition, which is seen while the pointer or the keyboard's focus is on them.

A part of a page that runs by itself defines each word where it stands first in that part.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from rnnviz.wording.glossary import definition, first_places
from rnnviz.wording.lists import names, sentences, text_width
from rnnviz.wording.markup import LITERAL
from rnnviz.wording.texts import say

OPEN, SHUT = "\x02", "\x03"
"""Around a word that is defined, while its text is turned into HTML."""
MARKED = re.compile(rf"{OPEN}(\d){OPEN}(.*?){SHUT}", re.DOTALL)
LINE = 138
"""Characters of a sentence under a figure that one line holds."""


@dataclass
class Known:
    """What a part of a page has said so far. defined: terms, in their order; waiting: words of its
    figures that had no room under them."""

    defined: list[str] = field(default_factory=list)
    waiting: str = ""


_KNOWN: ContextVar[Known | None] = ContextVar("known", default=None)
"""None where nothing is defined."""


@contextmanager
def afresh(defined: Sequence[str] = ()) -> Iterator[None]:
    """A part of the page in which no word is defined yet but these."""
    token = _KNOWN.set(Known(list(defined)))
    try:
        yield
    finally:
        _KNOWN.reset(token)


def so_far() -> tuple[str, ...]:
    """What is defined on this part of the page."""
    known = _KNOWN.get()
    return tuple(known.defined) if known else ()


def with_words(said: str, written: str) -> str:
    """A sentence under a figure and, after it, the words of what is `written` in the figure that
    are neither defined yet nor in the sentence. Where they would make another line, which moves
    what stands below, they wait for the next sentence."""
    if (known := _KNOWN.get()) is None:
        return said
    written = f"{known.waiting}\n{written}"
    here = [place.term for place in first_places(said, known.defined)]
    places = first_places(written, known.defined + here)
    words = [written[start:stop].partition("_")[0] for start, stop, _ in places]
    known.waiting = "\n".join(words)
    if not words:
        return said
    longer = sentences([said, say("glossary", "words", words=names(words))])
    return said if text_width(said) // LINE < text_width(longer) // LINE else longer


def mark(text: str) -> str:
    """The text with a mark around each word that is defined there: its number among the defined
    ones, which no later change of the text mistakes for a word."""
    if (known := _KNOWN.get()) is None:
        return text
    ours = LITERAL.sub(lambda name: " " * len(name[0]), text)
    for start, stop, term in reversed(first_places(ours, known.defined)):
        number = len(known.defined)
        text = f"{text[:start]}{OPEN}{number}{OPEN}{text[start:stop]}{SHUT}{text[stop:]}"
        known.defined.append(term)
    return text


def as_html(text: str) -> str:
    """Each mark as an element that the Tab key and a finger reach; page.css shows its
    definition."""
    return MARKED.sub(lambda found: _element(int(found[1]), found[2]), text)


def _element(number: int, word: str) -> str:
    known = _KNOWN.get() or Known()
    means = html.escape(definition(known.defined[number]))
    return f'<dfn class="rnnviz-term" tabindex="0" aria-description="{means}">{word}</dfn>'
