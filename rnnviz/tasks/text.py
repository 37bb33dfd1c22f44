"""Text that a user types or pastes: which character comes next?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.tasks.batch import Batch, all_steps, check, loss_mask, stream

MAX_CHARACTERS = 100_000
MAX_SYMBOLS = 128
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SAMPLE = "the cat sat on the mat. the dog sat on the log. "


@dataclass(frozen=True)
class Text:
    """x_t = character t of a window of the text, one-hot; the answer is the next character.

    Softmax cross-entropy over the distinct characters. Any Unicode; 2 to 100,000 characters.
    The 127 most frequent characters are kept if there are more than 128, all others become one
    replacement symbol, and the batch's note says so. A window begins anywhere; at the end of the
    text it goes on at the beginning. Raises ValueError for a text that is too short or too long.
    """

    text: str = ""

    name: ClassVar[str] = "text"
    baseline: ClassVar[float | None] = None
    baseline_text: ClassVar[str] = "a guess among n different characters: ln n nats"

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

    def batch(self, seed: int, seq_len: int, batch_size: int, loss_at: str) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at)
        symbols, others = self._symbols()
        ids = self._ids(symbols)
        starts = [stream(seed, "sequences", b).integers(len(ids)) for b in range(batch_size)]
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

    def _symbols(self) -> tuple[tuple[str, ...], int]:
        """The symbols in code point order, the replacement last, and how many it stands for."""
        counts = Counter(self.text)
        if len(counts) <= MAX_SYMBOLS:
            return tuple(sorted(counts)), 0
        counts.pop(REPLACEMENT, None)
        # Ties go to the lower code point: the same text always keeps the same characters.
        ranked = sorted(counts, key=lambda c: (-counts[c], c))
        kept = ranked[: MAX_SYMBOLS - 1]
        return (*sorted(kept), REPLACEMENT), len(ranked) - len(kept)

    def _ids(self, symbols: tuple[str, ...]) -> np.ndarray:
        index = {symbol: i for i, symbol in enumerate(symbols)}
        return np.array([index.get(character, len(symbols) - 1) for character in self.text])


def _note(others: int) -> str:
    if not others:
        return ""
    return (
        f"The {MAX_SYMBOLS - 1} most frequent characters are kept; {others:,} other characters "
        "are read as one replacement symbol."
    )
