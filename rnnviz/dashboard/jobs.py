"""Who does the work of pages that take long, a slice each time: a worker process, or where there
are none the visit's own scripts.

The browser asks for the next slice when it has drawn the last; a page that is left or hidden asks
for nothing, and so nothing is done for it. How long a slice is, who takes turns, how often a
picture is drawn and when work stops is decided here and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

from rnnviz.core.bptt import Tell
from rnnviz.dashboard import state
from rnnviz.dashboard.components.browser import clock, ticked
from rnnviz.dashboard.hosting import worker_count
from rnnviz.dashboard.memory import Crowded
from rnnviz.dashboard.turns import Turns
from rnnviz.experiment import Experiment
from rnnviz.jobs.workers import Call, NotKnownHere, WorkerLost, Workers
from rnnviz.wording.texts import language, texts

J = TypeVar("J")
P = TypeVar("P")


class Pace(NamedTuple):
    """slice: seconds of work at most, unless a single step takes longer. draw_every: seconds
    between two pictures while results come in."""

    slice: float
    draw_every: float


TRAINING = Pace(0.05, 2.5)
"""Every slice is drawn above the fold; what is below it now and then."""
AHEAD = Pace(0.8, 0.0)
"""Of a run that is trained ahead, which is not drawn."""
DIAGRAM = Pace(0.08, 0.3)
CLAIMS = Pace(0.2, 0.8)

GIVE_WAY_EVERY = 0.05
"""Seconds: asking costs as much as a small step of a network."""


def give_way(_: float = 0.0) -> None:
    """Ends work that nobody waits for any more."""
    (_ASKER.get() or _give_way)()


def _give_way() -> None:
    """Whenever the state is read, Streamlit ends a script that a newer one waits for, or whose
    visitor has gone."""
    st.session_state.get("visit")


_ASKER: ContextVar[Tell | None] = ContextVar("asker", default=None)
"""Who waits for what is done in this thread, where that is no script."""


@contextmanager
def working_for(asker: Tell) -> Iterator[None]:
    """Work that is no script's: `asker` is called now and then, and may raise to end it."""
    token = _ASKER.set(asker)
    try:
        yield
    finally:
        _ASKER.reset(token)


@st.cache_resource(show_spinner=False)
def turns() -> Turns:
    """Those of all visitors' slices, and of answers to moving knobs."""
    return Turns()


@st.cache_resource(show_spinner=False)
def workers() -> Workers | None:
    """Those of all visitors; None where there are to be none."""
    count = worker_count()
    return Workers(count) if count else None


def do(function: Callable[..., Any], *args: Any, tell: Callable[[], None] = give_way) -> Any:
    """What `function(*args)` returns, worked out by a worker, or where there are none, or they do
    not know what it is of, in this thread, one after the other. `tell` is called while it waits.
    Raises Crowded where the work was lost with its process, twice."""
    found = workers()
    if found is not None:
        with suppress(NotKnownHere):
            return _waited(found.begin(function, *args), tell)
    with turns().slice(tell):
        return function(*args)


def _waited(call: Call, tell: Callable[[], None] = give_way) -> Any:
    found = workers()
    assert found is not None
    try:
        return found.result(call, tell)
    except WorkerLost as lost:
        raise Crowded(texts("server")["worker_lost"]) from lost


@dataclass(eq=False)
class NextSlice:
    """The next slice, which a worker does while the browser draws the last. of: names it."""

    of: Hashable = None
    call: Call | None = None

    def begin(self, of: Hashable, function: Callable[..., Any], *args: Any) -> None:
        """Where there are no workers nothing is done ahead."""
        found = workers()
        if found is not None:
            self.of, self.call = of, found.begin(function, *args)

    def do(self, of: Hashable, function: Callable[..., Any], *args: Any) -> Any:
        """What `function(*args)` returns, which `of` names."""
        call, self.call = self.call, None
        if call is not None and of == self.of:
            with suppress(NotKnownHere):
                return _waited(call)
        return do(function, *args)


def do_anyway(function: Callable[..., Any], *args: Any) -> Any:
    """The same of what a click has asked for: it is done whatever comes after it."""
    return do(function, *args, tell=lambda: None)


