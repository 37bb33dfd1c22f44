"""Counting: 0, 1, ..., 8, 0, 1, ... from a random start; what comes next?"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import Batch, all_steps, check, loss_mask, stream

NUMBERS = 9


@dataclass(frozen=True)
class Counting:
    """x_t = (s + t) mod 9 as a one-hot column, s drawn for each sequence; the answer is x_{t+1}.

    Softmax cross-entropy over 9 numbers. The last number alone tells the next one: a task that
    needs no memory, to compare with those that do.
    """

    name: ClassVar[str] = "counting"
    baseline: ClassVar[float | None] = log(NUMBERS)
    baseline_text: ClassVar[str] = "a guess among 9 numbers: ln 9 = 2.197 nats"

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return seq_len, NUMBERS, NUMBERS

    def batch(self, seed: int, seq_len: int, batch_size: int, loss_at: str) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at)
        starts = [stream(seed, "sequences", b).integers(NUMBERS) for b in range(batch_size)]
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
