"""A text from a file: read, cut or refused, and said."""

from __future__ import annotations

import codecs

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard.own_text import text_of
from tests.dashboard.support import assert_sound, experiment, said, visit

POEM = "Die Gräser\nwehen im Wind."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_text_is_taken_as_it_is(encoding: str) -> None:
    assert text_of(POEM.replace("\n", "\r\n").encode(encoding), "poem.txt") == (POEM, "")


def test_the_other_byte_order_is_read_too() -> None:
    assert text_of(codecs.BOM_UTF16_BE + POEM.encode("utf-16-be"), "poem.txt") == (POEM, "")


def test_an_older_encoding_is_said() -> None:
    text, note = text_of(POEM.encode("latin-1"), "poem.txt")
    assert text == POEM
    assert note == "poem.txt is not UTF-8; it is read as Latin-1."


def test_a_long_text_is_cut_and_that_is_said() -> None:
    text, note = text_of(b"ab" * 60_000, "long.txt")
    assert len(text) == 100_000
    assert note == "The first 100,000 of 120,000 characters are used."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\0\1\2", "zero bytes"),
        (POEM.encode("utf-16-le"), "a UTF-16 text must begin with its byte order mark"),
        (POEM.encode("utf-16")[:-1], "begins as UTF-16 does, but byte 50 is not part"),
        ("a\0b".encode("utf-16"), "zero characters"),
        (b"", "2 characters or more, it has 0"),
        (b"x", "it has 1"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"odd.txt.*{message}"):
        text_of(data, "odd.txt")


def test_a_file_becomes_the_text() -> None:
    app = open_more()
    app = app.file_uploader[0].upload("poem.txt", POEM.encode("latin-1"), "text/plain").run()
    assert_sound(app)
    assert experiment(app).text == POEM
    assert "read as Latin-1" in said(app)


def test_a_bad_file_leaves_the_text() -> None:
    app = open_more()
    app = app.file_uploader[0].upload("odd.txt", b"\0\0", "text/plain").run()
    assert_sound(app)
    assert experiment(app).text == "to be or not to be"
    assert "The text stays as it was" in said(app)


def open_more() -> AppTest:
    app = visit("gradient-flow", {"task": "text", "text": "to be or not to be", "seq_len": "12"})
    app.session_state["more"] = True
    return app.run()
