"""tests/run.sh: every part runs, whatever fails, and all of them are reported."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOOL = """#!/bin/sh
echo "did $*"
case "$*" in
    *"{failing}"*) exit 3 ;;
esac
"""


def run(folder: Path, failing: str, *options: str) -> tuple[int, str]:
    """The exit status and the output of a run whose tools do nothing, but for one that fails."""
    tests, tools = folder / "tests", folder / ".venv-tests" / "bin"
    live, torch = tests / "live_torch", folder / ".venv-torch" / "bin"
    for made in (live, tools, torch):
        made.mkdir(parents=True)
    shutil.copy(HERE / "live_torch" / "requirements.txt", live)
    shutil.copy(live / "requirements.txt", torch.parent / "installed.txt")
    for name in ("run.sh", "requirements.lock"):
        shutil.copy(HERE / name, tests)
    shutil.copy(HERE / "requirements.lock", tools.parent / "installed.lock")
    for tool in (tools / "ruff", tools / "mypy", tools / "python", torch / "python"):
        tool.write_text(TOOL.format(failing=failing), encoding="utf-8")
        tool.chmod(0o755)
    env = {**os.environ, "RNNVIZ_CHROMIUM": "/bin/sh"}
    done = subprocess.run(["bash", str(tests / "run.sh"), *options], env=env,
                          capture_output=True, text=True)  # fmt: skip
    return done.returncode, done.stdout


def report(output: str) -> list[str]:
    return output.split("\n\n")[-1].splitlines()


@pytest.mark.parametrize(
    ("failing", "name"),
    [
        ("format --check", "format"),
        ("--ignore tests/browser", "unit and page tests"),
        ("tests/live_torch", "tests with PyTorch"),
    ],
)
def test_what_fails_stops_nothing_and_is_told(tmp_path: Path, failing: str, name: str) -> None:
    status, output = run(tmp_path, failing)
    names = ("lint", "format", "unit and page tests", "browser tests", "environment with PyTorch",
             "browser tests alone", "types", "tests with PyTorch")  # fmt: skip
    assert status == 1
    assert report(output) == [
        f"FAILED  {part} (exit status 3)" if part == name else f"passed  {part}" for part in names
    ]


def test_what_ran_beside_another_part_is_said_under_its_own_name(tmp_path: Path) -> None:
    _, output = run(tmp_path, "nothing")
    assert "== types\ndid \n== tests with PyTorch\ndid -m pytest tests/live_torch\n" in output


def test_options_are_those_of_one_pytest(tmp_path: Path) -> None:
    status, output = run(tmp_path, "nothing", "tests/core", "-k", "gru")
    assert status == 0
    assert report(output)[-1] == "passed  pytest tests/core -k gru"
