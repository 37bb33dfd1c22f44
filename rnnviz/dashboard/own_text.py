"""The text of a task that reads one: pasted, a sample, or from a file of the visitor's."""

from __future__ import annotations

import codecs

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.dashboard import layout, state
from rnnviz.experiment import FIELDS, Experiment, make_task
from rnnviz.tasks.text import MAX_CHARACTERS
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import field_name
from rnnviz.wording.tasks import task_name
from rnnviz.wording.texts import fill, say, texts

READERS = ("text", "words")
"""The tasks that read a text."""
SAID = "text_said"
MEGABYTES = 4
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks. That of UTF-32 comes first: it begins like that of UTF-16."""


def asked(experiment: Experiment, refusal: str) -> bool:
    """Ask for a text, in place of a page whose task cannot do without, or with the one it has;
    tells whether it does. refusal: what is wrong with the experiment."""
    if not _unusable(experiment):
        return False
    layout.question(texts("own_text")["which"])
    if experiment.text:
        layout.refused(refusal)
    words = texts("own_text")[f"needs_{experiment.task}"]
    st.markdown(fill(words, task=task_name(experiment.task)))
    ways(experiment.task, "page")
    return True


def _unusable(experiment: Experiment) -> bool:
    """Whether the task reads a text, and not this one."""
    if experiment.task not in READERS:
        return False
    try:
        make_task(experiment)
    except ValueError:
        return True
    return False


def ways(task: str, place: str) -> None:
    """Take a sample, paste a text or choose a file. place: tells these widgets from others."""
    text = texts("own_text")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.html(f'<p class="rnnviz-how">{text["samples"]}</p>', width="content")
        for name in texts("samples"):
            st.button(
                text[f"title_{name}"], key=f"sample-{name}-{place}", on_click=_take, args=(name,)
            )
    left, right = st.columns([3, 2])
    with left:
        st.text_area(
            field_name("text"),
            placeholder=text[f"placeholder_{task}"],
            max_chars=int(FIELDS["text"].high),
            height=80,
            **state.widget("text", then=st.rerun, place=place),
        )
    with right:
        text_file(place)


def _take(name: str) -> None:
    st.session_state["text"] = texts("samples")[name]
    st.rerun()  # the sidebar's knobs too


def text_file(place: str) -> None:
    """Ask for a file; its text becomes the value of the field `text`. place: tells one such
    widget from another."""
    key = f"text_file.{place}"
    st.file_uploader(
        say("own_text", "file"),
        ["txt", "md", "csv", "py"],
        key=key,
        on_change=_take_file,
        args=(key,),
        max_upload_size=MEGABYTES,
    )
    if said := st.session_state.get(SAID):
        layout.warn(said)


def _take_file(key: str) -> None:
    state.speak_here()
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
    return text[:MAX_CHARACTERS], sentences(said)


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
