"""Weekly stock prices of six companies, 2018 and 2019, from the data that plotly ships."""

from __future__ import annotations

import csv
import gzip
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import Batch, all_steps, check, loss_mask, stream

Array = np.ndarray
COMPANIES = 6
PAIRS = 103  # weekly returns that have a next one


@dataclass(frozen=True)
class Stocks:
    """x_t = log(p_t / p_{t-1}) / s: each company's weekly log return in units of its own
    standard deviation s over the whole series; the answer is x_{t+1} of all six companies.

    The loss is half the squared error, summed over the companies. Sequences are windows of the
    103 returns that have a next one; a longer T is cut to that, and the batch's note
    says so. Data: plotly.data.stocks (GOOG, AAPL, AMZN, FB, NFLX, MSFT; weekly closes).
    """

    name: ClassVar[str] = "stocks"
    baseline: ClassVar[float | None] = None
    baseline_text: ClassVar[str] = (
        "the answer 0 (no change): about 3, half of one per company (half the squared error)"
    )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return min(seq_len, PAIRS), COMPANIES, COMPANIES

    def batch(self, seed: int, seq_len: int, batch_size: int, loss_at: str) -> Batch:
        """x, target (T, 6, B)."""
        check(seq_len, batch_size, loss_at)
        names, returns = weekly_returns()
        steps, *_ = self.shape(seq_len)
        starts = window_starts(seed, batch_size, steps)
        windows = returns[starts + np.arange(steps + 1)[:, None]].transpose(0, 2, 1)
        note = f"The series has {PAIRS} weeks to predict, so T is {PAIRS}, not {seq_len:,}."
        return Batch(
            x=np.ascontiguousarray(windows[:-1]),
            target=np.ascontiguousarray(windows[1:]),
            mask=loss_mask(steps, batch_size, loss_at),
            loss="squared_error",
            input_size=len(names),
            output_size=len(names),
            lengths=all_steps(steps, batch_size),
            labels=names,
            note=note if steps < seq_len else "",
        )


def window_starts(seed: int, batch_size: int, steps: int) -> Array:
    """(B,) first weeks of windows of `steps`. A window that would run past the end of the series
    begins as much earlier as it must."""
    draws = [stream(seed, "sequences", b).integers(PAIRS) for b in range(batch_size)]
    return np.minimum(draws, PAIRS - steps)


@lru_cache(maxsize=1)
def weekly_returns() -> tuple[tuple[str, ...], Array]:
    """The companies' names and their standardized weekly log returns (104, 6), read-only."""
    names, prices = _prices()
    returns = np.diff(np.log(prices), axis=0)
    returns /= returns.std(axis=0)
    returns.flags.writeable = False
    return names, returns


def _prices() -> tuple[tuple[str, ...], Array]:
    """Names and prices (weeks, companies). The file is read where plotly is installed, without
    importing plotly, which takes longer than a run."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("task stocks needs the package plotly, whose data it reads")
    folder = Path(spec.submodule_search_locations[0]) / "package_data" / "datasets"
    with gzip.open(folder / "stocks.csv.gz", "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return tuple(header[1:]), np.array([row[1:] for row in rows], dtype=np.float64)
