"""`rnnviz`, or `python -m rnnviz`: open the dashboard, train networks and sweep over settings
without a browser, and make the networks that are shipped."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz import __version__
from rnnviz.commands.diagnose import add_diagnose
from rnnviz.commands.fields import add_fields, fields_of, tell_idle
from rnnviz.commands.lecture import add_lecture
from rnnviz.commands.sweep import add_sweep
from rnnviz.core.cost import machine_memory
from rnnviz.experiment import Experiment, estimate, make_task, plan
from rnnviz.experiment.checkpoints import FOLDER, RECIPES, make, save
from rnnviz.experiment.histories import beside, check_kept
from rnnviz.experiment.judging import judged
from rnnviz.experiment.runs import held_out, options_of, start
from rnnviz.experiment.weights import Weights, load, same, settings
from rnnviz.experiment.weights import save as save_weights
from rnnviz.models import UPLOAD
from rnnviz.models.files import bytes_of
from rnnviz.models.saved_runs import network_in
from rnnviz.training import History, TrainState, train
from rnnviz.training.export import to_csv, to_json
from rnnviz.wording.texts import fill, texts

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
    one.add_argument("--steps", dest="train_steps", type=int, default=argparse.SUPPRESS,
                     help=f"the same as --train-steps (default: {STEPS})")  # fmt: skip
    one.add_argument("--weights", type=Path, nargs="+", default=[], metavar="FILE.npz",
                     help="files of an earlier training whose parameters the models of their "
                     "labels start from, at step 0")  # fmt: skip
    one.add_argument("--resume", type=Path, metavar="FILE.npz",
                     help="go on with the training that wrote this file, up to --steps in all; "
                     "its settings hold but for those that are given here")  # fmt: skip
    one.add_argument("--text-file", type=Path, help="a file to read the task's text from")
    one.add_argument("--out", type=Path, default=Path(), help="folder for what is written")
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
        command.append(f"--server.port={port}")
    if headless:
        command.append("--server.headless=true")
    return command


def run_train(given: argparse.Namespace) -> int:
    """Train every model; write LABEL.json, LABEL.csv and LABEL.npz. Status 1 if one diverged.
    What is resumed goes on with the history beside its file."""
    if given.text_file is not None:
        given.text = given.text_file.read_text(encoding="utf-8")
    beginnings = _resumed(given) if given.resume else _begun(given)
    tell_idle(beginnings[0].experiment, {})
    histories = [_history(given, each) for each in beginnings]
    given.out.mkdir(parents=True, exist_ok=True)
    events = [train_one(*each, given.out) for each in zip(beginnings, histories, strict=True)]
    return int(any(events))


def _history(given: argparse.Namespace, beginning: Weights) -> History:
    """Empty, but of a training that is resumed: then what was recorded so far, where it stands
    beside the file. Raises ValueError where other steps would be lost."""
    if not given.resume:
        return History(beginning.state)
    found = beside(given.resume, load(given.resume))
    history = found or History(beginning.state)
    check_kept(Path(f"{_stem(beginning.label, given.out)}.csv"), history.first,
               beginning.experiment.train_steps - 1)  # fmt: skip
    if found is None and history.first:
        words = texts("commands")["history_begins"]
        say(fill(words, file=given.resume, step=f"{history.first:,}") + "\n")
    return history


def _stem(label: str, folder: Path) -> Path:
    """Where a model's files are written, without their endings."""
    return folder / label.replace(":", "_").replace(",", "_").replace("=", "-")


def _begun(given: argparse.Namespace) -> list[Weights]:
    """Every model at its first step, at its initial parameters or those of a file."""
    experiment = Experiment(**{"train_steps": STEPS, **fields_of(given)})
    if not experiment.train_steps:
        raise ValueError("train_steps must be at least 1 to train, got 0")
    _check_memory(experiment)
    networks, files = start(experiment), {}
    for path in given.weights:
        weights = load(path)
        if weights.label not in networks or weights.label in files:
            raise ValueError(f"weights must be a file for each of the models {', '.join(networks)} "
                             f"at most, {path} is of {weights.label}")  # fmt: skip
        try:
            same(networks[weights.label][0], weights.network)
        except ValueError as error:
            raise ValueError(f"{path} does not fit: {error}") from error
        dtype = np.dtype(experiment.dtype)
        params = {name: p.astype(dtype) for name, p in weights.state.params.items()}
        files[weights.label] = TrainState(0, params)
    return [Weights(label, experiment, files.get(label, begin))
            for label, (_, begin) in networks.items()]  # fmt: skip


