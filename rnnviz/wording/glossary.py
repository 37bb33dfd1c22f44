"""The words that a page defines, and where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from rnnviz.wording.texts import TERMS, language, texts

SUBSCRIPT = r"(?:_\w{1,2}\b)?"


class Place(NamedTuple):
    """Where a term stands in a text, and the term."""

    start: int
    stop: int
    term: str


def first_places(text: str, defined: Iterable[str] = ()) -> list[Place]:
    """Where each term that is not `defined` already stands first in a text, in the text's order.

    A symbol counts with its subscript, after a ∂ or by itself: the c of ∂c_T is one, the s of
    "the RNN's" is none.
    """
    skipped, places = set(defined), []
    for term, pattern in _patterns(language()):
        if term not in skipped and (match := pattern.search(text)):
            places.append(Place(*match.span(), term))
    return sorted(places)


def definition(term: str) -> str:
    """What a term means, in a few plain sentences."""
    return texts("glossary")[term]


@cache
def _patterns(_language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Term -> what it looks like in a text of the language that is spoken. In one that writes no
    spaces between words a term ends at any sign but a Latin letter."""
    return tuple((term, _pattern(forms)) for term, forms in texts(TERMS).items())


def _pattern(forms: str) -> re.Pattern[str]:
    if len(forms) == 1:
        return re.compile(rf"(?<![\w'’]){forms}{SUBSCRIPT}(?![\w'’′])", re.ASCII)
    return re.compile(rf"(?<!\w)(?:{forms})(?!\w)", re.ASCII)


def in_drawing(value: object) -> Iterator[str]:
    """What is written in a figure's layout: titles and annotations, subscripts as x_t."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "text" and isinstance(item, str):
                yield re.sub(r"<[^>]+>", "", item.replace("<sub>", "_"))
            else:
                yield from in_drawing(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from in_drawing(item)
