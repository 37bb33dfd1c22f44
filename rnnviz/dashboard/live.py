"""What a knob shows while it moves, and training while it plays: the page's pictures over HTTP,
past the Streamlit script.

While a knob moves, the browser posts a `Move` under the token of its visit's `Offer`, and gets what
the script would have sent; for a slice of training it posts a tick.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from urllib.parse import urlencode

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rnnviz.dashboard import jobs
from rnnviz.dashboard.address import experiment_query
from rnnviz.dashboard.asked import Asked, Move, moved
from rnnviz.dashboard.frames import Frame, frames
from rnnviz.dashboard.lending import answering
from rnnviz.dashboard.offers import PATH, Offer, open_offers
from rnnviz.dashboard.posts import Refused, posted
from rnnviz.dashboard.server import url
from rnnviz.wording.texts import speak

TOKEN = "X-Rnnviz-Token"
HEADERS = {"Content-Encoding": "identity", "X-Accel-Buffering": "no", "Cache-Control": "no-store"}
"""Said to be packed already: packing each answer anew costs the server a core's time."""

TICK = {"tick": True}
"""What the browser posts for a slice of training."""
MOVING, RESTING, PLAYING = "moving", "resting", "playing"


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
def makers(kind: str) -> Makers:
    """A hand that moves does not wait behind those that rest, and neither behind training."""
    processes = jobs.workers()
    return Makers(ThreadPoolExecutor(1 + (processes.count if processes else 0), kind))


def route() -> Route:
    """Where the browser asks."""
    return Route(url(PATH), answer, methods=["POST"])


async def answer(request: Request) -> Response:
    """The pictures at these values of knobs, or after a slice of training. Statuses: 204 there are
    none; 403 another site asks; 404 the visit is not known; 413, 415 and 422 no message of ours;
    429 something newer came while this waited."""
    mine = open_offers().get(request.headers.get(TOKEN, ""))
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
