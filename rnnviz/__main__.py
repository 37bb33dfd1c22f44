"""`rnnviz`, or `python -m rnnviz`: open the dashboard, train networks and sweep over settings
without a browser, and make the networks that are shipped."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz import __version__
from rnnviz.commands import add_fields, add_sweep
from rnnviz.experiment import FIELDS, Experiment, make_task
from rnnviz.experiment.checkpoints import FOLDER, RECIPES, make, save, settings
from rnnviz.experiment.runs import batches_of, held_out, options_of, start
from rnnviz.training import History, TrainState, train
from rnnviz.training.history import to_csv, to_json
from rnnviz.wording.texts import texts

SERVER = Path(__file__).parent / "dashboard" / "script" / "serve.py"
STEPS = 1000
"""Training steps unless said otherwise: an experiment's own default is not to train."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = arguments()
    given = parser.parse_args(argv)
    try:
        return int(given.run(given))
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:  # the command is right, the machine could not
        parser.exit(2, f"{parser.prog}: error: {error}\n")


def arguments() -> argparse.ArgumentParser:
    """Every command and its options."""
    started = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog="python -m rnnviz" if started == "__main__.py" else "rnnviz", description=__doc__
    )
    parser.add_argument("--version", action="version", version=f"rnnviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    add_app(commands)
    one = commands.add_parser("train", help="train the models of one experiment")
    one.set_defaults(run=run_train)
    add_fields(one)
    one.add_argument("--steps", dest="train_steps", type=int, default=STEPS,
                     help="the same as --train-steps (default: %(default)s)")  # fmt: skip
    one.add_argument("--text-file", type=Path, help="a file to read the task's text from")
    one.add_argument("--out", type=Path, default=Path(), help="folder for what is written")
    add_sweep(commands)
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
    parser.add_argument("--port", type=int, help="port to listen on (default: 8501, or the next)")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def run_app(given: argparse.Namespace) -> int:
    """Start the server. It takes this process's place, so that a signal to one is to the other."""
    command = app_command(given.port, given.headless)
    if os.name != "nt":  # where no process can take another's place
        sys.stdout.flush()
        os.execv(sys.executable, command)
    return subprocess.call(command)


def app_command(port: int | None = None, headless: bool = False) -> list[str]:
    """The command that runs the package's server. A process of its own, because this one has
    loaded NumPy, with as many BLAS threads as there are cores."""
    command = [sys.executable, "-m", "streamlit", "run", str(SERVER)]
    if port is not None:
        command.append(f"--server.port={port}")
    if headless:
        command.append("--server.headless=true")
    return command


def run_train(given: argparse.Namespace) -> int:
    """Train every model; write LABEL.json, LABEL.csv and LABEL.npz. Status 1 if one diverged."""
    if given.text_file is not None:
        given.text = given.text_file.read_text(encoding="utf-8")
    experiment = Experiment(**{name: getattr(given, name) for name in FIELDS})
    if not experiment.train_steps:
        raise ValueError("train_steps must be at least 1 to train, got 0")
    given.out.mkdir(parents=True, exist_ok=True)
    events = [train_one(experiment, label, given.out) for label in start(experiment)]
    return int(any(events))


def train_one(experiment: Experiment, label: str, folder: Path) -> str:
    """Train one model, say how good it is and write its files; the event, "" if there is none."""
    network, _ = start(experiment)[label]
    history, end = _trained(experiment, label)
    scores = held_out(experiment, network, end.params)
    say(f"{label}: {_unseen(experiment)}{_words(scores)}\n")
    stem = folder / label.replace(":", "_").replace(",", "_").replace("=", "-")
    text = to_json(history, label=label, experiment=settings(experiment), steps=end.step,
                   held_out=scores, sentence=history.last.sentence)  # fmt: skip
    Path(f"{stem}.json").write_text(text, encoding="utf-8")
    Path(f"{stem}.csv").write_text(to_csv(history), encoding="utf-8")
    about = {"label": label, "experiment": settings(experiment), "steps": end.step}
    arrays: dict[str, Any] = {**end.params, "about": np.array(json.dumps(about))}
    np.savez_compressed(f"{stem}.npz", **arrays)
    return history.last.event


def run_checkpoints(given: argparse.Namespace) -> int:
    """Make the named checkpoints, or all of them."""
    for name in given.names or RECIPES:
        say(f"{name}: training ...\n")
        checkpoint = make(name)
        path = save(checkpoint, given.out)
        say(f"{path}: {path.stat().st_size / 1e3:.1f} kB, {_words(checkpoint.scores)}\n")
    return 0


def say(text: str) -> None:
    """Write to standard output at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _trained(experiment: Experiment, label: str) -> tuple[History, TrainState]:
    """Train with a line that says how far it is."""
    network, begin = start(experiment)[label]
    history, shown, steps = History(begin), 0.0, experiment.train_steps
    for state, record in train(network, begin, batches_of(experiment), options_of(experiment)):
        history.add(state, record)
        last = record.event or state.step >= steps
        if last or time.monotonic() - shown > 0.5:
            shown = time.monotonic()
            say(f"\r{label}: step {record.step + 1} of {steps}, loss {record.loss:.4g}, "
                f"metric {record.metric:.3g}   ")  # fmt: skip
        if last:
            break
    say(f"\n{history.last.sentence}\n" if history.last.event else "\n")
    return history, state


def _unseen(experiment: Experiment) -> str:
    """What the scores are of."""
    return texts("commands")[f"unseen_{make_task(experiment).unseen or 'nothing'}"] + " "


def _words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in scores.items())


if __name__ == "__main__":
    sys.exit(main())
