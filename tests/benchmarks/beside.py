"""`python -m tests.benchmarks.beside --visitors 10`: what visitors with long work leave to one who
drags. Each of them has a Phase diagram worked out, slice after slice, of another experiment, or
with `--kind training` its networks trained. The one drags a knob of Gradient flow, which the live
route answers; alone first, then beside them. Clients share the processors with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.load import Tab, said, timed
from tests.benchmarks.served import Served, served
from tests.benchmarks.soak import PATIENCE

GAP = 0.05
"""Seconds between an answer and the next move of the hand."""
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"
"""What Streamlit calls the triggers of a component, by its id."""


class Diagram(Tab):
    """A visit whose browser asks for slice after slice."""

    path = "phase-diagram"

    def __init__(self, address: str, query: str) -> None:
        super().__init__(address, query)
        self.clock, self.part, self.slices = "", "", 0

    async def begin(self) -> None:
        await self.open()
        self.page = self.path
        await self.run()

    def _read(self, told: ForwardMsg, charts: set[str]) -> bool:
        element = told.delta.new_element.bidi_component
        if element.component_name.endswith("rnnviz_clock"):
            data = json.loads(element.bytes)
            self.clock, self.part = element.id, told.delta.fragment_id
            self.slices = data["count"]
        return super()._read(told, charts)

    async def tick(self) -> None:
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self.query, self.pages.get(self.page, "")
        run.fragment_id = self.part
        widget = run.widget_states.widgets.add()
        widget.id = EVENTS.format(self.clock)
        widget.json_trigger_value = json.dumps([{"event": "tick", "value": self.slices}])
        assert self.socket is not None
        await self.socket.send(asked.SerializeToString())
        while True:
            told = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            if self._read(ForwardMsg.FromString(bytes(told)), set()):
                return


class Training(Diagram):
    """The same on the Train page, where slices go past the script."""

    path = "train"

    def __init__(self, address: str, query: str) -> None:
        super().__init__(address, f"{query}&train_steps=100000")

    async def tick(self) -> None:
        await self.post({"tick": True})
        self.slices += 1


KINDS = {"diagrams": Diagram, "training": Training}


async def measure(
    server: Served, visitors: int, seconds: float, kind: str
) -> tuple[list[float], list[float], float]:
    """Seconds of the answers alone, and beside the others; slices a second of these."""
    one = Tab(server.address, "")
    await one.open()
    alone = await drag(one, seconds)
    others = [KINDS[kind](server.address, f"seed={k + 1}") for k in range(visitors)]
    begun = [asyncio.create_task(work(each)) for each in others]
    while not all(each.slices for each in others):
        await asyncio.sleep(0.1)
    before = sum(each.slices for each in others)
    beside = await drag(one, seconds)
    for task in begun:
        assert not task.done(), task.result()
        task.cancel()
    return alone, beside, (sum(each.slices for each in others) - before) / seconds


async def work(one: Diagram) -> None:
    await one.begin()
    while True:
        await one.tick()


async def drag(one: Tab, seconds: float) -> list[float]:
    rng, end, found = random.Random(0), time.monotonic() + seconds, []
    while time.monotonic() < end:
        found.append(await timed(one.move({"gain": round(rng.uniform(0.5, 2.0), 4)})))
        await asyncio.sleep(GAP)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--kind", choices=list(KINDS), default="diagrams")
    options = parser.parse_args()
    with served() as server:
        found = asyncio.run(measure(server, options.visitors, options.seconds, options.kind))
    alone, beside, slices = found
    count, each = f"{options.visitors} x {options.kind}", options.seconds
    print(
        f"a drag alone {said(alone)}, {len(alone) / each:.1f}/s; beside {count} {said(beside)}, "
        f"{len(beside) / each:.1f}/s, with {slices:.1f} slices/s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
