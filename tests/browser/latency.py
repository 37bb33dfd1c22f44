"""`python -m tests.browser.latency`: how long a key press takes to a painted chart, and how often a
chart is painted while its knob is dragged, for the app's first page and for a bare page.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.support import HERE, SIZE, launch, server, wait_idle, wait_painted

PRESSES = 21
DRAG_SECONDS = 3.0
SWEEP_SECONDS = 1.0  # across the track; slower, and the knob's step would set the rate

# Key press and paint are timed inside the page: the clock starts at the keydown event and stops
# when the chart's counter moves, which is after the frame is on the screen.
WATCH = """(css) => {
  window.times = [];
  window.keyAt = null;
  addEventListener('keydown', () => { window.keyAt = performance.now(); }, true);
  new MutationObserver(() => {
    if (window.keyAt !== null) window.times.push(performance.now() - window.keyAt);
    window.keyAt = null;
    window.paints = (window.paints ?? 0) + 1;
  }).observe(document.querySelector(css), { attributeFilter: ['data-painted'] });
}"""


def main() -> None:
    """Print one row for each page."""
    options = parse()
    pages: list[tuple[str, Path | None]] = [("bare page", HERE / "bare_page.py")]
    if not options.bare:
        pages.insert(0, ("first page", None))
    write(f"{'page':12} {'key to paint, ms: median':>25} {'p90':>6} {'n':>4} {'updates/s':>10}\n")
    for name, script in pages:
        with server(script) as address, sync_playwright() as playwright:
            page = launch(playwright).new_page(viewport=SIZE)
            page.goto(address)
            times, rate = measure(page, options.slider)
        median, p90 = statistics.median(times), sorted(times)[int(0.9 * len(times))]
        write(f"{name:12} {median:25.0f} {p90:6.0f} {len(times):4d} {rate:10.1f}\n")


def measure(page: Page, label: str) -> tuple[list[float], float]:
    """Key presses to paint in ms, and paints a second while dragging, of the first chart."""
    page.wait_for_selector(".rnnviz-chart")
    key = page.locator(".rnnviz-chart").first.get_attribute("data-key") or ""
    wait_painted(page, key, timeout=60_000)
    wait_idle(page)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH, f'.rnnviz-chart[data-key="{key}"]')
    return press_keys(page, label), drag(page, label)


def press_keys(page: Page, label: str) -> list[float]:
    slider = page.get_by_role("slider", name=label, exact=True)
    slider.focus()
    for n in range(PRESSES + 3):
        page.keyboard.press("ArrowRight" if n % 8 < 4 else "ArrowLeft")
        page.wait_for_function("(n) => window.times.length > n", arg=n, timeout=10_000)
        page.wait_for_timeout(150)
    return page.evaluate("window.times")[3:]


def drag(page: Page, label: str) -> float:
    box = page.get_by_role("slider", name=label, exact=True).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    before, start = page.evaluate("window.paints"), time.perf_counter()
    while (elapsed := time.perf_counter() - start) < DRAG_SECONDS:
        share = 0.1 + 0.8 * abs((elapsed / SWEEP_SECONDS + 0.5) % 2 - 1)
        page.mouse.move(box["x"] + box["width"] * share, middle)
        page.wait_for_timeout(12)
    rate = (page.evaluate("window.paints") - before) / (time.perf_counter() - start)
    page.mouse.up()
    return rate


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", action="store_true", help="the bare page alone")
    parser.add_argument("--slider", default="Gain", help="the knob's label")
    return parser.parse_args()


def write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
