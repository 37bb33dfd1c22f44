"""A visit's address: every knob and the open page's views, as a link says them.

It is read when the visit begins and when Back or Forward opens it again; otherwise it follows the
knobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rnnviz.dashboard.state import (
    HIDE,
    HIDEABLE,
    LANGUAGE,
    LANGUAGE_ASKED,
    LECTURE,
    PAGE_VIEWS,
    PATH,
    PIN,
    SCENE,
    SHOWS,
    VIEWS,
    Setting,
    adopt,
    preset_of,
    speak_here,
    view_key,
)
from rnnviz.experiment import Experiment, check_size
from rnnviz.experiment.links import TEXT_CUT, from_query, inert, to_query
from rnnviz.wording.library import translated
from rnnviz.wording.texts import OFFERED, PSEUDO, fill, preferred, texts

REVEALED = "shown"
"""A link's name for whether the answer of a scene is."""
SHOWN_OF_LINK = 40
"""Characters of nonsense in a link that are said back."""
MESSAGES = "messages"
"""What a link asked for: the experiment that it got, and what it did not get."""


def open_language() -> None:
    """Speak the visit's language: as the address asks, when the visit begins or the browser goes
    back or forward, and as the browser prefers where it does not ask. Before anything is said."""
    if _link_is_opened():
        asked = st.query_params.get(LANGUAGE)
        known = asked in (*OFFERED, PSEUDO)
        liked = preferred(st.context.headers.get("Accept-Language") or "")
        st.session_state.update({LANGUAGE: asked if known else liked, LANGUAGE_ASKED: known})
    speak_here()


def open_page(path: str) -> bool:
    """Say which page is open. When the visit begins, and when the browser goes back or forward,
    every knob and the page's views are what the address asks for; tells whether it is so."""
    st.session_state[PATH] = path
    if not _link_is_opened():
        return False
    st.session_state["visit"] = True
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    pin, (*_, lang) = query.pop(PIN, None), query.pop(LANGUAGE, [""])
    hidden = query.pop(HIDE, [""])[-1].split(",")
    st.session_state[HIDE] = tuple(part for part in HIDEABLE if part in hidden)
    if path == LECTURE:
        st.session_state[SCENE] = query.pop("scene", [""])[-1]
        query.pop(REVEALED, None)
    for view in PAGE_VIEWS.get(path, ()):
        st.session_state.pop(view_key(view), None)
        if view in query:
            st.session_state[view_key(view)] = query[view][-1]
    _open_link({key: values for key, values in query.items() if key not in VIEWS}, pin)
    text = texts("sidebar")
    if lang and lang != st.session_state[LANGUAGE]:
        _say(fill(text["no_language"], asked=inert(lang), allowed=", ".join(OFFERED),
                  used=texts("layout")["language"]))  # fmt: skip
    if left := [part for part in hidden if part and part not in HIDEABLE]:
        named = inert(", ".join(left)[:SHOWN_OF_LINK])
        _say(fill(text["no_part"], asked=named, allowed=", ".join(HIDEABLE)))
    return True


def _say(message: str) -> None:
    """One more thing that the link did not get."""
    asked, messages = st.session_state[MESSAGES]
    st.session_state[MESSAGES] = asked, (*messages, message)


def begins() -> bool:
    """Whether this run is the visit's first."""
    return "visit" not in st.session_state


def _link_is_opened() -> bool:
    """Whether this run is the visit's first, or goes to another address."""
    return begins() or _in_history()


def _in_history() -> bool:
    """Whether this run answers the browser's Back or Forward."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def _open_link(query: dict[str, list[str]], pin: list[str] | None) -> None:
    experiment, messages = from_query(_with_whole_text(query))
    adopt(experiment)
    pinned, more = _pinned(pin[-1]) if pin else (None, ())
    st.session_state[MESSAGES] = (experiment, (*messages, *more))
    st.session_state["preset"] = preset_of(experiment)
    st.session_state[PIN] = pinned


def _with_whole_text(query: dict[str, list[str]]) -> dict[str, list[str]]:
    """A long text is in a link as its beginning alone; the visit may have all of it."""
    text, beginning = st.session_state.get("text", ""), query.get("text", [""])[-1]
    if query.get(TEXT_CUT) != [str(len(text))] or not text.startswith(beginning):
        return query
    return {name: given for name, given in query.items() if name != TEXT_CUT} | {"text": [text]}


def _pinned(query: str) -> tuple[Experiment | None, tuple[str, ...]]:
    """The experiment that a link pins, if it may be run, and what it did not get."""
    experiment, messages = from_query(dict(parse_qsl(query, keep_blank_values=True)))
    text = texts("sidebar")
    said = tuple(fill(text["pinned"], message=translated(message)) for message in messages)
    if refusal := check_size(experiment):
        return None, (*said, fill(text["pinned_left_out"], refusal=translated(refusal)))
    return experiment, said


def link_has_messages(experiment: Experiment) -> tuple[str, ...]:
    """What the link of this experiment did not get; nothing once a knob has moved."""
    asked, messages = st.session_state[MESSAGES]
    return messages if experiment == asked else ()


def forget_messages() -> None:
    """Say no more what a link did not get."""
    st.session_state[MESSAGES] = (Experiment(), ())


def query_of(setting: Setting, whole_text: bool = False) -> dict[str, str]:
    """The query of this view on the open page: for the address, or for a link, with `whole_text`.

    An address is sent to the server when a page is loaded again, and stands in the log of every
    proxy on the way. So a visitor's own text is in it only where it is short."""
    query = experiment_query(setting.experiment, whole_text)
    if setting.pinned is not None:
        query[PIN] = urlencode(experiment_query(setting.pinned, whole_text))
    views = PAGE_VIEWS[st.session_state[PATH]]
    chosen = {view: st.session_state.get(view_key(view)) for view in views}
    query.update({key: str(value) for key, value in chosen.items() if value})
    return {**of_visit(), **query}


def of_visit() -> dict[str, str]:
    """What the address says on every page: the language, if it was asked for, and what is left
    out."""
    hidden = st.session_state[HIDE]
    return {**language_query(), **({HIDE: ",".join(hidden)} if hidden else {})}


def language_query() -> dict[str, str]:
    """The language, if it was asked for: else every browser prefers its own."""
    asked = st.session_state[LANGUAGE_ASKED]
    return {LANGUAGE: st.session_state[LANGUAGE]} if asked else {}


def experiment_query(experiment: Experiment, whole_text: bool = False) -> dict[str, str]:
    """Of that alone."""
    return to_query(experiment, whole_text or experiment.text in texts("samples").values())


def write_address(query: Mapping[str, str]) -> None:
    """Let the browser's address follow, if it does not already say this. After Back it may have
    been overwritten by what the page before had to say."""
    if dict(st.query_params) != dict(query) or _in_history():
        st.query_params.from_dict(query)


def say_what_is_drawn(experiment: Experiment) -> None:
    """For every chart from now on, in this part of the page."""
    st.session_state[SHOWS] = urlencode(to_query(experiment))


def link(setting: Setting) -> str:
    """The whole address of this view."""
    query = urlencode(query_of(setting, whole_text=True))
    base = (st.context.url or "").partition("?")[0]
    return f"{base}?{query}" if query else base
