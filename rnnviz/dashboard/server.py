"""What a browser needs beside the Streamlit script: plotly.js, compression, security headers; and
what the server asks of the process it is: many open files, freed memory, a clean end."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import logging
import re
import signal
import socket
from pathlib import Path
from types import FrameType
from typing import Any

import plotly
import streamlit
from plotly.offline import get_plotlyjs_version
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.dashboard.first_script import FirstScript, is_streamlits_page
from rnnviz.dashboard.health import Health
from rnnviz.dashboard.hosting import embedding_sites, most_visitors
from rnnviz.dashboard.packed import Packed
from rnnviz.dashboard.upload_limit import UploadLimit
from rnnviz.dashboard.visitors import Visitors
from rnnviz.wording.texts import fill, texts

PLOTLY_PATH = "/plotly/plotly.min.js"
PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
ICON = Path(streamlit.__file__).parent / "static" / "favicon.png"
SCRIPTS_PATH = "/rnnviz"
SCRIPTS = Path(__file__).parent / "components" / "static"
YEAR = 365 * 24 * 3600
FILES = 16_384
"""Open files to ask for: a connected visitor takes 4 of them."""
FILES_OF_A_VISITOR = 4


def routes() -> list[BaseRoute]:
    """Serve the components' scripts, and the plotly.js of the installed plotly package."""
    return [
        Route("/favicon.ico", FileResponse(ICON)),  # a browser asks for it where a page has none
        Route(url(PLOTLY_PATH), plotly_script),
        Mount(url(SCRIPTS_PATH), StaticFiles(directory=SCRIPTS)),
    ]


def middleware() -> list[Middleware]:
    """Security headers around everything, compression (Streamlit leaves its scripts plain), a
    limit to visitors and to what each uploads, answers for probes, a first script."""
    return [
        Middleware(SendAtOnce),
        Middleware(Headers, policy=content_security_policy()),
        Middleware(Packed, files=packed_files()),
        Middleware(Visitors, most=most_visitors()),
        Middleware(Health, base=url("")),
        Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
        Middleware(FirstScript, script=url(f"{SCRIPTS_PATH}/address.js")),
        Middleware(UploadLimit),
    ]


def url(path: str) -> str:
    """Put the path the server is mounted under before a path of our own."""
    base = str(streamlit.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path


def plotly_url() -> str:
    """Name plotly.js with its version, so that a browser may keep it."""
    return url(f"{PLOTLY_PATH}?v={get_plotlyjs_version()}")


async def plotly_script(request: Request) -> Response:
    """Send plotly.js.

    A browser may keep what it asked for by version. That is said here, where it is sure to be
    plotly.js, and not by its address.
    """
    headers = {"Vary": "Accept-Encoding"}
    if request.query_params.get("v") == get_plotlyjs_version():
        headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=headers)


def packed_files() -> str:
    """A pattern of what is packed once for all: plotly.js, 4.7 MB, and all scripts and styles."""
    names = r"[\w.-]+\.(js|css)"
    static, ours = (re.escape(url(path)) for path in ("/static/", f"{SCRIPTS_PATH}/"))
    return f"{re.escape(plotly_url())}|{static}(js|css)/{names}|{ours}{names}"


def content_security_policy() -> str:
    """Everything from this server alone. `blob:` is how Streamlit loads a component's script."""
    inline = " ".join(inline_script_hashes())
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: {inline}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws: wss:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            " ".join(("frame-ancestors 'self'", *embedding_sites())),
        )
    )


def inline_script_hashes() -> list[str]:
    """Name the inline scripts of Streamlit's own page; they change with its version."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text("utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


class SendAtOnce:
    """ASGI middleware: switch off the kernel's wait (Nagle's algorithm) on each connection.

    asyncio does so for its own sockets, but not for the one Streamlit binds, whose protocol number
    is 0. While a slider is dragged, the wait holds every update back by 40 ms.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # `send` is a method of uvicorn's connection; under another server nothing is found.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        connection = transport.get_extra_info("socket") if transport else None
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self.app(scope, receive, send)


class Headers:
    """ASGI middleware: security headers on every answer, no caching of our scripts."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        streamlits = is_streamlits_page(headers)
        headers.setdefault("Content-Security-Policy", self.policy)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        if streamlits:
            # The charts will need it: let it load beside Streamlit's own scripts.
            headers["Link"] = f"<{plotly_url()}>; rel=preload; as=script"
        if f"{SCRIPTS_PATH}/" in path:
            headers["Cache-Control"] = "no-cache"  # ask each time, so that an update is seen


def keep_freed_memory() -> None:
    """Ask glibc to keep freed pages for the next run instead of returning them to the system.

    A run allocates and frees tens of megabytes; taking them fresh from the system each time can
    cost as much as the arithmetic. Other C libraries have no `mallopt`; nothing happens there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8
    mallopt(mmap_threshold, 1 << 30) or mallopt(mmap_threshold, 32 << 20)  # older glibc: 32 MiB
    mallopt(trim_threshold, 512 << 20)
    mallopt(arena_max, 2)


def allow_many_files() -> None:
    """Raise the limit on open files as far as the system lets a process do so by itself, and say
    how far that is if it falls short. Windows has no such limit."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FILES:
        return
    allowed = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):  # below what is said to be allowed, as on macOS
        allowed = soft
    if allowed < FILES:
        said = fill(
            texts("server")["few_files"],
            files=f"{allowed:,}",
            visitors=f"{allowed // FILES_OF_A_VISITOR:,}",
        )
        logging.getLogger(__name__).warning("%s", said)


def end_on_signals() -> None:
    """Let Ctrl-C and SIGTERM end the server with exit status 0.

    uvicorn ends in good order at either, but then raises the signal once more: Streamlit says
    "Aborted!" and the status is that of a failure. A second signal is left to uvicorn, which then
    waits for nothing. Under another server, or away from the main thread, nothing is changed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        server = getattr(before, "__self__", None)
        if hasattr(server, "should_exit"):
            signal.signal(number, _ends(server, before))


def _ends(server: Any, before: Any) -> Any:
    def end(number: int, frame: FrameType | None) -> None:
        if server.should_exit:
            before(number, frame)
        server.should_exit = True

    return end
