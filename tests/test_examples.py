"""The examples run, and come to the numbers that they are about."""

from __future__ import annotations

import ast
import importlib
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "rnnviz" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def values_of(name: str) -> dict[str, Any]:
    """Run an example; its variables."""
    return runpy.run_path(str(FOLDER / f"{name}.py"))


def test_first_picture() -> None:
    left = values_of("first_picture")["decades_left"]
    assert left == pytest.approx({"rnn": -24.2, "lstm": 0.5, "gru": -1.8}, abs=0.05)


def test_sigma_max() -> None:
    values = values_of("sigma_max")
    assert values["share_vanishing"] == pytest.approx(5 / 12)
    assert all(factor < sigma_max for _, sigma_max, factor in values["rows"])


def test_gate_by_hand() -> None:
    values = values_of("gate_by_hand")
    assert values["largest_difference"] < 1e-15
    assert min(values["of_core"]) > 0.01


@pytest.mark.trained
def test_train_and_look() -> None:
    accuracy = values_of("train_and_look")["accuracy"]
    assert accuracy["lstm"] > 0.9
    assert accuracy["rnn"] < 0.6


def test_sweep_with_dask() -> None:
    pytest.importorskip("distributed", reason='Dask is optional: pip install ".[dask]"')
    values = values_of("sweep_with_dask")
    assert len(values["table"]) == 8 * 2 * 3
    assert values["edge"] == {"identity": 1.1, "tanh": 1.6}


def test_every_example_has_a_test() -> None:
    assert {f"test_{path.stem}" for path in EXAMPLES} <= set(globals())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_opens_as_a_notebook_that_ends_in_a_number(path: Path) -> None:
    cells = re.split(r"^# %%", path.read_text("utf-8"), flags=re.MULTILINE)
    assert cells[1].startswith(" [markdown]\n# # ")
    for cell in cells:
        if cell.startswith(" [markdown]"):
            assert all(line.startswith("#") for line in cell.split("\n")[1:] if line)
    assert re.search(r"print\(f.*\{.+\}.*\)\n$", cells[-1])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_uses_public_names_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnnviz"):
            public = importlib.import_module(str(node.module)).__all__
            assert {alias.name for alias in node.names} <= set(public)
