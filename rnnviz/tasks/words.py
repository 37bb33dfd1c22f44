"""Sentences, word by word between a start and an end: which word comes next?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import log
from typing import ClassVar

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks import hmm
from rnnviz.tasks.batch import (
    END,
    HELD_OUT,
    START,
    Batch,
    Task,
    check,
    guess,
    lengths_mask,
    streams,
)
from rnnviz.tasks.ngram import fit
from rnnviz.tasks.text import HELD_OUT_SHARE, MAX_CHARACTERS, Text

MAX_SYMBOLS = 500
SPLIT_FROM = 20  # sentences from which on a part is held out
OTHER = "⟨other⟩"
Sentence = tuple[str, ...]
NOUNS = (("dog", "dogs"), ("cat", "cats"), ("child", "children"), ("bird", "birds"),
         ("friend", "friends"), ("farmer", "farmers"), ("singer", "singers"),
         ("guest", "guests"))  # fmt: skip
BETWEEN = ("that we saw in the garden", "behind the house near the lake",
           "that the old man told us about", "from the village across the river",
           "that came with us last summer", "next to the table by the door")  # fmt: skip
VERBS = (("sleeps", "sleep"), ("sings", "sing"), ("runs", "run"), ("waits", "wait"),
         ("eats", "eat"), ("smiles", "smile"))  # fmt: skip
ENDS = ("", "again", "in the rain", "every day")
# A line ends a sentence, and so does a mark at the end of a word (in Chinese anywhere).
BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+|(?<=[.!?…])\s+|(?<=[。！？])")
MARKS = ".!?…。！？"


@dataclass(frozen=True)
class Words(Task):
    """x_1 = start, x_{t+1} = word t of a sentence, one-hot; the answer is the next word, at last
    end. Softmax cross-entropy over all words, start and end.

    text: sentences, one a line or ended by . ! or ?; words are what stands between white space.
    "" stands for 2,304 sentences of the package in which a verb agrees with a noun at least five
    words before it. At most 100,000 characters; of more than 498 different words the 497 most
    frequent are kept, all others are read as one, and the batch's note says so. Sentences are
    padded at their right to T, the longest one's steps; those with more than seq_len steps
    are cut there. Of the last tenth of 20 sentences or more those are held out that the rest does
    not have, too; held-out sequence number i is sentence i of these, whatever the seed.
    Raises ValueError for a text without a word or with too many characters.

    Examples
    --------
    >>> batch = Words().batch(seed=0, seq_len=8, batch_size=2, loss_at="every")
    >>> batch.x.shape, batch.target.shape, batch.loss
    ((8, 2), (8, 2), 'softmax_cross_entropy')
    """

    text: str = ""

    name: ClassVar[str] = "words"
    shape_name: ClassVar[str] = "many-to-many"
    proves: ClassVar[str] = (
        "The network knows at the verb what the noun was: it is better than any n-gram that does "
        "not reach back that far."
    )

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ValueError(f"text must be a str, got {type(self.text).__name__}")
        if len(self.text) > MAX_CHARACTERS:
            raise ValueError(
                f"text must have at most {MAX_CHARACTERS:,} characters, got {len(self.text):,}"
            )
        if self.text and not _read(self.text)[2]:
            raise ValueError("text must have at least one word, or be empty for the built-in text")

    def shape(self, seq_len: int) -> tuple[int, int, int]:
        count = len(_read(self.text)[0])
        return min(seq_len, self._longest()), count, count

    def proves_at(self, seq_len: int, loss_at: str) -> str:
        return Text.proves if self.text else self.proves

    def baseline_at(self, seq_len: int, loss_at: str) -> float | None:
        """ln n for n symbols. At the last step alone 0, for every sentence ends with end; None is
        stated where some are cut."""
        if loss_at == "last":
            return 0.0 if self.is_whole(seq_len) else None
        return log(self.shape(seq_len)[2])

    def _longest(self) -> int:
        """The steps of the longest sentence."""
        return max(map(len, _read(self.text)[2])) - 1

    def is_whole(self, seq_len: int) -> bool:
        return seq_len >= self._longest()

    def baseline_words(self, seq_len: int, loss_at: str) -> str:
        if loss_at == "last" and self.is_whole(seq_len):
            return f"every sentence ends with {END}, so 0 nats without a word of it"
        return f"{guess(self.shape(seq_len)[2], 'words')}, start and end among them"

    @property
    def unseen(self) -> str:
        trained, held_out = self.parts()
        return "" if trained is held_out else "held_out"

    def ngram_loss(self, order: int) -> float | None:
        """Nats per symbol of an n-gram model with `order` words of context (0 to 4), fitted to
        the sentences trained on, on those held out; None if none are."""
        trained, held_out = self.parts()
        model = fit(trained, order, self.shape(2)[2])
        return None if trained is held_out else model.loss(held_out)

    def hmm_loss(self, states: int) -> float | None:
        """The same of a hidden Markov model with so many states, see `hmm.fit`."""
        trained, held_out = self.parts()
        if trained is held_out:
            return None
        return hmm.fit(trained, states, self.shape(2)[2]).loss(held_out)

    def batch(
        self, seed: int, seq_len: int, batch_size: int, loss_at: str, first: int = 0
    ) -> Batch:
        """x, target (T, B), integers."""
        check(seq_len, batch_size, loss_at, first)
        symbols, others, _ = _read(self.text)
        part = self.parts()[first >= HELD_OUT]
        steps, *_ = self.shape(seq_len)
        shown = [part[i] for i in _chosen(seed, batch_size, first, len(part))]
        x, target = np.zeros((2, steps, batch_size), np.int64)
        lengths = np.array([min(len(sentence) - 1, steps) for sentence in shown])
        for b, (sentence, n) in enumerate(zip(shown, lengths, strict=True)):
            x[:n, b], target[:n, b] = sentence[:n], sentence[1 : n + 1]
        return Batch(
            x=x,
            target=target,
            mask=lengths_mask(lengths, steps, loss_at),
            loss="softmax_cross_entropy",
            input_size=len(symbols),
            output_size=len(symbols),
            lengths=lengths,
            labels=symbols,
            note=self._note(seq_len, loss_at, others),
        )

    def parts(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """The sentences to train on and those held out, as token ids from start to end. Of fewer
        than 20 sentences, or where the last tenth has none of its own, both are all of them, the
        same tuple."""
        return _parts(self.text)

    def _note(self, seq_len: int, loss_at: str, others: int) -> str:
        longest, sentences = self._longest(), _read(self.text)[2]
        mostly_end = np.mean([len(sentence) - 1 <= seq_len for sentence in sentences]) > 0.5
        notes = []
        if longest < seq_len:
            notes.append(f"The longest sentence has {longest} steps, so T is {longest}, not "
                         f"{seq_len:,}.")  # fmt: skip
        if longest > seq_len:
            notes.append(f"Sentences of more than {seq_len:,} steps are cut (the longest has "
                         f"{longest:,}).")  # fmt: skip
        if others:
            notes.append(f"The {MAX_SYMBOLS - 3} most frequent words are kept; {others:,} other "
                         "words are read as one.")  # fmt: skip
        if loss_at == "last" and mostly_end:
            notes.append("At the last step the answer is mostly end; ask at every step.")
        return " ".join(notes)


def _chosen(seed: int, batch_size: int, first: int, n: int) -> list[int]:
    """Which of n sentences a batch shows: drawn, or those held out in turn."""
    if first >= HELD_OUT:
        return [(first - HELD_OUT + b) % n for b in range(batch_size)]
    return [int(rng.integers(n)) for rng in streams(seed, first, batch_size)]


@lru_cache(maxsize=4)
def _read(text: str) -> tuple[tuple[str, ...], int, tuple[Array, ...]]:
    """The symbols, start and end last; how many words are read as another; every sentence as
    ids from start to end. Kept, for training reads the same text at every step."""
    sentences = sentences_of(text) if text else own_sentences()
    counts = Counter(word for sentence in sentences for word in sentence)
    ranked = sorted(counts.keys() - {OTHER, START, END}, key=lambda word: (-counts[word], word))
    fits = len(ranked) == len(counts) <= MAX_SYMBOLS - 2
    kept = ranked if fits else ranked[: MAX_SYMBOLS - 3]
    symbols = (*sorted(kept), *(() if fits else (OTHER,)), START, END)
    ids = {word: i for i, word in enumerate(sorted(kept))}
    start, end = len(symbols) - 2, len(symbols) - 1
    coded = [
        np.array([start, *(ids.get(word, start - 1) for word in sentence), end])
        for sentence in sentences
    ]
    for sentence in coded:
        sentence.flags.writeable = False
    return symbols, len(counts) - len(kept), tuple(coded)


@lru_cache(maxsize=4)
def _parts(text: str) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """See `Words.parts`. Kept, as `_read`."""
    sentences = _read(text)[2]
    if len(sentences) < SPLIT_FROM:
        return sentences, sentences
    stop = round(len(sentences) * (1 - HELD_OUT_SHARE))
    trained = sentences[:stop]
    seen = {sentence.tobytes() for sentence in trained}
    new = tuple(sentence for sentence in sentences[stop:] if sentence.tobytes() not in seen)
    return (trained, new) if new else (sentences, sentences)


def own_sentences() -> tuple[Sentence, ...]:
    """All 2,304 sentences: the, a noun, what is in between, a verb that agrees, an end; in an
    order that mixes them and is always the same."""
    sentences = [
        tuple(f"the {noun[number]} {between} {verb[number]} {end}".split())
        for number, noun, between, verb, end in product((0, 1), NOUNS, BETWEEN, VERBS, ENDS)
    ]
    order = np.random.default_rng(0).permutation(len(sentences))
    return tuple(sentences[i] for i in order)


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text, each a tuple of words: what stands between white space, without
    the mark that ends the sentence. A text without white space is one word a sentence."""
    parts = (part.strip().rstrip(MARKS) for part in BREAK.split(text))
    return tuple(tuple(part.split()) for part in parts if part.strip())
