"""`python -m tests.benchmarks.load --visitors 200`: many visitors at once, over the protocols of
the real app. Each opens a page and moves a knob every few seconds: the live route answers, which is
timed, and once more when the knob has come to rest. As a browser does it, the script is told of the
value when another knob is touched, and at the end. A lecture: one link and the same few values of
one knob; or all different. Clients share the processors with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.first_view import read_answer
from tests.benchmarks.served import Served, served
from tests.benchmarks.soak import PATIENCE, Visit

LECTURE = (0.9, 0.95, 1.0, 1.05, 1.1)
KNOBS = {"gain": (0.5, 2.0), "memory_bias": (-1, 5), "distractor": (0, 3), "seq_len": (50, 150)}
REST = 0.5
"""Seconds from a move after which a knob has come to rest."""


class Tab(Visit):
    """A visit that moves sliders."""

    def __init__(self, address: str, query: str) -> None:
        super().__init__(address, query)
        self.token, self.route, self.drawn = "", "", 0
        self.ids: dict[str, str] = {}

    def _read(self, told: ForwardMsg, charts: set[str]) -> bool:
        element = told.delta.new_element.bidi_component
        name = element.component_name.rpartition(".")[2]
        data = json.loads(element.json) if element.json else {}
        if name == "rnnviz_offer":
            self.token, self.route = data["token"], data["path"]
        elif name == "rnnviz_slider":
            self.ids[data["key"]] = element.id
        elif name == "rnnviz_run":
            self.drawn = data["run"]
        ended = super()._read(told, charts)
        return ended or told.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY

    async def move(self, knobs: dict[str, float], settles: bool = False) -> int:
        """As the browser while the hand moves, or where it rests; the bytes of the answer."""
        return await self.post({"knobs": knobs, "settles": settles})

    async def post(self, message: dict[str, Any]) -> int:
        """To the live route; the bytes of the answer."""
        body = json.dumps(message).encode()
        host = urlsplit(self.address).netloc
        reader, writer = await asyncio.open_connection(*host.split(":"), limit=1 << 24)
        head = (f"POST {self.route} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
                f"Content-Type: application/json\r\nX-Rnnviz-Token: {self.token}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
        writer.write(head.encode() + body)
        size = await read_answer(reader)
        writer.close()
        await writer.wait_closed()
        if not size:
            raise RuntimeError("an answer without pictures")
        return size

    async def tell(self, name: str, value: float) -> None:
        """As the slider when something else is touched."""
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self.query, self.pages.get(self.page, "")
        widget = run.widget_states.widgets.add()
        knob = {"value": value, "seq": int(time.time() * 1000), "run": self.drawn, "below": False}
        widget.id, widget.json_value = self.ids[name], json.dumps({"knob": knob})
        assert self.socket is not None
        await self.socket.send(asked.SerializeToString())
        charts: set[str] = set()
        while True:
            told = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            if self._read(ForwardMsg.FromString(bytes(told)), charts):
                return


class Load:
    """What all visitors do, and how long each thing took them."""

    def __init__(self, server: Served, options: argparse.Namespace) -> None:
        self.server, self.options = server, options
        self.views: list[float] = []
        self.changes: list[float] = []
        self.rests: list[float] = []
        self.told: list[float] = []
        self.errors: Counter[str] = Counter()
        self.open = asyncio.Event()

    async def run(self) -> tuple[float, float]:
        """Seconds of the processor for all first views, and for all changes."""
        begun = self.server.cpu()
        tasks = [asyncio.create_task(self.visitor(k)) for k in range(self.options.visitors)]
        while len(self.views) + self.errors.total() < self.options.visitors:
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        seen = self.server.cpu()
        self.begun = time.monotonic()
        self.open.set()
        await asyncio.gather(*tasks)
        return seen - begun, self.server.cpu() - seen

    async def visitor(self, k: int) -> None:
        rng, options = random.Random(k), self.options
        query = f"seed={k}&gain={rng.uniform(0.7, 1.5):.3f}" if options.different else ""
        try:
            await asyncio.sleep(options.ramp * k / options.visitors)
            tab = Tab(self.server.address, query)
            self.views.append(await timed(tab.open()))
            await self.open.wait()
            await asyncio.sleep(rng.random() * options.think)
            knob: tuple[str, float] | None = None
            while time.monotonic() < self.begun + options.seconds:
                knob = await self.change(tab, rng, knob)
            if knob:
                self.told.append(await timed(tab.tell(*knob)))
        except Exception as error:
            self.errors[f"{type(error).__name__}: {error}"[:120]] += 1

    async def change(
        self, tab: Tab, rng: random.Random, before: tuple[str, float] | None
    ) -> tuple[str, float]:
        """before: the knob that the script has not been told of."""
        think, begun = self.options.think, time.monotonic()
        name, value = self.value(rng)
        if before and before[0] != name:
            self.told.append(await timed(tab.tell(*before)))
        moved = time.monotonic()
        self.changes.append(await timed(tab.move({name: value})))
        await asyncio.sleep(max(0, REST - (time.monotonic() - moved)))
        self.rests.append(await timed(tab.move({name: value}, settles=True)))
        await asyncio.sleep(max(0, think * (0.5 + rng.random()) - (time.monotonic() - begun)))
        return name, value

    def value(self, rng: random.Random) -> tuple[str, float]:
        if not self.options.different:
            at = int((time.monotonic() - self.begun) / self.options.think)
            return "gain", LECTURE[at % len(LECTURE)]
        name = rng.choice(list(KNOBS))
        value = rng.uniform(*KNOBS[name])
        return name, float(round(value)) if name == "seq_len" else round(value, 3)

    def report(self, views: float, changes: float) -> str:
        options = self.options
        kind = "all different" if options.different else "a lecture"
        count, done = options.visitors, max(1, len(self.changes))
        return (
            f"{count} visitors, {kind}, ramp {options.ramp:g} s, a change in {options.think:g} s: "
            f"first view {said(self.views)}, {1000 * views / count:.0f} ms CPU each; "
            f"{done / options.seconds:.1f} changes/s, {said(self.changes)}, at rest "
            f"{said(self.rests)}, the script {said(self.told)}, all of it "
            f"{1000 * changes / done:.0f} ms CPU a change; "
            f"{self.server.memory():.0f} MB; errors {dict(self.errors.most_common(3))}"
        )


async def timed(work: Any) -> float:
    """Seconds."""
    begun = time.monotonic()
    await work
    return time.monotonic() - begun


def said(seconds: list[float]) -> str:
    """p50 and p95."""
    if len(seconds) < 2:
        return "none"
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"p50 {cuts[9]:.2f} s p95 {cuts[18]:.2f} s"


def main() -> int:
    """Print one line."""
    options = parse()
    with served() as server:

        async def all_of_it() -> str:
            load = Load(server, options)
            return load.report(*await load.run())

        sys.stdout.write(asyncio.run(all_of_it()) + "\n")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--ramp", type=float, default=20, help="seconds in which all come")
    parser.add_argument("--think", type=float, default=5, help="seconds between two changes")
    parser.add_argument("--different", action="store_true", help="links, knobs and values differ")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
