"""What came before the answers of a batch, and what it tells of them: ridge regression, five-fold
over whole sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks.batch import Batch, stream

FOLDS = 5
WIDE, TARGETS = 32, 8
"""More inputs or targets are projected at random onto so many."""
SAMPLES = 1024
"""Answers that are predicted at most: the last ones of each sequence."""
LONGEST = 1000
"""Lags beyond are not tried."""
HAVING = 0.1
"""Share of the answers that must have an input so far back."""
ALMOST_NONE = 1e-6
"""Penalty, as a share of how many answers there are, where inputs are predicted from others."""
SAME = 1e-4
"""Inputs of which others leave less than this share of the standard deviation are the same."""
ROUNDED = 1e-13
"""Differences from a mean below this share of it come of rounding."""


@dataclass(frozen=True, eq=False)
class Past:
    """What came before the answers: x (T, D, B), and the steps (B, m) that are asked at."""

    x: Array
    steps: Array

    @property
    def most(self) -> int:
        """The longest lag that enough answers have."""
        return int(min(np.quantile(self.steps, 1 - HAVING), LONGEST))

    def having(self, lags: Sequence[int]) -> Array:
        """Which answers (B, m, 1) have inputs at all these lags."""
        return (self.steps >= max(lags, default=0))[..., None]

    def at(self, lag: int, there: Array) -> Array:
        """Inputs (B, m, D) so far before the answers, scaled over those that are there, 0 else."""
        back = np.maximum(self.steps - lag, 0)
        x = self.x[back, :, np.arange(len(back))[:, None]]
        count = there.sum()
        x = np.where(there, x - np.where(there, x, 0).sum(axis=(0, 1)) / count, 0)
        sd = np.sqrt((x**2).sum(axis=(0, 1)) / count)
        return x / np.where(sd > 0, sd, 1)


def parted(batch: Batch) -> tuple[Past, Array]:
    """What came before the answers, and these (B, m, O) without their mean at each step. m: the
    last answers of each sequence, as many as all of them have."""
    asked = batch.mask > 0
    m = int(min(asked.sum(axis=0).min(), max(1, SAMPLES // batch.batch_size)))
    if m == 0:
        raise ValueError("lag must be a number where a sequence has no answer, got 'data'")
    steps = np.array([np.flatnonzero(a)[-m:] for a in asked.T])
    x, target = (_columns(v, most) for v, most in ((batch.x, WIDE), (batch.target, TARGETS)))
    answers = target[steps, :, np.arange(len(steps))[:, None]]
    mean = answers.mean(axis=0)
    varies = np.abs(answers - mean) > ROUNDED * np.abs(mean)
    return Past(_scaled(x, (0, 2)), steps), _scaled(np.where(varies, answers - mean, 0))


def _scaled(values: Array, axes: tuple[int, ...] | None = None) -> Array:
    """The same over a power of two, the largest over some axes then below 1: squares are numbers,
    and no digit is another."""
    _, log2 = np.frexp(np.abs(values).max(axis=axes, keepdims=True))
    return np.ldexp(values, -log2)


def _columns(values: Array, most: int) -> Array:
    """(T, n, B) of values (T, D, B), or one-hot of classes or tokens (T, B); projected at random
    where n would be more than `most`."""
    tokens = values.ndim == 2
    n = int(values.max()) + 1 if tokens else values.shape[1]
    rng = stream(0, "weights")
    table = np.eye(n) if n <= most else rng.standard_normal((n, most)) / np.sqrt(most)
    if tokens:
        return table[values].transpose(0, 2, 1)
    wide = values.astype(np.float64)
    return wide if n <= most else table.T @ _scaled(wide)


@dataclass(frozen=True, eq=False)
class Joint:
    """The inputs at some lags, and what each adds to those before it: for each fold, blocks (B, m,
    D) that are orthogonal to each other on the other folds, so that a fit of one block after the
    other is a fit of all together. there (B, m, 1): the answers that have all of them."""

    there: Array
    blocks: tuple[tuple[Array, ...], ...]

    def left(self, y: Array) -> Array:
        """What of answers (B, m, n) the lags do not predict, held out; all where there are none."""
        out = y.copy()
        for train, test, blocks in self.folds():
            rest = np.where(self.there, y, 0)
            for block in blocks:
                rest = rest - block @ ridge(block[train], rest[train])
            out[test] = np.where(self.there[test], rest[test], y[test])
        return out

    def added(self, x: Array) -> list[Array]:
        """For each fold, what inputs (B, m, D) have besides the blocks, scaled."""
        found = []
        for train, _, blocks in self.folds():
            rest = x
            for block in blocks:
                rest = rest - block @ ridge(block[train], rest[train], ALMOST_NONE)
            sd = np.sqrt((rest[train] ** 2).sum(axis=(0, 1)) / max(1, self.there[train].sum()))
            found.append(np.where(sd > SAME, rest / np.where(sd > SAME, sd, 1), 0))
        return found

    def folds(self) -> Iterator[tuple[Array, Array, tuple[Array, ...]]]:
        """Which sequences (B,) a fold is fitted to, which are held out, and its blocks."""
        fold = np.arange(len(self.there)) % FOLDS
        for k, blocks in enumerate(self.blocks):
            yield fold != k, fold == k, blocks


def joint(past: Past, lags: Sequence[int], there: Array) -> Joint:
    """Of some lags, of the answers that are there."""
    made = Joint(there, ((),) * FOLDS)
    for lag in lags:
        more = made.added(past.at(lag, there))
        made = Joint(there, tuple((*a, b) for a, b in zip(made.blocks, more, strict=True)))
    return made


def together(past: Past, lags: Sequence[int], there: Array) -> Joint:
    """The same as one block, which is sooner made of many lags."""
    blocks = [past.at(lag, there) for lag in lags]
    return Joint(there, ((np.concatenate(blocks, axis=2),) if blocks else (),) * FOLDS)


def ridge(x: Array, y: Array, share: float | None = None) -> Array:
    """Weights (D, n) of inputs (B, m, D) for answers (B, m, n). share: the penalty for each answer;
    None for one as large as the number of inputs."""
    D = x.shape[-1]
    X, Y = x.reshape(-1, D), y.reshape(-1, y.shape[-1])
    penalty = D if share is None else share * len(X)
    found: Array = np.linalg.solve(X.T @ X + penalty * np.eye(D), X.T @ Y)
    return found


def r2(fit: Joint, x: Array, y: Array) -> Array:
    """Held-out R² (n,) of what a fit leaves, y (B, m, n, O), by what inputs (B, m, D) add to it; 0
    where nothing is left."""
    flat = np.where(fit.there, y.reshape(*y.shape[:2], -1), 0)
    wrong = np.zeros(flat.shape[-1])
    for (train, test, _), block in zip(fit.folds(), fit.added(x), strict=True):
        off = flat[test] - block[test] @ ridge(block[train], flat[train])
        wrong += (np.where(fit.there[test], off, 0) ** 2).sum(axis=(0, 1))
    whole = (flat**2).sum(axis=(0, 1))
    sums = [part.reshape(y.shape[2:]).sum(axis=1) for part in (wrong, whole)]
    return np.where(sums[1] > 0, 1 - sums[0] / np.where(sums[1] > 0, sums[1], 1), 0)
