"""Temporal order: two relevant symbols far apart among irrelevant ones; which, in which order?"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import Batch, Task, all_steps, check, guess, loss_mask, streams

RELEVANT = ("X", "Y")
IRRELEVANT = ("a", "b", "c", "d")
ANSWERS = ("XX", "XY", "YX", "YY")
# Where the relevant symbols stand, as shares of T, from 0: [start, start + WIDTH).
EARLY, LATE, WIDTH = 0.1, 0.5, 0.1


@dataclass(frozen=True)
class TemporalOrder(Task):
    """x_t is one of six symbols: X or Y at one step T/10 < t < T/5 + 1 and at one step
    T/2 < t < 3T/5 + 1, counted from 1; else one of a, b, c, d. The answer is which two came, and
    in which order: one of four.

    Softmax cross-entropy. Source: Hochreiter and Schmidhuber 1997 (task 6a); the places as in
    Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063.

    Examples
    --------
    >>> batch = TemporalOrder().batch(seed=0, seq_len=20, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((20, 2), (20, 2), 'softmax_cross_entropy')
    >>> [t for t, symbol in enumerate(batch.x[:, 0], 1) if symbol < 2]  # of 3, 4 and of 11, 12
    [4, 12]
    """

    name: ClassVar[str] = "temporal_order"
    shape_name: ClassVar[str] = "many-to-one"
    proves: ClassVar[str] = (
        "The network finds two events by itself, keeps both through noise, and knows which came "
        "first."
    )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return seq_len, len(RELEVANT) + len(IRRELEVANT), len(ANSWERS)

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 4, at the last step as at every step."""
        return log(len(ANSWERS))

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return f"{guess(len(ANSWERS), 'answers')} (75 % wrong)"

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers. The places depend on T, the symbols do not."""
        check(seq_len, batch_size, loss_at, first)
        x = np.empty((seq_len, batch_size), np.int64)
        answers = np.empty(batch_size, np.int64)
        for b, rng in enumerate(streams(seed, first, batch_size)):
            relevant = rng.integers(len(RELEVANT), size=2)
            places = seq_len * (np.array([EARLY, LATE]) + WIDTH * rng.random(2))
            x[:, b] = len(RELEVANT) + rng.integers(len(IRRELEVANT), size=seq_len)
            x[places.astype(np.int64), b] = relevant
            answers[b] = 2 * relevant[0] + relevant[1]
        return Batch(
            x=x,
            target=np.tile(answers, (seq_len, 1)),
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=len(RELEVANT) + len(IRRELEVANT),
            output_size=len(ANSWERS),
            lengths=all_steps(seq_len, batch_size),
            labels=RELEVANT + IRRELEVANT,
            answers=ANSWERS,
        )
