"""`rnnviz`, or `python -m rnnviz`: open the dashboard, train networks and sweep over settings
without a browser, and make the networks that are shipped."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnviz import __version__
from rnnviz.commands.diagnose import add_diagnose
from rnnviz.commands.lecture import add_lecture
from rnnviz.commands.output import heard_or_not
from rnnviz.commands.progress import INTERRUPTED, say
from rnnviz.commands.sweep import add_sweep
from rnnviz.commands.train import add_train, score_words
from rnnviz.experiment.checkpoints import FOLDER, RECIPES, make, save
from rnnviz.experiment.targets import check_folder
from rnnviz.models import UPLOAD
from rnnviz.models.files import bytes_of
from rnnviz.models.saved_runs import network_in
from rnnviz.wording.texts import fill, texts

SERVER = Path(__file__).parent / "dashboard" / "script" / "serve.py"
MOST_PORT = 65_535
UNHEARD = 2
"""Exit status of a command that did its work and could not say so."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. It runs to its end where nobody hears what it says, which
    is a status of its own, too."""
    parser = arguments()
    given = parser.parse_args(argv)
    try:
        with heard_or_not() as out:
            status = int(given.run(given))
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:  # the command is right, the machine could not
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    except KeyboardInterrupt:
        said = texts("commands")["stopped"]
        parser.exit(INTERRUPTED, f"\n{parser.prog}: {said}\n")
    if out.error is not None:
        said = fill(texts("commands")["unheard"], error=out.error)
        parser.exit(status or UNHEARD, f"{parser.prog}: {said}\n")
    return status


def arguments() -> argparse.ArgumentParser:
    """Every command and its options."""
    started = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog="python -m rnnviz" if started == "__main__.py" else "rnnviz", description=__doc__
    )
    parser.add_argument("--version", action="version", version=f"rnnviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    add_app(commands)
    add_train(commands)
    add_sweep(commands)
    add_diagnose(commands)
    add_lecture(commands)
    again = commands.add_parser("checkpoints", help="make the networks that come with the package")
    again.set_defaults(run=run_checkpoints)
    again.add_argument("names", nargs="*", metavar="name", help=", ".join(RECIPES))
    again.add_argument("--out", type=Path, default=FOLDER, help="folder (default: %(default)s)")
    return parser


def add_app(commands: Any) -> None:
    """The command that opens the dashboard, and its options."""
    parser = commands.add_parser(
        "app",
        help="open the dashboard",
        epilog="Streamlit's other settings are read from the environment, such as "
        "STREAMLIT_SERVER_ADDRESS.",
    )
    parser.set_defaults(run=run_app)
    parser.add_argument("file", type=Path, nargs="?", help="weights, or a run that rnnviz.torch "
                        "has saved: every visit begins with it on Your network")  # fmt: skip
    parser.add_argument("--port", type=int, help="port to listen on (default: 8501, or the next)")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def run_app(given: argparse.Namespace) -> int:
    """Start the server. It takes this process's place, so that a signal to one is to the other."""
    command = app_command(given.port, given.headless)
    environment = dict(os.environ)
    if given.file is not None:
        network_in(bytes_of(given.file, UPLOAD), given.file.name, UPLOAD)  # or say what is wrong
        environment["RNNVIZ_OPEN"] = str(given.file.resolve())
    if os.name != "nt":  # where no process can take another's place
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    return subprocess.call(command, env=environment)


def app_command(port: int | None = None, headless: bool = False) -> list[str]:
    """The command that runs the package's server. A process of its own, because this one has
    loaded NumPy, with as many BLAS threads as there are cores."""
    command = [sys.executable, "-m", "streamlit", "run", str(SERVER)]
    if port is not None:
        if not 1 <= port <= MOST_PORT:
            raise ValueError(f"port must be from 1 to {MOST_PORT}, got {port}")
        command.append(f"--server.port={port}")
    if headless:
        command.append("--server.headless=true")
    return command


def run_checkpoints(given: argparse.Namespace) -> int:
    """Make the named checkpoints, or all of them."""
    for name in given.names:
        if name not in RECIPES:
            raise ValueError(f"name must be one of {', '.join(RECIPES)}, got {name!r}")
    names = given.names or list(RECIPES)
    check_folder(given.out, (given.out / f"{name}.npz" for name in names))
    for name in names:
        say(f"{name}: training ...\n")
        checkpoint = make(name)
        path = save(checkpoint, given.out)
        say(f"{path}: {path.stat().st_size / 1e3:.1f} kB, {score_words(checkpoint.scores)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
