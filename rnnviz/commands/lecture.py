"""`lecture`: as one file, or its numbers compared with their runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rnnviz.commands.progress import Progress
from rnnviz.experiment.targets import check_target, replacing


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
    from rnnviz.report import lecture_page  # it takes plotly

    check_target(given.out)
    progress = Progress(0, 1, sys.stderr, "pictures")

    def tell(_: int, count: int, __: str) -> None:
        progress.total = count
        progress.tell("")

    page = lecture_page(tell=tell)
    with replacing(given.out) as file:
        file.write(page.encode("utf-8"))
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
