"""One request to an ASGI application, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Message

Answer = tuple[int, dict[str, str], bytes]


async def get(app: Any, address: str, accept: str | None = "gzip, br", **more: str) -> Answer:
    """Status, headers and body. more: headers, with _ for -."""
    path, _, query = address.partition("?")
    said = {**({} if accept is None else {"accept-encoding": accept}), **more}
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(),
             "headers": headers, "root_path": ""}  # fmt: skip
    told: list[Message] = []

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    found = {name.decode().lower(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], found, b"".join(each.get("body", b"") for each in told[1:])
