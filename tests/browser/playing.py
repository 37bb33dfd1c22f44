"""`python -m tests.browser.playing`: how often the Train page is drawn while training plays, and
how long a knob takes to a painted chart meanwhile, for the default experiment.
"""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import Page, sync_playwright

from tests.browser.latency import write
from tests.browser.support import SIZE, launch, server, wait_idle, wait_painted

WATCHED_SECONDS = 10.0
PRESSES = 21
PATIENCE = 1000  # ms between two presses, for the new run to get on

# A knob begins the run anew. It is answered when the loss of another gain is on the screen.
WATCH = """() => {
  const chart = document.querySelector('.rnnviz-chart[data-key="loss"]');
  const gain = () => new URLSearchParams(chart.dataset.shows).get("gain");
  window.times = [];
  window.paints = 0;
  let asked = null;
  addEventListener('keydown', () => { asked = { at: performance.now(), gain: gain() }; }, true);
  new MutationObserver(() => {
    window.paints += 1;
    if (!asked || gain() === asked.gain) return;
    window.times.push(performance.now() - asked.at);
    asked = null;
  }).observe(chart, { attributeFilter: ['data-painted'] });
}"""


def main() -> None:
    """Print one row."""
    with server(None) as address, sync_playwright() as playwright:
        page = launch(playwright).new_page(viewport=SIZE)
        page.goto(f"{address}/train")
        wait_painted(page, "loss", timeout=60_000)
        wait_idle(page)
        page.evaluate(WATCH)
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_timeout(2000)
        rate, times = updates(page), sorted(press_keys(page))
    write(f"{'updates/s':>10} {'knob to paint, ms: median':>26} {'p95':>6} {'n':>4}\n")
    p95 = times[int(0.95 * len(times))]
    write(f"{rate:10.1f} {statistics.median(times):26.0f} {p95:6.0f} {len(times):4d}\n")


def updates(page: Page) -> float:
    """Paints of the loss a second."""
    before, start = page.evaluate("window.paints"), time.perf_counter()
    page.wait_for_timeout(1000 * WATCHED_SECONDS)
    return (page.evaluate("window.paints") - before) / (time.perf_counter() - start)


def press_keys(page: Page) -> list[float]:
    """ms from a key on the knob "Gain" to the paint that answers it, with training playing on."""
    slider = page.get_by_role("slider", name="Gain", exact=True)
    slider.focus()
    for n in range(PRESSES):
        page.keyboard.press("ArrowUp" if n % 8 < 4 else "ArrowDown")
        page.wait_for_function("(n) => window.times.length > n", arg=n, timeout=20_000)
        page.wait_for_timeout(PATIENCE)
    return page.evaluate("window.times")


if __name__ == "__main__":
    main()
