"""`train`: the models of one experiment, their history and weights into files."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.commands.fields import add_fields, fields_of, tell_idle
from rnnviz.commands.interrupts import whole
from rnnviz.commands.progress import INTERRUPTED, say
from rnnviz.core.cost import machine_memory
from rnnviz.experiment import Experiment, estimate, make_task, plan
from rnnviz.experiment.histories import beside, check_kept
from rnnviz.experiment.judging import judged
from rnnviz.experiment.model import Model
from rnnviz.experiment.runs import held_out, options_of, start
from rnnviz.experiment.targets import check_folder, replacing, same_file
from rnnviz.experiment.weights import Weights, load, same, settings
from rnnviz.experiment.weights import write as save_weights
from rnnviz.training import History, TrainState, train
from rnnviz.training.export import to_csv, to_json
from rnnviz.wording.lists import sentences
from rnnviz.wording.texts import fill, texts

STEPS = 1000
"""Training steps unless said otherwise: an experiment's own default is not to train."""


def add_train(commands: Any) -> None:
    """The command and its options."""
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


def run_train(given: argparse.Namespace) -> int:
    """Train every model; write LABEL.json, LABEL.csv and LABEL.npz. Status 1 if one diverged, 130
    if interrupted, what was trained until then being written. What is resumed goes on with the
    history beside its file."""
    if given.text_file is not None:
        if hasattr(given, "text"):
            raise ValueError("text must not be given with --text-file, which has it")
        given.text = _text(given.text_file)
    beginnings = _resumed(given) if given.resume else _begun(given)
    tell_idle(beginnings[0].experiment, {})
    histories = [_history(given, each) for each in beginnings]
    stems = [_stem(given, each.label) for each in beginnings]
    check_folder(given.out, (path for stem in stems for path in _files(stem)))
    diverged = False
    for beginning, history, stem in zip(beginnings, histories, stems, strict=True):
        end, interrupted = _trained(beginning, history)
        if interrupted and end is beginning.state:
            raise KeyboardInterrupt
        stem = _free(stem, given.resume) if interrupted else stem
        scored = _finish(beginning, history, end, stem)
        if interrupted or not scored:
            _say_interrupted(stem, end.step, scored, more=beginning is not beginnings[-1])
            return INTERRUPTED
        diverged |= bool(history.last.event)
    return int(diverged)


def _free(stem: Path, resumed: Path | None) -> Path:
    """Where the files of a training that was interrupted take nothing else's place but that of the
    one that is resumed."""
    if resumed is not None and same_file(Path(f"{stem}.npz"), resumed):
        return stem
    ends = chain(("", "_interrupted"), (f"_interrupted_{k}" for k in count(2)))
    names = (Path(f"{stem}{end}") for end in ends)
    return next(name for name in names if not any(map(Path.exists, _files(name))))


def _files(stem: Path) -> list[Path]:
    return [Path(f"{stem}.{kind}") for kind in ("json", "csv", "npz")]


def _say_interrupted(stem: Path, step: int, scored: bool, more: bool) -> None:
    text, option = texts("commands"), f"--resume {stem}.npz --out {stem.parent}"
    said = fill(text["interrupted"], step=f"{step:,}", option=option, steps="--steps")
    unscored = text["unscored"] * (not scored)
    say(sentences((said, unscored, text["others_untrained"] * more)) + "\n")


