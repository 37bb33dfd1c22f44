"""Captioning: a picture of a digit sets the first state, the network spells the digit's name."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks.batch import END, START, Batch, Task, check, lengths_mask
from rnnviz.tasks.digits import PIXELS, chosen, digits

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS = tuple(sorted(set("".join(NAMES))))
SYMBOLS = (*LETTERS, START, END)
STEPS = max(map(len, NAMES)) + 1
MEAN_LENGTH = sum(len(name) + 1 for name in NAMES) / len(NAMES)
BASELINE = log(len(NAMES)) / MEAN_LENGTH
"""Nats per symbol of who spells perfectly the name of a digit that is guessed."""


@dataclass(frozen=True)
class Captioning(Task):
    """h_0 = W_vh v, where v is the picture, 64 pixels from 0 to 1; then x_1 = start and
    x_{t+1} = letter t of the digit's English name. The answer is the next letter, at last end.

    The picture comes as the batch's context (64, B), and nothing else tells the digit until the
    first letters do. Softmax cross-entropy over 17 symbols: 15 letters, start and end. Names are
    padded at their right to T = 6. Pictures as in `DigitRows`; the same ones are held out.
    Source of the shape: Vinyals, Toshev, Bengio, Erhan 2015, arXiv:1411.4555.

    Examples
    --------
    >>> batch = Captioning().batch(seed=0, seq_len=6, batch_size=2, loss_at="every")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((6, 2), (6, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "captioning"
    shape_name: ClassVar[str] = "one-to-many"
    proves: ClassVar[str] = (
        "One vector in the first state steers a whole sequence: the network reads the picture "
        "once and spells its name from memory."
    )
    context_size: ClassVar[int] = PIXELS

    @property
    def unseen(self) -> str:
        return "held_out"

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return STEPS, len(SYMBOLS), len(SYMBOLS)

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 10 over the symbols of a name (4 letters and end on average); at the last step
        alone 0, for every name ends with end."""
        return 0.0 if loss_at == "last" else BASELINE

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        if loss_at == "last":
            return f"every name ends with {END}, so 0 nats without a look at the picture"
        return (
            f"perfect spelling of a name guessed among 10: ln 10 = 2.303 nats a name, over "
            f"{MEAN_LENGTH:g} symbols a name {BASELINE:.3f} per symbol"
        )

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers; context (64, B)."""
        check(seq_len, batch_size, loss_at, first)
        pictures, labels = digits()
        rows = chosen(seed, batch_size, first)
        x, target, lengths = (array[..., labels[rows]] for array in spelled())
        return Batch(
            x=x,
            target=target,
            mask=lengths_mask(lengths, STEPS, loss_at),
            loss="softmax_cross_entropy",
            input_size=len(SYMBOLS),
            output_size=len(SYMBOLS),
            lengths=lengths,
            labels=SYMBOLS,
            note=_note(seq_len, loss_at),
            context=pictures[rows].T.copy(),
        )


def spelled() -> tuple[Array, Array, Array]:
    """The inputs and the answers (T, 10) and the lengths (10,) of the ten names."""
    x, target = np.zeros((2, STEPS, len(NAMES)), np.int64)
    for digit, name in enumerate(NAMES):
        ids = [SYMBOLS.index(symbol) for symbol in (START, *name, END)]
        x[: len(ids) - 1, digit] = ids[:-1]
        target[: len(ids) - 1, digit] = ids[1:]
    return x, target, np.array([len(name) + 1 for name in NAMES])


def _note(seq_len: int, loss_at: str) -> str:
    notes = []
    if seq_len != STEPS:
        notes.append(f"The longest name is {STEPS} steps, so T is {STEPS}, not {seq_len:,}.")
    if loss_at == "last":
        notes.append("At the last step the answer is always end; ask at every step.")
    return " ".join(notes)
