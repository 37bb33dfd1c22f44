"""Published results, run again: python -m tests.reproduce [case …]. Exits with 1 outside a band.

Prints a table in Markdown; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed

# Before NumPy loads: a process a core is faster than two threads in each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.reproduce.cases import CASES, Case, ours
from tests.reproduce.jobs import Job


def main() -> int:
    names = _arguments()
    started = time.perf_counter()
    wanted = [job for name in names for jobs in CASES[name].jobs.values() for job in jobs]
    scores = _run(wanted)
    print("| what | score | theirs | ours: median (range) | band | within |")
    print("|---|---|---|---|---|---|")
    within = [_print(CASES[name], scores) for name in names]
    print(
        f"\n{len(wanted)} networks trained in {(time.perf_counter() - started) / 60:.1f} minutes."
    )
    return 0 if all(within) else 1


def _arguments() -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m tests.reproduce", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; all if none is named")
    given = parser.parse_args().case
    if unknown := set(given) - set(CASES):
        parser.error(f"case must be among {', '.join(CASES)}, got {', '.join(sorted(unknown))}")
    return given or list(CASES)


def _run(jobs: list[Job]) -> dict[Job, float]:
    """Every job's score, on all cores, with a progress line."""
    scores = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        waiting = {pool.submit(job.run): job for job in jobs}
        for done, future in enumerate(as_completed(waiting), 1):
            scores[waiting[future]] = future.result()
            print(f"\r{done} of {len(jobs)} networks trained", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return scores


def _print(case: Case, scores: Mapping[Job, float]) -> bool:
    found = {name: [scores[job] for job in jobs] for name, jobs in case.jobs.items()}
    within = case.judge(found)
    cells = case.title, case.score, case.theirs, ours(case, found), case.band
    print("|", " | ".join(cells), "|", "yes" if within else "**no**", "|")
    return within


if __name__ == "__main__":
    sys.exit(main())