def _check_memory(experiment: Experiment) -> None:
    """Raise ValueError for a training that this machine has no memory for."""
    needed, there = estimate(experiment).bytes, machine_memory()
    if needed > there:
        raise ValueError(f"training this needs {needed / 2**20:,.0f} MiB, the machine has "
                         f"{there / 2**20:,.0f}: make the sequence length, the batch, the hidden "
                         "size or the number of layers smaller")  # fmt: skip


def _resumed(given: argparse.Namespace) -> list[Weights]:
    """The model of a file where its training stopped, with the settings that are given here."""
    path, changes = given.resume, fields_of(given)
    weights = load(path)
    held = {"models": weights.label, "optimizer": weights.experiment.optimizer,
            "dtype": weights.experiment.dtype}  # fmt: skip
    if changed := [name for name in held if changes.get(name, held[name]) != held[name]]:
        name = changed[0]
        raise ValueError(f"{name} must be left as {path} has it ({held[name]}), got "
                         f"{changes[name]}: --weights starts another training")  # fmt: skip
    experiment, state = replace(weights.experiment, **changes), weights.state
    if given.weights:
        raise ValueError("weights must not be given with --resume, which has its own")
    if experiment.train_steps <= state.step:
        raise ValueError(f"train_steps must be above {state.step}, where {path} stopped, got "
                         f"{experiment.train_steps}: give --steps")  # fmt: skip
    if state.step and not state.moments and experiment.optimizer != "sgd":
        raise ValueError(f"{path} does not hold what {experiment.optimizer} remembers: --weights "
                         "starts another training from its parameters")  # fmt: skip
    _check_memory(experiment)
    try:
        same(plan(experiment).networks[weights.label], weights.network)
    except ValueError as error:
        raise ValueError(f"{path} does not fit: {error}") from error
    return [Weights(weights.label, experiment, state)]


def train_one(beginning: Weights, history: History, folder: Path) -> str:
    """Train one model, say how good it is, where its loss is a number, and write its files; the
    event, "" if there is none. history: is added to."""
    label, experiment, network = beginning.label, beginning.experiment, beginning.network
    end = _trained(beginning, history)
    scores = held_out(experiment, network, end.params)
    known = isfinite(scores.get("loss", 0.0))
    scores = scores if known else {}
    words = _words(scores) if known else texts("commands")["no_scores"]
    say(f"{label}: {_unseen(experiment)}{words}\n")
    stem = _stem(label, folder)
    text = to_json(history, label=label, experiment=settings(experiment), steps=end.step,
                   held_out=scores, sentence=history.last.sentence)  # fmt: skip
    Path(f"{stem}.json").write_text(text, encoding="utf-8")
    Path(f"{stem}.csv").write_text(to_csv(history), encoding="utf-8")
    save_weights(Weights(label, experiment, end), Path(f"{stem}.npz"))
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


def _trained(beginning: Weights, history: History) -> TrainState:
    """Train, and add to the history, with a line that says how far it is."""
    label, experiment, begin = beginning.label, beginning.experiment, beginning.state
    shown, steps = 0.0, experiment.train_steps
    planned, options, before, unseen = plan(experiment), options_of(experiment), begin, ""
    for state, plain in train(beginning.network, begin, planned.batch_at, options):
        record = judged(planned, beginning.network, before, plain)
        history.add(state, record)
        before = state
        if record.held_out_loss is not None:
            unseen = f", held out {record.held_out_loss:.4g} at step {record.step}"
        last = record.event or state.step >= steps
        if last or time.monotonic() - shown > 0.5:
            shown = time.monotonic()
            say(f"\r{label}: step {record.step + 1} of {steps}, training loss {record.loss:.4g}, "
                f"metric {record.metric:.3g}{unseen}   ")  # fmt: skip
        if last:
            break
    say(f"\n{history.last.sentence}\n" if history.last.event else "\n")
    return state


def _unseen(experiment: Experiment) -> str:
    """What the scores are of."""
    return texts("commands")[f"unseen_{make_task(experiment).unseen or 'nothing'}"] + " "


def _words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in scores.items())


if __name__ == "__main__":
    sys.exit(main())
