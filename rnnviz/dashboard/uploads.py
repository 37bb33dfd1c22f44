"""A text from a file of the visitor's."""

from __future__ import annotations

import codecs

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.dashboard import layout
from rnnviz.tasks.text import MAX_CHARACTERS
from rnnviz.wording.texts import fill, texts

SAID = "text_said"
MEGABYTES = 4
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks. That of UTF-32 comes first: it begins like that of UTF-16."""


def text_file(place: str) -> None:
    """Ask for a file; its text becomes the value of the field `text`. place: tells one such
    widget from another."""
    key = f"text_file.{place}"
    st.file_uploader("Or a file", ["txt", "md", "csv", "py"], key=key, on_change=_take, args=(key,),
                     max_upload_size=MEGABYTES)  # fmt: skip
    if said := st.session_state.get(SAID):
        layout.warn(said)


def _take(key: str) -> None:
    file = st.session_state.get(key)
    st.session_state[SAID] = ""
    if not isinstance(file, UploadedFile):  # None, or one that Streamlit holds no more
        return
    try:
        st.session_state["text"], st.session_state[SAID] = text_of(file.getvalue(), file.name)
    except ValueError as error:
        st.session_state[SAID] = fill(texts("own_text")["stays"], problem=error)
    st.rerun()  # the sidebar's knobs too


def text_of(data: bytes, name: str) -> tuple[str, str]:
    """What a file says, and what was done to make it fit ("" if nothing): at most 100,000
    characters. Raises ValueError for a file that is not a text, or is too short to predict
    anything."""
    words = texts("own_text")
    text, note = _decoded(data, name)
    said = [note] if note else []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) < 2:
        raise ValueError(fill(words["too_short"], name=name, count=len(text)))
    if len(text) > MAX_CHARACTERS:
        said.append(fill(words["cut"], most=f"{MAX_CHARACTERS:,}", count=f"{len(text):,}"))
    return text[:MAX_CHARACTERS], " ".join(said)


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    """The characters, and what is to be said of how they were read: as their byte order mark says,
    without one as UTF-8, or as Latin-1 where it is not that."""
    encoding = next((known for mark, known in MARKS.items() if data.startswith(mark)), "")
    if encoding:
        return _as_marked(data, name, encoding), ""
    if b"\0" in data:
        raise ValueError(fill(texts("own_text")["zero_bytes"], name=name))
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return data.decode("latin-1"), fill(texts("own_text")["latin"], name=name)


def _as_marked(data: bytes, name: str, encoding: str) -> str:
    words = texts("own_text")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        where = {"name": name, "encoding": encoding, "byte": f"{error.start:,}"}
        raise ValueError(fill(words["broken"], **where)) from None
    if "\0" in text:
        raise ValueError(fill(words["zero_characters"], name=name))
    return text
