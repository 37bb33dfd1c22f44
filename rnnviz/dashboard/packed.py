"""Scripts and styles, packed once for all visitors.

Streamlit sends its own plain, since packing them for each visitor costs more than it saves. Here
the answer for a file is taken once, packed, and given from memory to whoever comes next: what may
be cached, and for how long, is what that answer said.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEVEL = 6
MOST_BYTES = 32 << 20
"""Of packed files that are kept: all of Streamlit's come to a fifth of that."""
PLAIN = {"method": "GET", "headers": [], "extensions": {}}
"""A request for the whole file as it is."""


class Packed:
    """ASGI middleware: answers with what is packed already; nobody who refuses gzip gets it, from
    here or from any other part of the server.

    files: a pattern of the addresses, path and query, that are packed. Each file should have one,
    and no name in it should lead out of a folder.
    """

    def __init__(self, app: ASGIApp, files: str, most_bytes: int = MOST_BYTES) -> None:
        self.app, self._pattern, self._most_bytes = app, re.compile(files, re.ASCII), most_bytes
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._packing: dict[str, asyncio.Task[_File | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not takes_gzip(headers.get("accept-encoding", "")):
            await self.app(without(scope, b"accept-encoding"), receive, send)
            return
        file = None
        if scope["method"] in ("GET", "HEAD") and "range" not in headers:
            file = await self._file(_address(scope), scope)
        if file is None:
            await self.app(scope, receive, send)
        else:
            await _answer(file, headers)(scope, receive, send)

    async def _file(self, address: str, scope: Scope) -> _File | None:
        if not self._pattern.fullmatch(address):
            return None
        if address not in self._files:
            return await self._pack(address, scope)
        self._files.move_to_end(address)
        return self._files[address]

    async def _pack(self, address: str, scope: Scope) -> _File | None:
        """Once, however many ask meanwhile; whoever leaves does not end it for the others."""
        if address not in self._packing:
            self._packing[address] = task = asyncio.create_task(self._make(address, scope))
            task.add_done_callback(lambda _: self._packing.pop(address))
        return await asyncio.shield(self._packing[address])

    async def _make(self, address: str, scope: Scope) -> _File | None:
        status, headers, body = await _plain(self.app, {**scope, **PLAIN})
        is_page = headers.get("content-type", "").startswith("text/html")  # "no such file"
        if status != 200 or is_page or "set-cookie" in headers:
            return None
        packed = await run_in_threadpool(gzip.compress, body, LEVEL, mtime=0)
        del headers["content-length"]
        if "etag" in headers:
            headers["ETag"] = f"W/{_strong(headers['etag'])}"  # of the same script, in other bytes
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"  # and by nothing else: it was asked for with no headers
        file = _File(packed, dict(headers.items()))
        self._keep(address, file)
        return file

    def _keep(self, address: str, file: _File) -> None:
        self._files[address] = file
        while sum(len(kept.packed) for kept in self._files.values()) > self._most_bytes:
            self._files.popitem(last=False)


class _File(NamedTuple):
    packed: bytes
    headers: dict[str, str]


def takes_gzip(accepted: str) -> bool:
    """Whether a browser's Accept-Encoding allows gzip: by name or by *, and not with q=0."""
    weights = dict(map(_weight, accepted.lower().split(",")))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(part: str) -> tuple[str, float]:
    coding, _, parameter = part.partition(";")
    quality = re.fullmatch(r"\s*(?:q=([01](?:\.\d{0,3})?))?\s*", parameter)
    return coding.strip(), 0.0 if quality is None else float(quality[1] or 1)


def without(scope: Scope, name: bytes) -> Scope:
    """The same request, as if its sender had not said that."""
    return {**scope, "headers": [(key, value) for key, value in scope["headers"] if key != name]}


def _address(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else scope["path"]


def _strong(etag: str) -> str:
    return etag.strip().removeprefix("W/")


def _answer(file: _File, asked: Headers) -> Response:
    kept = set(map(_strong, asked.get("if-none-match", "").split(",")))
    if "etag" in file.headers and _strong(file.headers["etag"]) in kept:
        return Response(status_code=304, headers=file.headers)
    return Response(file.packed, headers=file.headers)


async def _plain(app: ASGIApp, scope: Scope) -> tuple[int, MutableHeaders, bytes]:
    """The whole answer of another application."""
    start: Message = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def receive() -> Message:  # the visitor who asked may leave, the answer is for others too
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return start["status"], MutableHeaders(raw=list(start["headers"])), b"".join(parts)
