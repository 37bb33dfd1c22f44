"""`python -m tests.browser.latency`: how long a key press takes until every chart in sight shows
its own value, how often the slowest chart is drawn while a knob is dragged and of how many
sequences, and what a press costs the server; each page beside a bare one in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.served import served
from tests.browser.support import HERE, SIZE, launch, server, wait_idle

PRESSES, WARM = 16, 2
DRAG_SECONDS, SWEEP_SECONDS = 3.0, 1.0  # across the track; slower, and the knob's step would set it
SIX = "seq_len=300&models=rnn,lstm,gru,rnn:gain=2,lstm:memory_bias=0,rnn:leak=0.3"
PAGES = {"first page": "", "spectrum": "spectrum", "gates": "gates", "six models": f"?{SIX}"}

# The clock starts at the keydown and stops when all charts in sight say that they show the value
# that the slider says after it. Each says so when the frame is on the screen.
WATCH = """() => {
  const inSight = (box) => {
    const { width, top, bottom } = box.getBoundingClientRect();
    return width && top < innerHeight && bottom > 0;
  };
  const of = (box, name) => new URLSearchParams(box.dataset.shows ?? '').get(name);
  const deepest = () => {
    let found = document.activeElement;
    while (found.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
    return found;
  };
  window.watch = { times: [], at: null, want: null, frames: new Map(), batches: [] };
  addEventListener('keydown', () => {
    watch.at = performance.now();
    setTimeout(() => (watch.want = Number(deepest().dataset.value)), 0);
  }, true);
  const look = () => {
    const charts = [...document.querySelectorAll('.rnnviz-chart')].filter(inSight);
    for (const box of charts) {
      const [last, count] = watch.frames.get(box.dataset.key) ?? [null, 0];
      if (box.dataset.shows === last) continue;
      watch.frames.set(box.dataset.key, [box.dataset.shows, count + 1]);
      watch.batches.push(Number(of(box, 'batch_size') ?? 16));
    }
    const arrived = (box) => Math.abs(Number(of(box, 'gain') ?? 1) - watch.want) < 1e-9;
    if (watch.want === null || !charts.every(arrived)) return;
    watch.times.push(performance.now() - watch.at);
    watch.want = null;
  };
  new MutationObserver(look)
    .observe(document.body, { subtree: true, attributeFilter: ['data-shows'] });
}"""


def main() -> None:
    """One row for each page and gap, then one for its drag."""
    options = parse()
    gaps = [int(gap) for gap in options.gaps.split(",")]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name in options.pages.split(","):
            bare = measure_at(browser, HERE / "bare_page.py", "", gaps, options.presses)
            of_app = measure_at(browser, None, PAGES[name], gaps, options.presses)
            report(name, gaps, of_app, bare)


Measured = tuple[list[list[float]], float, int, list[float]]
"""Milliseconds for each gap; the slowest chart's frames a second and sequences; CPU a press."""


def measure_at(
    browser: Browser, script: Path | None, path: str, gaps: Sequence[int], presses: int
) -> Measured:
    with _served(script) as (address, cpu_seconds):
        page = browser.new_page(viewport=SIZE)
        page.goto(f"{address}/{path}")
        page.wait_for_selector(".rnnviz-chart[data-shows]", timeout=60_000)
        wait_idle(page)
        page.wait_for_timeout(2000)
        page.evaluate(WATCH)
        times, cpu = [], []
        for gap in gaps:
            used = cpu_seconds()
            times.append(press_keys(page, gap, presses))
            page.keyboard.press("Tab")  # now the script hears of the value
            page.wait_for_timeout(5000)
            cpu.append(1000 * (cpu_seconds() - used) / (presses + WARM))
        rate, sequences = drag(page)
        page.close()
        return times, rate, sequences, cpu


@contextmanager
def _served(script: Path | None) -> Iterator[tuple[str, Callable[[], float]]]:
    """An address, and the seconds of the processor that its server has used, if that is the app."""
    if script is None:
        with served() as app:
            yield app.address, app.cpu
    else:
        with server(script) as address:
            yield address, lambda: 0.0


def press_keys(page: Page, gap: int, presses: int) -> list[float]:
    page.evaluate("watch.times = []")
    page.get_by_role("slider", name="Gain", exact=True).focus()
    for n in range(presses + WARM):
        page.keyboard.press("ArrowRight" if n % 12 < 6 else "ArrowLeft")
        page.wait_for_function("(n) => watch.times.length > n", arg=n, timeout=10_000)
        page.wait_for_timeout(gap)
    return page.evaluate("watch.times")[WARM:]


def drag(page: Page) -> tuple[float, int]:
    """Frames a second of the slowest chart in sight, and of how many sequences they were."""
    box = page.get_by_role("slider", name="Gain", exact=True).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.evaluate("watch.frames.clear(); watch.batches = []")
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < DRAG_SECONDS:
        share = 0.1 + 0.8 * abs((elapsed / SWEEP_SECONDS + 0.5) % 2 - 1)
        page.mouse.move(box["x"] + box["width"] * share, middle)
        page.wait_for_timeout(12)
    counts = page.evaluate("[...watch.frames.values()].map(([, count]) => count)")
    batches = page.evaluate("watch.batches")
    page.mouse.up()
    return min(counts, default=0) / elapsed, int(statistics.median(batches or [0]))


def report(name: str, gaps: Sequence[int], of_app: Measured, bare: Measured) -> None:
    for gap, mine, floor, cpu in zip(gaps, of_app[0], bare[0], of_app[3], strict=True):
        median, base = statistics.median(mine), statistics.median(floor)
        p90 = sorted(mine)[int(0.9 * (len(mine) - 1))]
        write(f"{name:11} gap {gap:4d} ms: median {median:4.0f} ms, {median / base:.2f} x bare")
        write(f" ({base:.0f}); p90 {p90:4.0f}, {p90 / base:.2f} x; server {cpu:.0f} ms a press\n")
    rate, base, sequences = of_app[1], bare[1], of_app[2]
    write(f"{name:11} drag: slowest chart {rate:.1f}/s, {rate / base:.2f} x bare ({base:.1f});")
    write(f" {sequences} sequences\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", default=",".join(PAGES), help="some of them, with commas")
    parser.add_argument("--gaps", default="150,400,800,3000", help="ms between paint and next key")
    parser.add_argument("--presses", type=int, default=PRESSES)
    return parser.parse_args()


def write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
