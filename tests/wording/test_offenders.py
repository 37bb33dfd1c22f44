"""No sentence for a reader stands outside rnnviz/wording/en: in no code, that of rnnviz/wording
included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnnviz

ROOT = Path(rnnviz.__file__).parent
PARTS = ("dashboard", "views", "plots", "analysis", "wording", "lecture", "report")
FILES = [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py"))]
SENTENCE = re.compile(r"[A-Za-z].*[.!?…]", re.DOTALL)
LEFT = {
    "analysis/limits.py": [  # an error of the library
        "X would take about X s and X MiB; the limits are X s and X MiB. Take X."
    ],
}
"""What is known to be left. It may only shrink."""


def sentences(source: str) -> Iterator[str]:
    """String literals that begin with a letter, have three or more words and end as a sentence
    does, without docstrings and the tags of HTML; of an f-string with X for each value."""
    tree = ast.parse(source)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {part for node in formatted for part in ast.walk(node) if part is not node}
    left_out = docstrings | parts
    for node in ast.walk(tree):
        if node not in left_out and (text := _literal(node)):
            said = re.sub(r"<[^>]*>", "", text).strip()
            if SENTENCE.fullmatch(said) and len(said.split()) >= 3:
                yield said


def _literal(node: ast.AST) -> str:
    """What a string literal says; "" of any other node."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) or "X" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def test_there_is_no_sentence() -> None:
    found = {path: list(sentences(path.read_text("utf-8"))) for path in FILES}
    assert {p.relative_to(ROOT).as_posix(): said for p, said in found.items() if said} == LEFT


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('say("All is well.")', ["All is well."]),
        ('say(f"{n} of {most} are kept …")', ["X of X are kept …"]),
        ('say(f"<p><b>After {n}.</b> It starts over.</p>")', ["After X. It starts over."]),
        ('"""All is well."""', []),
        ('say("Not done.", "all is well", "0.5 of it all.")', []),
    ],
)
def test_a_sentence_is_found(source: str, found: list[str]) -> None:
    assert list(sentences(source)) == found
