"""`sweep`: one experiment with some fields changed, into a CSV file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnviz.commands.fields import add_fields, fields_of, tell_idle
from rnnviz.commands.progress import INTERRUPTED, Progress
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.effects import acted_on
from rnnviz.sweep import MAX_SECONDS, axis, count, points, run_points, spaced
from rnnviz.sweep.file import SweepFile
from rnnviz.sweep.grid import checked_seconds
from rnnviz.sweep.pool import Pool, ThisProcess, cores

HELP = """\
--over gain=0.5:2:log:7   seven values from 0.5 to 2 in equal ratios
--over gain=0.5:2:4       four values at equal distances
--over seq_len=50,100     these values
"""


def add_sweep(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "sweep",
        help="run one experiment with some fields changed",
        epilog=HELP,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.set_defaults(run=run_sweep)
    add_fields(parser)
    parser.add_argument(
        "--over",
        action="append",
        required=True,
        metavar="FIELD=VALUES",
        help="a field and its values; may be given several times",
    )
    parser.add_argument("--seeds", help="as the values of --over (default: --seed)")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="where rows are appended; an interrupted sweep goes on there",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=cores(),
        help="processes; 1 for none besides this one (default: %(default)s)",
    )
    parser.add_argument(
        "--max-seconds",
        type=float,
        default=MAX_SECONDS,
        help="estimated time of a run from which on it is refused",
    )


def run_sweep(given: argparse.Namespace) -> int:
    """Run what the file lacks, or has no numbers of. Status 1 if a run was refused or failed, 130
    if interrupted."""
    _check(given)
    experiment = Experiment(**fields_of(given))
    over = read_over(experiment, given.over)
    _check_once(given, over)
    seeds = read_values("seed", given.seeds) if given.seeds else (experiment.seed,)
    every = points(experiment, over, seeds)
    tell_acting(experiment, over)
    file = SweepFile(given.out, experiment, over)
    total = count(over, seeds) * len(experiment.models)
    progress = Progress(total - count_missing(file, experiment, over, seeds), total, sys.stderr)
    executor: Executor = ThisProcess() if given.workers == 1 else Pool(given.workers)
    results = run_points(file.missing(every), executor, given.max_seconds)
    try:
        for result in results:
            if file.add(result):
                progress.tell(result.message)
    except KeyboardInterrupt:
        results.close()  # type: ignore[attr-defined]
        progress.end(f"interrupted; the same command goes on with {given.out}")
        return INTERRUPTED
    except OSError:
        results.close()  # type: ignore[attr-defined]
        progress.end("stopped")
        raise
    progress.end(f"{given.out}: {progress.failed} of {total} runs without numbers, see their "
                 "column message" if progress.failed else f"{given.out}")  # fmt: skip
    return int(progress.failed > 0)


def _check(given: argparse.Namespace) -> None:
    """Raise ValueError for workers or a limit that are none."""
    if given.workers < 1:
        raise ValueError(f"workers must be at least 1, got {given.workers}")
    checked_seconds(given.max_seconds)


def _check_once(given: argparse.Namespace, over: dict[str, Any]) -> None:
    """Raise ValueError for a field that is given as an option and with values, too."""
    swept = dict.fromkeys(over, "--over") | ({"seed": "--seeds"} if given.seeds else {})
    for name in fields_of(given).keys() & swept.keys():
        raise ValueError(f"{name} must not be given with {swept[name]}, which has its values")


def tell_acting(experiment: Experiment, over: dict[str, Any]) -> None:
    """Name the settings that act on no model, and the models on which a swept field does not act:
    their rows are the same for each of its values. A field of one value is a setting."""
    varied = {name: values for name, values in over.items() if len(values) > 1}
    experiment = replace(experiment, **{n: v[0] for n, v in over.items() if n not in varied})
    tell_idle(experiment, varied)
    for name in varied:
        acting = acted_on(experiment, varied, name)
        if same := [str(model) for model in experiment.models if model not in acting]:
            sys.stderr.write(
                f"note: {name} does not act on {', '.join(same)}: the rows are equal\n"
            )


def count_missing(
    file: SweepFile, experiment: Experiment, over: dict[str, Any], seeds: Sequence[int]
) -> int:
    """How many results are still to come."""
    if not file.done:
        return count(over, seeds) * len(experiment.models)
    every = points(experiment, over, seeds)
    keys = ((p.at, p.experiment.seed, str(m)) for p in every for m in p.experiment.models)
    return sum(key not in file.done for key in keys)


def read_over(experiment: Experiment, given: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """["gain=0.5:2:log:7", ...] as fields and their values."""
    over: dict[str, tuple[Any, ...]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise ValueError(f"--over must look like gain=0.5:2:log:7 or gain=0.5,1, got {text!r}")
        if name in over:
            raise ValueError(f"--over must name a field once, got {name} twice")
        over[name] = axis(experiment, name, read_values(name, values))
    return over


def read_values(name: str, text: str) -> tuple[Any, ...]:
    """Values of a field: a list "1,2,3" or a range "low:high:number", "low:high:log:number"."""
    known = FIELDS.get(name)
    if known is None or known.kind not in ("int", "float"):
        return tuple(part.strip() for part in text.split(","))
    if ":" not in text:
        return tuple(_number(name, known.kind, part) for part in text.split(","))
    parts = text.split(":")
    log = parts[2:-1] == ["log"]
    if len(parts) != 3 + log:
        raise ValueError(f"a range of {name} must be low:high:number or low:high:log:number, "
                         f"got {text!r}")  # fmt: skip
    low, high = (_number(name, "float", part) for part in parts[:2])
    return spaced(known, low, high, _count(name, parts[-1]), log)


def _number(name: str, kind: str, text: str) -> Any:
    try:
        return (int if kind == "int" else float)(text)
    except ValueError:
        wanted = "whole numbers" if kind == "int" else "numbers"
        raise ValueError(f"values of {name} must be {wanted}, got {text.strip()!r}") from None


def _count(name: str, text: str) -> int:
    """How many values a range has."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"the number of values in a range of {name} must be a whole number, got "
                         f"{text.strip()!r}") from None  # fmt: skip
