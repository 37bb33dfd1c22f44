"""`python -m tests.browser.turning`: how long a click on another page takes until every chart in
sight of it is on the screen, for pages that were opened before."""

from __future__ import annotations

import statistics

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.served import served
from tests.browser.latency import write
from tests.browser.support import SIZE, launch, wait_idle

ROUNDS = 8
PAGES = {"Gradient flow": "flow-state", "Spectrum": "singular-values", "Gates": "memory-gate"}
"""The links, and the key of a chart that no other page has."""
# Charts of the page before may be there for a moment beside the new ones.
CLOCK = """([key, name]) => {
  const inSight = (box) => {
    const { width, top, bottom } = box.getBoundingClientRect();
    return width && top < innerHeight && bottom > 0;
  };
  window.turned = null;
  const start = performance.now();
  const look = () => {
    const charts = [...document.querySelectorAll('.rnnviz-chart')].filter(inSight);
    const there = charts.some((box) => box.dataset.key === key);
    if (there && charts.every((box) => Number(box.dataset.painted))) {
      window.turned = performance.now() - start;
    } else requestAnimationFrame(look);
  };
  const links = [...document.querySelectorAll("a")];
  links.find((a) => a.innerText.trim() === name).click();
  look();
}"""


def main() -> None:
    """Print one line for each page."""
    with served() as app, sync_playwright() as playwright:
        page = launch(playwright).new_page(viewport=SIZE)
        page.goto(app.address)
        page.wait_for_selector(".rnnviz-chart[data-shows]", timeout=60_000)
        took: dict[str, list[float]] = {name: [] for name in PAGES}
        order = [*list(PAGES)[1:], next(iter(PAGES))]
        for number in range(ROUNDS + 1):
            for name in order:
                once = turn(page, name)
                if number:
                    took[name].append(once)
        for name, times in took.items():
            p90 = sorted(times)[int(0.9 * (len(times) - 1))]
            write(f"to {name}: median {statistics.median(times):.0f} ms, p90 {p90:.0f}\n")


def turn(page: Page, name: str) -> float:
    """Milliseconds."""
    wait_idle(page)
    page.wait_for_timeout(1000)
    page.evaluate(CLOCK, [PAGES[name], name])
    page.wait_for_function("() => window.turned !== null", timeout=20_000)
    return float(page.evaluate("window.turned"))


if __name__ == "__main__":
    main()
