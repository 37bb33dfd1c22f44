"""Handwritten digits, read row by row or pixel by pixel: which digit is it?"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks.batch import HELD_OUT, Batch, Task, all_steps, check, guess, loss_mask, streams

SIDE = 8
PIXELS = SIDE * SIDE
TRAINED = 1437
CLASSES = 10
DARKEST = 16


@dataclass(frozen=True)
class DigitRows(Task):
    """x_t = row t of an 8 × 8 picture, 8 pixels from 0 (white) to 1 (black); T = 8. The answer
    is the digit. Softmax cross-entropy over 10 digits.

    Data: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998,
    doi:10.24432/C50P49, CC BY 4.0. The last 360 of the 1,797 pictures are held out; held-out
    sequence number i is picture i of these, whatever the seed.

    Examples
    --------
    >>> batch = DigitRows().batch(seed=0, seq_len=8, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((8, 8, 2), (8, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "digit_rows"
    shape_name: ClassVar[str] = "many-to-one"
    proves: ClassVar[str] = (
        "A picture can be read as a sequence: the network puts eight rows together to one class."
    )
    steps: ClassVar[int] = SIDE

    @property
    def unseen(self) -> str:
        return "held_out"

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return self.steps, PIXELS // self.steps, CLASSES

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 10, at the last step as at every step."""
        return log(CLASSES)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return f"{guess(CLASSES, 'digits')} (90 % wrong)"

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x (T, PIXELS / T, B), target (T, B). T is fixed; the note says so if seq_len is not T."""
        check(seq_len, batch_size, loss_at, first)
        pictures, labels = digits()
        rows = chosen(seed, batch_size, first)
        steps, width, classes = self.shape(seq_len)
        note = f"A picture is {steps} steps of {width} pixels, so T is {steps}, not {seq_len:,}."
        return Batch(
            x=np.ascontiguousarray(pictures[rows].T).reshape(steps, width, batch_size),
            target=np.tile(labels[rows], (steps, 1)),
            mask=loss_mask(steps, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=width,
            output_size=classes,
            lengths=all_steps(steps, batch_size),
            note=note if steps != seq_len else "",
            answers=tuple("0123456789"),
        )


@dataclass(frozen=True)
class DigitPixels(DigitRows):
    """x_t = pixel t of an 8 × 8 picture, row by row; T = 64. Everything else as in `DigitRows`.

    Examples
    --------
    >>> batch = DigitPixels().batch(seed=0, seq_len=64, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((64, 1, 2), (64, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "digit_pixels"
    proves: ClassVar[str] = (
        "The network classifies from 64 single pixels: what it saw in the first row must last to "
        "the last."
    )
    steps: ClassVar[int] = PIXELS


def chosen(seed: int, batch_size: int, first: int) -> Array:
    """(B,) which pictures a batch shows: drawn from the first 1,437, or the held-out ones in
    turn, so that 360 sequences from HELD_OUT on show each of them once."""
    if first >= HELD_OUT:
        held_out = len(digits()[1]) - TRAINED
        return TRAINED + (first - HELD_OUT + np.arange(batch_size)) % held_out
    return np.array([rng.integers(TRAINED) for rng in streams(seed, first, batch_size)])


@lru_cache(maxsize=1)
def digits() -> tuple[Array, Array]:
    """All pictures (1797, 64), pixels from 0 to 1, and the digits they show (1797,); read-only."""
    file = resources.files("rnnviz.tasks") / "data" / "digits.csv.gz"
    table = np.loadtxt(gzip.decompress(file.read_bytes()).decode().splitlines(), delimiter=",")
    pictures, labels = table[:, :PIXELS] / DARKEST, table[:, PIXELS].astype(np.int64)
    pictures.flags.writeable = labels.flags.writeable = False
    return pictures, labels
