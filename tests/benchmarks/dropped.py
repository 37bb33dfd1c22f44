"""`python -m tests.benchmarks.dropped --visitors 200`: a hall that loses its connection and comes
back.

Each visitor opens one link on the Train page and trains twenty steps (`--different`: each another
experiment). All connections end at once; five seconds later each browser comes back to the address
that it had, in a new session, with the token that its tab has kept. One line says how many see the
same page, and how many the same losses of the same steps.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.beside import EVENTS
from tests.benchmarks.load import said, timed
from tests.benchmarks.served import served
from tests.benchmarks.soak import PATIENCE, Visit

AWAY = 5.0
"""Seconds."""
SMALL = "models=rnn,lstm&seq_len=40&hidden_size=16&batch_size=8"


class Trainee(Visit):
    """A visit of the Train page. trained: what its scrubber says: steps, and losses in words."""

    def __init__(self, address: str, query: str) -> None:
        super().__init__(address, query)
        self.page, self.token = "train", ""
        self.ids: dict[str, str] = {}
        self.trained: Any = None

    def _read(self, told: ForwardMsg, charts: set[str]) -> bool:
        element = told.delta.new_element.bidi_component
        name = element.component_name.rpartition(".")[2]
        if name == "rnnviz_tab":
            self.token = json.loads(element.json)["token"]
        elif name == "rnnviz_scrubber":
            data = json.loads(element.bytes)
            self.trained = data["steps"], [series["losses"] for series in data["series"]]
        self.ids[name] = element.id
        ended = super()._read(told, charts)
        return ended or told.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY

    async def ask(self, history: bool = False) -> None:
        await self.tell("", {})

    async def tell(self, component: str, event: dict[str, Any]) -> None:
        """Ask for the page, with what a component has to say."""
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self.query, self.pages.get(self.page, "")
        run.page_name = self.page if not run.page_script_hash else ""
        if component:
            widget = run.widget_states.widgets.add()
            widget.id = EVENTS.format(self.ids[component])
            widget.json_trigger_value = json.dumps([event])
        assert self.socket is not None
        await self.socket.send(asked.SerializeToString())

    async def until(self, component: str, event: dict[str, Any]) -> set[str]:
        """Say it, and wait for the page that comes of it."""
        await self.tell(component, event)
        charts: set[str] = set()
        while True:
            assert self.socket is not None
            told = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            if self._read(ForwardMsg.FromString(bytes(told)), charts):
                return charts

    async def train(self) -> set[str]:
        """Ten steps."""
        return await self.until("rnnviz_scrubber", command("ten"))

    async def come_back(self, token: str) -> set[str]:
        """Open the address again, and claim what the tab has kept."""
        await self.open()
        claim = {"token": token, "copy": False, "trained": True}
        return await self.until("rnnviz_tab", {"event": "claim", "value": claim})


def command(name: str) -> dict[str, Any]:
    return {"event": "command", "value": {"name": name, "step": 0}}


async def visit(address: str, query: str, away: asyncio.Event, ready: list[int]) -> tuple[Any, ...]:
    """Whether the page is the same, whether what was trained is, and how long it took."""
    first = Trainee(address, query)
    await first.open()
    await first.train()
    charts = await first.train()
    ready.append(1)
    await away.wait()
    await first.kill()
    await asyncio.sleep(AWAY)
    again = Trainee(address, first.query)
    seconds = await timed(again.come_back(first.token))
    seen = again.query == first.query and await again.until("", {}) == charts
    return seen, again.trained == first.trained and first.trained[0][-1] == 20, seconds


async def measure(address: str, visitors: int, different: bool) -> str:
    away, ready = asyncio.Event(), list[int]()
    queries = [SMALL + f"&seed={k}" * different for k in range(visitors)]
    tasks = [asyncio.create_task(visit(address, query, away, ready)) for query in queries]
    while len(ready) + sum(task.done() for task in tasks) < visitors:
        await asyncio.sleep(0.1)
    away.set()
    begun = time.monotonic()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    back = time.monotonic() - begun - AWAY
    done = [each for each in found if not isinstance(each, BaseException)]
    failed = Counter(repr(each)[:120] for each in found if isinstance(each, BaseException))
    kind = "all different" if different else "one link"
    return (
        f"{visitors} visitors, {kind}, dropped at once, back after {AWAY:g} s: "
        f"{sum(seen for seen, _, _ in done)} see the same page, "
        f"{sum(same for _, same, _ in done)} the same training; all are back after {back:.1f} s, "
        f"each {said([seconds for *_, seconds in done])}; errors {dict(failed.most_common(3))}"
    )


def main() -> int:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--different", action="store_true")
    options = parser.parse_args()
    with served() as server:
        print(asyncio.run(measure(server.address, options.visitors, options.different)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
