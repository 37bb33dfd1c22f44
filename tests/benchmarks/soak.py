"""`python -m tests.benchmarks.soak`: whether the server grows, errs or loses a view
in the long run.

Visitors speak the real protocol over websockets: they open a link, set knobs (as Back and Forward
do: by an address), go from page to page, lose the connection and come back to their session, or
are killed in the middle of a run and followed by another. Half of them ask the same few things, as
in a lecture. What is kept for all has little room, so that it is full soon and what still grows is
something else; sessions stay for two minutes after their connection. It ends by itself, with
status 1 where there was an error or a view was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.first_view import load
from tests.benchmarks.served import Served, served

PATHS = ("", "spectrum", "gates", "train", "phase-diagram", "claims")
GAINS = (0.9, 0.95, 1.0, 1.05, 1.1)
SMALL = "seq_len=50&hidden_size=16&batch_size=4"
THINK = 5.0
"""Seconds between two actions of a visitor, on average."""
PATIENCE, AGAIN = 120.0, 20.0
"""Seconds that a visitor waits for a message, and for the first one after a connection was lost,
before it asks again. Streamlit 1.67 sends what a session has to say to the connection that it had
when the runtime began to look through all sessions: one that came meanwhile hears nothing of it."""
CHART = "rnnviz_chart"


class Lost(Exception):
    """What a visitor should have seen, and did not."""


class Visit:
    """One tab of a browser, without the pictures."""

    def __init__(self, address: str, query: str, done: Counter[str]) -> None:
        self.address, self.query, self.page, self.done = address, query, "", done
        self.pages: dict[str, str] = {}
        self.session = ""
        self.socket: ClientConnection | None = None

    async def open(self, first: float = PATIENCE) -> set[str]:
        """Connect, to the session it had if there is one. Gives the keys of the charts."""
        await load([f"{self.address}/", f"{self.address}/healthz"])
        kinds: Any = ["streamlit", *(["token", self.session] if self.session else [])]
        self.socket = await connect(
            f"{self.address.replace('http:', 'ws:')}/_stcore/stream", subprotocols=kinds,
            origin=f"http://{urlsplit(self.address).netloc}", max_size=None,  # type: ignore[arg-type]
        )  # fmt: skip
        return await self.run(first=first)

    async def run(self, history: bool = False, first: float = PATIENCE) -> set[str]:
        """first: seconds until the first message."""
        await self.ask(history)
        charts: set[str] = set()
        wait = first
        while True:
            assert self.socket is not None
            told = await asyncio.wait_for(self.socket.recv(), wait)
            wait = PATIENCE
            if self._read(ForwardMsg.FromString(bytes(told)), charts):
                return charts

    async def back(self) -> set[str]:
        """After a connection was lost."""
        try:
            return await self.open(AGAIN)
        except TimeoutError:
            self.done["asked again"] += 1
            return await self.run()

    async def ask(self, history: bool = False) -> None:
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self.query, self.pages.get(self.page, "")
        run.is_history_navigation = history
        assert self.socket is not None
        await self.socket.send(asked.SerializeToString())

    def _read(self, told: ForwardMsg, charts: set[str]) -> bool:
        """Whether the run has ended."""
        kind = told.WhichOneof("type")
        if kind == "new_session":
            self.session = told.new_session.initialize.session_id
        elif kind == "navigation":
            self.pages = {p.url_pathname: p.page_script_hash for p in told.navigation.app_pages}
        elif kind == "page_info_changed":
            self.query = told.page_info_changed.query_string
        elif kind == "delta":
            element = told.delta.new_element
            if element.WhichOneof("type") == "exception":
                raise Lost(f"exception on {self.page or 'the first page'}: {element.exception}")
            if element.bidi_component.component_name.endswith(CHART):
                charts.add(element.bidi_component.id)
        elif kind == "script_finished":
            return told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        return False

    async def change(self, rng: random.Random, alike: bool) -> None:
        """Another value of a knob."""
        gain = rng.choice(GAINS) if alike else round(rng.uniform(0.5, 2.0), 3)
        self.query = f"{SMALL}&gain={gain}" + ("" if alike else f"&seed={rng.randrange(1000)}")
        if not await self.run(history=True):
            raise Lost(f"no chart after a change on {self.page or 'the first page'}")

    async def turn(self, rng: random.Random) -> None:
        """Another page."""
        self.page = rng.choice(PATHS)
        self.query = SMALL
        await self.run()

    async def drop(self, rng: random.Random) -> None:
        """Lose the connection, come back, and see the same charts in the same session."""
        before, session = await self.run(), self.session
        await self.kill()
        await asyncio.sleep(rng.random() * 2)
        after = await self.back()
        if (after, self.session) != (before, session):
            raise Lost(f"{len(after)} of {len(before)} charts of {self.page or 'the first page'}")

    async def kill(self) -> None:
        """The connection, without a word."""
        assert self.socket is not None
        self.socket.transport.abort()
        await self.socket.wait_closed()


class Soak:
    """What all visitors do, and what came of it."""

    def __init__(self, server: Served, visitors: int, seconds: float) -> None:
        self.server, self.visitors = server, visitors
        self.begun = time.monotonic()
        self.end = self.begun + seconds
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self.sizes: list[tuple[float, float, int]] = []

    async def run(self) -> None:
        watching = asyncio.create_task(self.watch())
        await asyncio.gather(*(self.visitor(k) for k in range(self.visitors)))
        watching.cancel()

    async def visitor(self, k: int) -> None:
        rng, visit = random.Random(k), None
        await asyncio.sleep(rng.random() * THINK)
        while time.monotonic() < self.end:
            try:
                if visit is None:
                    visit = Visit(self.server.address, SMALL, self.done)
                    await visit.open()
                visit = await self.act(visit, rng, alike=k % 2 == 0)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}"[:200])
                visit = None
            await asyncio.sleep(THINK * (0.5 + rng.random()))

    async def act(self, visit: Visit, rng: random.Random, alike: bool) -> Visit | None:
        action = rng.choices(("change", "turn", "drop", "kill"), (12, 5, 2, 1))[0]
        self.done[action] += 1
        if action == "change":
            await visit.change(rng, alike)
        elif action == "turn":
            await visit.turn(rng)
        elif action == "drop":
            await visit.drop(rng)
        else:
            await visit.ask()
            await visit.kill()
            return None
        return visit

    async def watch(self) -> None:
        while True:
            now = time.monotonic() - self.begun
            self.sizes.append((now, self.server.memory(), self.server.files()))
            await asyncio.sleep(2)

    def report(self, cpu: float, log: str) -> str:
        third = len(self.sizes) // 3
        parts = [self.sizes[k * third : (k + 1) * third] for k in range(3)]
        memory = [statistics.median(size for _, size, _ in part) for part in parts]
        files = [max(count for _, _, count in part) for part in parts]
        times, sizes = [at for at, _, _ in parts[2]], [size for _, size, _ in parts[2]]
        slope = 60 * statistics.linear_regression(times, sizes).slope if third > 1 else 0.0
        acts = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        return (
            f"{self.visitors} visitors, {self.sizes[-1][0]:.0f} s: {acts}; "
            f"{1000 * cpu / max(1, self.done.total()):.0f} ms of CPU each; memory by thirds "
            f"{memory[0]:.0f}, {memory[1]:.0f}, {memory[2]:.0f} MB, in the last {slope:+.1f} MB a "
            f"minute; most files {files[0]}, {files[1]}, {files[2]}; {len(self.errors)} errors "
            f"{Counter(self.errors).most_common(3)}; {len(log.splitlines())} lines in the log, "
            f"{log.count('Traceback')} tracebacks"
        )


def main() -> int:
    """Print one line."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "log"
        with served(log=written, RNNVIZ_MEMORY=str(options.memory)) as server:
            soak = Soak(server, options.visitors, 60 * options.minutes)
            before = server.cpu()
            asyncio.run(soak.run())
            cpu = server.cpu() - before
        log = written.read_text("utf-8")
    print(soak.report(cpu, log))
    if options.log:
        print(log)
    return int(bool(soak.errors) or "Traceback" in log)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--memory", type=int, default=64, help="RNNVIZ_MEMORY: full soon")
    parser.add_argument("--log", action="store_true", help="print the server's log, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
