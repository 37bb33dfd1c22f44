"""As many visitors as a server takes, and a sentence for the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from rnnviz.dashboard import hosting
from rnnviz.dashboard.memory import Crowded, Memory
from rnnviz.dashboard.metrics import lines
from rnnviz.dashboard.server import content_security_policy
from rnnviz.dashboard.visitors import ON_THE_WAY, Visitors
from rnnviz.jobs.workers import Workers
from tests.dashboard.asgi import get

NEW, BACK = ["streamlit", "token"], ["streamlit", "token", "session"]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """A page, a script and a connection that stays until the visitor leaves."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    elif scope["path"] == "/":
        await HTMLResponse("app")(scope, receive, send)
    else:
        await PlainTextResponse("script")(scope, receive, send)


class Visit:
    """One connection."""

    def __init__(self, visitors: Visitors, protocols: list[str]) -> None:
        self.heard: list[str] = []
        self.asked: asyncio.Queue[Message] = asyncio.Queue()
        self.answered = asyncio.Event()
        self.asked.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "subprotocols": protocols}
        self.task = asyncio.ensure_future(visitors(scope, self.asked.get, self.hear))

    async def hear(self, message: Message) -> None:
        self.heard.append(message["type"])
        self.answered.set()

    async def leave(self) -> None:
        self.asked.put_nowait({"type": "websocket.disconnect"})
        await self.task


async def visit(visitors: Visitors, protocols: list[str] = NEW) -> Visit | None:
    """Connected, or None if it was not let in."""
    made = Visit(visitors, protocols)
    await made.answered.wait()
    return made if made.heard == ["websocket.accept"] else None


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_who_finds_no_place_reads_why_and_comes_in_later() -> None:
    async def lecture() -> None:
        visitors = Visitors(app, most=1)
        assert (await get(visitors, "/"))[0] == 200
        first = await visit(visitors)
        assert first is not None
        status, headers, page = await get(visitors, "/")
        assert (status, headers["retry-after"], headers["cache-control"]) == (503, "20", "no-store")
        assert b"It takes 1 at once, and as many are here now." in page
        assert b'http-equiv="refresh" content="20"' in page
        assert await visit(visitors) is None
        assert (await get(visitors, "/slider.js"))[0] == 200
        assert (visitors.connected, visitors.refused) == (1, 2)
        await first.leave()
        assert (await get(visitors, "/"))[0] == 200

    run(lecture())


def test_a_page_has_its_place_until_it_connects_or_does_not() -> None:
    now = [0.0]

    async def crowd() -> None:
        visitors = Visitors(app, most=2, clock=lambda: now[0])
        assert [(await get(visitors, "/"))[0] for _ in range(3)] == [200, 200, 503]
        visits = [await visit(visitors) for _ in range(3)]
        assert [made is not None for made in visits] == [True, True, False]
        late = Visitors(app, most=1, clock=lambda: now[0])
        await get(late, "/")
        now[0] += ON_THE_WAY + 1
        assert (await get(late, "/"))[0] == 200

    run(crowd())


def test_who_was_here_is_let_in_again() -> None:
    async def reconnect() -> None:
        visitors = Visitors(app, most=1)
        visits = [await visit(visitors), await visit(visitors, BACK)]
        assert None not in visits

    run(reconnect())


def test_without_a_limit_all_are_let_in() -> None:
    async def many() -> None:
        visitors = Visitors(app)
        pages = [(await get(visitors, "/"))[0] for _ in range(50)]
        visits = [await visit(visitors) for _ in range(50)]
        assert set(pages) == {200}
        assert None not in visits
        assert (visitors.connected, visitors.refused) == (50, 0)

    run(many())


@pytest.mark.parametrize(
    ("read", "name", "values"),
    [
        (hosting.most_visitors, "RNNVIZ_VISITORS", ["0", "-1", "many", "1.5", "٣"]),
        (hosting.worker_count, "RNNVIZ_WORKERS", ["-1", "65", "many", "1.5", "٣", ""]),
        (hosting.embedding_sites, "RNNVIZ_EMBED",
         ["moodle.example.org", "https://a.org/path", "https://a.org;script-src *", "*", "https:"]),
        (hosting.shows_metrics, "RNNVIZ_METRICS", ["yes", "2", ""]),
    ],
)  # fmt: skip
def test_what_is_no_setting_is_named(
    read: Callable[[Mapping[str, str]], object], name: str, values: list[str]
) -> None:
    for value in values:
        with pytest.raises(ValueError, match=name) as refusal:
            read({name: value})
        assert repr(value.split()[0] if " " in value else value)[:-1] in str(refusal.value)


def test_settings_are_off_unless_asked_for() -> None:
    assert hosting.most_visitors({}) is None
    assert hosting.embedding_sites({}) == ()
    assert hosting.shows_metrics({}) is False
    assert hosting.most_visitors({"RNNVIZ_VISITORS": "60"}) == 60
    assert hosting.worker_count({"RNNVIZ_WORKERS": "0"}) == 0
    assert hosting.worker_count({}) >= 1
    assert hosting.shows_metrics({"RNNVIZ_METRICS": "1"}) is True


def test_the_sites_that_are_named_may_embed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert content_security_policy().endswith("; frame-ancestors 'self'")
    sites = "https://moodle.example.org http://*.example.com:8080"
    monkeypatch.setenv("RNNVIZ_EMBED", sites)
    assert content_security_policy().endswith(f"; frame-ancestors 'self' {sites}")


def test_the_figures_are_those_of_now() -> None:
    now = [0.0]
    memory = Memory(100, clock=lambda: now[0])
    with memory.room(60, lambda: None):
        now[0] += 2.5
        with memory.room(10, lambda: None):  # a part of that work
            now[0] += 0.5
    with pytest.raises(Crowded), memory.room(101, lambda: None):
        pass
    memory.get("run", lambda: "made", 50, 40, lambda: None)
    workers = Workers(0)
    workers.deaths = 2
    text = "".join(lines(Visitors(app), memory, workers))
    figures = dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    assert figures == {
        "rnnviz_visitors": "0", "rnnviz_visitors_refused_total": "0", "rnnviz_runs_total": "2",
        "rnnviz_run_seconds_total": "3", "rnnviz_refusals_total": "1",
        "rnnviz_memory_used_bytes": "40", "rnnviz_memory_ceiling_bytes": "100",
        "rnnviz_work_waiting": "0", "rnnviz_worker_deaths_total": "2",
    }  # fmt: skip
    assert "# TYPE rnnviz_visitors gauge\n" in text
    assert "# TYPE rnnviz_runs_total counter\n" in text
