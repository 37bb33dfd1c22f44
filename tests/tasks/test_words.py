"""Sentences between a start and an end, the package's own and a user's."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from rnnviz.core.losses import softmax_cross_entropy
from rnnviz.tasks import HELD_OUT, Words
from rnnviz.tasks.batch import END
from rnnviz.tasks.words import BETWEEN, NOUNS, VERBS, own_sentences, sentences_of
from rnnviz.training.records import loss_per_answer
from tests.tasks.support import between_start_and_end

TEXT = "we sing. we run and sing!\nthey run\n\nno?"


def test_every_sequence_is_a_sentence_from_start_to_end() -> None:
    batch = Words(TEXT).batch(0, 6, 40, "every")
    shown = set()
    for b in range(40):
        shown.add(" ".join(between_start_and_end(batch, b)))
    assert shown == {"we sing", "we run and sing", "they run", "no"}
    assert batch.labels == ("and", "no", "run", "sing", "they", "we", "⟨start⟩", "⟨end⟩")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello there. What?! no\n\nyes, ok", ["Hello there", "What", "no", "yes, ok"]),
        ("a b\r\nc\u2028d", ["a b", "c", "d"]),
        ("3.14 is pi. e is 2.72", ["3.14 is pi", "e is 2.72"]),
        ("我 昨天 迟到 了。老师 批评 了 我。", ["我 昨天 迟到 了", "老师 批评 了 我"]),
        (" . ! \n ...", []),
        ("no end", ["no end"]),
        ("tab\tand  spaces", ["tab and spaces"]),
    ],
)
def test_a_text_is_cut_to_sentences_and_words(text: str, sentences: list[str]) -> None:
    assert [" ".join(sentence) for sentence in sentences_of(text)] == sentences


def test_the_own_sentences_agree_over_more_words_than_an_ngram_sees() -> None:
    sentences = own_sentences()
    assert len(sentences) == len(set(sentences)) == 8 * 2 * 6 * 6 * 4
    forms = [{pair[number] for pair in NOUNS + VERBS} for number in (0, 1)]
    for sentence in sentences:
        (number,) = (n for n in (0, 1) if sentence[1] in forms[n])
        (verb,) = (t for t in range(2, len(sentence)) if sentence[t] in forms[number])
        assert verb - 1 > 4
        assert not set(sentence) & forms[1 - number]
    assert not {word for between in BETWEEN for word in between.split()} & (forms[0] | forms[1])


def test_an_ngram_pays_for_the_number_of_the_verb() -> None:
    """Who knows the rules pays ln 2304 a sentence; whoever cannot see the noun ln 2 more."""
    task = Words()
    _, held_out = task.parts()
    steps = np.mean([len(sentence) - 1 for sentence in held_out])
    blind = (log(2304) + log(2)) / steps
    four = task.ngram_loss(4)
    assert four is not None
    assert blind < four < blind * 1.05


def test_the_last_tenth_is_held_out_in_turn() -> None:
    text = "\n".join(f"line {n}" for n in range(40))
    trained, held_out = Words(text).parts()
    assert (len(trained), len(held_out)) == (36, 4)
    batch = Words(text).batch(9, 3, 5, "every", HELD_OUT)
    shown = [batch.labels[i] for i in batch.x[2]]
    assert shown == ["36", "37", "38", "39", "36"]
    short = Words("\n".join(f"line {n}" for n in range(19))).parts()
    assert short[0] is short[1]


def test_a_sentence_that_is_trained_on_is_not_held_out() -> None:
    few = Words("\n".join(f"line {n % 4}" for n in range(40)))
    assert few.unseen == ""
    assert (few.ngram_loss(1), few.hmm_loss(2)) == (None, None)
    trained, held_out = Words("\n".join(f"line {n % 38}" for n in range(40))).parts()
    assert (len(trained), len(held_out)) == (36, 2)


def test_long_sentences_are_cut_and_the_batch_says_so() -> None:
    batch = Words("a b c d e f\nx y").batch(0, 4, 30, "every")
    assert batch.seq_len == 4
    assert sorted(set(batch.lengths.tolist())) == [3, 4]
    assert "Sentences of more than 4 steps are cut (the longest has 7)." in batch.note


def test_rare_words_become_one() -> None:
    common = " ".join(f"c{n}" for n in range(497))
    rare = " ".join(f"r{n}" for n in range(30))
    batch = Words(f"{common}\n{common} {rare}").batch(0, 2000, 20, "every")
    assert batch.output_size == len(batch.labels) == 500
    assert "The 497 most frequent words are kept; 30 other words are read as one." in batch.note
    assert (batch.x == batch.labels.index("⟨other⟩")).sum(axis=0).max() == 30
    assert not Words(f"{common} c497").batch(0, 600, 1, "every").note.count("kept")


def test_a_word_that_looks_like_start_is_no_start() -> None:
    batch = Words("say ⟨start⟩ now").batch(0, 5, 1, "every")
    assert len(set(batch.labels)) == len(batch.labels)
    assert [batch.labels[i] for i in batch.x[:, 0]] == ["⟨start⟩", "say", "⟨other⟩", "now"]


def test_a_guess_among_all_symbols_is_the_stated_baseline() -> None:
    batch = Words().batch(0, 14, 20, "every")
    y = np.zeros((14, batch.output_size, 20))
    loss, _ = softmax_cross_entropy(y, batch.target, batch.mask)
    assert loss_per_answer(batch, loss) == pytest.approx(Words().baseline_at(14, "every"))


def test_the_cross_entropy_of_the_worked_example() -> None:
    """Row 20 of the sources: label [1, 0, 0, 0], output [0.03, 0.09, 0.24, 0.64]: −ln 0.03 = 3.51
    nats. Only the probability of the right word counts; a guess among four costs ln 4 = 1.39."""
    y = np.log([0.03, 0.09, 0.24, 0.64])[None, :, None]
    loss, d_y = softmax_cross_entropy(y, np.array([[0]]), np.ones((1, 1)))
    assert loss == pytest.approx(-log(0.03), rel=1e-12)
    assert loss == pytest.approx(3.51, abs=0.005)
    assert d_y[0, :, 0] == pytest.approx([-0.97, 0.09, 0.24, 0.64])
    moved = np.log([0.03, 0.5, 0.4, 0.07])[None, :, None]
    assert softmax_cross_entropy(moved, np.array([[0]]), np.ones((1, 1)))[0] == pytest.approx(loss)


def test_the_last_step_is_noted() -> None:
    """Where most sentences end by then."""
    for seq_len, said in ((8, False), (11, False), (14, True), (40, True)):
        batch = Words().batch(0, seq_len, 500, "last")
        last = batch.target[batch.lengths - 1, np.arange(500)]
        share = float(np.mean(last == batch.labels.index(END)))
        assert ("mostly end" in batch.note) is said is (share > 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n . ", "text must have at least one word"),
        ("a " * 50_001, "text must have at most 100,000 characters, got 100,002"),
        (b"bytes", "text must be a str, got bytes"),
    ],
)
def test_bad_texts_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Words(text)
