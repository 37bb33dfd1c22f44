"""`python -m tests.benchmarks.votes`: a hall of 300 phones votes within 10 seconds while 100
visitors drag knobs, over the protocols of the real app. Exit status 1 unless each phone is counted
once and 95 of 100 votes stand in the lecturer's histogram within a second. Clients share the
processors with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.load import Tab, said
from tests.benchmarks.served import served

LOOK, POLL = 0.4, 1.5
"""Seconds between two looks of the lecturer's screen, and of a phone."""
LIMIT = 1.0
"""Seconds from a vote to the histogram, of 95 votes in 100."""


class Lecturer(Tab):
    """A tab on the Lecture page that opens a room."""

    def __init__(self, address: str) -> None:
        super().__init__(address, "")
        self.desk, self.room = "", ("", "")

    def _read(self, told: ForwardMsg, charts: set[str]) -> bool:
        element = told.delta.new_element.bidi_component
        if element.component_name.endswith("rnnviz_desk"):
            self.desk, self.room = element.id, json.loads(element.json)["room"] or self.room
        return super()._read(told, charts)

    async def begin(self) -> tuple[str, str]:
        """Code and secret of the room."""
        await self.open()
        self.page, self.query = "lecture", "scene=1"
        await self.run()
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self.query, self.pages[self.page]
        told = {"action": "room", "question": "travel", "number": 0}
        widget = run.widget_states.widgets.add()
        widget.id = _make_trigger_id(self.desk, "events")
        widget.json_trigger_value = json.dumps([{"event": "act", "value": told}])
        assert self.socket is not None
        await self.socket.send(asked.SerializeToString())
        while not self.room[0]:
            message = await asyncio.wait_for(self.socket.recv(), 60)
            self._read(ForwardMsg.FromString(bytes(message)), set())
        return self.room


class Hall:
    """The room, its phones, and when each vote left and was seen."""

    def __init__(self, address: str, room: tuple[str, str], options: argparse.Namespace) -> None:
        parts = urlsplit(address)
        self.host, self.path = parts.netloc, f"{parts.path}/vote/{room[0]}"
        self.secret, self.options = room[1], options
        self.sent: list[float] = []
        self.seen: list[float] = []
        self.total = 0
        self.states: Counter[str] = Counter()
        self.over = asyncio.Event()

    async def http(
        self, method: str, path: str, body: bytes = b"", **said: str
    ) -> tuple[int, str, bytes]:
        """Status, head and body of one request on a connection of its own."""
        reader, writer = await asyncio.open_connection(*self.host.split(":"))
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items())
        head = (f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n{more}"
                f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        top, _, rest = answer.partition(b"\r\n\r\n")
        return int(top.split()[1]), top.decode(), rest

    async def phone(self, number: int) -> None:
        """Open the page, vote once, look every now and then."""
        rng = random.Random(number)
        await asyncio.sleep(rng.random() * self.options.ramp)
        _, head, _ = await self.http("GET", self.path)
        cookie = head.lower().partition("set-cookie: ")[2].partition(";")[0]
        cookie = head[head.lower().index(cookie) :][: len(cookie)]
        version = "-1"
        at = self.begun + rng.random() * self.options.seconds
        voted = False
        while not self.over.is_set():
            if not voted and time.monotonic() >= at:
                voted = True
                await self.vote(cookie, rng)
            status, _, body = await self.http(
                "GET", f"{self.path}/now?version={version}", Cookie=cookie
            )
            if status == 200:
                version = str(json.loads(body)["version"])
            wait = POLL * rng.uniform(0.8, 1.2)
            await asyncio.sleep(wait if voted else min(wait, max(0, at - time.monotonic())))

    async def vote(self, cookie: str, rng: random.Random) -> None:
        told = json.dumps({"question": "travel", "choice": rng.randint(1, 4)}).encode()
        self.sent.append(time.monotonic())
        status, _, body = await self.http(
            "POST", self.path, told, Cookie=cookie, Content_Type="application/json"
        )
        self.states[json.loads(body)["state"] if status == 200 else str(status)] += 1

    async def histogram(self) -> None:
        """As the lecturer's screen."""
        while not self.over.is_set():
            path = f"{self.path}/counts?question=travel"
            _, _, body = await self.http("GET", path, X_Rnnviz_Room=self.secret)
            self.total = sum(json.loads(body)["counts"])
            self.seen += [time.monotonic()] * (self.total - len(self.seen))
            await asyncio.sleep(LOOK)

    async def run(self) -> list[float]:
        """Seconds from each vote to the histogram: the first that left to the first seen, and so
        on."""
        self.begun = time.monotonic() + self.options.ramp
        phones = [asyncio.create_task(self.phone(n)) for n in range(self.options.phones)]
        screen = asyncio.create_task(self.histogram())
        await asyncio.sleep(self.options.ramp + self.options.seconds + 5)
        self.over.set()
        await asyncio.gather(screen, *phones)
        return [seen - sent for sent, seen in zip(sorted(self.sent), self.seen, strict=False)]


async def drag(
    tab: Tab, number: int, think: float, over: asyncio.Event, changes: list[float]
) -> None:
    """Move one knob over and over."""
    rng = random.Random(number)
    await asyncio.sleep(think * rng.random())
    while not over.is_set():
        begun = time.monotonic()
        await tab.move({"gain": round(rng.uniform(0.5, 2.0), 3)})
        changes.append(time.monotonic() - begun)
        await asyncio.sleep(think * rng.uniform(0.5, 1.5))


async def all_of_it(address: str, options: argparse.Namespace) -> bool:
    tabs = [Tab(address, "") for _ in range(options.draggers)]
    for begin in range(0, len(tabs), 10):
        await asyncio.gather(*(tab.open() for tab in tabs[begin : begin + 10]))
    hall = Hall(address, await Lecturer(address).begin(), options)
    changes: list[float] = []
    dragging = [
        asyncio.create_task(drag(tab, n, options.think, hall.over, changes))
        for n, tab in enumerate(tabs)
    ]
    late = await hall.run()
    await asyncio.gather(*dragging)
    in_time = len(late) == options.phones and sorted(late)[int(0.95 * len(late))] <= LIMIT
    once = hall.total == options.phones == hall.states["counted"]
    sys.stdout.write(
        f"{options.phones} phones in {options.seconds:g} s beside {options.draggers} that drag: "
        f"{hall.total} counted, {dict(hall.states)}; vote to histogram {said(late)}; "
        f"{len(changes)} knobs answered, {said(changes)}\n"
    )
    return in_time and once


def main() -> int:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=300)
    parser.add_argument("--draggers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10, help="in which all phones vote")
    parser.add_argument("--ramp", type=float, default=10, help="seconds in which all phones come")
    parser.add_argument("--think", type=float, default=5, help="seconds between two moves of one")
    options = parser.parse_args()
    with served() as server:
        good: Any = asyncio.run(all_of_it(server.address, options))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
