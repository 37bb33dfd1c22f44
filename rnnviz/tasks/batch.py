"""What every task hands over, and where its random numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Protocol

import numpy as np

from rnnviz.core import checks

Array = np.ndarray

LOSS_AT = ("last", "every")
PURPOSES = {"weights": 0, "sequences": 1}


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of one (seed, purpose, index): sequence b draws from its own stream, so a
    larger batch leaves the sequences before it as they were."""
    return np.random.default_rng([seed, PURPOSES[purpose], index])


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences and what is asked about them.

    x (T, D, B), or integer tokens (T, B) that stand for one-hot columns. target as the loss
    wants it: (T, O, B) for "squared_error", integers (T, B) for "softmax_cross_entropy".
    mask (T, B): the weight of each step in the loss. lengths (B,): steps of each sequence that
    are not padding. labels name the input symbols, () if there are none. clue_steps are the
    1-based steps that carry the information, where they are the same for every sequence.
    note says what was cut or replaced, "" if nothing. All arrays are read-only.
    """

    x: Array
    target: Array
    mask: Array
    loss: str
    input_size: int
    output_size: int
    lengths: Array
    labels: tuple[str, ...] = ()
    clue_steps: tuple[int, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def seq_len(self) -> int:
        return self.x.shape[0]

    @property
    def batch_size(self) -> int:
        return self.x.shape[-1]


class Task(Protocol):
    """A frozen dataclass of a task's own options.

    baseline is the loss per asked step of the best answer that ignores the sequence, None where
    it depends on the data; baseline_text says it in words.
    """

    name: ClassVar[str]
    baseline: ClassVar[float | None]
    baseline_text: ClassVar[str]

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        """(T, D, O) of the batch for this seq_len, without making any sequence."""
        ...

    def batch(self, seed: int, seq_len: int, batch_size: int, loss_at: str) -> Batch:
        """Sequence b is drawn from `stream(seed, "sequences", b)`; neither more sequences nor
        more steps redraw what was there. Raises ValueError for a bad value."""
        ...


def check(seq_len: int, batch_size: int, loss_at: str) -> None:
    """Raise ValueError for a bad argument of `Task.batch`."""
    checks.size("seq_len", seq_len, minimum=2)
    checks.size("batch_size", batch_size)
    checks.choice("loss_at", loss_at, LOSS_AT)


def loss_mask(seq_len: int, batch_size: int, loss_at: str) -> Array:
    """(T, B): 1 at every step, or at the last one alone."""
    mask = np.ones((seq_len, batch_size))
    if loss_at == "last":
        mask[:-1] = 0
    return mask


def all_steps(seq_len: int, batch_size: int) -> Array:
    """The lengths (B,) of sequences without padding."""
    return np.full(batch_size, seq_len)
