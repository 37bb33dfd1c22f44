"""Copy memory: symbols are shown, then a long blank, then all of them are asked for in order."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core import checks
from rnnviz.tasks.batch import Batch, Task, all_steps, check, guess, loss_mask, streams

SYMBOLS = 8
COPIED = 10
BLANK, MARKER = SYMBOLS, SYMBOLS + 1


@dataclass(frozen=True)
class CopyMemory(Task):
    """x: 10 symbols of 8, blanks, a marker, 10 blanks. The answer is blank until the marker has
    passed, then the 10 symbols in order. Every step is one-hot: 10 inputs, 9 outputs.

    T counts all steps; the papers' T is the gap, T − 20. Softmax cross-entropy. Without memory
    the blanks can be foretold and each symbol costs ln 8: 10 ln 8 / T per step, in the papers'
    letters 10 ln 8 / (T + 20). A T below 21 has room for (T − 1) // 2 symbols; the batch's note
    says so. Raises ValueError for T < 3.
    Source: Hochreiter and Schmidhuber 1997; in this form Arjovsky, Shah, Bengio 2016,
    arXiv:1511.06464.

    Examples
    --------
    >>> batch = CopyMemory().batch(seed=0, seq_len=30, batch_size=2, loss_at="every")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((30, 2), (30, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "copy_memory"
    shape_name: ClassVar[str] = "many-to-many"
    proves: ClassVar[str] = (
        "The network stores ten symbols and their order at once and keeps them through a gap in "
        "which nothing happens."
    )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        copied(seq_len)
        return seq_len, SYMBOLS + 2, SYMBOLS + 1

    def proves_at(self, seq_len: int, loss_at: str) -> str:
        """Asked at the last step for the last symbol alone; short sequences have fewer symbols."""
        if loss_at == "last":
            return "The network keeps the last of the copied symbols to the end."
        if seq_len <= 2 * COPIED + 1:
            return "The network stores the symbols and their order at once."
        return self.proves

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """10 ln 8 / T at every step, ln 8 at the last, which asks for the last symbol alone."""
        return log(SYMBOLS) * (1 if loss_at == "last" else copied(seq_len) / seq_len)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        if loss_at == "last":
            return guess(SYMBOLS, "symbols")
        loss = self.baseline_at(seq_len, loss_at)
        return (
            f"blank until the marker, then a guess among {SYMBOLS} symbols: {copied(seq_len)} ln "
            f"{SYMBOLS} / {seq_len} = {loss:.3f} nats per step"
        )

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at, first)
        n = copied(seq_len)
        draws = [rng.integers(SYMBOLS, size=COPIED) for rng in streams(seed, first, batch_size)]
        symbols = np.array(draws).T[:n]
        x, target = np.full((2, seq_len, batch_size), BLANK)
        x[:n] = target[-n:] = symbols
        x[-n - 1] = MARKER
        note = f"{COPIED} symbols need T = {2 * COPIED + 1} or more; with T = {seq_len} it is {n}."
        return Batch(
            x=x,
            target=target,
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=SYMBOLS + 2,
            output_size=SYMBOLS + 1,
            lengths=all_steps(seq_len, batch_size),
            labels=(*"ABCDEFGH", "blank", "marker"),
            clue_steps=(n,) if loss_at == "last" else tuple(range(1, n + 1)),
            note=note if n < COPIED else "",
        )


def copied(seq_len: int) -> int:
    """How many symbols are copied: 10 if there is room."""
    return min(COPIED, (checks.size("seq_len", seq_len, minimum=3) - 1) // 2)
