"""Commands without a browser: `python -m rnnviz sweep`, a sweep into a CSV file; `diagnose`, what
is wrong with the gradients of a network that came from elsewhere; `lecture`, which writes the
lecture as one file, or compares its numbers with their runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TextIO

from rnnviz.core.cost import machine_memory, measure_speed
from rnnviz.core.layouts import LAYOUTS as AXES
from rnnviz.diagnosis import DATA, diagnose, diagnose_passages
from rnnviz.experiment import FIELDS, Experiment, Field
from rnnviz.experiment.effects import acted_on, idle, value_words, why_idle
from rnnviz.models import LAYOUTS, load, read_data, run_of
from rnnviz.models.brought import Brought, FromPassage, FromWeights, estimate
from rnnviz.models.saved_runs import read_watched
from rnnviz.sweep import MAX_SECONDS, axis, count, points, run_points, spaced
from rnnviz.sweep.file import SweepFile
from rnnviz.sweep.pool import Pool, ThisProcess, cores
from rnnviz.wording.names import field_name

INTERRUPTED = 130
BAR = 30
SAID_FROM = 2.0
"""Seconds of a diagnosis from which on it is said how long it takes."""
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
    if given.html is not None:
        from rnnviz.report import check_target  # it takes plotly

        check_target(given.html)
    passages = read_watched(given.weights)
    if passages is not None:
        named = {"data": given.data, "layout": given.layout, "framework": given.framework,
                 "prefix": given.prefix}  # fmt: skip
        if said := [name for name, value in named.items() if value is not None]:
            raise ValueError(f"{said[0]} must not be given for saved runs, which have their own")
        if given.lag == DATA:
            raise ValueError("lag must be a number for saved runs, which have no targets, "
                             f"got {DATA!r}")  # fmt: skip
        for name, passage in passages.items():
            _say_what_it_takes(FromPassage(name, passage))
        report = diagnose_passages(passages, given.lag)
    else:
        model = load(given.weights, given.framework, prefix=given.prefix)
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


def add_lecture(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "lecture", help="write the lecture as one file, or see that it says what its runs say"
    )
    parser.set_defaults(run=run_lecture)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--check",
        action="store_true",
        help="run every scene and compare each number of its reveal with the run; exit status 1 "
        "if one is off",
    )
    which.add_argument("--out", type=Path, metavar="FILE.html", help="where to write all scenes "
                       "with their knobs, By hand and the quiz: one file that needs no network, "
                       "and some seconds to make")  # fmt: skip


def run_lecture(given: argparse.Namespace) -> int:
    """Write the file, or check the numbers."""
    if given.check:
        return check_lecture()
    from rnnviz.report import check_target, lecture_page  # they take plotly

    check_target(given.out)
    progress = Progress(0, 1, sys.stderr, "pictures")

    def tell(_: int, count: int, __: str) -> None:
        progress.total = count
        progress.tell("")

    given.out.write_text(lecture_page(tell=tell), encoding="utf-8")
    progress.end(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")
    return 0


def check_lecture() -> int:
    """A line for every number of every reveal. Status 1 if the run says another one."""
    from rnnviz.lecture.check import check

    wrong = total = 0
    for found in check():
        total, wrong = total + 1, wrong + (not found.agrees)
        name, number = f"{found.question}.{found.name}", found.number
        digits = max(number.digits + 2, 2)
        sys.stdout.write(f"{'ok ' if found.agrees else 'OFF'}  {name:<24} said "
                         f"{number.value:>8.{number.digits}f}   run {found.measured:>10.{digits}f}"
                         f"   {number.measure} {number.of}".rstrip() + "\n")  # fmt: skip
        sys.stdout.flush()
    sys.stdout.write(f"{total - wrong} of {total} numbers are those of their runs\n")
    return int(wrong > 0)


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Every field of an experiment as an option."""
    for name, known in FIELDS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, help=field_name(name), **_option(known))


