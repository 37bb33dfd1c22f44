"""Every text that a page asks for is there, and every text that is there is asked for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest

import rnnviz
from rnnviz.core import CELLS
from rnnviz.experiment.lessons import LESSONS
from rnnviz.wording.texts import (
    DATA,
    ENGLISH,
    FOLDER,
    OFFERED,
    PSEUDO,
    fill,
    language,
    pseudo,
    speak,
    texts,
)

ROOT = Path(rnnviz.__file__).parent
PAGES = ROOT / "dashboard" / "pages"
BY_NAME = {"chain", "chart", "equations", "fields", "flow_chain", "glossary", "lessons", "library",
           "lists", "names", "presets",
           "remarks", "samples", "scenes", "tasks", "terms", "trust"}  # fmt: skip
"""Texts that are asked for by the name of what they say something of, or by a script."""
PATHS = sorted((FOLDER / ENGLISH).glob("*.md"))
NAMES = sorted({path.stem for path in PATHS} - BY_NAME)


def source_of(name: str) -> str:
    """The page's source, and that of every other file that reads the page's texts."""
    files = {path: path.read_text("utf-8") for path in ROOT.rglob("*.py")}
    own, asks = PAGES / f"{name}.py", [f'texts("{name}")', f'say("{name}"']
    asks += ["import caption"] * (name == "plots")
    return "\n".join(t for path, t in files.items() if path == own or any(a in t for a in asks))


def asked(name: str) -> set[str]:
    """The sections that the source names."""
    source = source_of(name)
    return set(re.findall(rf'(?:texts\("{name}"\)\[|\bsay\("{name}",)\s*"(\w+)"', source))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_s_texts_are_those_it_asks_for(name: str) -> None:
    there, source = set(texts(name)), source_of(name)
    assert asked(name) <= there
    quoted = set(re.findall(r'["\'](\w+)["\']', source))
    built = tuple(re.findall(r'f["\'](\w+)\{', source))
    assert [text for text in there - asked(name) - quoted if not text.startswith(built)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_text_is_empty(path: Path) -> None:
    assert all(body for body in texts(path.stem).values())


def test_every_lesson_has_its_title_and_its_sentence() -> None:
    assert set(texts("lessons")) == {*LESSONS, *(f"title_{name}" for name in LESSONS)}


def test_every_cell_has_its_equations_and_every_part_is_used() -> None:
    around = {
        "cell",
        "skip",
        "layers",
        "directions_final",
        "directions_aligned",
        "context",
        "context_first",
    }
    assert set(texts("equations")) == {*CELLS, *around}


def test_fill_names_what_is_missing() -> None:
    with pytest.raises(KeyError, match="GH"):
        fill("[[H]] of [[GH]]", H=3)


def in_language(name: str, page: str) -> dict[str, str]:
    """The page's texts as a thread of its own has them."""

    def spoken() -> dict[str, str]:
        speak(name)
        return dict(texts(page))

    return copy_context().run(spoken)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_pseudo_locale_has_every_text_longer_and_with_its_values(path: Path) -> None:
    english, longer = in_language(ENGLISH, path.stem), in_language(PSEUDO, path.stem)
    assert longer.keys() == english.keys()
    for name, text in english.items():
        assert re.findall(r"\[\[\w+\]\]", longer[name]) == re.findall(r"\[\[\w+\]\]", text)
        assert ("⟦" in longer[name]) == (path.stem not in DATA)
        written = re.sub("[⟦⟧]", "", longer[name])
        assert 0 <= len(written) - len(text) <= 0.4 * len(text) + 2 * (1 + text.count("\n\n"))


def test_the_pseudo_locale_leaves_paragraphs_and_formulas() -> None:
    assert pseudo("Pin") == "⟦Pin x⟧"
    assert pseudo("[[n]] of $H = [[H]]$") == "[[n]]⟦ of $H = [[H]]$ xxxxx x⟧"
    assert pseudo("It **must** vanish:\n\n$$a = b$$\n\n[[forward]]\n\nor grow.") == (
        "⟦It **must** vanish: xxxxx x⟧\n\n$$a = b$$\n\n[[forward]]\n\n⟦or grow. xx⟧"
    )


def test_a_language_is_of_one_thread() -> None:
    before = copy_context()
    speak(PSEUDO)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(language).result() == ENGLISH
    assert (language(), before.run(language)) == (PSEUDO, ENGLISH)
    speak(ENGLISH)


def test_only_a_language_that_is_there_is_spoken() -> None:
    assert OFFERED == (ENGLISH, "zh")
    with pytest.raises(ValueError, match="language must be one of en, zh, got 'tlh'"):
        speak("tlh")
