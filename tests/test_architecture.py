"""The house keeps its shape: imports run one way, no global state, nothing extra at the top."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from rnnviz.core import CELLS, Cell

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "rnnviz").rglob("*.py"))
SOURCES = {path: path.read_text(encoding="utf-8") for path in FILES}
IMPORTED = [path for path in FILES if path.parent.name != "examples"]  # those are run, alone

# What each part of rnnviz may import of the others. "" is the package's own __init__.
ARROWS = {
    "core": set(),
    "tasks": {"core"},
    "training": {"core", "tasks"},
    "experiment": {"core", "tasks", "training"},
    "models": {"core", "tasks", "training", "experiment", "analysis"},
    "torch": {"core", "experiment", "models", "diagnosis"},
    "diagnosis": {"core", "experiment", "models", "report", "wording"},
    "__main__": {"", "experiment", "commands", "models", "wording"},
    "commands": {
        *("core", "training", "experiment", "lecture", "sweep", "models", "diagnosis", "report"),
        "wording",
    },
    "sweep": {"core", "tasks", "training", "experiment", "analysis"},
    "analysis": {"core"},
    "claims": {"core", "tasks", "training", "experiment", "analysis"},
    "frames": {"core", "analysis"},
    "jobs": {"core", "tasks", "training", "experiment", "analysis", "claims", "sweep"},
    "plots": {"core", "analysis", "claims", "frames", "wording"},
    "wording": {"core", "tasks", "training", "experiment", "models", "analysis", "claims"},
    "views": {
        *("core", "tasks", "training", "experiment", "analysis", "claims", "jobs", "plots"),
        *("models", "wording"),
    },
    "lecture": {
        *("core", "tasks", "training", "experiment", "analysis", "claims", "jobs", "plots"),
        *("wording", "views"),
    },
    "report": {"", "core", "experiment", "models", "plots", "views", "lecture", "wording"},
    "notebook": {"views"},
    "examples": {"", "core", "training", "sweep", "analysis", "plots", "views"},
    "": {"experiment", "notebook", "sweep"},
}
DASHBOARD = {*ARROWS, "dashboard"}
PACKAGES = {
    "models": {"h5py", "onnx"},  # in functions, when a file needs them
    "torch": {"torch"},  # in functions
    "frames": {"pandas"},
    "plots": {"pandas", "plotly"},
    "views": {"pandas", "plotly"},
    "report": {"plotly"},
    "notebook": {"IPython"},  # in a function that it calls
    "examples": {"pandas", "distributed"},
}
PACKAGES_OF_DASHBOARD = {"pandas", "plotly", "streamlit", "starlette", "segno"}

TOP_LEVEL = {"README.md", "app.py", "rnnviz", "tests", "requirements.txt", "pyproject.toml"}
LEFT_BY_TOOLS = {"__pycache__", "build", "rnnviz.egg-info"}  # not in the repository: .gitignore
GENERATORS = {"Generator", "SeedSequence", "BitGenerator", "PCG64", "default_rng"}
# A name that ends in cell, or one of the classes of `core.CELLS`.
CELL = re.compile(
    rf"\b\w*cell\b|\b({'|'.join(cell.__name__ for cell in (Cell, *CELLS.values()))})\b"
)
MUTATORS = {"append", "add", "update", "extend", "insert", "pop", "clear", "setdefault", "remove"}


parsed = cache(ast.parse)
"""A source is looked through for several things; its tree is not changed."""


def part_of(path: Path) -> str:
    """The first name below rnnviz: "core", "claims", "" for rnnviz/__init__.py."""
    first = path.relative_to(ROOT / "rnnviz").parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def module_of(path: Path) -> str:
    """The full name of a module, "rnnviz.core" of rnnviz/core/__init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that a file imports, at any depth of its code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            module = node.module or ""
            if module == "rnnviz":  # from rnnviz import core
                names = [alias.name for alias in node.names]
                yield from (f"rnnviz.{n}" if n in DASHBOARD else "rnnviz" for n in names)
            else:
                yield module