def courteous() -> Tell:
    """Gives way, but not at every call."""
    last = time.monotonic()

    def tell() -> None:
        nonlocal last
        if time.monotonic() - last > GIVE_WAY_EVERY:
            last = time.monotonic()
            give_way()

    return tell


@dataclass(eq=False)
class Work(Generic[J]):
    """A job of one visit, and how far the page is with it.

    running: whether it goes on by itself. slices: how many were done, which tells the browser that
    its tick was answered. drawn: when a picture was made last, of what, and the picture. leaving:
    the page and the experiment that a click asked for; path: the page to turn to now.
    Streamlit starts a script before the one that it replaces has ended: they take turns.
    """

    pace: Pace
    job: J | None = None
    running: bool = True
    slices: int = 0
    drawn: tuple[float, Hashable, Any] = (-1e9, None, None)
    leaving: tuple[str, Experiment] | None = None
    path: str = ""
    _turn: Lock = field(default_factory=Lock)

    def follow(self, job: J) -> None:
        """Go on with this job, which may be the present one."""
        if job is not self.job:
            self.job, self.drawn = job, (-1e9, None, None)

    def advance(
        self, step: Callable[[J, float], tuple[J, Any]], seconds: float | None = None
    ) -> J | None:
        """One slice; the job as it is then, None if the visit has taken up another one meanwhile.
        Where a newer script waits or the visitor has gone, this one ends instead; but what a click
        asked for, `seconds` of work at most, is done."""
        with self._turn:
            if seconds is None:
                give_way()
            before = self.job
            self.slices += 1
            if before is None:
                return None
            now, _ = step(before, self.pace.slice if seconds is None else seconds)
            if self.job is not before:
                return None
            self.job = now
            return now

    def change(self, make: Callable[[J], J]) -> None:
        """Put another job in the place of the present one, between two slices."""
        with self._turn:
            if self.job is not None:
                self.job = make(self.job)

    def is_due(self, now: float | None = None) -> bool:
        """Whether the last picture is old enough for another one, which then counts as drawn."""
        now = time.monotonic() if now is None else now
        if now - self.drawn[0] < self.pace.draw_every:
            return False
        self.drawn = now, None, None
        return True

    def picture(
        self,
        of: Hashable,
        size: int,
        growing: bool,
        make: Callable[[], P],
        clock: Callable[[], float] = time.monotonic,
    ) -> P:
        """What `make` makes of so many results. While they are `growing`, a picture of the same
        some tenths of a second old will do."""
        of, now, (at, shown, before) = (of, language()), clock(), self.drawn
        recent = growing and now - at < self.pace.draw_every
        if isinstance(shown, tuple) and (shown == (of, size) or (shown[0] == of and recent)):
            picture: P = before
            return picture
        made = make()
        self.drawn = now, (of, size), made
        return made

    def tick(self, key: str, more: bool) -> None:
        """Let the browser ask for the next slice, if there is `more` to do."""
        running = more or self.leaving is not None
        clock(key=key, running=running, count=self.slices, on_tick=partial(self.hear, key))

    def leave(self, path: str, experiment: Experiment) -> None:
        """Of a click: open another page with other knobs. What the browser had sent before it knew
        of the click comes with the knobs as they were, and would bring them back: so the page is
        turned at the tick that answers the click, which a new count tells the browser of."""
        self.slices += 1
        self.leaving = path, experiment

    def hear(self, key: str) -> None:
        """Of a tick, before the script's body: set the knobs, if the browser knows of the click:
        its clock's count is the present one."""
        if self.leaving is not None and ticked(key) == self.slices:
            (self.path, experiment), self.leaving = self.leaving, None
            state.adopt(experiment)
            st.session_state["preset"] = state.preset_of(experiment)

    def turn(self) -> None:
        """In the script's body: open the other page, if it is time."""
        if self.path:
            path, self.path = self.path, ""
            st.switch_page(st.session_state["pages"][path])


def work(place: str, pace: Pace) -> Work[Any]:
    """What this visit works on under that name; it ends with the visit."""
    if place not in st.session_state:
        st.session_state[place] = Work(pace)
    found: Work[Any] = st.session_state[place]
    return found
