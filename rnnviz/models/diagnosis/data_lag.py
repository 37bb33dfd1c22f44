"""How far back the data themselves say that a task must remember: no network is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis.finding import Finding
from rnnviz.tasks.batch import Batch, stream

PERMUTATIONS = 99
"""With the order that the data have 100: to be beyond all others is 1 in 100 by chance."""
FOLDS = 5
WIDE, TARGETS = 32, 8
"""More inputs or targets are projected at random onto so many."""
SAMPLES = 1024
"""Answers that are predicted at most: the last ones of each sequence."""
FEWEST = 20
"""Sequences below which little could be told from chance."""
LONGEST = 1000
"""Lags beyond are not tried."""
HAVING = 0.1
"""Share of the answers that must have an input so far back."""
MOST_LAGS, UNEXPLAINED = 8, 0.01
"""How many lags are looked for, one after another, while more than this share of the target's
variance is left."""


@dataclass(frozen=True)
class DataLag:
    """The longest lag that predicts the target.

    lag: None if none does better than chance. nearer: lags that were found before it. r2_rest: the
    share that the inputs at that lag predict, linearly and held out, of what the nearer ones leave
    of the target's variance about its mean at each step; of the best lag if none is found. r2: the
    same as a share of the whole variance. null: the largest r2_rest over all lags in 99
    permutations. sequences: how many there are. most: the longest lag that was tried.
    """

    lag: int | None
    r2: float
    null: float
    sequences: int
    most: int
    r2_rest: float
    nearer: tuple[int, ...] = ()

    def finding(self, label: str) -> Finding:
        """As a report has it."""
        kind = "no_data_lag" if self.lag is None else "data_lag"
        values = {"r2": self.r2, "r2_rest": self.r2_rest, "nearer": self.nearer, "null": self.null,
                  "sequences": self.sequences, "most": self.most,
                  "permutations": PERMUTATIONS}  # fmt: skip
        number = np.nan if self.lag is None else float(self.lag)
        return Finding(kind, label, number, np.nan, "certain", False, values=values)


def data_lag(batch: Batch) -> DataLag:
    """The longest lag at which inputs predict the target, from the data alone.

    At each lag k the answer at step t is predicted from x_{t−k} by ridge regression, five-fold over
    whole sequences. The lag whose held-out R² is largest counts if that is beyond the largest over
    all lags in each of 99 permutations, which give every sequence the answers of another one; then
    the same with what is left of the answers, until nothing is found or less than 1 % is left.
    What no single lag shows linearly, such as a product of two inputs, is not seen, and sequences
    are taken to be independent of each other: windows that overlap are not.
    Raises ValueError for a batch without targets, and for one of fewer than 20 sequences.
    """
    if batch.loss == "projection":
        raise ValueError("lag must be a number where the data have no targets, got 'data'")
    if batch.batch_size < FEWEST:
        raise ValueError(f"lag must be a number for fewer than {FEWEST} sequences, got 'data' for "
                         f"{batch.batch_size}")  # fmt: skip
    past, whole = _parted(batch)
    left = whole
    rng = stream(0, "direction")
    orders = [rng.permutation(batch.batch_size) for _ in range(PERMUTATIONS)]
    found: dict[int, tuple[float, float, float]] = {}
    rest = UNEXPLAINED * float((left**2).sum())
    while True:
        lag, r2, null = _best(past, np.stack([left, *(left[order] for order in orders)], axis=2))
        if not r2 > null or lag in found:
            break
        found[lag] = r2 * _share(left, whole, past.at(lag)[1]), r2, null
        left = left - _predicted(*past.at(lag), left)
        if len(found) == MOST_LAGS or (left**2).sum() <= rest:
            break
    longest = max(found, default=None)
    if longest is None:
        return DataLag(None, r2, null, batch.batch_size, past.most, r2)
    r2, r2_rest, null = found[longest]
    nearer = tuple(found)[: tuple(found).index(longest)]
    return DataLag(longest, r2, null, batch.batch_size, past.most, r2_rest, nearer)


def _share(left: Array, whole: Array, there: Array) -> float:
    """How much of the variance is left, of the answers that have an input so far back."""
    part, all_of_it = (float(np.where(there, v**2, 0).sum()) for v in (left, whole))
    return part / all_of_it if all_of_it else 1.0


@dataclass(frozen=True, eq=False)
class _Past:
    """What came before the answers: x (T, D, B), and the steps (B, m) that are asked at."""

    x: Array
    steps: Array

    @property
    def most(self) -> int:
        """The longest lag that enough answers have."""
        return int(min(np.quantile(self.steps, 1 - HAVING), LONGEST))

    def at(self, lag: int) -> tuple[Array, Array]:
        """Inputs (B, m, D) so far before the answers, scaled, 0 where there are none; and where
        there are any (B, m, 1)."""
        there = (self.steps >= lag)[..., None]
        back = np.maximum(self.steps - lag, 0)
        x = self.x[back, :, np.arange(len(back))[:, None]]
        count = there.sum()
        x = np.where(there, x - np.where(there, x, 0).sum(axis=(0, 1)) / count, 0)
        sd = np.sqrt((x**2).sum(axis=(0, 1)) / count)
        return x / np.where(sd > 0, sd, 1), there


def _best(past: _Past, y: Array) -> tuple[int, float, float]:
    """The lag that predicts best, its R², and the largest over all lags of the permutations. y
    (B, m, 1 + permutations, O)."""
    every = np.array([_r2(*past.at(lag), y) for lag in range(past.most + 1)])
    lag = int(every[:, 0].argmax())
    return lag, float(every[lag, 0]), float(every[:, 1:].max())


def _r2(x: Array, there: Array, y: Array) -> Array:
    """Held-out R² (1 + permutations,)."""
    flat = y.reshape(*y.shape[:2], -1)
    wrong = np.where(there, (flat - _predicted(x, there, flat)) ** 2, 0).sum(axis=(0, 1))
    whole = np.where(there, flat**2, 0).sum(axis=(0, 1))
    sums = [part.reshape(y.shape[2:]).sum(axis=1) for part in (wrong, whole)]
    return 1 - sums[0] / np.where(sums[1] > 0, sums[1], 1)


def _predicted(x: Array, there: Array, y: Array) -> Array:
    """Predictions (B, m, n) of y (B, m, n), each fold's sequences from the others."""
    out, D = np.zeros_like(y), x.shape[-1]
    fold = np.arange(len(x)) % FOLDS
    for k in range(FOLDS):
        X = x[fold != k].reshape(-1, D)
        Y = np.where(there[fold != k], y[fold != k], 0).reshape(len(X), -1)
        out[fold == k] = x[fold == k] @ np.linalg.solve(X.T @ X + D * np.eye(D), X.T @ Y)
    return out


def _parted(batch: Batch) -> tuple[_Past, Array]:
    """What came before the answers, and these (B, m, O) without their mean at each step. m: the
    last answers of each sequence, as many as all of them have."""
    asked = batch.mask > 0
    m = int(min(asked.sum(axis=0).min(), max(1, SAMPLES // batch.batch_size)))
    if m == 0:
        raise ValueError("lag must be a number where a sequence has no answer, got 'data'")
    steps = np.array([np.flatnonzero(a)[-m:] for a in asked.T])
    x, target = (_columns(v, most) for v, most in ((batch.x, WIDE), (batch.target, TARGETS)))
    answers = target[steps, :, np.arange(len(steps))[:, None]]
    return _Past(x, steps), answers - answers.mean(axis=0)


def _columns(values: Array, most: int) -> Array:
    """(T, n, B) of values (T, D, B), or one-hot of classes or tokens (T, B); projected at random
    where n would be more than `most`."""
    tokens = values.ndim == 2
    n = int(values.max()) + 1 if tokens else values.shape[1]
    rng = stream(0, "weights")
    table = np.eye(n) if n <= most else rng.standard_normal((n, most)) / np.sqrt(most)
    return table[values].transpose(0, 2, 1) if tokens else table.T @ values
