"""`python -m tests.benchmarks.trust`: what the checks of a run take, as a share of the run itself.

The default experiment and one of 512 units and a single sequence, float64, one BLAS thread. A run
is all models, forward and backward; its gradients are known before the checks begin, as they are
where a page has been drawn. Rounds interleaved, CPU time, medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from tests.benchmarks.allocator import keep_freed_memory  # noqa: E402

ALLOCATOR = keep_freed_memory()

from rnnviz.analysis.selfcheck.checks import QUICK, THOROUGH, Group, trust  # noqa: E402
from rnnviz.experiment import Experiment, Run, run  # noqa: E402

CASES = {"default": Experiment(), "H = 512, B = 1": Experiment(hidden_size=512, batch_size=1)}


def checks_of(made: Run, names: tuple[str, ...], group: Group) -> Callable[[], object]:
    """Checks of every model of a run."""
    some = replace(group, names=names)
    return lambda: [trust(made[model], made.batch, model, some) for model in made]


def cpu(work: Callable[[], object]) -> float:
    """Milliseconds; what it returns is freed after the clock has stopped."""
    start = time.process_time()
    result = work()
    stop = time.process_time()
    del result
    return 1e3 * (stop - start)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.trust", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="rounds (default 9)")
    repeats = parser.parse_args().repeats
    print(f"load {os.getloadavg()[0]:.1f}; {ALLOCATOR}")
    for title, experiment in CASES.items():
        made = run(experiment)
        sides = {"run": lambda e=experiment: run(e), "quick": checks_of(made, QUICK.names, QUICK),
                 "thorough": checks_of(made, THOROUGH.names, THOROUGH)}  # fmt: skip
        sides |= {f"quick {name}": checks_of(made, (name,), QUICK) for name in QUICK.names}
        sides |= {f"thorough {n}": checks_of(made, (n,), THOROUGH) for n in THOROUGH.names}
        times = {name: [cpu(side) for _ in range(2)][1:] for name, side in sides.items()}
        for _ in range(repeats - 1):
            for name, side in sides.items():
                times[name].append(cpu(side))
        ms = {name: statistics.median(values) for name, values in times.items()}
        print(f"{title}: {', '.join(map(str, experiment.models))}, run {ms['run']:.1f} ms")
        for name in list(sides)[1:]:
            least = min(times[name])
            print(f"  {name:26} {ms[name]:7.1f} ms (least {least:.1f}) = "
                  f"{ms[name] / ms['run']:.2f} of the run")  # fmt: skip


if __name__ == "__main__":
    main()
