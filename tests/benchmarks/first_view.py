"""`python -m tests.benchmarks.first_view`: the server's CPU time for a first view.

The server is warm, the browser cold: each visit is a browser context of its own, which keeps
nothing. From the first request until every chart is drawn and nothing runs. Then what the browser
asked for over HTTP is asked for again by a plain client, six connections a visitor as browsers
have: that is the share of the files.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.served import Served, served
from tests.browser.support import SIZE, launch, wait_idle

CHARTS = ".rnnviz-chart:not([data-painted='0'])"


def main() -> None:
    """Print one line."""
    options = parse()
    with served() as server:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            visits = [visit(browser, server) for _ in range(options.visits + 1)][1:]
        addresses = visits[0][1]
        asyncio.run(load(addresses))
        before = server.cpu()
        sizes = [asyncio.run(load(addresses)) for _ in range(options.loads)]
        files = (server.cpu() - before) / options.loads
    took = [1000 * cpu for cpu, _, _ in visits]
    print(
        f"first view, {len(visits)} cold browsers: CPU median {statistics.median(took):.0f} ms "
        f"({min(took):.0f} to {max(took):.0f}), all charts after "
        f"{statistics.median(wall for _, _, wall in visits):.1f} s; its {len(addresses)} files, "
        f"{sizes[0] / 1e6:.1f} MB, {options.loads} times: {1000 * files:.1f} ms each"
    )


def visit(browser: Browser, server: Served) -> tuple[float, list[str], float]:
    """CPU seconds, addresses that were asked for, seconds to the last chart."""
    addresses: list[str] = []
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.on("request", lambda request: addresses.append(request.url))
    before, begun = server.cpu(), time.perf_counter()
    page.goto(server.address)
    page.wait_for_selector(CHARTS, timeout=60_000)
    wait_idle(page, 60_000)
    wall = time.perf_counter() - begun
    page.wait_for_timeout(2000)
    cpu = server.cpu() - before
    context.close()
    http = [each for each in addresses if each.startswith("http")]
    return cpu, http, wall


async def load(addresses: list[str]) -> int:
    """Ask for all; the bytes that came."""
    todo, sizes = list(reversed(addresses)), list[int]()
    host = urlsplit(addresses[0]).netloc

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(*host.split(":"), limit=1 << 24)
        while todo:
            path = todo.pop().partition(host)[2]
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip, br\r\n\r\n"
            writer.write(head.encode())
            sizes.append(await read_answer(reader))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection() for _ in range(6)))
    return sum(sizes)


async def read_answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if length := re.search(r"content-length: (\d+)", head):
        return len(await reader.readexactly(int(length[1])))
    size = 0
    while chunk := int(await reader.readline(), 16):
        size += len(await reader.readexactly(chunk + 2)) - 2
    await reader.readexactly(2)
    return size


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=5, help="of a browser")
    parser.add_argument("--loads", type=int, default=50, help="of the files alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
