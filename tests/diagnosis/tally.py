"""Recall and precision of every finding, from the file of results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.diagnosis.cases import HEALTHY
from tests.diagnosis.trial import KINDS

Row = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """Of one kind: names of the cases. A case has the fault if it fails and, once the finding's
    change is made, succeeds.

    right: found in one that has it. missed: not found in one that has it. wrong: found in one that
    succeeds as it is, or that fails and does not succeed after the change. open: drawn for this
    kind, but as it is neither fails nor succeeds, or not cured. What is found in one that neither
    fails nor succeeds as it is does not count.
    """

    kind: str
    right: tuple[str, ...]
    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def recall(self) -> float:
        return _share(len(self.right), len(self.missed))

    @property
    def precision(self) -> float:
        return _share(len(self.right), len(self.wrong))


def _share(some: int, others: int) -> float:
    return some / (some + others) if some + others else float("nan")


def read(path: Path) -> list[Row]:
    """The rows of a file, none if there is no file; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def tally(rows: Sequence[Row], kind: str) -> Tally:
    """What became of one finding."""
    names: dict[str, list[str]] = {"right": [], "missed": [], "wrong": [], "open": []}
    for row in rows:
        if place := _place(row, kind):
            names[place].append(row["case"]["name"])
    return Tally(kind, **{place: tuple(each) for place, each in names.items()})


def _place(row: Row, kind: str) -> str:
    found, own = kind in row["found"], row["case"]["kind"] == kind
    if row["after"].get(kind) == "succeeds":  # what does not fail has no after
        return "right" if found else "missed"
    if found and row["before"] != "mixed":
        return "wrong"
    return "open" if own else ""


def healthy(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Names of the cases that were drawn to be healthy and succeed as they are; of those in which
    something serious is found before they are trained; of those in which it is once they have
    learned."""
    well = [row for row in rows if (row["case"]["kind"], row["before"]) == (HEALTHY, "succeeds")]
    names = {"well": [row["case"]["name"] for row in well]}
    for when in ("found", "later"):
        names[when] = [row["case"]["name"] for row in well
                       if any(one["serious"] for one in row[when].values())]  # fmt: skip
    return names


def table(rows: Sequence[Row]) -> str:
    """Markdown, and the misses by name."""
    lines = ["| finding | right | missed | wrong | recall | precision |", f"|{'---|' * 6}"]
    more = []
    for kind in KINDS:
        one = tally(rows, kind)
        counts = len(one.right), len(one.missed), len(one.wrong)
        lines.append(f"| {kind} | {' | '.join(map(str, counts))} | {one.recall:.2f} | "
                     f"{one.precision:.2f} |")  # fmt: skip
        for place in ("missed", "wrong", "open"):
            if names := getattr(one, place):
                more.append(f"{kind}, {place}: {', '.join(names)}")
    names = healthy(rows)
    drawn = sum(row["case"]["kind"] == HEALTHY for row in rows)
    seconds = sum(row["seconds"] for row in rows)
    more += [f"{len(names['well'])} of {drawn} healthy cases succeed as they are; something serious"
             f" is found in {len(names['found'])} of them: {', '.join(names['found']) or 'none'};"
             f" once they have learned, in {len(names['later'])}:"
             f" {', '.join(names['later']) or 'none'}",
             f"{len(rows)} cases, {seconds / 60:.1f} minutes"]  # fmt: skip
    return "\n".join([*lines, "", *more])
