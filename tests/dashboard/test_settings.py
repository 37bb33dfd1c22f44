"""`rnnviz app` and `streamlit run app.py` start the same server with the same settings."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from rnnviz.__main__ import app_command

ROOT = Path(__file__).parents[2]
OF_CLONE = ROOT / ".streamlit" / "config.toml"
OF_PACKAGE = ROOT / "rnnviz" / "dashboard" / "script" / ".streamlit" / "config.toml"
SERVE = ROOT / "rnnviz" / "dashboard" / "script" / "serve.py"

# Streamlit as its command line starts it, up to where it would listen: prints every option.
OF_ONE_START = {"server.cookieSecret", "secrets.files"}  # drawn anew; where secrets would lie
STOPPED = """\
import json, sys
from streamlit import config
from streamlit.web import bootstrap, cli

def tell(*args):
    options = config.get_config_options()
    print(json.dumps({name: option.value for name, option in options.items()}, default=str))

bootstrap.run_asgi_app = tell
cli.main(sys.argv[1:])
"""


def options(arguments: list[str], folder: Path, **env: str) -> dict[str, object]:
    """Every option in force after `streamlit ARGUMENTS` in the folder, for a user without any."""
    command = [sys.executable, "-c", STOPPED, *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    env = {**clean, "HOME": str(folder), "USERPROFILE": str(folder), **env}
    env["STREAMLIT_SERVER_SHOW_EMAIL_PROMPT"] = "false"
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: value for name, value in found.items() if name not in OF_ONE_START}


def streamlit_arguments(command: list[str]) -> list[str]:
    """What stands behind `python -m streamlit`."""
    assert command[:3] == [sys.executable, "-m", "streamlit"]
    return command[3:]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """Every option of `rnnviz app`, as it comes."""
    folder = tmp_path_factory.mktemp("package")
    return MappingProxyType(options(streamlit_arguments(app_command()), folder))


def test_every_option_is_the_same_from_a_clone_and_from_the_package(
    tmp_path: Path, package: Mapping[str, object]
) -> None:
    clone = options(["run", str(ROOT / "app.py")], tmp_path)
    assert package == clone
    assert clone["client.toolbarMode"] == "minimal"  # the file is read at all
    assert clone["theme.dark.sidebar.backgroundColor"] is not None


def test_the_clone_s_settings_are_the_package_s() -> None:
    assert OF_CLONE.read_text("utf-8") == OF_PACKAGE.read_text("utf-8"), (
        f"change {OF_PACKAGE.relative_to(ROOT)} and copy it to {OF_CLONE.relative_to(ROOT)}"
    )


def test_port_and_headless_reach_streamlit_and_other_settings_come_from_the_environment(
    tmp_path: Path, package: Mapping[str, object]
) -> None:
    command = streamlit_arguments(app_command(port=8765, headless=True))
    asked = options(command, tmp_path, STREAMLIT_SERVER_ADDRESS="127.0.0.1")
    assert (asked["server.port"], package["server.port"]) == (8765, 8501)
    assert asked["server.headless"] is True
    assert asked["server.address"] == "127.0.0.1"


@pytest.mark.parametrize("path", [ROOT / "app.py", SERVE], ids=lambda path: path.name)
def test_streamlit_finds_the_server_by_reading(path: Path) -> None:
    calls = [
        ast.unparse(node.value.func)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    ]
    assert calls == ["st.App"]


def test_both_files_make_the_same_server() -> None:
    """All that differs is the docstring and where the script is, seen from there."""
    app, serve = (
        ast.unparse(ast.Module(ast.parse(path.read_text("utf-8")).body[1:], []))
        for path in (ROOT / "app.py", SERVE)
    )
    assert app.replace("rnnviz/dashboard/script/run.py", "run.py") == serve
