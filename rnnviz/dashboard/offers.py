"""What the script of a visit's page offers to answer past it, under a token that its browser alone
knows: `live` answers. An offer lives as long as its visit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import streamlit as st

from rnnviz.dashboard import definitions
from rnnviz.dashboard.address import experiment_query, link_has_messages, query_of
from rnnviz.dashboard.asked import Asked, Choices
from rnnviz.dashboard.components import follow_hand
from rnnviz.dashboard.frames import Frame, View, beside
from rnnviz.dashboard.server import url
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.wording.texts import language

PATH, OFFER = "/rnnviz-live", "live.offer"
REST = 500
"""Milliseconds without a move after which a value has come to rest: then the script hears of it."""
KNOBS = tuple(name for name, known in FIELDS.items() if known.kind in ("int", "float"))


@dataclass(eq=False)
class Offer:
    """What one visit's page shows; None where that follows no knob. current: whether the script
    that runs has said so. beside: names what stands beside the figures. link: what its address says
    but the experiment. settled: what else the page says of a run at rest; playing: what a slice of
    training shows, None where there is none to do. turn: one answer at a time; waiting: the newest
    question while it waits for it."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    asked: Asked | None = None
    current: bool = False
    beside: str = ""
    link: dict[str, str] = field(default_factory=dict)
    settled: Callable[[Experiment], Iterable[Frame]] = lambda _: ()
    playing: Callable[[], Iterable[Frame]] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: asyncio.Task[bool] | None = None


@st.cache_resource(show_spinner=False)
def open_offers() -> WeakValueDictionary[str, Offer]:
    """Those of all visits, by their tokens."""
    return WeakValueDictionary()


def offer(
    setting: Setting,
    choices: Choices | None,
    view: View | None = None,
    preset: str | None = None,
    playing: Callable[[], Iterable[Frame]] | None = None,
) -> None:
    """In a page's script, before its pictures: what they are of. choices: None where no knob is
    followed. view: of a page that may settle. preset: see `Asked`; playing: see `Offer`."""
    mine, said = _mine(), (definitions.so_far(), language())
    mine.asked = (
        Asked(setting.experiment, choices, setting.pinned, *said, preset=preset)
        if choices is not None
        else None
    )
    mine.beside, mine.link, mine.current, mine.playing = "", {}, True, playing
    if view is not None:
        of_experiment = experiment_query(setting.experiment)
        mine.beside = beside(view)
        mine.link = {k: v for k, v in query_of(setting).items() if k not in of_experiment}


def begin() -> None:
    """In a page's script, where it begins: until it ends, what the last one offered holds."""
    _mine().current = False


def tell_sliders(
    page: str, settled: Callable[[Experiment], Iterable[Frame]] = lambda _: ()
) -> None:
    """In a page's script, where it ends: how it follows them. page: the path of its address;
    settled: see `Offer`. What it says of a link or of training goes with the first move, and only a
    script can take it away."""
    mine = _mine()
    if mine.current:
        mine.settled = settled
    else:
        mine.asked = mine.playing = None
    asked = mine.asked
    shown = asked.experiment if asked else None
    goes = shown is not None and (shown.train_steps or link_has_messages(shown))
    beside = "" if goes else mine.beside
    follow_hand(page, mine.token if mine.current else "", url(PATH), REST, KNOBS, beside)


def _mine() -> Offer:
    if OFFER not in st.session_state:
        made = st.session_state[OFFER] = Offer()
        open_offers()[made.token] = made
    found: Offer = st.session_state[OFFER]
    return found
