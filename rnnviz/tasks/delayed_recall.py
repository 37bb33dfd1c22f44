"""Delayed recall: the first step names a symbol, the answer is asked for much later."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core import checks
from rnnviz.tasks.batch import Batch, Task, all_steps, check, guess, loss_mask, streams

SYMBOLS = 8


@dataclass(frozen=True)
class DelayedRecall(Task):
    """x_1 = √8 · one-hot(symbol), x_t = distractor · N(0, 1) for t = 2..T; symbol is the answer.

    The clue has unit RMS, so that it is as large as distractors of amplitude 1. Softmax
    cross-entropy over 8 symbols at the last step, or at every step (each asks for the clue).
    After Hochreiter and Schmidhuber 1997 (task 2, one relevant input, then noise).
    Raises ValueError for a distractor that is negative or not finite.

    Examples
    --------
    >>> batch = DelayedRecall().batch(seed=0, seq_len=10, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((10, 8, 2), (10, 2), 'softmax_cross_entropy')
    """

    distractor: float = 1.0

    name: ClassVar[str] = "delayed_recall"
    shape_name: ClassVar[str] = "many-to-one"
    proves: ClassVar[str] = (
        "The network keeps what it saw at the first step through every step of noise after it."
    )

    def __post_init__(self) -> None:
        checks.number("distractor", self.distractor, 0)

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return seq_len, SYMBOLS, SYMBOLS

    def proves_at(self, seq_len: int, loss_at: str) -> str:
        quiet = "The network keeps what it saw at the first step through every step after it."
        return self.proves if self.distractor else quiet

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 8, at the last step as at every step."""
        return log(SYMBOLS)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return guess(SYMBOLS, "symbols")

    @property
    def unseen(self) -> str:
        """Without distractors there are only 8 different sequences."""
        return "new" if self.distractor else ""

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x (T, 8, B), target (T, B)."""
        check(seq_len, batch_size, loss_at, first)
        x = np.zeros((seq_len, SYMBOLS, batch_size))
        symbols = np.empty(batch_size, np.int64)
        for b, rng in enumerate(streams(seed, first, batch_size)):
            symbols[b] = rng.integers(SYMBOLS)
            x[1:, :, b] = self.distractor * rng.standard_normal((seq_len - 1, SYMBOLS))
        x[0, symbols, np.arange(batch_size)] = np.sqrt(SYMBOLS)
        return Batch(
            x=x,
            target=np.tile(symbols, (seq_len, 1)),
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=SYMBOLS,
            output_size=SYMBOLS,
            lengths=all_steps(seq_len, batch_size),
            labels=tuple("ABCDEFGH"),
            clue_steps=(1,),
        )
