"""What a probe is told: whether the server is ready, and which versions it runs.

Ready is a server that has shown its first page once: everything is imported, the machine's speed
is measured, and what the first visitor asks for is there.
"""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from rnnviz import __version__
from rnnviz.dashboard.visitors import is_page
from rnnviz.wording.texts import texts

HEALTH, VERSION = "/healthz", "/version"
PACKAGES = ("streamlit", "numpy", "plotly")
STARTING, READY, FAILED = "starting", "ready", "failed"
MOST_SECONDS = 120.0
"""Until the first page is given up."""


class Health:
    """ASGI middleware: answers probes, makes the server ready when it starts, and says of a page
    that is not there that it is not: Streamlit shows its app at any path, so that a mistyped probe
    would always pass.

    base: the path that the server is mounted under.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app, self._base = app, base
        self.state, self._pages = STARTING, frozenset[str]()
        self._preparing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif answer := self._answer(scope):
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, self._truthful(scope["path"], send))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def begin(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._preparing = asyncio.create_task(self._prepare())

        await self.app(scope, receive, begin)
        if self._preparing is not None:
            self._preparing.cancel()

    async def _prepare(self) -> None:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                self._pages = await first_visit(self.app, f"{self._base}/_stcore/stream")
            self.state = READY
        except Exception:
            self.state = FAILED
            logging.getLogger(__name__).exception("%s", texts("server")["not_ready"])

    def _answer(self, scope: Scope) -> Response | None:
        headers = {"Cache-Control": "no-store"}
        if scope["method"] not in ("GET", "HEAD"):
            return None
        if scope["path"] == f"{self._base}{HEALTH}":
            status = 200 if self.state == READY else 503
            return PlainTextResponse(self.state, status, headers)
        if scope["path"] == f"{self._base}{VERSION}":
            return JSONResponse(versions(), headers=headers)
        return None

    def _truthful(self, path: str, send: Send) -> Send:
        page = path.removeprefix(self._base).strip("/")

        async def tell(message: Message) -> None:
            if is_page(message):
                message = {**message, "status": 200 if await self._is_page(page) else 404}
            await send(message)

        return tell

    async def _is_page(self, page: str) -> bool:
        """Which pages there are is known when the first one has been shown."""
        if page and self._preparing is not None:
            await asyncio.wait({self._preparing})
        return not page or not self._pages or page in self._pages


def versions() -> dict[str, str]:
    """Of this package, and of those whose version changes what it shows."""
    return {"rnnviz": __version__, **{name: version(name) for name in PACKAGES}}


async def first_visit(app: ASGIApp, path: str) -> frozenset[str]:
    """Open the first page as a browser does, until it is there; the paths of all pages.
    Raises RuntimeError where it ends with an error."""
    asked: asyncio.Queue[Message] = asyncio.Queue()
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    pages = {""}

    async def hear(message: Message) -> None:
        if message["type"] == "websocket.accept":
            rerun = BackMsg(rerun_script=ClientState()).SerializeToString()
            asked.put_nowait({"type": "websocket.receive", "bytes": rerun})
        elif message["type"] == "websocket.close":
            raise RuntimeError(f"closed with code {message.get('code')}")
        elif message["type"] == "websocket.send" and not ended.done():
            _read(ForwardMsg.FromString(message["bytes"]), pages, ended)

    asked.put_nowait({"type": "websocket.connect"})
    visit = asyncio.ensure_future(app(_websocket(path), asked.get, hear))
    try:
        await asyncio.wait({visit, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            raise RuntimeError("the connection ended") from visit.exception()
        await ended
    finally:
        asked.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.gather(visit, return_exceptions=True)
    return frozenset(pages)


def _read(message: ForwardMsg, pages: set[str], ended: asyncio.Future[None]) -> None:
    kind = message.WhichOneof("type")
    if kind == "navigation":
        pages |= {page.url_pathname for page in message.navigation.app_pages}
    elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
        ended.set_exception(RuntimeError(message.delta.new_element.exception.message))
    elif kind == "script_finished":
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            ended.set_result(None)
        elif message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            ended.set_exception(RuntimeError("the script could not be read"))


def _websocket(path: str) -> dict[str, Any]:
    return {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"sec-websocket-protocol", b"streamlit")],
        "subprotocols": ["streamlit"], "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
    }  # fmt: skip
