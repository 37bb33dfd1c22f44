"""One process, one number of threads: measures the cases and prints a JSON line for each.

`python -m tests.benchmarks.worker '{"threads": 1, ...}'`, started by `python -m tests.benchmarks`
with the BLAS thread counts in its environment.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from typing import Any

from tests.benchmarks.allocator import keep_freed_memory

ALLOCATOR = keep_freed_memory()  # before NumPy and PyTorch take memory

import numpy as np  # noqa: E402
import torch  # noqa: E402

from tests.benchmarks.cases import SIZES, Run, core_run, make_case, products_run  # noqa: E402
from tests.benchmarks.opponents import OPPONENTS  # noqa: E402

MIN_ROUNDS = 3


def seconds(run: Run) -> float:
    """The time of one pass; what it returns is freed after the clock has stopped."""
    start = time.perf_counter()
    result = run()
    stop = time.perf_counter()
    del result
    return stop - start


def interleaved(runs: dict[str, Run], repeats: int, budget: float) -> dict[str, list[float]]:
    """Everybody once, then everybody again: `repeats` rounds, fewer if the budget is used up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + budget
    for done in range(repeats):
        if done >= MIN_ROUNDS and time.perf_counter() > end:
            break
        for name, run in runs.items():
            times[name].append(seconds(run))
    return times


def measure(cell: str, dtype: str, size: tuple[int, int, int], options: Any) -> dict[str, Any]:
    """Medians in milliseconds of ours, the opponents and the products alone."""
    case = make_case(cell, dtype, size)
    ours = core_run(case)
    runs: dict[str, Run] = {"ours": ours}
    worst = 0.0
    d_x = ours().d_x
    for name, make in OPPONENTS.items():
        runs[name], gradient = make(case)
        runs[name]()
        worst = max(worst, float(np.abs(gradient() - d_x).max() / np.abs(d_x).max()))
    runs["products"] = products_run(case)
    runs["products"]()
    times = interleaved(runs, options["repeats"], options["budget"])
    medians = {name: 1e3 * statistics.median(values) for name, values in times.items()}
    return {"cell": cell, "dtype": dtype, "size": size, "ms": medians, "difference": worst,
            "rounds": len(times["ours"])}  # fmt: skip


def about() -> dict[str, Any]:
    """The machine's side of the measurement."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    return {
        "numpy": f"{np.__version__} with {blas['name']} {blas['version']}",
        "torch": torch.__version__,
        "torch threads": torch.get_num_threads(),
        "allocator": ALLOCATOR,
    }


def main() -> None:
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    print(json.dumps(about()), flush=True)
    sizes = [size for i, size in enumerate(SIZES) if i in options["sizes"]]
    for cell, dtype, size in itertools.product(options["cells"], options["dtypes"], sizes):
        print(json.dumps(measure(cell, dtype, size, options)), flush=True)


if __name__ == "__main__":
    main()
