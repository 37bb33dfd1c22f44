"""`python -m tests.benchmarks.models`: a network that was brought, loaded, replayed and diagnosed.

For RNN, LSTM and GRU in float32 the seconds from weights in memory to a `Run` of every state and
gradient, and from there to the report (norms are exact, nothing is left out), beside PyTorch's own
fused forward and backward pass on the same shapes. Rounds take turns, everybody warmed up; medians,
and what the replay takes of PyTorch's time. PyTorch's pass keeps no gradient of any step. Needs
torch.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
SIZES = ((100, 128, 32), (500, 128, 32), (500, 512, 32))
D = 32


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def measure(kind: str, size: tuple[int, int, int], rounds: int) -> str:
    """One row."""
    import numpy as np
    import torch

    from rnnviz.diagnosis import diagnose
    from rnnviz.models import Sequences, load, run_of

    steps, hidden_size, batch_size = size
    module = getattr(torch.nn, kind)(D, hidden_size)
    x = torch.randn(steps, batch_size, D)
    data = Sequences(x=np.moveaxis(x.numpy(), 1, 2).copy())
    found: dict[str, list[float]] = {"load": [], "replay": [], "report": [], "torch": []}

    def passed() -> None:
        module.zero_grad()
        module(x)[0][-1].sum().backward()

    for k in range(rounds + 1):
        row: dict[str, float] = {}
        row["torch"], _ = seconds(passed)
        row["load"], model = seconds(lambda: load(module))
        row["replay"], run = seconds(lambda: run_of(model, data))  # noqa: B023
        row["report"], _ = seconds(lambda: diagnose(run, lag=steps // 2))  # noqa: B023
        for name, one in row.items():
            if k:  # the first warms up
                found[name].append(one)
    median = {name: statistics.median(values) for name, values in found.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    replay = f"{1e3 * median['replay']:>9.0f}{median['replay'] / median['torch']:>7.2f}"
    row_of = f"{kind:<5}{steps:>5}{hidden_size:>5}{batch_size:>4}{1e3 * median['torch']:>10.0f}"
    return f"{row_of}{1e3 * median['load']:>8.1f}{replay}{median['report']:>9.2f}{peak:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.models", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each row (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="of each side (default 2)")
    given = parser.parse_args()
    for variable in THREADS:  # read once, when the libraries are loaded
        os.environ[variable] = str(given.threads)
    import torch

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    print(f"load {os.getloadavg()[0]:.1f}; torch {torch.__version__}, float32, {given.threads} "
          f"threads, D = {D}, medians of {given.rounds}")  # fmt: skip
    print("cell     T    H   B  torch ms load ms replay ms    of  report s peak MB")
    for size in SIZES:
        for kind in ("RNN", "LSTM", "GRU"):
            print(measure(kind, size, given.rounds), flush=True)


if __name__ == "__main__":
    main()