def fields_of(given: argparse.Namespace) -> dict[str, Any]:
    """The fields of an experiment that were given as options."""
    return {name: getattr(given, name) for name in FIELDS if hasattr(given, name)}


def tell_idle(experiment: Experiment, over: Mapping[str, Sequence[Any]]) -> None:
    """Name the settings that act on no model, whatever the swept fields are."""
    models = ", ".join(experiment.models)
    for name in idle(experiment, over):
        said = f"{name} {value_words(experiment, name)} acts on none of {models}"
        sys.stderr.write(f"note: {said}: {why_idle(experiment, name)}\n")


def _option(known: Field) -> dict[str, Any]:
    """A field as an option; its range is checked by the experiment itself."""
    given: dict[str, Any] = {"default": argparse.SUPPRESS}
    if known.kind == "models":
        return {**given, "nargs": "+", "metavar": "MODEL"}
    if known.kind == "choice":
        return {**given, "choices": known.choices}
    return {**given, "type": {"int": int, "float": float}.get(known.kind, str)}


def run_sweep(given: argparse.Namespace) -> int:
    """Run what the file lacks. Status 1 if a run was refused or failed, 130 if interrupted."""
    experiment = Experiment(**fields_of(given))
    over = read_over(experiment, given.over)
    seeds = read_values("seed", given.seeds) if given.seeds else (experiment.seed,)
    if given.workers < 1:
        raise ValueError(f"workers must be at least 1, got {given.workers}")
    every = points(experiment, over, seeds)
    tell_acting(experiment, over)
    file = SweepFile(given.out, experiment, over)
    total = count(over, seeds) * len(experiment.models)
    progress = Progress(total - count_missing(file, experiment, over, seeds), total, sys.stderr)
    executor: Executor = ThisProcess() if given.workers == 1 else Pool(given.workers)
    results = run_points(file.missing(every), executor, given.max_seconds)
    try:
        for result in results:
            file.add(result)
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


def tell_acting(experiment: Experiment, over: dict[str, Any]) -> None:
    """Name the settings that act on no model, and the models on which a swept field does not act:
    their rows are the same for each of its values."""
    tell_idle(experiment, over)
    for name in over:
        acting = acted_on(experiment, over, name)
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
    log = len(parts) == 4 and parts.pop(2) == "log"
    if len(parts) != 3:
        raise ValueError(f"a range of {name} must be low:high:number or low:high:log:number, "
                         f"got {text!r}")  # fmt: skip
    low, high = (_number(name, "float", part) for part in parts[:2])
    return spaced(known, low, high, _number(name, "int", parts[2]), log)


def _number(name: str, kind: str, text: str) -> Any:
    try:
        return (int if kind == "int" else float)(text)
    except ValueError:
        wanted = "whole numbers" if kind == "int" else "numbers"
        raise ValueError(f"values of {name} must be {wanted}, got {text.strip()!r}") from None


class Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, done: int, total: int, out: TextIO, what: str = "runs") -> None:
        self.done, self.total, self.out, self.failed, self.what = done, total, out, 0, what
        self._begin, self._first, self._shown = time.monotonic(), done, 0.0
        self._every = 0.2 if out.isatty() else 10.0
        if done:
            out.write(f"{done:,} of {total:,} {what} are there already\n")

    def tell(self, message: str) -> None:
        """One more result."""
        self.done += 1
        self.failed += bool(message)
        now = time.monotonic()
        if now - self._shown > self._every or self.done == self.total:
            self._shown = now
            self._write(now)

    def end(self, said: str) -> None:
        self.out.write(f"\n{said}\n")

    def _write(self, now: float) -> None:
        left = (now - self._begin) / (self.done - self._first) * (self.total - self.done)
        bar = "#" * (BAR * self.done // self.total)
        start, stop = ("\r", "") if self.out.isatty() else ("", "\n")
        self.out.write(f"{start}[{bar:.<{BAR}}] {self.done:,} of {self.total:,} {self.what}, "
                       f"about {left:.0f} s left   {stop}")  # fmt: skip
        self.out.flush()
