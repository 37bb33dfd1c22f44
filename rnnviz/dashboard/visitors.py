"""How many visitors there are, and a page that says so where no more are taken.

A visitor is a connection of a browser's page. Whoever is handed the page has a place until that
connection comes; whoever was here before and comes back is let in, even over the limit.
"""

from __future__ import annotations

import html
import time
from collections import deque
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.wording.texts import ENGLISH, fill, preferred, speak_in, texts

ON_THE_WAY = 60.0
"""Seconds that a place is kept for a page whose connection has not come."""
TRY_AGAIN = 20
"""Seconds, by the page that says that there is no place."""
PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="{seconds}">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body {{ font: 1.1rem system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC',
'Noto Sans SC', sans-serif; max-width: 32em; margin: 20vh auto;
padding: 0 1em }}</style></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


class Visitors:
    """ASGI middleware: counts connections, and hands out the page while there is a place.

    most: visitors at once, None for as many as come. refused: how often nobody was let in.
    """

    def __init__(
        self, app: ASGIApp, most: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self._most, self._clock = app, most, clock
        self.connected, self.refused = 0, 0
        self._on_the_way: deque[float] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            scope["visitors"] = self
            await self.app(scope, receive, self._at_the_door(scope, receive, send))
        else:
            await self.app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_place = bool(self._expected()) or comes_back(scope)
        if self._is_full() and not has_place:
            self.refused += 1
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        if self._on_the_way:
            self._on_the_way.popleft()
        self.connected += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.connected -= 1

    def _at_the_door(self, scope: Scope, receive: Receive, send: Send) -> Send:
        """Whatever else is asked for is answered: those who are here need it."""
        refusing = False

        async def tell(message: Message) -> None:
            nonlocal refusing
            if refusing:
                return
            if is_page(message) and scope["method"] == "GET" and self._most is not None:
                refusing = self._is_full()
                if refusing:
                    self.refused += 1
                    await full(self._most, liked(scope))(scope, receive, send)
                    return
                self._on_the_way.append(self._clock())
            await send(message)

        return tell

    def _is_full(self) -> bool:
        return self._most is not None and self.connected + self._expected() >= self._most

    def _expected(self) -> int:
        while self._on_the_way and self._clock() - self._on_the_way[0] > ON_THE_WAY:
            self._on_the_way.popleft()
        return len(self._on_the_way)


def comes_back(scope: Scope) -> bool:
    """Whether a connection names the session it had: after "streamlit" and a token."""
    return len(scope.get("subprotocols", ())) > 2


def is_page(message: Message) -> bool:
    """Whether an answer begins with which a browser opens the app. A page of ours that is not the
    app brings a policy of its own."""
    if message["type"] != "http.response.start" or message["status"] != 200:
        return False
    headers = Headers(raw=message["headers"])
    is_html = headers.get("content-type", "").startswith("text/html")
    return is_html and "content-security-policy" not in headers


def liked(scope: Scope) -> str:
    """The language that a browser prefers."""
    return preferred(Headers(scope=scope).get("accept-language", ""))


def full(most: int, spoken: str = ENGLISH) -> Response:
    """The page that says in a language that there is no place now."""
    return speak_in(spoken, lambda: _full(most, spoken))


def _full(most: int, spoken: str) -> Response:
    said = fill(texts("server")["full"], most=f"{most:,}", seconds=TRY_AGAIN)
    title = texts("server")["full_title"]
    page = PAGE.format(
        lang=spoken, title=html.escape(title), text=html.escape(said), seconds=TRY_AGAIN
    )
    return HTMLResponse(page, 503, {"Retry-After": str(TRY_AGAIN), "Cache-Control": "no-store"})
