"""Adding: two numbers are marked in a long sequence, their sum is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import Batch, Task, all_steps, check, loss_mask, streams


@dataclass(frozen=True)
class Adding(Task):
    """x_t = (u_t, m_t), u_t ~ U(0, 1); m_t = 1 at one step in each half of the sequence, else 0.

    The target is Σ m_t u_t up to the step asked: the sum at the last step, the running sum at
    every step. The loss is half the squared error: answering 1 has mean squared error 1/6,
    which this loss counts as 1/12.
    Source: Hochreiter and Schmidhuber 1997; with U(0, 1): Le, Jaitly, Hinton 2015,
    arXiv:1504.00941.

    Examples
    --------
    >>> batch = Adding().batch(seed=0, seq_len=10, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((10, 2, 2), (10, 1, 2), 'squared_error')
    """

    name: ClassVar[str] = "adding"
    shape_name: ClassVar[str] = "many-to-one"
    proves: ClassVar[str] = (
        "The network holds a number exactly, from an unmarked place in the past to the end."
    )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return seq_len, 2, 1

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """1/12 at the last step. At every step the best answer is the mean of the running sum,
        and its loss half the variance: a number marked with probability p has p/3 − p²/4."""
        if loss_at == "last":
            return 1 / 12
        half, steps = seq_len // 2, np.arange(1, seq_len + 1)
        early = np.minimum(steps / half, 1)
        late = np.maximum(steps - half, 0) / (seq_len - half)
        return float(np.mean([p / 6 - p**2 / 8 for p in (early, late)]) * 2)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        if loss_at == "every":
            loss = self.baseline_at(seq_len, loss_at)
            return f"the mean of the running sum: a loss of {loss:.4f} (half the squared error)"
        return (
            "the answer 1: mean squared error 1/6, so a loss of 1/12 = 0.0833 (half the squared "
            "error)"
        )

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x (T, 2, B), target (T, 1, B). The marked steps depend on T, the numbers do not."""
        check(seq_len, batch_size, loss_at, first)
        x = np.zeros((seq_len, 2, batch_size))
        half = seq_len // 2
        for b, rng in enumerate(streams(seed, first, batch_size)):
            early, late = rng.random(2)
            x[int(early * half), 1, b] = 1
            x[half + int(late * (seq_len - half)), 1, b] = 1
            x[:, 0, b] = rng.random(seq_len)
        return Batch(
            x=x,
            target=np.cumsum(x[:, :1] * x[:, 1:], axis=0),
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="squared_error",
            input_size=2,
            output_size=1,
            lengths=all_steps(seq_len, batch_size),
        )
