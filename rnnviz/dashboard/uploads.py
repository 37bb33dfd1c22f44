"""A text from a file of the visitor's."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.dashboard import layout
from rnnviz.tasks.text import MAX_CHARACTERS

FILE, SAID = "text_file", "text_said"
MEGABYTES = 4


def text_file() -> None:
    """Ask for a file; its text becomes the value of the field `text`."""
    st.file_uploader("Or a file", ["txt", "md", "csv", "py"], key=FILE, on_change=_take,
                     max_upload_size=MEGABYTES)  # fmt: skip
    if said := st.session_state.get(SAID):
        layout.warn(said)


def _take() -> None:
    file = st.session_state.get(FILE)
    st.session_state[SAID] = ""
    if not isinstance(file, UploadedFile):  # None, or one that Streamlit holds no more
        return
    try:
        st.session_state["text"], st.session_state[SAID] = text_of(file.getvalue(), file.name)
    except ValueError as error:
        st.session_state[SAID] = f"{error}. The text stays as it was."


def text_of(data: bytes, name: str) -> tuple[str, str]:
    """What a file says, and what was done to make it fit ("" if nothing): UTF-8 without its byte
    order mark, Latin-1 where it is not UTF-8, at most 100,000 characters. Raises ValueError for a
    file that is not a text, or is too short to predict anything."""
    if b"\0" in data:
        raise ValueError(f"{name} must be a text, it holds zero bytes")
    said = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        said.append(f"{name} is not UTF-8; it is read as Latin-1.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) < 2:
        raise ValueError(f"{name} must have 2 characters or more, it has {len(text)}")
    if len(text) > MAX_CHARACTERS:
        said.append(f"The first {MAX_CHARACTERS:,} of {len(text):,} characters are used.")
    return text[:MAX_CHARACTERS], " ".join(said)
