"""What a phone sees of a room: one small page, its votes, and the counts for the lecturer's screen.

No Streamlit session, no name, no address: a vote is a random cookie's, on the question that is
asked just now.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rnnviz.dashboard.components.browser import finite
from rnnviz.dashboard.posts import Refused, posted
from rnnviz.dashboard.rooms import Room, Rooms
from rnnviz.dashboard.server import url
from rnnviz.lecture.scenes import QUIZ, SCENES
from rnnviz.wording.texts import fill, preferred, speak, texts

PATH, COOKIE, SECRET = "/vote", "rnnviz_voter", "X-Rnnviz-Room"
PAGE = Path(__file__).with_name("vote.html").read_text("utf-8")
EVERY = 1500
"""Milliseconds between two looks of a phone at what is asked."""
KEPT = 12 * 3600
"""Seconds that a browser keeps its cookie."""
VOTER = re.compile(r"[\w-]{22}", re.ASCII)
WORDS = ("wait", "choose", "counted", "closed", "full", "often", "ended", "lost", "right", "wrong",
         "guess", "guess_label", "guess_send", "guess_range", "near", "far")  # fmt: skip
ANSWERS = {question.name: question.answers for question in (*SCENES, *QUIZ)}
FRESH = {"Cache-Control": "no-store"}


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """Those of all lecturers."""
    return Rooms()


def routes(of: Callable[[], Rooms] = rooms) -> list[Route]:
    """Where phones and the lecturer's screen ask. of: tells the rooms."""

    async def page(request: Request) -> Response:
        return _page(request, of().get(request.path_params["code"]))

    async def now(request: Request) -> Response:
        return _now(request, of().get(request.path_params["code"]))

    async def vote(request: Request) -> Response:
        return await _vote(request, of().get(request.path_params["code"]))

    async def counts(request: Request) -> Response:
        secret = request.headers.get(SECRET, "")
        return _counts(request, of().led(request.path_params["code"], secret))

    path = url(f"{PATH}/{{code:str}}")
    return [
        Route(path, page, methods=["GET"]),
        Route(path, vote, methods=["POST"]),
        Route(f"{path}/now", now, methods=["GET"]),
        Route(f"{path}/counts", counts, methods=["GET"]),
    ]


def _page(request: Request, room: Room | None) -> Response:
    """The same for all; with a cookie for whoever has none."""
    spoken = room.language if room else preferred(request.headers.get("accept-language", ""))
    speak(spoken)  # in this request's own context
    text = texts("votes")
    told = {"words": {name: text[name] for name in WORDS}, "every": EVERY if room else 0}
    body = fill(
        PAGE,
        lang=spoken,
        title=html.escape(text["title"]),
        said="" if room else html.escape(text["ended"]),
        noscript=html.escape(text["noscript"]),
        told=json.dumps(told).replace("<", "\\u003c"),
    )
    headers = {**FRESH, "Content-Security-Policy": policy()}
    answer = HTMLResponse(body, 200 if room else 404, headers)
    if room and not _voter(request):
        cookie = secrets.token_urlsafe(16)
        answer.set_cookie(COOKIE, cookie, KEPT, path=url(PATH), httponly=True, samesite="lax")
    return answer


def policy() -> str:
    """The page's own script, and nothing from elsewhere."""
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{digest}'",
            "style-src 'unsafe-inline'",
            "connect-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _voter(request: Request) -> str:
    """The cookie; "" where there is none of ours."""
    said = request.cookies.get(COOKIE, "")
    return said if VOTER.fullmatch(said) else ""


def _now(request: Request, room: Room | None) -> Response:
    """What is asked. Statuses: 204 nothing newer than the version that the phone has; 404 no such
    room."""
    if room is None:
        return Response(status_code=404)
    asked = room.asked
    if request.query_params.get("version") == str(asked.version):
        return Response(status_code=204, headers=FRESH)
    told = {
        "question": asked.question,
        "heading": asked.heading,
        "choices": asked.choices,
        "right": asked.right,
        "guess": asdict(asked.guess) if asked.guess else None,
        "version": asked.version,
        "mine": room.choice_of(_voter(request), asked.question),
    }
    return JSONResponse(told, headers=FRESH)


async def _vote(request: Request, room: Room | None) -> Response:
    """Count a vote. Statuses: 400 no cookie; 403 another site asks; 404 no such room; 413, 415 and
    422 no vote."""
    try:
        body = await posted(request)
    except Refused as refused:
        return Response(status_code=refused.status)
    if room is None:
        return Response(status_code=404)
    if not (voter := _voter(request)):
        return Response(status_code=400)
    try:
        question, choice = _read(json.loads(body))
    except ValueError:
        return Response(status_code=422)
    return JSONResponse({"state": room.vote(voter, question, choice)}, headers=FRESH)


def _read(told: Any) -> tuple[str, int]:
    """Raises ValueError for what is no vote."""
    question = told.get("question") if isinstance(told, dict) else None
    choice = finite(told.get("choice")) if isinstance(told, dict) else None
    if not isinstance(question, str) or choice is None or choice != int(choice):
        raise ValueError("a vote is a question and the number of a choice, or of a place")
    return question, int(choice)


def _counts(request: Request, room: Room | None) -> Response:
    """For the lecturer's screen. 204, nothing, where the secret is not the room's, or the room has
    ended: then the screen may ask once more before it knows."""
    if room is None:
        return Response(status_code=204, headers=FRESH)
    question = request.query_params.get("question", "")
    return JSONResponse({"counts": room.counts(question, ANSWERS.get(question, 0))}, headers=FRESH)
