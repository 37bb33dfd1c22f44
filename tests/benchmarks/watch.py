"""`python -m tests.benchmarks.watch`: what watching adds to a training step of PyTorch.

An LSTM of 256 units on 32 sequences of 100 steps with a readout: forward, backward and Adam's step,
float32, one thread. Steps with and without a watch take turns, each pair in a random order; medians
of the pairs, and of their quotients. The replay, which comes when somebody asks for it, is timed
apart. Needs torch.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import torch  # noqa: E402
from torch import nn  # noqa: E402

from rnnviz.torch import watch  # noqa: E402

T, H, B, D = 100, 256, 32, 32


class Model(nn.Module):
    """An LSTM with a readout."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = nn.LSTM(D, H), nn.Linear(H, 1)

    def forward(self, x: Any) -> Any:
        return self.fc(self.rnn(x)[0])


def step(model: Model, optimizer: Any, x: Any, context: AbstractContextManager[Any]) -> float:
    """Seconds of one training step in a context."""
    start = time.perf_counter()
    with context:
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - start


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.watch", description=__doc__)
    parser.add_argument("--pairs", type=int, default=50, help="pairs of steps (default 50)")
    pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, x = Model(), torch.randn(T, B, D)
    optimizer = torch.optim.Adam(model.parameters())
    rng = random.Random(0)
    found: dict[bool, list[float]] = {False: [], True: []}
    for pair in range(pairs + 2):
        for watched in rng.sample([False, True], 2):
            seconds = step(model, optimizer, x, watch(model) if watched else nullcontext())
            if pair >= 2:  # the first warm up
                found[watched].append(seconds)
    with watch(model) as seen:
        model(x).square().mean().backward()
    replay = timed(lambda: seen["rnn"])
    plain, more = (1e3 * statistics.median(found[watched]) for watched in (False, True))
    ratios = [b / a for a, b in zip(found[False], found[True], strict=True)]
    of_pairs, of_medians = statistics.median(ratios) - 1, more / plain - 1
    print(f"load {os.getloadavg()[0]:.1f}; torch {torch.__version__}, one thread, T = {T}, "
          f"H = {H}, B = {B}, {pairs} pairs")  # fmt: skip
    print(f"a step {plain:.1f} ms, watched {more:.1f} ms: {100 * of_medians:+.1f} % by the "
          f"medians, {100 * of_pairs:+.1f} % by the median pair")  # fmt: skip
    print(f"replay {1e3 * replay:.0f} ms, once, when the run is asked for")


if __name__ == "__main__":
    main()
