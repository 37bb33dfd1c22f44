"""What every task hands over, and where its random numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import log
from typing import ClassVar, Protocol

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

LOSS_AT = ("last", "every")
SHAPES = ("one-to-many", "many-to-one", "many-to-many")
PURPOSES = {"weights": 0, "sequences": 1, "direction": 2}

# What sentences and names begin and end with.
START, END = "⟨start⟩", "⟨end⟩"

# Sequences with an index from here on are never trained on.
HELD_OUT = 1 << 40


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of one (seed, purpose, index): sequence b draws from its own stream, so a
    larger batch leaves the sequences before it as they were.

    Examples
    --------
    >>> one, same, other = (stream(0, "sequences", index).random() for index in (7, 7, 8))
    >>> one == same, one == other
    (True, False)
    """
    return np.random.default_rng([seed, PURPOSES[purpose], index])


def streams(seed: int, first: int, batch_size: int) -> list[np.random.Generator]:
    """The generators of the sequences first, first + 1, ... of a batch."""
    return [stream(seed, "sequences", first + b) for b in range(batch_size)]


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences and what is asked about them.

    x (T, D, B), or integer tokens (T, B) that stand for one-hot columns. target as the loss
    wants it: (T, O, B) for "squared_error", integers (T, B) for "softmax_cross_entropy".
    mask (T, B): the weight of each step in the loss. lengths (B,): steps of each sequence that
    are not padding; padding comes last, its x is 0 and so is its mask. context (V, B) is what the
    first state is made of, None if the task has none. labels name the input symbols, () if there
    are none. clue_steps are the 1-based steps that carry the information, where they are the
    same for every sequence. answers name the classes of the output where these are not the
    input symbols. note says what was cut or replaced, "" if nothing. All arrays are read-only.

    Examples
    --------
    >>> batch = DelayedRecall().batch(seed=0, seq_len=10, batch_size=2, loss_at="last")
    >>> float(batch.mask.sum()), batch.lengths, batch.clue_steps
    (2.0, array([10, 10]), (1,))
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
    context: Array | None = None
    answers: tuple[str, ...] = ()

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


def first_sequence(batch: Batch) -> Batch:
    """The batch of its first sequence alone.

    Examples
    --------
    >>> first_sequence(Adding().batch(0, seq_len=10, batch_size=3, loss_at="last")).x.shape
    (10, 2, 1)
    """
    arrays = {name: getattr(batch, name) for name in ("x", "target", "mask", "lengths", "context")}
    return replace(batch, **{k: a[..., :1].copy() for k, a in arrays.items() if a is not None})


class Task(Protocol):
    """A frozen dataclass of a task's own options.

    shape_name: which of `SHAPES` the task has. proves: what a network shows that solves it.
    context_size: V of the batch's context, 0 if it has none.

    Examples
    --------
    >>> TASKS["adding"]() == Adding()
    True
    """

    name: ClassVar[str]
    shape_name: ClassVar[str]
    proves: ClassVar[str]
    context_size: ClassVar[int] = 0

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        """(T, D, O) of the batch for this seq_len, without making any sequence."""
        ...

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """Sequence b is drawn from `stream(seed, "sequences", first + b)`; neither more sequences
        nor more steps redraw what was there. A batch with first >= HELD_OUT shows what training
        never sees, if there is any (`unseen`). Raises ValueError for a bad value."""
        ...

    def proves_at(self, seq_len: int, loss_at: str) -> str:
        """What a network shows that solves it at this seq_len and loss_at: `proves`, or less."""
        return self.proves

    def baseline_at(self, seq_len: int, loss_at: str) -> float | None:
        """The loss per asked step of the best answer that ignores the sequence, for this seq_len
        and loss_at; None if none is stated."""
        return None

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        """What that answer is, and its loss, as a part of a sentence."""
        ...

    def is_whole(self, seq_len: int) -> bool:
        """Whether sequences are asked about to their ends, and none is cut at seq_len."""
        return True

    def held_out_baseline(self, batch: Batch) -> float | None:
        """What the baseline's answer costs on these held-out sequences, per asked step, where that
        is not the baseline itself; else None."""
        return None

    @property
    def unseen(self) -> str:
        """What a batch from HELD_OUT on is: "held_out" data that training never sees; "new"
        sequences of a task that draws all of them; "" where the data are too few to be parted or
        repeat themselves, and it is made of what was trained on."""
        return "new"

    def ngram_loss(self, order: int) -> float | None:
        """For the tasks of language: nats per symbol of an n-gram model on what is held out; None
        for every other task."""
        return None

    def hmm_loss(self, states: int) -> float | None:
        """The same of a hidden Markov model with so many states, see `hmm.fit`."""
        return None


def guess(count: int, what: str) -> str:
    """The words of a baseline that gives each of `count` answers the same probability."""
    return f"a guess among {count} {what}: ln {count} = {log(count):.3f} nats"


def check(seq_len: int, batch_size: int, loss_at: str, first: int = 0) -> None:
    """Raise ValueError for a bad argument of `Task.batch`."""
    checks.size("seq_len", seq_len, minimum=2)
    checks.size("batch_size", batch_size)
    checks.choice("loss_at", loss_at, LOSS_AT)
    checks.size("first", first, minimum=0)
    if first < HELD_OUT < first + batch_size:
        raise ValueError(
            f"first must leave the batch on one side of HELD_OUT = {HELD_OUT}, got {first}"
        )


def loss_mask(seq_len: int, batch_size: int, loss_at: str) -> Array:
    """(T, B): 1 at every step, or at the last one alone."""
    mask = np.ones((seq_len, batch_size))
    if loss_at == "last":
        mask[:-1] = 0
    return mask


def all_steps(seq_len: int, batch_size: int) -> Array:
    """The lengths (B,) of sequences without padding."""
    return np.full(batch_size, seq_len)


def lengths_mask(lengths: Array, seq_len: int, loss_at: str) -> Array:
    """(T, B) for right-padded sequences: 1 at every step that is not padding, or at the last one
    of these alone."""
    steps = np.arange(1, seq_len + 1)[:, None]
    asked = steps == lengths if loss_at == "last" else steps <= lengths
    return asked.astype(np.float64)
