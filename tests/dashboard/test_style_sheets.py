"""What the page's style sheets may ask for."""

from __future__ import annotations

import re
from pathlib import Path

import rnnviz

PART_OF_A_CLASS = re.compile(r"\[\s*class\s*[*^$]=")


def test_none_asks_for_a_part_of_a_class() -> None:
    """With one such rule a browser looks anew at all elements that have a class, whenever any of
    them is given another: a page takes a fifth more work to draw."""
    sheets = [*Path(rnnviz.__file__).parent.rglob("*.css")]
    assert len(sheets) > 3
    assert [sheet.name for sheet in sheets if PART_OF_A_CLASS.search(sheet.read_text())] == []
