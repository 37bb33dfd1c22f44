"""Pieces that every page is made of."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.dashboard import words_html
from rnnviz.dashboard.address import link_has_messages
from rnnviz.dashboard.state import WHOLE_PAGE, view_key, widget
from rnnviz.experiment import Experiment
from rnnviz.plots import theme
from rnnviz.wording import markup
from rnnviz.wording.library import translated
from rnnviz.wording.lists import sentences, text_width
from rnnviz.wording.numbers import counted, general
from rnnviz.wording.texts import fill, say, texts

SHOWN = 4
# Seconds of estimated run that need no spinner.
SOON = 0.5
# Characters that a row of buttons has room for, and what each button needs beside its label.
ROOM, GAP = 36, 4
HIDDEN = {
    "knob": 'section.stSidebar, [data-testid="stExpandSidebarButton"], .st-key-lecture-knob'
    " { display: none !important; }",
    "strip": ".st-key-trust { display: none !important; }",
    "nav": '[data-testid="stTopNavLinkContainer"], [data-testid="stTopNavSection"],'
    " .st-key-language,"
    ' [data-testid="stTopNavLink"] { display: none !important; }'
    " .stApp .stMainBlockContainer { padding-top: 0.8rem !important; }"
    ' [data-testid="stHeader"] { background: none !important; pointer-events: none; }',
}
CSS = Path(__file__).parent / "page.css"


def style() -> None:
    """The page's own style sheet."""
    st.html(CSS)


def hide(parts: Sequence[str]) -> None:
    """Leave parts of the page out: it is there for a lesson that shows one thing. They are drawn,
    and not seen, so that the page works as it does with them."""
    if parts:
        st.html(f"<style>{''.join(HIDDEN[part] for part in parts)}</style>")


def refused(reason: str) -> None:
    """Instead of a page: why this experiment is not run."""
    st.error(translated(reason), icon="⛔")


def link_messages(experiment: Experiment) -> bool:
    """What a link asked for and did not get, until a knob is moved; tells whether it says so.

    Small, in few lines: the first screen has to hold the figures too.
    """
    if not (messages := link_has_messages(experiment)):
        return False
    count = len(messages) - SHOWN
    more = [fill(texts("layout")["more_messages"], count=count)] if count > 0 else []
    warn(sentences([*map(translated, messages[:SHOWN]), *more]))
    return True


def warn(text: str, key: str = "") -> None:
    """A warning in few lines. key: of one that follows a knob while it moves."""
    named = f' data-words="{key}"' if key else ""
    st.html(f'<p class="rnnviz-warning" role="alert"{named}>{words_html.warning(text)}</p>')


def note(said: str) -> None:
    """What the task cut or replaced, what is padding, and which settings act on nothing."""
    st.html(f'<p class="rnnviz-notes" data-words="notes">{markup.as_html(said)}</p>')


def small(lines: Iterable[str]) -> None:
    """Sentences beside the figures, each in a line of its own."""
    for line in lines:
        st.html(f'<p class="rnnviz-small">{markup.as_html(line)}</p>')


def patience(experiment: Experiment, seconds: float, waits: bool) -> AbstractContextManager[None]:
    """A sign that something is going on, around a page that will take a while. waits: for others'
    work to end."""
    if seconds < SOON and not waits:
        return nullcontext()
    text, steps = texts("layout"), experiment.train_steps
    said = fill(
        text["spinner_waits" if waits else "spinner"],
        run=fill(text["training_and_run"], steps=f"{steps:,}") if steps else text["run"],
        models=_models(experiment),
        seconds=f"{math.ceil(seconds):,}",
    )
    return st.spinner(said)


def _models(experiment: Experiment) -> str:
    return counted(len(experiment.models), "models")


def ask(experiment: Experiment, seconds: float, size: int, allow: Callable[[], None]) -> None:
    """What a link would take, and a button that allows it."""
    text, steps = texts("layout"), f"{experiment.train_steps:,}"
    asked = fill(
        text["link_trains" if experiment.train_steps else "link_runs"],
        models=_models(experiment),
        steps=steps,
        seconds=f"{math.ceil(seconds):,}",
        size=f"{math.ceil(size / 2**20):,}",
    )
    st.info(asked, icon=":material/hourglass_empty:")
    st.button(text["run_it"], key="run_it", type="primary", on_click=allow)


