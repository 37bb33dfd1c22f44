"""A probe is told the truth: nothing is ready before its first page was shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from rnnviz import __version__
from rnnviz.dashboard.health import Health
from tests.dashboard.asgi import get

OK, BROKEN = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR


class App:
    """As much of Streamlit as a first visit needs; its script ends when `done` is set."""

    def __init__(self, end: int = OK, exception: str = "") -> None:
        self.end, self.exception = end, exception
        self.done, self.left = asyncio.Event(), False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "websocket":
            await self.visit(receive, send)
        else:
            await HTMLResponse("<!doctype html>")(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def visit(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        await receive()
        await self.done.wait()
        told = [ForwardMsg(), ForwardMsg(), ForwardMsg(script_finished=self.end)]
        told[0].navigation.app_pages.add(url_pathname="train")
        told[1].new_session.name = "run"
        if self.exception:
            told[1].delta.new_element.exception.message = self.exception
        for each in told:
            await send({"type": "websocket.send", "bytes": each.SerializeToString()})
        assert (await receive())["type"] == "websocket.disconnect"
        self.left = True


def living(app: App, check: Callable[[Health], Any], base: str = "") -> None:
    """Run the check while the server lives."""

    async def life() -> None:
        health, end = Health(app, base), asyncio.Event()
        begun = asyncio.Event()

        async def receive() -> Message:
            if begun.is_set():
                await end.wait()
                return {"type": "lifespan.shutdown"}
            return {"type": "lifespan.startup"}

        async def send(message: Message) -> None:
            begun.set()

        task = asyncio.create_task(health({"type": "lifespan"}, receive, send))
        await begun.wait()
        await check(health)
        end.set()
        await task

    asyncio.run(life())


@pytest.mark.parametrize("base", ["", "/rnn"])
def test_ready_is_said_after_the_first_page_and_not_before(base: str) -> None:
    app = App()

    async def probe(health: Health) -> None:
        status, headers, body = await get(health, f"{base}/healthz")
        assert (status, body, headers["cache-control"]) == (503, b"starting", "no-store")
        app.done.set()
        while health.state == "starting":
            await asyncio.sleep(0)
        assert (await get(health, f"{base}/healthz"))[::2] == (200, b"ready")
        assert app.left

    living(app, probe, base)


@pytest.mark.parametrize("app", [lambda: App(BROKEN), lambda: App(exception="no such file")])
def test_a_first_page_with_an_error_is_not_ready(
    app: Callable[[], App], caplog: pytest.LogCaptureFixture
) -> None:
    made = app()
    made.done.set()

    async def probe(health: Health) -> None:
        while health.state == "starting":
            await asyncio.sleep(0)
        assert (await get(health, "/healthz"))[::2] == (503, b"failed")

    living(made, probe)
    assert "The first page could not be shown" in caplog.text


def test_the_versions_are_those_that_run() -> None:
    status, _, body = asyncio.run(get(Health(App(), "/rnn"), "/rnn/version"))
    assert status == 200
    assert json.loads(body) == {
        "rnnviz": __version__, **{n: version(n) for n in ("streamlit", "numpy", "plotly")}
    }  # fmt: skip


@pytest.mark.parametrize("base", ["", "/rnn"])
def test_a_page_that_is_not_there_is_not_answered_as_if_it_were(base: str) -> None:
    app = App()

    async def probe(health: Health) -> None:
        early = asyncio.create_task(get(health, f"{base}/health"))
        assert (await get(health, f"{base}/"))[0] == 200
        app.done.set()
        assert (await early)[0] == 404
        paths = ("", "/", "/train", "/train/", "/health", "/livez", "/healthz/", "/train/healthz")
        found = [(await get(health, f"{base}{path}"))[0] for path in paths]
        assert found == [200, 200, 200, 200, 404, 404, 404, 404]

    living(app, probe, base)
