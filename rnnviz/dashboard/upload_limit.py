"""Uploads: so many bytes a session at most, freed as soon as its connection ends.

Streamlit limits each file alone, and holds all of a session that may come back. Here a file is
read when it arrives; nobody comes back for it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime

from rnnviz.wording.texts import fill, texts

if TYPE_CHECKING:
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

MOST_BYTES = 16 << 20
UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")


class UploadLimit:
    """ASGI middleware: refuse what would be too much for a session, and hold none of it."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BYTES) -> None:
        self.app, self._most_bytes = app, most_bytes
        self._arriving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            try:
                await self.app(scope, receive, send)
            finally:
                free_uploads()
            return
        upload = UPLOAD.search(scope["path"]) if scope.get("method") == "PUT" else None
        if upload is None:
            await self.app(scope, receive, send)
        else:
            await self._upload(upload[1], scope, receive, send)

    async def _upload(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        said = Headers(scope=scope).get("content-length", "")
        if not said.isdecimal():
            await PlainTextResponse(texts("server")["no_length"], 411)(scope, receive, send)
            return
        size = int(said)
        if uploaded_bytes(session) + self._arriving[session] + size > self._most_bytes:
            if size <= 2 * self._most_bytes:
                await _read_away(receive)
            most = fill(texts("server")["too_much"], most=self._most_bytes >> 20)
            await PlainTextResponse(most, 413)(scope, receive, send)
            return
        self._arriving[session] += size
        try:
            await self.app(scope, receive, send)
        finally:
            self._arriving[session] -= size
            self._arriving += Counter()  # without those at zero


async def _read_away(receive: Receive) -> None:
    """A browser that still sends when it is answered does not hear the answer."""
    while (await receive()).get("more_body"):
        pass


def uploaded_bytes(session: str) -> int:
    """What Streamlit holds of a session's files."""
    files = _manager().file_storage.get(session, {})
    return sum(len(file.data) for file in files.values())


def free_uploads() -> None:
    """Let go of the files of all sessions that have no connection."""
    for session in list(_manager().file_storage):
        if not runtime.get_instance().is_active_session(session):
            _manager().remove_session_files(session)


def _manager() -> MemoryUploadedFileManager:
    found: MemoryUploadedFileManager = runtime.get_instance().uploaded_file_mgr  # type: ignore[assignment]
    return found
