"""The package as others get it: built, installed with its dependencies, used in another folder."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from playwright.sync_api import sync_playwright

import rnnviz
from tests.browser.support import SIZE, free_port, launch, wait_healthy, wait_painted

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
NEEDED = ("rnnviz", "pyproject.toml", "README.md", "requirements.txt")
NOT_SHIPPED = shutil.ignore_patterns("__pycache__")
NOT_LINKED = {"..", "__pycache__"}
SPACE = re.compile(r"\s+")
OF_THIS_TREE = ("PYTHONPATH", "VIRTUAL_ENV")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because a build leaves folders beside what it builds."""
    folder = tmp_path_factory.mktemp("built")
    clone = folder / "clone"
    clone.mkdir()
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=NOT_SHIPPED)
        else:
            shutil.copy(source, clone)
    pip("wheel", "--no-deps", "--wheel-dir", folder, clone)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*command, *map(str, arguments)], ROOT)


def elsewhere_env() -> dict[str, str]:
    """The environment variables of a process that knows nothing of this tree."""
    return {name: value for name, value in os.environ.items() if name not in OF_THIS_TREE}


def run(command: list[str], folder: Path) -> str:
    """Standard output of a command that knows nothing of this tree."""
    done = subprocess.run(command, cwd=folder, env=elsewhere_env(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def locked_versions() -> str:
    """The versions of requirements.lock, as constraints: a new release cannot fail this test."""
    lock = (ROOT / "tests" / "requirements.lock").read_text("utf-8")
    return "\n".join(re.findall(r"^[\w.-]+==[^\s;\\\\]+", lock, re.MULTILINE))


def needed(requirements: list[str]) -> set[str]:
    """The packages that are asked for, and those that these ask for in turn."""
    found: set[str] = set()
    while requirements:
        one = Requirement(requirements.pop())
        name = canonicalize_name(one.name)
        if name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.add(name)
            requirements += importlib.metadata.requires(name) or []
    return found


def link(packages: set[str], environment: Path) -> None:
    """Packages of this environment in another one, where pip finds them and unpacks none."""
    paths = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    for package in packages:
        distribution = importlib.metadata.distribution(package)
        for name in {path.parts[0] for path in distribution.files or ()} - NOT_LINKED:
            (site / name).symlink_to(Path(str(distribution.locate_file(name))))


def test_the_metadata_says_what_the_files_say(metadata: Message) -> None:
    required = (ROOT / "requirements.txt").read_text("utf-8").split()
    declared = metadata.get_all("Requires-Dist", [])
    assert [SPACE.sub("", r) for r in declared if "extra ==" not in r] == required
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert metadata.get_all("Provides-Extra") == list(project["optional-dependencies"])
    assert metadata["Version"] == rnnviz.__version__
    assert f"version = {{{rnnviz.__version__}}}" in metadata.get_payload()  # README's citation
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["rnnviz/LICENSE", "rnnviz/NOTICE"]


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / "rnnviz").rglob("*") if p.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert {path for path in ours if "__pycache__" not in path} - packed == set()


def test_the_notice_names_every_data_file() -> None:
    package = ROOT / "rnnviz"
    notice = (package / "NOTICE").read_text("utf-8")
    data = [path for kind in ("*.npz", "*.gz", "*.csv") for path in package.rglob(kind)]
    unnamed = [p.name for p in data if p.relative_to(package).as_posix() not in notice]
    assert data
    assert unnamed == []


def test_installed_alone_it_trains_and_draws_the_first_page(
    wheel: Path, metadata: Message, tmp_path: Path
) -> None:
    """Beside nothing but what the wheel asks for."""
    fresh = tmp_path / "fresh"
    run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], tmp_path)
    link(needed(metadata.get_all("Requires-Dist", [])), fresh)
    scripts = fresh / ("Scripts" if os.name == "nt" else "bin")
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(locked_versions(), encoding="utf-8")
    pip("--python", scripts / "python", "install", "--no-compile", "-c", constraints, wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = str(scripts / "rnnviz")

    where = "import rnnviz; print(rnnviz.__file__)"
    found = Path(run([str(scripts / "python"), "-c", where], elsewhere).strip())
    assert found.is_relative_to(fresh)

    asked = ["--task", "digit_rows", "--models", "lstm", "--steps", "3", "--out", "trained"]
    run([command, "train", *asked], elsewhere)
    told = json.loads((elsewhere / "trained" / "lstm.json").read_text("utf-8"))
    assert told["step"] == [0, 1, 2]

    draw_first_page(command, elsewhere)


def draw_first_page(command: str, folder: Path) -> None:
    """Start the dashboard in the folder and wait until its first chart is painted."""
    port = free_port()
    env = elsewhere_env() | {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    arguments = [command, "app", "--port", str(port), "--headless"]
    server = subprocess.Popen(arguments, cwd=folder, env=env)
    try:
        address = wait_healthy(f"http://127.0.0.1:{port}", server)
        with sync_playwright() as playwright:
            page = launch(playwright).new_page(viewport=SIZE)
            page.goto(address)
            assert wait_painted(page, "flow-state", timeout=60_000) > 0
    finally:
        server.terminate()
        server.wait(10)
