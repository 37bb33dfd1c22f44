"""`python -m tests.benchmarks.sweep`: a sweep on every core against one.

The default experiment's models over gain × length, one BLAS thread in every process, the same
allocator settings. "one": the
same points one after the other in this process, no pool at all. "all": `rnnviz.sweep` as anybody
calls it, the start of its worker processes included. Rounds interleaved, medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from tests.benchmarks.allocator import keep_freed_memory  # noqa: E402

ALLOCATOR = keep_freed_memory()  # as the worker processes have it

import numpy as np  # noqa: E402

from rnnviz.experiment import Experiment  # noqa: E402
from rnnviz.sweep import Result, sweep  # noqa: E402
from rnnviz.sweep.pool import ThisProcess, cores  # noqa: E402

TARGET = 1.8
"""Times as fast on two cores as on one."""


def over(cells: int) -> dict[str, list[float]]:
    """A square of that many values each."""
    lengths = np.linspace(50, 150, cells).astype(int).tolist()
    return {"gain": np.geomspace(0.25, 4, cells).tolist(), "seq_len": lengths}


def numbers(results: list[Result]) -> dict[object, object]:
    return {result.key: result.measures for result in results}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sweep", description=__doc__)
    parser.add_argument("--cells", type=int, default=16, help="values of each field (default 16)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default 3)")
    return parser.parse_args()


def main() -> None:
    options = parse()
    experiment, grid = Experiment(), over(options.cells)
    found: dict[str, list[Result]] = {}

    times: dict[str, list[float]] = {"one": [], "all": []}
    for _ in range(options.repeats):
        for name, executor in (("one", ThisProcess()), ("all", None)):
            start = time.perf_counter()
            found[name] = list(sweep(experiment, grid, executor=executor))
            times[name].append(time.perf_counter() - start)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    same = numbers(found["one"]) == numbers(found["all"])
    ratio = seconds["one"] / seconds["all"]
    print(f"{len(found['one'])} runs ({', '.join(experiment.models)}, H = 64, B = 16, T = 50 to "
          f"150), {cores()} cores, {len(times['one'])} rounds, load {os.getloadavg()[0]:.1f}; "
          f"NumPy {np.__version__}; {ALLOCATOR}")  # fmt: skip
    print(f"one {seconds['one']:.2f} s, all {seconds['all']:.2f} s; "
          f"the same numbers: {'yes' if same else 'NO'}")  # fmt: skip
    verdict = "met" if ratio >= TARGET else "MISSED"
    print(f"{ratio:.2f} times as fast (at least {TARGET} on two cores: {verdict})")


if __name__ == "__main__":
    main()
