"""Public classes and functions show what to do with them, and what they show is so."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

PACKAGES = ("rnnviz", "rnnviz.core", "rnnviz.experiment", "rnnviz.tasks", "rnnviz.training",
            "rnnviz.models", "rnnviz.analysis", "rnnviz.plots", "rnnviz.report")  # fmt: skip
PARSER = doctest.DocTestParser()


def examples(of: object, name: str, names: dict[str, Any]) -> doctest.DocTest:
    return PARSER.get_doctest(inspect.getdoc(of) or "", names, name, None, 0)


def outcome(test: doctest.DocTest) -> str:
    """ "" if every example gives what it says; else what it gave."""
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    return "".join(said)


def results(module: Any) -> set[str]:
    """What the public functions of a package return, and what that is made of: the examples of the
    functions show it."""
    public = [getattr(module, name) for name in module.__all__]
    said = [f.__annotations__["return"] for f in public if inspect.isfunction(f)]
    made = words(said) & {each.__name__ for each in public if inspect.isclass(each)}
    fields = [vars(getattr(module, name)).get("__annotations__", {}) for name in made]
    return made | words(hint for hints in fields for hint in hints.values())


def words(hints: Iterable[object]) -> set[str]:
    return {word for hint in hints for word in re.findall(r"\w+", str(hint))}


def public() -> Iterator[Any]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        shown = results(module)
        for name in module.__all__:
            found = getattr(module, name)
            if callable(found) and name not in shown:
                trains = package == "rnnviz.training"
                yield pytest.param(package, name, marks=[pytest.mark.trained] if trains else [])


@pytest.mark.parametrize(("package", "name"), list(public()))
def test_an_example_gives_what_it_says(package: str, name: str) -> None:
    """It goes on from the example of its package."""
    module = sys.modules[package]
    names = {each: getattr(module, each) for each in module.__all__}
    begin = examples(module, package, names)
    assert not outcome(begin)
    test = examples(getattr(module, name), name, begin.globs)
    assert test.examples, f"{name} has no example"
    assert not outcome(test)


def test_a_wrong_example_is_noticed() -> None:
    assert "Expected:\n    3" in outcome(PARSER.get_doctest(">>> 1 + 1\n3\n", {}, "sum", None, 0))
