"""`python -m tests.benchmarks.estimates`: what is estimated beside what it takes, in seconds of one
core and in MiB, for runs, trainings and analyses. Goal: within 2x from 0.2 s on, and memory never
below what is taken. With --smallest 0 short ones are judged too.
"""

from __future__ import annotations

import argparse
import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import time  # noqa: E402
import tracemalloc  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from typing import Any  # noqa: E402

from rnnviz import Experiment, estimate, run  # noqa: E402
from rnnviz.core.cost import Estimate, measure_speed  # noqa: E402
from tests.analysis.test_limits import OF_TRACES  # noqa: E402

RUNS: list[dict[str, Any]] = [
    {"seq_len": 500},
    {"models": ("rnn",), "hidden_size": 512, "seq_len": 400},
    {"models": ("lstm",), "hidden_size": 512, "batch_size": 1, "seq_len": 300},
    {"models": ("lstm",), "hidden_size": 256, "batch_size": 64},
    {"models": ("gru",), "hidden_size": 16, "batch_size": 256, "seq_len": 800},
    {"models": ("rnn",), "gain": 0.01, "seq_len": 2000},
    {"models": ("lstm",), "seq_len": 2000, "layers": 4, "hidden_size": 16},
    {"models": ("rnn",), "activation": "relu", "gain": 10.0, "seq_len": 2000},
    {"models": ("gru",), "layers": 4, "bidirectional": "yes"},
    {"models": ("lstm",), "skip": 3, "seq_len": 800},
    {"models": ("rnn",), "seq_len": 2, "hidden_size": 1, "batch_size": 1, "train_steps": 1000},
    {"models": ("lstm", "gru"), "train_steps": 40},
    {"models": ("rnn",), "seq_len": 300, "window": 1, "stride": 1, "train_steps": 5},
    {"models": ("lstm",), "hidden_size": 384, "batch_size": 4, "train_steps": 3},
]
OBJECTS = 1 << 18
"""Bytes that Python itself may take beside the arrays."""
LARGE = {"seq_len": 300, "hidden_size": 96, "batch_size": 16, "loss_at": "every"}
ANALYSED: list[dict[str, Any]] = [
    {"models": ("rnn",), **LARGE},
    {"models": ("rnn",), "activation": "relu", "skip": 4, **LARGE},
    {"models": ("lstm",), **LARGE},
    {"models": ("gru:variant=reset_before",), **LARGE},
]


def cases() -> Iterator[tuple[str, Callable[[], Any], Estimate]]:
    """(what, the work, its estimate)."""
    for changes in RUNS:
        e = Experiment(**changes)
        yield f"run {changes}", lambda e=e: [t.grads for t in run(e).values()], estimate(e)
    for changes in ANALYSED:
        (network,) = run(Experiment(**changes)).values()
        trace = network.trace
        for name, (analyse, cost) in OF_TRACES.items():
            if name != "carry" or trace.cell.MEMORY_GATE:
                what = f"{name} {changes['models'][0]} skip={trace.cell.skip}"
                yield what, lambda f=analyse, t=trace: f(t), cost(trace)


def measured(work: Callable[[], Any]) -> tuple[float, int]:
    """Seconds of the processor, the least of two; bytes at the most."""
    seconds = []
    for _ in range(2):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return min(seconds), peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smallest", type=float, default=0.2, help="seconds from which it counts")
    smallest, speed = parser.parse_args().smallest, measure_speed()
    print(speed)
    print("    s: estimated, measured, ratio |    MiB: estimated, measured, ratio")
    missed = 0
    for what, work, cost in cases():
        seconds, peak = measured(work)
        guess = cost.on(speed).seconds
        counts = max(guess, seconds) >= smallest
        wrong = (counts and not 0.5 <= guess / seconds <= 2) or cost.bytes + OBJECTS < peak
        missed += wrong
        print(f"{guess:13.3f} {seconds:9.3f} {guess / seconds:6.2f} | {cost.bytes / 2**20:18.1f} "
              f"{peak / 2**20:9.1f} {cost.bytes / peak:6.2f}  {'*' if wrong else ' '} {what}",
              flush=True)  # fmt: skip
    print(f"{missed} outside (marked *)")


if __name__ == "__main__":
    main()