def question(text: str) -> None:
    """The page's question, its title."""
    st.html(f'<h1 class="rnnviz-question">{words_html.marked(text)}</h1>')


def unseen_heading(text: str) -> None:
    """The title of a page that shows none, for screen readers."""
    st.html(f'<h1 class="rnnviz-unseen">{html.escape(text)}</h1>')


def preset_words(experiment: Experiment) -> None:
    """What the chosen preset is there to show."""
    said = words_html.preset(experiment, st.session_state.get("preset") or "")
    st.html(f'<p class="rnnviz-preset" data-words="preset">{said}</p>')


def verdict(lines: Sequence[str], styles: Mapping[str, theme.Style]) -> None:
    """The answer in words, model names in their colours. `lines` is Markdown with **bold**."""
    body = words_html.verdict(lines, styles)
    st.html(f'<div class="rnnviz-verdict" role="status" data-words="verdict">{body}</div>')


def sentence(text: str, styles: Mapping[str, theme.Style]) -> None:
    """A sentence in small, model names in their colours. No word of it is defined: an s that is to
    be read is no state."""
    st.html(f'<p class="rnnviz-how">{words_html.in_colours(markup.as_html(text), styles)}</p>')


def how_to_read(text: str, written: str = "", key: str = "") -> None:
    """One sentence under a figure. key: of a figure that follows a knob while it moves."""
    named = f' data-words="how-{key}"' if key else ""
    st.html(f'<p class="rnnviz-how"{named}>{words_html.how_to_read(text, written)}</p>')


def chosen(key: str) -> str:
    """What was chosen last on this page, or its link says; "" for nothing."""
    return str(st.session_state.get(view_key(key)) or "")


def kept(key: str, options: Sequence[str], default: str) -> str:
    """What a choice said last; the default where that is no longer there, or nonsense in a link."""
    last = st.session_state.get(view_key(key))
    return str(last) if last in options else default


def choice(
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    show: Callable[[str], str] = str,
    width: int | None = None,
    on_change: Callable[[], None] = lambda: st.rerun(WHOLE_PAGE),
    room: int = ROOM,
) -> str:
    """One of a few, as buttons; as a list where these would not fit in a `room` of so many
    characters, or `width` pixels wide."""
    name, now = view_key(key), kept(key, options, default)
    if st.session_state.get(name) != now:
        st.session_state.pop(name, None)  # it is not there to be chosen: nor in the link
    common: dict[str, Any] = {"format_func": show, "label_visibility": "collapsed"}
    if width is not None or sum(text_width(show(option)) + GAP for option in options) > room:
        common |= widget(name, now, options=options, then=on_change)
        st.selectbox(label, options, width=width or "stretch", **common)
    else:
        common |= widget(name, now, default="default", then=on_change)
        st.segmented_control(label, options, required=True, **common)
    return now


def switch(label: str, name: str) -> bool:
    """Tells whether it is on; at first it is off."""
    return st.toggle(label, **widget(name, bool(st.session_state.get(name))))


@contextmanager
def lazy(label: str, key: str = "") -> Iterator[bool]:
    """An expander; yields whether it is open. What is not seen need not be made. key: names it
    where the label changes, so that it stays open."""
    expander = st.expander(label, key=f"open-{key or label}", on_change="rerun")
    with expander:
        yield bool(expander.open)


def side_by_side(draw: Callable[..., None], knobs: Sequence[tuple[Any, ...]]) -> None:
    """Widgets in a row: what draws one, and what it is told for each."""
    for column, knob in zip(st.columns(len(knobs)), knobs, strict=True):
        with column:
            draw(*knob)


def table(frame: pd.DataFrame) -> None:
    """A small table. Plain HTML: a data grid would cost more than the charts. One that is wider
    than the window scrolls by itself, by keyboard, too."""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in frame.itertuples(index=False)
    )
    body = f'<table class="rnnviz-table"><tr>{head}</tr>{rows}</table>'
    st.html(f'<div class="rnnviz-scrolls" tabindex="0">{body}</div>')


def _cell(value: object) -> str:
    if value is None or value != value:
        return "–"
    return general(value, 4)


def data_button(name: str, frame: Callable[[], pd.DataFrame]) -> None:
    """Download a figure's numbers; they are written when asked for."""
    st.download_button(
        say("layout", "data_csv", name=name),
        data=lambda: frame().to_csv(index=False).encode("utf-8"),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"csv-{name}",
    )
