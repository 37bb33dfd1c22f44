"""What the pages say: Markdown files, one a page, one section a text, in a folder a language.

The language that is spoken belongs to the thread that says things, never to the process: one server
speaks to a hall.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")
FOLDER = Path(__file__).parent
ENGLISH = "en"
PSEUDO = "xx"
"""English in brackets and longer: for tests, which see what is not said through `texts`, and what
has no room for a longer language. No page offers it."""
OFFERED = tuple(sorted(path.name for path in FOLDER.iterdir() if (path / "layout.md").exists()))
"""What a link may ask for: every language that has a folder here."""

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

LONGEST = 400
"""Characters of a browser's header that are read."""
QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)")

_LANGUAGE = ContextVar("language", default=ENGLISH)


def texts(page: str) -> Mapping[str, str]:
    """Section name -> Markdown, in the language that is spoken. A section begins with a line
    "# name". What a language does not have is said in English."""
    return _texts(page, language())


def say(page: str, name: str, /, **values: object) -> str:
    """The text of that name, its [[values]] filled in."""
    text = texts(page)[name]
    return fill(text, **values) if values else text


def caption(name: str, /, **values: object) -> str:
    """What stands in figures, of plots.md: titles, axes, labels, what is said under the pointer."""
    return say("plots", name, **values)


def fill(text: str, **values: object) -> str:
    """Replace [[name]] by its value."""
    return re.sub(r"\[\[(\w+)\]\]", lambda match: str(values[match[1]]), text)


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


def language() -> str:
    """What is spoken in this thread: English unless `speak` has said otherwise."""
    return _LANGUAGE.get()


def speak(name: str) -> None:
    """Let this thread speak a language from now on. Only the dashboard does, for each visit."""
    _LANGUAGE.set(_known(name))


def speak_in(name: str, say: Callable[[], T]) -> T:
    """What `say` gives in a language; what is spoken before and after stays what it is. Raises
    ValueError for a language that is not here."""
    token = _LANGUAGE.set(_known(name))
    try:
        return say()
    finally:
        _LANGUAGE.reset(token)


def _known(name: str) -> str:
    if name not in (*OFFERED, PSEUDO):
        raise ValueError(f"language must be one of {', '.join(OFFERED)}, got {name!r}")
    return name


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
