"""The diagnosis against experiments: python -m tests.diagnosis first|second [--table].

Trains every case of a set, diagnoses it, and trains what fails once more after each change that
was proposed. A line of results is appended as each case ends; started again it goes on where it
stopped.
With --table, and at the end, it prints recall and precision of every finding.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

# Before NumPy loads: the same sums on every machine's number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.diagnosis.cases import Case
from tests.diagnosis.drawing import SETS, cases
from tests.diagnosis.tally import read, table
from tests.diagnosis.trial import diagnosed, trial


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.diagnosis", description=__doc__)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--out", type=Path, help="file of results (default: beside this script)")
    parser.add_argument("--again", action="store_true",
                        help="train nothing, diagnose again what the file has")  # fmt: skip
    parser.add_argument("--table", action="store_true", help="run nothing, print what is there")
    given = parser.parse_args()
    out = given.out or Path(__file__).parent / f"{given.set}.jsonl"
    if given.again:
        rows = [{**row, "found": diagnosed(Case(**row["case"]), len(row["accuracy"]))}
                for row in read(out)]  # fmt: skip
        out.write_text("".join(map(line, rows)), "utf-8")
    elif not given.table:
        _run(given.set, out)
    print(table(read(out)))
    return 0


def line(row: dict[str, Any]) -> str:
    """A row as the file has it."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def _run(name: str, out: Path) -> None:
    """Every case that the file does not have yet."""
    rows = read(out)
    if rows:  # without a last line that was cut off
        out.write_text("".join(map(line, rows)), "utf-8")
    done = {row["case"]["name"] for row in rows}
    wanted = [case for case in cases(name) if case.name not in done]
    for k, case in enumerate(wanted, 1):
        row = trial(case)
        with out.open("a", encoding="utf-8") as file:
            file.write(line(row))
        print(f"{k} of {len(wanted)} {case.name} {row['before']} {row['after']}"
              f" {row['seconds']} s", file=sys.stderr, flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
