"""Sentiment of short texts: is it praise or blame? Asked once, after the last word."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import HELD_OUT, Batch, Task, check, guess, lengths_mask, streams

ANSWERS = ("negative", "positive")
POSITIVE = ("good", "great", "lovely", "nice", "fine", "wonderful", "pleasant", "excellent")
NEGATIVE = ("bad", "awful", "terrible", "poor", "dull", "horrible", "nasty", "dreadful")
SUBJECTS = ("the film", "the food", "the book", "the show", "the room", "our trip", "the music",
            "the service")  # fmt: skip
PLAIN = ("{0} was {1}", "no doubt {0} was {1}", "i think {0} was really {1}",
         "{0} was {1} from start to end")  # fmt: skip
NEGATED = ("{0} was not {1} at all", "{0} was never {1}", "i do not think {0} was {1}",
           "{0} was anything but {1}")  # fmt: skip


@dataclass(frozen=True)
class Phrase:
    """A short text, whether it is praise, and whether it is kept from training."""

    words: tuple[str, ...]
    positive: bool
    held_out: bool


@dataclass(frozen=True)
class Sentiment(Task):
    """x_t = word t of a phrase such as "the film was not good at all", one-hot; the answer is
    whether it is negative or positive. Softmax cross-entropy over two answers.

    A negation turns the adjective's meaning round, and half of all phrases have one: neither an
    adjective nor a negation alone says anything about the answer. Each adjective is trained with
    three of four plain and three of four negated forms; the 256 phrases with the others are held
    out, 768 are trained on; held-out sequence number i is phrase i of these, whatever the seed.
    Phrases of 4 to 8 words are padded at their right to T = 8.

    Examples
    --------
    >>> batch = Sentiment().batch(seed=0, seq_len=8, batch_size=2, loss_at="last")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((8, 2), (8, 2), 'softmax_cross_entropy')
    """

    name: ClassVar[str] = "sentiment"
    shape_name: ClassVar[str] = "many-to-one"
    proves: ClassVar[str] = (
        "The network puts words together: the adjective alone or the negation alone does not "
        "give the answer, and held-out pairs of the two are new to it."
    )

    @property
    def unseen(self) -> str:
        return "held_out"

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        return STEPS, len(VOCABULARY), len(ANSWERS)

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln 2, at the last step as at every step."""
        return log(2)

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return f"{guess(2, 'answers')} (50 % wrong); no weights of single words give a lower loss"

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers; the target is the same at every step of a phrase."""
        check(seq_len, batch_size, loss_at, first)
        shown = _chosen(seed, batch_size, first)
        lengths = np.array([len(phrase.words) for phrase in shown])
        x, target = np.zeros((2, STEPS, batch_size), np.int64)
        for b, phrase in enumerate(shown):
            x[: lengths[b], b] = [VOCABULARY.index(word) for word in phrase.words]
            target[: lengths[b], b] = phrase.positive
        return Batch(
            x=x,
            target=target,
            mask=lengths_mask(lengths, STEPS, loss_at),
            loss="softmax_cross_entropy",
            input_size=len(VOCABULARY),
            output_size=len(ANSWERS),
            lengths=lengths,
            labels=VOCABULARY,
            note=f"The longest phrase has {STEPS} words, so T is {STEPS}, not {seq_len:,}."
            if seq_len != STEPS
            else "",
            answers=ANSWERS,
        )


def phrases() -> tuple[Phrase, ...]:
    """All 1,024 phrases. Held out is form k with adjective j where k mod 4 = j mod 4: one plain
    and one negated form for each adjective, and every form loses as many of either kind."""
    adjectives = [(j, word, kind) for kind, words in enumerate((NEGATIVE, POSITIVE))
                  for j, word in enumerate(words)]  # fmt: skip
    return tuple(
        Phrase(
            words=tuple(form.format(subject, word).split()),
            positive=bool(kind) != (form in NEGATED),
            held_out=k % len(PLAIN) == j % len(PLAIN),
        )
        for (k, form), (j, word, kind), subject in product(
            enumerate(PLAIN + NEGATED), adjectives, SUBJECTS
        )
    )


def _chosen(seed: int, batch_size: int, first: int) -> list[Phrase]:
    """The phrases of a batch: drawn, or those held out in turn."""
    if first >= HELD_OUT:
        return [HELD_OUT_PHRASES[(first - HELD_OUT + b) % len(HELD_OUT_PHRASES)]
                for b in range(batch_size)]  # fmt: skip
    draws = (rng.integers(len(TRAINED)) for rng in streams(seed, first, batch_size))
    return [TRAINED[i] for i in draws]


PHRASES = phrases()
TRAINED = tuple(phrase for phrase in PHRASES if not phrase.held_out)
HELD_OUT_PHRASES = tuple(phrase for phrase in PHRASES if phrase.held_out)
VOCABULARY = tuple(sorted({word for phrase in PHRASES for word in phrase.words}))
STEPS = max(len(phrase.words) for phrase in PHRASES)
