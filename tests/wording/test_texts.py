"""Every text that a page asks for is there, and every text that is there is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rnnviz.dashboard
import rnnviz.views
from rnnviz.core import CELLS
from rnnviz.dashboard.lessons import LESSONS
from rnnviz.views.gradient_flow import QUANTITIES
from rnnviz.wording.texts import FOLDER, fill, texts

DASHBOARD = Path(rnnviz.dashboard.__file__).parent
VIEWS = Path(rnnviz.views.__file__).parent
PAGES = DASHBOARD / "pages"
SHARED = ["layout", "own_text", "server", "sidebar"]
"""Texts that are of no page alone."""
NAMES = sorted([*(path.stem for path in PAGES.glob("[a-z]*.py")), *SHARED])


def source_of(name: str) -> str:
    """The page's source, and that of every other file that reads the page's texts."""
    readers = (*DASHBOARD.rglob("*.py"), *VIEWS.rglob("*.py"))
    files = {path: path.read_text("utf-8") for path in readers}
    own = PAGES / f"{name}.py"
    return "\n".join(t for path, t in files.items() if path == own or f'texts("{name}")' in t)


def asked(name: str) -> set[str]:
    """The sections that the source names."""
    source = source_of(name)
    plain = set(re.findall(r'text(?:s\("\w+"\))?\[\s*"(\w+)"\s*\]', source))
    if name == "gradient_flow":
        plain |= {f"how_to_read_{quantity}" for quantity in QUANTITIES}
    return plain


@pytest.mark.parametrize("name", NAMES)
def test_a_page_s_texts_are_those_it_asks_for(name: str) -> None:
    there, source = set(texts(name)), source_of(name)
    assert asked(name) <= there
    quoted = set(re.findall(r'"(\w+)"', source))
    built = tuple(re.findall(r'f"(\w+)\{', source))
    assert [text for text in there - asked(name) - quoted if not text.startswith(built)] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_no_text_is_empty(path: Path) -> None:
    assert all(body for body in texts(path.stem).values())


def test_every_lesson_has_its_title_and_its_sentence() -> None:
    assert set(texts("lessons")) == {*LESSONS, *(f"title_{name}" for name in LESSONS)}


def test_every_cell_has_its_equations_and_every_part_is_used() -> None:
    around = {"cell", "skip", "layers", "directions_final", "directions_aligned", "context"}
    assert set(texts("equations")) == {*CELLS, *around}


def test_fill_names_what_is_missing() -> None:
    with pytest.raises(KeyError, match="GH"):
        fill("[[H]] of [[GH]]", H=3)
