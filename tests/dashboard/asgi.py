"""One request to an ASGI application, without a server; and a client that keeps its cookies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from starlette.types import Message

Answer = tuple[int, dict[str, str], bytes]


async def get(app: Any, address: str, accept: str | None = "gzip, br", **more: str) -> Answer:
    """Status, headers and body. more: headers, with _ for -."""
    said = {**({} if accept is None else {"accept-encoding": accept}), **more}
    return await ask(app, "GET", address, {k.replace("_", "-"): v for k, v in said.items()})


async def ask(
    app: Any, method: str, address: str, said: Mapping[str, str], body: bytes = b""
) -> Answer:
    """Status, headers and body. said: headers."""
    path, _, query = address.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(),
             "headers": headers, "root_path": ""}  # fmt: skip
    told: list[Message] = []
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(sent, None) or await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    found = {name.decode().lower(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], found, b"".join(each.get("body", b"") for each in told[1:])


@dataclass(frozen=True)
class Told:
    """What a client got."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Client:
    """One browser, as far as requests go."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str, headers: Mapping[str, str] = {}) -> Told:
        return self._ask("GET", address, headers)

    def post(self, address: str, body: object, headers: Mapping[str, str] = {}) -> Told:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {"host": "rnn.example", "content-type": "application/json", **headers}
        return self._ask("POST", address, said, content)

    def _ask(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Told:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        said = {**headers, **({"cookie": kept} if kept else {})}
        told = Told(*asyncio.run(ask(self.app, method, address, said, body)))
        found = SimpleCookie(told.headers.get("set-cookie", ""))
        self.cookies |= {name: morsel.value for name, morsel in found.items()}
        return told