def _text(path: Path) -> str:
    """What a file says. Raises ValueError for one that is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"text_file must be text in UTF-8, got {path}, whose byte {error.start} "
                         f"is {error.object[error.start]:#04x}") from error  # fmt: skip


def _history(given: argparse.Namespace, beginning: Weights) -> History:
    """Empty, but of a training that is resumed: then what was recorded so far, where it stands
    beside the file. Raises ValueError where other steps would be lost."""
    if not given.resume:
        return History(beginning.state)
    found = beside(given.resume, load(given.resume))
    history = found or History(beginning.state)
    check_kept(Path(f"{_stem(given, beginning.label)}.csv"), history.first,
               beginning.experiment.train_steps - 1)  # fmt: skip
    if found is None and history.first:
        words = texts("commands")["history_begins"]
        say(fill(words, file=given.resume, step=f"{history.first:,}") + "\n")
    return history


def _stem(given: argparse.Namespace, label: str) -> Path:
    """Where a model's files are written, without their endings: a file that is resumed in its own
    folder goes on under its name."""
    if given.resume and given.resume.parent.resolve() == given.out.resolve():
        return Path(str(given.resume).removesuffix(".npz"))
    return given.out / label.replace(":", "_").replace(",", "_").replace("=", "-")


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
    path, weights = given.resume, load(given.resume)
    experiment, state = replace(weights.experiment, **_changes(given, weights)), weights.state
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


def _changes(given: argparse.Namespace, weights: Weights) -> dict[str, Any]:
    """The settings that are given for a training that is resumed. Raises ValueError for another
    one of those that it cannot go on without: its model, optimizer and dtype."""
    changes, before = fields_of(given), weights.experiment
    if "models" in changes:
        changes["models"] = [Model(name) for name in changes["models"]]
    held = {"models": [weights.label], "optimizer": before.optimizer, "dtype": before.dtype}
    for name, value in held.items():
        if (wanted := changes.get(name, value)) != value:
            has, got = (" ".join([v] if isinstance(v, str) else v) for v in (value, wanted))
            raise ValueError(f"{name} must be left as {given.resume} has it ({has}), got {got}: "
                             "--weights starts another training")  # fmt: skip
    changes.pop("models", None)  # the file's experiment may have more
    return changes


def _finish(beginning: Weights, history: History, end: TrainState, stem: Path) -> bool:
    """Write a model's files, stem without their endings; then say how good it is, where its loss is
    a number, and write that as well. False if somebody interrupted it before that was done."""
    try:
        with whole():
            _write(beginning, history, end, stem)
        if scores := _scored(beginning, end):
            told = _told(beginning, history, end, scores)
            with whole(), replacing(_files(stem)[0]) as file:
                file.write(told)
    except KeyboardInterrupt:
        say("\n")
        return False
    return True


def _scored(beginning: Weights, end: TrainState) -> dict[str, float]:
    """How good a model is, which is said; nothing where its loss is no number."""
    scores = held_out(beginning.experiment, beginning.network, end.params)
    known = isfinite(scores.get("loss", 0.0))
    words = score_words(scores) if known else texts("commands")["no_scores"]
    say(f"{beginning.label}: {_unseen(beginning.experiment)}{words}\n")
    return scores if known else {}


def _write(beginning: Weights, history: History, end: TrainState, stem: Path) -> None:
    """The files of a model, all of them or none: the history beside the weights is theirs."""
    told, rows = _told(beginning, history, end, {}), to_csv(history).encode("utf-8")
    with ExitStack() as stack:
        json, csv, npz = files = [stack.enter_context(replacing(path)) for path in _files(stem)]
        save_weights(Weights(beginning.label, beginning.experiment, end), npz)
        csv.write(rows)
        json.write(told)
        for file in files:  # what does not fit is known before the first one takes its place
            file.flush()


def _told(beginning: Weights, history: History, end: TrainState, scores: dict[str, float]) -> bytes:
    """What the .json of a model says."""
    text = to_json(history, label=beginning.label, experiment=settings(beginning.experiment),
                   steps=end.step, held_out=scores, sentence=history.last.sentence)  # fmt: skip
    return text.encode("utf-8")


def _trained(beginning: Weights, history: History) -> tuple[TrainState, bool]:
    """Train, and add to the history, with a line that says how far it is. Where it ended, and
    whether somebody interrupted it there."""
    before = beginning.state
    try:
        for before in _steps(beginning, history):  # noqa: B007  what was reached last
            pass
    except KeyboardInterrupt:
        say("\n")
        return before, True
    say(f"\n{history.last.sentence}\n" if history.last.event else "\n")
    return before, False


def _steps(beginning: Weights, history: History) -> Iterator[TrainState]:
    """The state after each training step, which stands in the history by then."""
    label, experiment, begin = beginning.label, beginning.experiment, beginning.state
    shown, steps = 0.0, experiment.train_steps
    planned, options, before, unseen = plan(experiment), options_of(experiment), begin, ""
    for state, plain in train(beginning.network, begin, planned.batch_at, options):
        record = judged(planned, beginning.network, before, plain)
        history.add(state, record)
        yield (before := state)
        if record.held_out_loss is not None:
            unseen = f", held out {record.held_out_loss:.4g} at step {record.step}"
        last = record.event or state.step >= steps
        if last or time.monotonic() - shown > 0.5:
            shown = time.monotonic()
            say(f"\r{label}: step {record.step + 1} of {steps}, training loss {record.loss:.4g}, "
                f"metric {record.metric:.3g}{unseen}   ")  # fmt: skip
        if last:
            return


def _unseen(experiment: Experiment) -> str:
    """What the scores are of."""
    return texts("commands")[f"unseen_{make_task(experiment).unseen or 'nothing'}"] + " "


def score_words(scores: dict[str, float]) -> str:
    """Scores by their names."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in scores.items())
