"""`diagnose`: what is wrong with the gradients of a network that was made elsewhere."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rnnviz.core.cost import machine_memory, measure_speed
from rnnviz.core.gru import RESETS
from rnnviz.core.layouts import LAYOUTS as AXES
from rnnviz.diagnosis import DATA, diagnose, diagnose_passages
from rnnviz.experiment.targets import check_targets
from rnnviz.models import LAYOUTS, load, read_data, run_of
from rnnviz.models.brought import Brought, FromPassage, FromWeights, estimate
from rnnviz.models.layouts import KINDS
from rnnviz.models.saved_runs import read_watched

SAID_FROM = 2.0
"""Seconds of a diagnosis from which on it is said how long it takes."""


def add_diagnose(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "diagnose",
        help="say what is wrong with the gradients of a network that was made elsewhere",
        epilog="The exit status is 1 if something is seriously wrong.",
    )
    parser.set_defaults(run=run_diagnose)
    parser.add_argument("weights", type=Path, help="a file of weights (.safetensors, .npz, "
                        ".keras, .h5, .onnx), or one of a watched model")  # fmt: skip
    parser.add_argument("--data", type=Path, help="x, target, lengths, mask ...: .npz, .npy or "
                        ".csv (default: white noise)")  # fmt: skip
    parser.add_argument("--layout", choices=list(AXES), help="axes of the data: btd is batch first")
    parser.add_argument("--lag", type=_lag, help="how many steps back the task must remember; "
                        "data: as far as the inputs predict the target linearly")  # fmt: skip
    parser.add_argument("--framework", choices=list(LAYOUTS), help="whose weights they are, where "
                        "their names do not say it")  # fmt: skip
    parser.add_argument("--prefix", help="which network of the file, such as encoder.rnn")
    parser.add_argument("--cell", choices=list(KINDS.values()), help="what TensorFlow 1's kernel "
                        "is of, where its name does not say it")  # fmt: skip
    parser.add_argument("--reset", choices=RESETS, help="whether a GRU of Keras resets after or "
                        "before the product, where no bias says it")  # fmt: skip
    parser.add_argument(
        "--json", type=Path, metavar="FILE.json", help="write the report there, too"
    )
    parser.add_argument("--html", type=Path, metavar="FILE.html", help="write it there with its "
                        "figures: one file that needs no network")  # fmt: skip
    parser.add_argument("--html-weights", action="store_true", help="put maps of the weights into "
                        "that file (default: no weight is in it)")  # fmt: skip


def _lag(text: str) -> int | str:
    """A number of steps, or "data"."""
    if text == DATA:
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer or {DATA}, got {text!r}") from None


def run_diagnose(given: argparse.Namespace) -> int:
    """Print a report; status 1 if something is seriously wrong."""
    if given.html_weights and given.html is None:
        raise ValueError("--html-weights must be given with --html FILE.html")
    check_targets((given.json, given.html), (given.weights, given.data))
    passages = read_watched(given.weights)
    if passages is not None:
        named = {"data": given.data, "layout": given.layout, "framework": given.framework,
                 "prefix": given.prefix, "cell": given.cell, "reset": given.reset}  # fmt: skip
        if said := [name for name, value in named.items() if value is not None]:
            raise ValueError(f"{said[0]} must not be given for saved runs, which have their own")
        if given.lag == DATA:
            raise ValueError("lag must be a number for saved runs, which have no targets, "
                             f"got {DATA!r}")  # fmt: skip
        for name, passage in passages.items():
            _say_what_it_takes(FromPassage(name, passage))
        report = diagnose_passages(passages, given.lag)
        if not report.labels:
            raise ValueError("; ".join(report.notes))
    else:
        if given.layout is not None and given.data is None:
            raise ValueError("--layout must be given with --data FILE, whose axes it names")
        model = load(given.weights, given.framework, prefix=given.prefix, cell=given.cell,
                     reset=given.reset, layout_name="framework")  # fmt: skip
        data = read_data(given.data, layout=given.layout) if given.data else read_data()
        _say_what_it_takes(FromWeights(model, data))
        run = run_of(model, data)
        notes = (*model.notes, *filter(None, (run.batch.note,)))
        report = diagnose(run, given.lag, notes)
    sys.stdout.write(f"{report}\n")
    if given.json is not None:
        report.json(given.json)
    if given.html is not None:
        report.html(given.html, given.html_weights)
    return int(report.serious)


def _say_what_it_takes(one: Brought) -> None:
    """How long its diagnosis will take, if that is long. Raises ValueError where this machine has
    no memory for it; nothing is allocated."""
    steps, batch_size = one.size
    work = f"{steps:,} steps of {batch_size:,} sequences"
    needed, there = estimate(one, fresh=False), machine_memory()
    if needed.bytes > there:
        raise ValueError(
            f"diagnosing {work} needs {needed.bytes / 2**20:,.0f} MiB, the machine has "
            f"{there / 2**20:,.0f}: give fewer sequences or shorter ones"
        )
    if (seconds := needed.on(measure_speed()).seconds) > SAID_FROM:
        sys.stderr.write(f"{work}: about {seconds:,.0f} s ...\n")