def modules(tree: ast.AST, known: set[str]) -> set[str]:
    """The modules of `known` that a file imports, also below TYPE_CHECKING and in functions:
    `from package import module` is that module, not its package."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & known or {node.module}
            found |= {node.module} if whole - known else set()
    return found & known


def circles(sources: Mapping[str, str]) -> list[str]:
    """The modules that import each other in a circle, given the source of each."""
    arrows = {name: modules(parsed(text), set(sources)) for name, text in sources.items()}
    while ends := [name for name, targets in arrows.items() if not targets & set(arrows)]:
        for name in ends:
            del arrows[name]
    # What is left imports a circle or is on one: without those that nobody left imports.
    while starts := set(arrows) - {t for name in arrows for t in arrows[name]}:
        for name in starts:
            del arrows[name]
    return sorted(arrows)


def kinds_asked(source: str) -> list[str]:
    """Uses of isinstance that ask a cell of which kind it is, by the cell or by the class."""
    calls = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call)]
    asked = [ast.unparse(call) for call in calls if ast.unparse(call.func) == "isinstance"]
    return [text for text in asked if CELL.search(text)]


def wrong_arrows(part: str, source: str) -> list[str]:
    """Imports that the part must not have."""
    dashboard = part == "dashboard"
    parts = {part, *(DASHBOARD if dashboard else ARROWS.get(part, set()))}
    packages = {"numpy", *(PACKAGES_OF_DASHBOARD if dashboard else PACKAGES.get(part, set()))}
    wrong = []
    for name in imported(parsed(source)):
        top, _, rest = name.partition(".")
        if top == "rnnviz":
            allowed = rest.partition(".")[0] in parts
        else:
            allowed = top in packages or top in sys.stdlib_module_names
        if not allowed:
            wrong.append(name)
    return wrong


def global_state(source: str) -> list[str]:
    """Uses of state that sessions and threads would share."""
    tree = parsed(source)
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return [ast.unparse(node) for node in ast.walk(tree) if _shared(node, constants)]


def _shared(node: ast.AST, constants: set[str]) -> bool:
    match node:
        case ast.Global():
            return True
        case ast.Import(names=names):
            return any(n.name in ("warnings", "random") for n in names)
        case ast.ImportFrom(module="warnings" | "random" | "numpy.random"):
            return True
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="np"), attr="random"), attr=attr):
            return attr not in GENERATORS
        case ast.Attribute(value=ast.Name(id="np"), attr="seterr" | "seterrcall" | "setbufsize"):
            return True
        case ast.Assign(targets=targets):
            subscripts = [t for t in targets if isinstance(t, ast.Subscript)]
            names = [t.value.id for t in subscripts if isinstance(t.value, ast.Name)]
            return bool(constants.intersection(names))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)):
            return name in constants and attr in MUTATORS
    return False


def offending(found: Mapping[Path, list[str]]) -> dict[str, list[str]]:
    """The files in which something was found, and what."""
    assert found
    return {str(path.relative_to(ROOT)): what for path, what in found.items() if what}


def test_imports_run_one_way() -> None:
    assert offending({p: wrong_arrows(part_of(p), SOURCES[p]) for p in FILES}) == {}


def test_nothing_is_shared_behind_the_back() -> None:
    assert offending({path: global_state(SOURCES[path]) for path in IMPORTED}) == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles({module_of(path): source for path, source in SOURCES.items()}) == []


def test_cells_answer_for_themselves() -> None:
    outside = [path for path in FILES if part_of(path) != "core"]
    assert offending({path: kinds_asked(SOURCES[path]) for path in outside}) == {}


def test_every_part_has_its_arrows() -> None:
    assert {part_of(path) for path in FILES} <= DASHBOARD


def test_nothing_extra_lies_at_the_top() -> None:
    visible = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert visible - LEFT_BY_TOOLS <= TOP_LEVEL


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("core", "from rnnviz.analysis.gradients import gradient_flow"),
        ("core", "from rnnviz.tasks import TASKS"),
        ("core", "import pandas"),
        ("tasks", "import plotly.data"),
        ("analysis", "def f():\n    from rnnviz import run"),
        ("analysis", "from rnnviz import plots"),
        ("experiment", "import torch"),
        ("plots", "import streamlit as st"),
        ("plots", "from rnnviz.dashboard.compute import flows"),
        ("plots", "from rnnviz.experiment import run"),
    ],
)
def test_a_wrong_arrow_is_found(part: str, source: str) -> None:
    assert len(wrong_arrows(part, source)) == 1


LOOP = {
    "p.a": "from p import b\nimport numpy",
    "p.b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.c import C",
    "p.c": "def f():\n    import p.a",
    "p.user": "from p.a import A",
    "p.used": "import numpy",
}


def test_a_circle_is_found_below_type_checking_and_in_functions_too() -> None:
    assert circles(LOOP) == ["p.a", "p.b", "p.c"]
    assert circles({**LOOP, "p.c": "import p.used"}) == []
    assert circles({"p": "from p.a import A", "p.a": "from p import B, used", "p.used": ""}) == [
        "p",
        "p.a",
    ]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("isinstance(cell, RNN)", 1),
        ("if x and not isinstance(trace.cell, (LSTM, GRU)): pass", 1),
        ("isinstance(other, core.LSTM)", 1),
        ("isinstance(first_cell, Kind)", 1),
        ("isinstance(cells, tuple) or isinstance(value, float)", 0),
    ],
)
def test_asking_a_cell_for_its_kind_is_found(source: str, count: int) -> None:
    assert len(kinds_asked(source)) == count


@pytest.mark.parametrize(
    "source",
    [
        "np.random.seed(0)",
        "x = np.random.rand(3)",
        "np.seterr(all='raise')",
        "import warnings",
        "from numpy.random import rand",
        "def f():\n    global n",
        "CACHE = {}\ndef f(k):\n    CACHE[k] = 1",
        "seen: list[int] = []\ndef f(k):\n    seen.append(k)",
    ],
)
def test_shared_state_is_found(source: str) -> None:
    assert len(global_state(source)) == 1


def test_generators_and_errstate_are_no_shared_state() -> None:
    source = "rng = np.random.default_rng(0)\nwith np.errstate(all='ignore'):\n    pass"
    assert global_state(source) == []


def test_a_run_needs_numpy_alone() -> None:
    code = (
        "import sys; from rnnviz import Experiment, run; run(Experiment(task='stocks', seq_len=3));"
        "import rnnviz.models; import rnnviz.torch; big = {'pandas', 'plotly', 'streamlit', "
        "'h5py', 'onnx', 'torch'}; print(sorted(big & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
