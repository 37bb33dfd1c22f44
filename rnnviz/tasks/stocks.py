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

from rnnviz.core.numerics import Array
from rnnviz.tasks.batch import HELD_OUT, Batch, Task, all_steps, check, loss_mask, streams

COMPANIES = 6
PAIRS = 103  # weekly returns that have a next one
TRAINED = 78  # of these to train on: those whose next one is in the first year and a half


@dataclass(frozen=True)
class Stocks(Task):
    """x_t = log(p_t / p_{t-1}) / s: each company's weekly log return in units of its own
    standard deviation s over the weeks trained on; the answer is x_{t+1} of all six companies.

    The loss is half the squared error, summed over the companies. Sequences are windows of the
    first 78 of the 103 returns that have a next one; a longer T is cut to that, and the batch's
    note says so. The last 25 are held out: there a window may begin earlier, so that there is a
    past to read, but is asked about the held-out weeks alone.
    Data: plotly.data.stocks (GOOG, AAPL, AMZN, FB, NFLX, MSFT; weekly closes).

    Examples
    --------
    >>> batch = Stocks().batch(seed=0, seq_len=10, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((10, 6, 2), (10, 6, 2), 'squared_error')
    """

    name: ClassVar[str] = "stocks"
    shape_name: ClassVar[str] = "many-to-many"
    proves: ClassVar[str] = (
        "Little: weekly returns are nearly unpredictable, so a network that does much better than "
        "no change in training has learned the weeks by heart; compare the held-out weeks."
    )

    @property
    def unseen(self) -> str:
        return "held_out"

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return min(seq_len, TRAINED), COMPANIES, COMPANIES

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """The loss of the answer 0, mean over the weeks that are asked about, each as often as
        windows of this length ask about it: those at the end, most often."""
        steps, *_ = self.shape(seq_len)
        asked = np.arange(1, steps + 1) if loss_at == "every" else np.array([steps])
        weeks = window_starts(np.arange(TRAINED), TRAINED, steps) + asked[:, None]
        _, returns = weekly_returns()
        return float(np.mean(np.sum(returns[weeks] ** 2, axis=-1)) / 2)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        loss = self.baseline_at(seq_len, loss_at)
        return (
            f"the answer 0 (no change): {loss:.3f} on the weeks asked about (half the squared "
            "error)"
        )

    def held_out_baseline(self, batch: Batch) -> float:
        """The answer 0 in the weeks held out, which are calmer or wilder ones."""
        squares = np.sum(batch.target**2, axis=1) * batch.mask
        return float(squares.sum() / batch.mask.sum() / 2)

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, 6, B)."""
        check(seq_len, batch_size, loss_at, first)
        names, returns = weekly_returns()
        steps, *_ = self.shape(seq_len)
        low, high = (TRAINED, PAIRS) if first >= HELD_OUT else (0, TRAINED)
        draws = [rng.integers(low, high) for rng in streams(seed, first, batch_size)]
        weeks = window_starts(np.array(draws), high, steps) + np.arange(steps + 1)[:, None]
        windows = returns[weeks].transpose(0, 2, 1)
        note = f"There are {TRAINED} weeks to train on, so T is {TRAINED}, not {seq_len:,}."
        return Batch(
            x=np.ascontiguousarray(windows[:-1]),
            target=np.ascontiguousarray(windows[1:]),
            mask=loss_mask(steps, batch_size, loss_at) * (weeks[:-1] >= low),
            loss="squared_error",
            input_size=len(names),
            output_size=len(names),
            lengths=all_steps(steps, batch_size),
            labels=names,
            note=note if steps < seq_len else "",
        )


def held_out_weeks(steps: int) -> tuple[Array, Array]:
    """The returns (steps, 6) before those that are held out, and these (25, 6)."""
    _, returns = weekly_returns()
    return returns[TRAINED + 1 - steps : TRAINED + 1], returns[TRAINED + 1 :]


def window_starts(draws: Array, stop: int, steps: int) -> Array:
    """(B,) first weeks of windows of `steps`. A window that would run past `stop` begins as much
    earlier as it must."""
    return np.minimum(draws, stop - steps)


@lru_cache(maxsize=1)
def weekly_returns() -> tuple[tuple[str, ...], Array]:
    """The companies' names and their standardized weekly log returns (104, 6), read-only."""
    names, prices = _prices()
    returns = np.diff(np.log(prices), axis=0)
    returns /= returns[: TRAINED + 1].std(axis=0)
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
