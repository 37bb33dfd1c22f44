"""What a knob shows while it moves: the page's pictures over HTTP, past the Streamlit script.

A page's script offers what it shows, under a token that its browser alone knows. While a knob
moves, the browser posts a `Move` and gets what the script would have sent.
An offer lives as long as its visit.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import struct
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rnnviz.dashboard import definitions
from rnnviz.dashboard.components import follow_hand
from rnnviz.dashboard.frames import Asked, Choices, Move, frames, moved
from rnnviz.dashboard.jobs import working_for
from rnnviz.dashboard.server import url
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import FIELDS
from rnnviz.wording.language import language

PATH, TOKEN, OFFER = "/rnnviz-live", "X-Rnnviz-Token", "live.offer"
REST = 500
"""Milliseconds without a move after which a value has come to rest: then the script hears of it."""
MOST_BYTES = 512
KNOBS = tuple(name for name, known in FIELDS.items() if known.kind in ("int", "float"))
HEADERS = {"Content-Encoding": "identity", "X-Accel-Buffering": "no", "Cache-Control": "no-store"}
"""Said to be packed already: packing each answer anew costs the server a core's time."""
AT_ONCE = 2
"""Answers that are worked on at the same time."""


@dataclass(eq=False)
class Offer:
    """What one visit's page shows; None where that follows no knob. current: whether the script
    that runs has said so. turn: one answer at a time; waiting: whether one more waits for it."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    asked: Asked | None = None
    current: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: bool = False


class Gone(Exception):
    """Nobody waits for the answer any more."""


@st.cache_resource(show_spinner=False)
def offers() -> WeakValueDictionary[str, Offer]:
    """Those of all visits, by their tokens."""
    return WeakValueDictionary()


@st.cache_resource(show_spinner=False)
def workers() -> ThreadPoolExecutor:
    """Who makes the answers, for all visitors."""
    return ThreadPoolExecutor(AT_ONCE, "live")


def offer(setting: Setting, choices: Choices) -> None:
    """In a page's script, before its pictures: what they are of."""
    mine, said = _mine(), (definitions.so_far(), language())
    mine.asked, mine.current = Asked(setting.experiment, choices, setting.pinned, *said), True


def begin() -> None:
    """In a page's script, where it begins: until it ends, what the last one offered holds."""
    _mine().current = False


def tell_sliders(page: str, rest: int) -> None:
    """In a page's script, where it ends: how it follows them. page: the path of its address."""
    mine = _mine()
    if not mine.current:
        mine.asked = None
    follow_hand(page, mine.token if mine.asked else "", url(PATH), rest, KNOBS)


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
    """The pictures at these values of knobs. Statuses: 204 there are none; 403 another site asks;
    404 the visit is not known; 413, 415 and 422 no message of ours; 429 another answer waits
    already."""
    mine = offers().get(request.headers.get(TOKEN, ""))
    if not same_site(request):
        return Response(status_code=403)
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return Response(status_code=415)
    body = await read_body(request)
    if body is None:
        return Response(status_code=413)
    if mine is None:
        return Response(status_code=404)
    try:
        move = Move.read(json.loads(body))
        asked = moved(mine.asked, move) if mine.asked else None
    except ValueError:
        return Response(status_code=422)
    if asked is None:
        return Response(status_code=204)
    if mine.waiting:
        return Response(status_code=429)
    return await _in_turn(mine, asked)


def same_site(request: Request) -> bool:
    """Browsers say where a page that posts comes from."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def read_body(request: Request) -> bytes | None:
    """None where it is longer than any of ours."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body


async def _in_turn(mine: Offer, asked: Asked) -> Response:
    """All frames in one piece, as a stream: that notices where the browser goes, and the work ends
    early. The turn ends with the work."""
    mine.waiting = True
    try:
        await mine.turn.acquire()
    finally:
        mine.waiting = False
    gone = Event()
    work = partial(Context().run, _work, asked, gone)
    made = asyncio.get_running_loop().run_in_executor(workers(), work)
    made.add_done_callback(lambda _: mine.turn.release())
    return StreamingResponse(
        _stream(made, gone), media_type="application/octet-stream", headers=HEADERS
    )


async def _stream(made: asyncio.Future[bytes], gone: Event) -> AsyncIterator[bytes]:
    """It is stopped where the browser goes, while the work ends in its own time."""
    try:
        yield await asyncio.shield(made)
    finally:
        gone.set()


def _work(asked: Asked, gone: Event) -> bytes:
    """In a thread of its own. Nothing for a browser that has gone, nor where it fails, which is
    logged."""

    def tell() -> None:
        if gone.is_set():
            raise Gone

    try:
        with working_for(tell):
            return b"".join(packed(*frame) for frame in frames(asked))
    except Gone:
        pass
    except Exception:
        logging.getLogger(__name__).exception("no answer to a knob")
    return b""


def packed(name: str, content: bytes) -> bytes:
    """A frame: the lengths of both, 4 bytes each, and both."""
    return struct.pack("<II", len(name), len(content)) + name.encode() + content
