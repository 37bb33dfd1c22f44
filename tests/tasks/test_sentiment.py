from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from rnnviz.tasks import HELD_OUT, Sentiment
from rnnviz.tasks.sentiment import (
    HELD_OUT_PHRASES,
    NEGATED,
    NEGATIVE,
    PHRASES,
    PLAIN,
    POSITIVE,
    TRAINED,
)


def test_a_negation_turns_the_meaning_round() -> None:
    meaning = {" ".join(phrase.words): phrase.positive for phrase in PHRASES}
    assert len(meaning) == len(PHRASES) == 8 * 16 * 8
    assert meaning["the film was good"]
    assert not meaning["the film was not good at all"]
    assert not meaning["the room was awful from start to end"]
    assert meaning["i do not think the room was awful"]
    assert meaning["no doubt the food was lovely"]


@pytest.mark.parametrize("part", [TRAINED, HELD_OUT_PHRASES])
def test_no_single_word_and_no_length_says_anything(part: tuple) -> None:
    """So the loss, which is convex, has no slope where all weights of single words are 0: ln 2 is
    the least that any have."""
    seen = defaultdict(list)
    for phrase in part:
        for sign in (*set(phrase.words), len(phrase.words)):
            seen[sign].append(phrase.positive)
    assert {np.mean(found) for found in seen.values()} == {0.5}


def test_held_out_pairs_are_new_and_their_words_are_not() -> None:
    def pairs(part: tuple) -> set[tuple[str, str]]:
        found = set()
        for phrase in part:
            (adjective,) = set(phrase.words) & {*POSITIVE, *NEGATIVE}
            rest = " ".join(word for word in phrase.words if word != adjective)
            found.add((adjective, rest))
        return found

    trained, held_out = pairs(TRAINED), pairs(HELD_OUT_PHRASES)
    assert (len(trained), len(held_out)) == (768, 256)
    assert not trained & held_out
    assert {a for a, _ in trained} == {a for a, _ in held_out} == {*POSITIVE, *NEGATIVE}
    assert {rest for _, rest in trained} == {rest for _, rest in held_out}
    assert len(PLAIN) == len(NEGATED)


def test_a_batch_shows_phrases_and_asks_after_the_last_word() -> None:
    batch = Sentiment().batch(0, 8, 60, "last")
    meaning = {" ".join(phrase.words): phrase.positive for phrase in PHRASES}
    for b in range(60):
        words = " ".join(batch.labels[i] for i in batch.x[: batch.lengths[b], b])
        asked = batch.target[batch.mask[:, b] > 0, b]
        assert batch.answers[asked[0]] == ("positive" if meaning[words] else "negative")
        assert batch.mask[:, b].argmax() == batch.lengths[b] - 1
    assert set(batch.lengths) == {4, 5, 6, 7, 8}


def test_256_held_out_sequences_show_each_held_out_phrase_once() -> None:
    batch = Sentiment().batch(3, 8, 256, "last", HELD_OUT)
    shown = {tuple(batch.x[: batch.lengths[b], b]) for b in range(256)}
    assert len(shown) == 256
