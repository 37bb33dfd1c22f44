"""What a knob shows while it moves, and training while it plays: the page's pictures over HTTP,
past the Streamlit script.

A page's script offers what it shows, under a token that its browser alone knows. While a knob
moves, the browser posts a `Move` and gets what the script would have sent; for a slice of training
it posts a tick. An offer lives as long as its visit.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rnnviz.dashboard import definitions, jobs
from rnnviz.dashboard.address import experiment_query, link_has_messages, query_of
from rnnviz.dashboard.asked import Asked, Choices, Move, moved
from rnnviz.dashboard.components import follow_hand
from rnnviz.dashboard.frames import Frame, View, beside, frames
from rnnviz.dashboard.lending import answering
from rnnviz.dashboard.posts import Refused, posted
from rnnviz.dashboard.server import url
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.wording.language import language, speak

PATH, TOKEN, OFFER = "/rnnviz-live", "X-Rnnviz-Token", "live.offer"
REST = 500
"""Milliseconds without a move after which a value has come to rest: then the script hears of it."""
KNOBS = tuple(name for name, known in FIELDS.items() if known.kind in ("int", "float"))
HEADERS = {"Content-Encoding": "identity", "X-Accel-Buffering": "no", "Cache-Control": "no-store"}
"""Said to be packed already: packing each answer anew costs the server a core's time."""

TICK = {"tick": True}
"""What the browser posts for a slice of training."""
MOVING, RESTING, PLAYING = "moving", "resting", "playing"


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


@dataclass(eq=False)
class Makers:
    """Who makes answers of one kind, for all visitors: one is made here, and one by each worker
    that is free. interpreter: see `answering`. answering: the visits whose answers are being made
    or wait for it; the event loop alone changes it."""

    threads: ThreadPoolExecutor
    interpreter: Lock = field(default_factory=Lock)
    answering: set[Offer] = field(default_factory=set)


class Gone(Exception):
    """Nobody waits for the answer any more."""


@st.cache_resource(show_spinner=False)
def offers() -> WeakValueDictionary[str, Offer]:
    """Those of all visits, by their tokens."""
    return WeakValueDictionary()


@st.cache_resource(show_spinner=False)
def makers(kind: str) -> Makers:
    """A hand that moves does not wait behind those that rest, and neither behind training."""
    processes = jobs.workers()
    return Makers(ThreadPoolExecutor(1 + (processes.count if processes else 0), kind))


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
        offers()[made.token] = made
    found: Offer = st.session_state[OFFER]
    return found


def route() -> Route:
    """Where the browser asks."""
    return Route(url(PATH), answer, methods=["POST"])


async def answer(request: Request) -> Response:
    """The pictures at these values of knobs, or after a slice of training. Statuses: 204 there are
    none; 403 another site asks; 404 the visit is not known; 413, 415 and 422 no message of ours;
    429 something newer came while this waited."""
    mine = offers().get(request.headers.get(TOKEN, ""))
    try:
        body = await posted(request)
    except Refused as refused:
        return Response(status_code=refused.status)
    if mine is None:
        return Response(status_code=404)
    try:
        told = json.loads(body)
        return await (_slice(mine) if told == TICK else _moved(mine, Move.read(told)))
    except ValueError:
        return Response(status_code=422)


async def _slice(mine: Offer) -> Response:
    if mine.playing is None:
        return Response(status_code=204)
    return await _in_turn(mine, mine.playing, makers(PLAYING), nullcontext())


async def _moved(mine: Offer, move: Move) -> Response:
    """Raises ValueError for what no knob can be."""
    others = makers(MOVING).answering | makers(RESTING).answering
    asked = moved(mine.asked, move, len(others - {mine})) if mine.asked else None
    if asked is None:
        return Response(status_code=204)
    made_of = partial(_frames, mine if move.settles else None, asked)
    by = makers(RESTING if move.rests else MOVING)
    turn = answering(by.interpreter, checked=not asked.note)
    return await _in_turn(mine, made_of, by, turn)


def _frames(settles: Offer | None, asked: Asked) -> Iterator[Frame]:
    """settles: where the page is to be as the script would draw it."""
    made = frames(asked)  # first: the run that is checked
    if settles:
        speak(asked.language)
        yield from settles.settled(asked.experiment)
        query = {**experiment_query(asked.experiment), **settles.link}
        yield "address", urlencode(query).encode()
    yield from made


async def _in_turn(
    mine: Offer,
    made_of: Callable[[], Iterable[Frame]],
    by: Makers,
    turn: AbstractContextManager[None],
) -> Response:
    """All frames in one piece, as a stream: that notices where the browser goes, and the work ends
    early. The visit's turn ends with the work. turn: held while it is done."""
    if not await _comes_first(mine):
        return Response(status_code=429)
    gone = Event()
    by.answering.add(mine)
    work = partial(Context().run, _work, made_of, gone, turn)
    made = asyncio.get_running_loop().run_in_executor(by.threads, work)
    made.add_done_callback(partial(_ends, mine, by))
    return StreamingResponse(
        _stream(made, gone), media_type="application/octet-stream", headers=HEADERS
    )


def _ends(mine: Offer, by: Makers, _: object) -> None:
    by.answering.remove(mine)
    mine.turn.release()


async def _comes_first(mine: Offer) -> bool:
    """Wait for the turn; tells whether nothing newer has come meanwhile."""
    if mine.waiting is not None:
        mine.waiting.cancel()
    elif not mine.turn.locked():
        return await mine.turn.acquire()  # at once
    mine.waiting = own = asyncio.create_task(mine.turn.acquire())
    await asyncio.wait({own})
    if mine.waiting is own:
        mine.waiting = None
    return not own.cancelled()


async def _stream(made: asyncio.Future[bytes], gone: Event) -> AsyncIterator[bytes]:
    """It is stopped where the browser goes, while the work ends in its own time."""
    try:
        yield await asyncio.shield(made)
    finally:
        gone.set()


def _work(
    made_of: Callable[[], Iterable[Frame]], gone: Event, turn: AbstractContextManager[None]
) -> bytes:
    """In a thread of its own. Nothing for a browser that has gone, nor where it fails, which is
    logged."""

    def tell() -> None:
        if gone.is_set():
            raise Gone

    try:
        with jobs.working_for(tell), turn:
            return b"".join(packed(*frame) for frame in made_of())
    except Gone:
        pass
    except Exception:
        logging.getLogger(__name__).exception("no answer past the script")
    return b""


def packed(name: str, content: bytes) -> bytes:
    """A frame: the lengths of both, 4 bytes each, and both."""
    return struct.pack("<II", len(name), len(content)) + name.encode() + content
