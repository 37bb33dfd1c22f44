"""Any Unicode, a clear message for what is too short or too long, stated limits."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import RNN
from rnnviz.core.network import Network, run_network
from rnnviz.tasks import HELD_OUT, Text
from rnnviz.tasks.text import MAX_CHARACTERS, MAX_SYMBOLS, REPLACEMENT, SAMPLE

PANGRAM = "the quick brown fox jumps over the lazy dog. " * 3


def decode(labels: tuple[str, ...], ids: np.ndarray) -> str:
    return "".join(labels[i] for i in ids)


def test_every_sequence_is_a_window_of_the_text_and_its_continuation() -> None:
    batch = Text(PANGRAM).batch(0, 10, 6, "every")
    for b in range(6):
        window = decode(batch.labels, batch.x[:, b])
        assert window in PANGRAM * 2
        assert window + batch.labels[batch.target[-1, b]] in PANGRAM * 2
    assert batch.labels == tuple(sorted(set(PANGRAM)))
    assert batch.note == ""


@pytest.mark.parametrize(
    "text",
    ["ab", "aa", "  ", "\x00\x01", "héllo wörld", "שלום עולם", "👩‍👩‍👧‍👦 family", "e\u0301" * 20,
     "\u202eabc\u202c", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "a\r\nb\n",
     "$\\href{javascript:x}$", "\U0010ffff\ud800x"],
)  # fmt: skip
def test_any_unicode_runs(text: str) -> None:
    batch = Text(text).batch(0, 30, 3, "every")
    net = Network((RNN(batch.input_size, 4),), batch.output_size)
    assert np.isfinite(run_network(net, net.init_params(np.random.default_rng(0)), batch).loss)
    assert set(batch.labels) == set(text)


@pytest.mark.parametrize(("text", "got"), [("", "0"), ("x", "1"), ("ab" * 50_001, "100,002")])
def test_too_short_and_too_long_texts_say_what_is_allowed(text: str, got: str) -> None:
    with pytest.raises(ValueError, match=f"text must have 2 to 100,000 characters .* got {got}"):
        Text(text)


def test_the_longest_text_is_accepted() -> None:
    assert Text("ab" * (MAX_CHARACTERS // 2)).batch(0, 2000, 2, "last").seq_len == 2000


def test_the_last_tenth_of_a_longer_text_is_held_out() -> None:
    text = "ab" * 90 + "xy" * 10
    trained, held_out = (Text(text).batch(0, 30, 50, "every", first) for first in (0, HELD_OUT))
    assert set(decode(trained.labels, trained.x.ravel())) == set("ab")
    assert set(decode(held_out.labels, held_out.x.ravel())) == set("xy")
    assert decode(held_out.labels, held_out.x[:, 0]) in "xy" * 30
    whole = Text(text[:199]).parts()
    assert whole[0] is whole[1]


SQUARES = "".join(str(n * n) for n in range(100, 145))


@pytest.mark.parametrize("text", ["hello " * 40, SQUARES + SQUARES[-10:] + SQUARES[:15]])
def test_what_is_trained_on_is_not_held_out_of_a_text_that_repeats_itself(text: str) -> None:
    """Nor what a window reads that goes on at the beginning."""
    task = Text(text)
    assert task.unseen == ""
    assert (task.ngram_loss(1), task.hmm_loss(2)) == (None, None)
    assert Text(text + "xyz").unseen == "held_out"


def test_a_window_goes_on_at_the_beginning_of_the_text() -> None:
    batch = Text("hello").batch(0, 13, 4, "last")
    for b in range(4):
        assert decode(batch.labels, batch.x[:, b]) in "hello" * 4
    assert {decode(batch.labels, batch.x[:1, b]) for b in range(4)} != {"h"}


def test_rare_characters_become_one_replacement_symbol() -> None:
    common = "".join(chr(0x4E00 + i) for i in range(127)) * 2
    rare = "".join(chr(0x5E00 + i) for i in range(300))
    batch = Text(common + rare).batch(0, 500, 1, "last")
    assert batch.input_size == len(batch.labels) == MAX_SYMBOLS
    assert set(batch.labels) == {*common, REPLACEMENT}
    assert "300 other characters are read as one replacement symbol" in batch.note
    assert decode(batch.labels, batch.x[:, 0]) in (common + REPLACEMENT * 300) * 2


def test_128_different_characters_are_all_kept() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(128))
    batch = Text(text).batch(0, 10, 1, "last")
    assert set(batch.labels) == set(text)
    assert batch.note == ""


def test_the_sample_is_a_text() -> None:
    assert Text(SAMPLE).batch(0, 10, 1, "last").seq_len == 10


def test_text_must_be_text() -> None:
    with pytest.raises(ValueError, match="text must be a str, got bytes"):
        Text(b"bytes")  # type: ignore[arg-type]
