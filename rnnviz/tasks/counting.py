"""Counting: 0, 1, ..., 8, 0, 1, ... from a random start; what comes next?"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.tasks import hmm
from rnnviz.tasks.batch import Batch, Task, all_steps, check, guess, loss_mask, streams

NUMBERS, CYCLES = 9, 3


@dataclass(frozen=True)
class Counting(Task):
    """x_t = (s + t) mod 9 as a one-hot column, s drawn for each sequence; the answer is x_{t+1}.

    Softmax cross-entropy over 9 numbers. The last number alone tells the next one: a task that
    needs no memory, to compare with those that do. There are only 9 different sequences, so that
    none is held out: those from HELD_OUT on are the same 9.

    Examples
    --------
    >>> batch = Counting().batch(seed=0, seq_len=10, batch_size=2, loss_at="every")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((10, 2), (10, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "counting"
    shape_name: ClassVar[str] = "many-to-many"
    proves: ClassVar[str] = (
        "The network learns a table of nine entries; the last input alone gives the answer, so "
        "this is no evidence of memory."
    )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return seq_len, NUMBERS, NUMBERS

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 9, at the last step as at every step."""
        return log(NUMBERS)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return guess(NUMBERS, "numbers")

    @property
    def unseen(self) -> str:
        return ""

    def hmm_loss(self, states: int) -> float:
        """Nats per number of a hidden Markov model with so many states, see `hmm.fit`: of CYCLES
        cycles from every start, which are all sequences that there are."""
        every = [(np.arange(CYCLES * NUMBERS + 1) + start) % NUMBERS for start in range(NUMBERS)]
        return hmm.fit(every, states, NUMBERS).loss(every)

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at, first)
        starts = [rng.integers(NUMBERS) for rng in streams(seed, first, batch_size)]
        x = (np.arange(seq_len)[:, None] + np.array(starts)) % NUMBERS
        return Batch(
            x=x,
            target=(x + 1) % NUMBERS,
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=NUMBERS,
            output_size=NUMBERS,
            lengths=all_steps(seq_len, batch_size),
            labels=tuple("012345678"),
            clue_steps=(seq_len,) if loss_at == "last" else (),
        )
