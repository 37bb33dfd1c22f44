"""`python -m tests.benchmarks`: this core against PyTorch on the same work, in the same run.

For RNN, LSTM and GRU in float64 and float32 at six sizes (T, B, H), D = 8, with one thread and
with two: the median time of one forward and backward pass with a direct gradient at every step
and d_x on every side, everybody warmed up, rounds interleaved. Opponents: (a) a PyTorch loop that
records the same (a+: the same, tuned by hand), (b) a loop over nn.RNNCell, LSTMCell, GRUCell with
retain_grad on the states, (c) the fused nn.RNN, LSTM, GRU, which record nothing. "products" is
the time of the matrix products alone in NumPy. Ours makes a fresh Trace each time. On the right:
how many times longer each opponent takes than ours, and ours than the products.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.cases import CELL_NAMES, DTYPES, SIZES
from tests.benchmarks.report import HEADER, Row, line, summary

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    names = {"x".join(map(str, size)): i for i, size in enumerate(SIZES)}
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--cell", choices=CELL_NAMES, action="append", help="default: all")
    parser.add_argument("--dtype", choices=DTYPES, action="append", help="default: both")
    parser.add_argument("--size", choices=names, action="append", help="T x B x H, default: all")
    parser.add_argument("--threads", type=int, action="append", help="default: 1 and 2")
    parser.add_argument("--repeats", type=int, default=41, help="rounds at most (default 41)")
    parser.add_argument("--budget", type=float, default=2.5,
                        help="seconds a row, three rounds at least (default 2.5)")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="half a second a row")
    options = parser.parse_args(argv)
    options.sizes = [names[size] for size in options.size or names]
    options.budget = 0.5 if options.quick else options.budget
    return options


def worker(options: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    """What a process with that many threads on both sides prints, line by line."""
    wish = {
        "threads": threads,
        "cells": options.cell or CELL_NAMES,
        "dtypes": options.dtype or DTYPES,
        "sizes": options.sizes,
        "repeats": options.repeats,
        "budget": options.budget,
    }
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    command = [sys.executable, "-m", "tests.benchmarks.worker", json.dumps(wish)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield from map(json.loads, process.stdout)
    if process.returncode:
        raise SystemExit(f"the worker with {threads} thread(s) failed")


def main() -> None:
    if importlib.util.find_spec("torch") is None:
        sys.exit("The benchmark compares with PyTorch, which is not installed: pip install torch")
    options, rows, begin = parse(), list[Row](), time.time()
    print(f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores, "
          f"load average at the start {os.getloadavg()[0]:.1f}; D = 8")  # fmt: skip
    for threads in options.threads or (1, 2):
        lines = worker(options, threads)
        about = ", ".join(f"{key} {value}" for key, value in next(lines).items())
        print(f"\n{threads} thread(s) for BLAS and for PyTorch: {about}\n{HEADER}", flush=True)
        for measured in lines:
            rows.append({**measured, "threads": threads})
            print(line(rows[-1]), flush=True)
    print("", *summary(rows), sep="\n")
    print(f"Largest relative difference of d_x between the sides: "
          f"{max(row['difference'] for row in rows):.1e}; "
          f"at least {min(row['rounds'] for row in rows)} rounds a row; "
          f"{time.time() - begin:.0f} s in all, load average at the end "
          f"{os.getloadavg()[0]:.1f}.")  # fmt: skip


if __name__ == "__main__":
    main()
