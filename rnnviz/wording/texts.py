"""What the pages say: Markdown files, one a page, one section a text, in a folder a language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from rnnviz.wording.language import ENGLISH, FOLDER, OFFERED, PSEUDO, language

SAMPLES, TERMS, LISTS = "samples", "terms", "lists"
"""Texts to learn from; how the words that are defined are spelled; what stands between words."""
LIBRARY = "library"
DATA = SAMPLES, TERMS, LISTS
"""They stay what they are in the pseudo-locale."""
LONGER = 0.4
FILLER = " xxxxx"
VALUE = re.compile(r"\$[^$]*\$|\[\[(\w+)\]\]")
"""A formula, whose values are its own, or a value."""
FORMULA = re.compile(r"\$\$|\[\[\w+\]\]\Z")


def texts(page: str) -> Mapping[str, str]:
    """Section name -> Markdown, in the language that is spoken. A section begins with a line
    "# name". What a language does not have is said in English."""
    return _texts(page, language())


def own_name(language: str) -> str:
    """What a language calls itself."""
    return _texts("layout", language)["language"]


def in_all(page: str, name: str) -> tuple[str, ...]:
    """A text in every language that is here."""
    return tuple(_texts(page, language)[name] for language in OFFERED)


@cache
def _texts(page: str, name: str) -> Mapping[str, str]:
    english = _read(page, ENGLISH)
    if name == PSEUDO:
        longer = english if page in DATA else {k: pseudo(text) for k, text in english.items()}
        return MappingProxyType(longer)
    return MappingProxyType(english if name == ENGLISH else {**english, **_read(page, name)})


def _read(page: str, name: str) -> dict[str, str]:
    path = FOLDER / name / f"{page}.md"
    content = path.read_text("utf-8") if name == ENGLISH or path.exists() else ""
    parts = re.split(r"^# (\w+)\n", content, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def fill(text: str, **values: object) -> str:
    """Replace [[name]] by its value."""
    return re.sub(r"\[\[(\w+)\]\]", lambda match: str(values[match[1]]), text)


def say(page: str, name: str, /, **values: object) -> str:
    """The text of that name, its [[values]] filled in."""
    text = texts(page)[name]
    return fill(text, **values) if values else text


def pseudo(text: str) -> str:
    """Every paragraph in ⟦ ⟧ and longer. Formulas stay as they are, and what is filled in stands
    outside of the brackets: it has its own if it is a text."""
    return "\n\n".join(map(_longer, text.split("\n\n")))


def _longer(block: str) -> str:
    if FORMULA.match(block):
        return block
    more = max(2, round(LONGER * len(block)))
    opened = VALUE.sub(lambda found: f"⟧{found[0]}⟦" if found[1] else found[0], block)
    return f"⟦{opened}{(FILLER * more)[:more].rstrip()}⟧".replace("⟦⟧", "")
