"""Every text that a page asks for is there, and every text that is there is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rnnviz.dashboard
from rnnviz.core import CELLS
from rnnviz.dashboard.pages.gradient_flow import QUANTITIES
from rnnviz.dashboard.texts import FOLDER, fill, texts

PAGES = Path(rnnviz.dashboard.__file__).parent / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("[a-z]*.py"))


def asked(name: str) -> set[str]:
    """The sections that a page's source names."""
    source = (PAGES / f"{name}.py").read_text("utf-8")
    plain = set(re.findall(r'text(?:s\("\w+"\))?\[\s*"(\w+)"\s*\]', source))
    if 'f"how_to_read_{chosen}"' in source:
        plain |= {f"how_to_read_{quantity}" for quantity in QUANTITIES if quantity != "state"}
    return plain


@pytest.mark.parametrize("name", NAMES)
def test_a_page_s_texts_are_those_it_asks_for(name: str) -> None:
    there, source = set(texts(name)), (PAGES / f"{name}.py").read_text("utf-8")
    assert asked(name) <= there
    quoted = set(re.findall(r'"(\w+)"', source))
    built = tuple(re.findall(r'f"(\w+)\{', source))
    assert [text for text in there - asked(name) - quoted if not text.startswith(built)] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_no_text_is_empty(path: Path) -> None:
    assert all(body for body in texts(path.stem).values())


def test_every_cell_has_its_equations_with_all_sizes_filled_in() -> None:
    assert set(texts("equations")) == set(CELLS)
    sizes = {"T": 100, "B": 16, "D": 8, "H": 64, "GH": 256, "phi": r"\tanh"}
    for words in texts("equations").values():
        filled = fill(words, **sizes)
        assert "[[" not in filled
        assert filled.count("$") % 2 == 0
        assert filled.count("{") == filled.count("}")


def test_fill_names_what_is_missing() -> None:
    with pytest.raises(KeyError, match="GH"):
        fill("[[H]] of [[GH]]", H=3)
