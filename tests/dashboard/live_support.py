"""What a page's browser posts past the script, and what it is answered."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard import live, offers

GAIN = {"knobs": {"gain": 1.5}}
JSON = {"content-type": "application/json"}
Frames = dict[str, bytes]


def offered(app: AppTest) -> dict[str, Any]:
    """What the page's browser knows of how it follows knobs."""
    told: dict[str, Any] = json.loads(component(app, "rnnviz_offer").proto.json)
    return told


def token(app: AppTest) -> str:
    """The page's; "" where it follows no knob."""
    return offered(app)["token"]


def component(app: AppTest, name: str) -> Any:
    return next(e for e in app.get("bidi_component") if e.proto.component_name == name)


def post(token: str, move: object, **headers: str) -> tuple[int, Frames]:
    """Status and frames."""
    body = move if isinstance(move, bytes) else json.dumps(move).encode()
    status, content = asyncio.run(ask(token, body, {**JSON, **headers}))
    return status, dict(unpacked(content))


def request(token: str, headers: dict[str, str]) -> dict[str, Any]:
    """What a server says of a request of the browser."""
    named = {"host": "here", live.TOKEN: token, **headers}
    sent = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    at, rest = offers.PATH, {"query_string": b"", "root_path": ""}
    path = {"path": at, "raw_path": at.encode(), **rest}
    return {"type": "http", "http_version": "1.1", "scheme": "http", "method": "POST",
            "headers": sent, **path}  # fmt: skip


async def ask(token: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """As a browser that waits for all of it."""
    told: list[Any] = []
    received = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        try:
            return next(received)
        except StopIteration:
            await asyncio.Event().wait()  # the browser stays

    async def send(message: Any) -> None:
        told.append(message)

    await Starlette(routes=[live.route()])(request(token, headers), receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    while content:
        name, size = struct.unpack("<II", content[:8])
        yield content[8 : 8 + name].decode(), content[8 + name : 8 + name + size]
        content = content[8 + name + size :]


def sent(app: AppTest) -> Frames:
    """What the script sends of each chart of the page's first part, and its verdict."""
    charts = [e.proto for e in app.get("bidi_component")]
    charts = [e for e in charts if e.component_name == "rnnviz_chart"]
    found = {f"chart:{json.loads(e.bytes)['options']['key']}": e.bytes for e in charts}
    said = next(e for e in app.get("html") if "rnnviz-verdict" in e.proto.body)
    return {**found, "words:verdict": said.proto.body.encode()}
