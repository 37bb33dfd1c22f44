"""`python -m tests.browser.recording FOLDER`: a ten-second drag of a knob, as the screen showed it.

Every frame that Chromium painted is kept as a file that is named after its time; a line for each
says what the slider's label and the first chart claim at that moment, and what changed since the
frame before. To be looked at: for flicker, jumps, and numbers that are older than the knob.
"""

from __future__ import annotations

import argparse
import base64
import math
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.served import served
from tests.browser.support import SIZE, launch, wait_idle

SECONDS, SWEEP = 10.0, 2.5
SAYS = """() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
  const input = roots.map((r) => r.querySelector('input[aria-label="Gain"], input[data-value]'));
  const gain = input.find((i) => i?.getAttribute('aria-label') === 'Gain') ?? input.find(Boolean);
  const charts = [...document.querySelectorAll('.rnnviz-chart[data-shows]')];
  const of = (box) => new URLSearchParams(box.dataset.shows).get('gain') ?? '1';
  return [gain?.dataset.value, ...charts.slice(0, 2).map(of)].join(' ');
}"""


def main() -> None:
    """Write the frames, and print a line for each second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--path", default="", help="the page and its query")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with served() as app, sync_playwright() as playwright:
        page = launch(playwright).new_page(viewport=SIZE)
        page.goto(f"{app.address}/{options.path}")
        page.wait_for_selector(".rnnviz-chart[data-shows]", timeout=60_000)
        wait_idle(page)
        record(page, options.folder)


def record(page: Page, folder: Path) -> None:
    screen = page.context.new_cdp_session(page)
    frames: list[float] = []

    def keep(frame: dict[str, Any]) -> None:
        at = frame["metadata"]["timestamp"]
        frames.append(at)
        name = f"{1000 * (at - frames[0]):06.0f}.jpg"
        (folder / name).write_bytes(base64.b64decode(frame["data"]))
        screen.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    screen.on("Page.screencastFrame", keep)
    screen.send("Page.startScreencast", {"format": "jpeg", "quality": 80})
    drag(page)
    page.wait_for_timeout(1000)
    screen.send("Page.stopScreencast")
    print(f"{len(frames)} frames in {frames[-1] - frames[0]:.1f} s", flush=True)


def drag(page: Page) -> None:
    """To and fro across the track; says now and then what the label and the charts say."""
    box = page.get_by_role("slider", name="Gain", exact=True).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    start, said = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < SECONDS:
        share = 0.5 + 0.4 * math.sin(2 * math.pi * elapsed / SWEEP)
        page.mouse.move(box["x"] + box["width"] * share, middle)
        page.wait_for_timeout(12)
        if elapsed > said:
            print(f"{elapsed:5.1f} s: label and charts at {page.evaluate(SAYS)}", flush=True)
            said += 1
    page.mouse.up()


if __name__ == "__main__":
    main()
