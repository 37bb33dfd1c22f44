"""Text that a user types or pastes: which character comes next?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks import hmm
from rnnviz.tasks.batch import HELD_OUT, Batch, Task, all_steps, check, guess, loss_mask, streams
from rnnviz.tasks.ngram import fit

MAX_CHARACTERS = 100_000
MAX_SYMBOLS = 128
SPLIT_FROM = 200  # characters from which on a part is held out
HELD_OUT_SHARE = 0.1
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SAMPLE = "the cat sat on the mat. the dog sat on the log. "


@dataclass(frozen=True)
class Text(Task):
    """x_t = character t of a window of the text, one-hot; the answer is the next character.

    Softmax cross-entropy over the distinct characters. Any Unicode; 2 to 100,000 characters.
    The 127 most frequent characters are kept if there are more than 128, all others become one
    replacement symbol, and the batch's note says so. The last tenth of a text of 200 characters
    or more is held out, unless the rest has it, too. A window begins anywhere in its part; at the
    end of the part it goes on at the part's beginning. Raises ValueError for a text that is too
    short or too long.

    Examples
    --------
    >>> text = Text("we are here. they are there.")
    >>> batch = text.batch(0, seq_len=8, batch_size=2, loss_at="every")
    >>> batch.labels[:4], batch.x.shape  # characters as tokens
    ((' ', '.', 'a', 'e'), (8, 2))
    """

    text: str = ""

    name: ClassVar[str] = "text"
    shape_name: ClassVar[str] = "many-to-many"
    proves: ClassVar[str] = (
        "The network uses what came before: on held-out text it is better than counting short "
        "strings of characters (n-grams)."
    )

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ValueError(f"text must be a str, got {type(self.text).__name__}")
        if not 2 <= len(self.text) <= MAX_CHARACTERS:
            raise ValueError(
                f"text must have 2 to {MAX_CHARACTERS:,} characters (one to read and one to "
                f"predict), got {len(self.text):,}"
            )

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        n = min(len(set(self.text)), MAX_SYMBOLS)
        return seq_len, n, n

    def baseline_at(self, seq_len: int, loss_at: str) -> float:
        """ln n for n different symbols."""
        return log(self.shape(seq_len)[2])

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        return guess(self.shape(seq_len)[2], "different characters")

    @property
    def unseen(self) -> str:
        trained, held_out = self.parts()
        return "" if trained is held_out else "held_out"

    def ngram_loss(self, order: int) -> float | None:
        """Nats per symbol of an n-gram model with `order` symbols of context (0 to 4), fitted to
        the part that is trained on, on the part that is held out; None if there is none."""
        trained, held_out = self.parts()
        model = fit([trained], order, self.shape(2)[2])
        return None if trained is held_out else model.loss([held_out])

    def hmm_loss(self, states: int) -> float | None:
        """The same of a hidden Markov model with so many states, see `hmm.fit`."""
        trained, held_out = self.parts()
        if trained is held_out:
            return None
        return hmm.fit([trained], states, self.shape(2)[2]).loss([held_out])

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at, first)
        symbols, others, _ = _read(self.text)
        ids = self.parts()[first >= HELD_OUT]
        starts = [rng.integers(len(ids)) for rng in streams(seed, first, batch_size)]
        windows = ids[(np.arange(seq_len + 1)[:, None] + starts) % len(ids)]
        return Batch(
            x=windows[:-1],
            target=windows[1:],
            mask=loss_mask(seq_len, batch_size, loss_at),
            loss="softmax_cross_entropy",
            input_size=len(symbols),
            output_size=len(symbols),
            lengths=all_steps(seq_len, batch_size),
            labels=symbols,
            note=_note(others),
        )

    def parts(self) -> tuple[Array, Array]:
        """The text to train on and the text that is held out, as token ids. Of fewer than 200
        characters, or where the last tenth stands somewhere in the rest, too, both are the whole
        text, the same array."""
        return _parts(self.text)


@lru_cache(maxsize=4)
def _read(text: str) -> tuple[tuple[str, ...], int, Array]:
    """The symbols in code point order, the replacement last; how many characters that stands
    for; the text as ids. Kept, for training reads the same text at every step."""
    symbols, others = _symbols(text)
    index = {symbol: i for i, symbol in enumerate(symbols)}
    ids = np.array([index.get(character, len(symbols) - 1) for character in text])
    ids.flags.writeable = False
    return symbols, others, ids


@lru_cache(maxsize=4)
def _parts(text: str) -> tuple[Array, Array]:
    """See `Text.parts`. Kept, as `_read`."""
    ids = _read(text)[2]
    if len(ids) < SPLIT_FROM:
        return ids, ids
    stop = round(len(ids) * (1 - HELD_OUT_SHARE))
    as_bytes = ids.astype(np.uint8).tobytes()
    # A window goes on at the beginning of its part.
    seen = as_bytes[:stop] * 2
    return (ids, ids) if as_bytes[stop:] in seen else (ids[:stop], ids[stop:])


def _symbols(text: str) -> tuple[tuple[str, ...], int]:
    counts = Counter(text)
    if len(counts) <= MAX_SYMBOLS:
        return tuple(sorted(counts)), 0
    counts.pop(REPLACEMENT, None)
    # Ties go to the lower code point: the same text always keeps the same characters.
    ranked = sorted(counts, key=lambda c: (-counts[c], c))
    kept = ranked[: MAX_SYMBOLS - 1]
    return (*sorted(kept), REPLACEMENT), len(ranked) - len(kept)


def _note(others: int) -> str:
    if not others:
        return ""
    return (
        f"The {MAX_SYMBOLS - 1} most frequent characters are kept; {others:,} other characters "
        "are read as one replacement symbol."
    )
