"""Sentences for the word model: the ones that come with the package, and a user's text as such.

The package's own sentences let the verb agree with a noun five words or more before it, and
nothing in between tells the number: more than an n-gram of four words can see.
"""

from __future__ import annotations

import re
from itertools import product

import numpy as np

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
