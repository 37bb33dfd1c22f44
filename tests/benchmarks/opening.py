"""`python -m tests.benchmarks.opening`: from a click to the painted chart, for every panel that is
opened by one, on the default experiment.

Each try is a visit of its own with another seed, so that nothing is computed already. Beside them,
in the same run, a bare page's slider: a key to its painted chart, which is Streamlit's and
plotly.js's own share. Milliseconds: median, least, greatest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Page, sync_playwright

from rnnviz.wording.texts import texts
from tests.browser.support import HERE, chart, launch, painted, server, wait_idle, wait_painted

BARE = HERE / "bare_page.py"
PANELS = (
    ("", "gradient_flow", "why", "step-factors"),
    ("", "gradient_flow", "title_pairs", "one-loss"),
    ("", "gradient_flow", "title_lags", "lags"),
    ("", "gradient_flow", "title_contributions", "contributions"),
    ("", "gradient_flow", "title_saliency", "saliency-signed"),
    ("spectrum", "spectrum", "title_weights", "weight-gradients"),
    ("spectrum", "spectrum", "title_fixed_points", "fixed-points"),
    ("spectrum", "spectrum", "title_lag_spectra", "lag-spectra"),
    ("spectrum", "spectrum", "title_lyapunov", "lyapunov"),
    ("spectrum", "spectrum", "title_bands", "bands"),
    ("gates", "gates", "title_states", "gradient-lines-c"),
)
"""Page, where its texts stand, the panel's title, the last of its charts."""


def opened(page: Page, title: str, key: str) -> float:
    """Seconds from the click on the title to the chart."""
    start = time.perf_counter()
    page.get_by_text(title).first.click()
    page.wait_for_selector(f"{chart(page, key)}[data-painted]", state="attached")
    return time.perf_counter() - start


def tries(browser: Browser, address: str, panel: tuple[str, ...], count: int) -> Iterator[float]:
    path, where, title, key = panel
    for seed in range(1, count + 1):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/{path}?seed={seed}")
        page.wait_for_selector(".rnnviz-chart[data-painted]", timeout=60_000)
        wait_idle(page, 60_000)
        yield opened(page, texts(where)[title], key)
        page.close()


def bare(browser: Browser, address: str, count: int) -> Iterator[float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    wait_painted(page, "bare")
    for _ in range(count):
        wait_idle(page)
        before, start = painted(page, "bare"), time.perf_counter()
        page.get_by_role("slider").press("ArrowRight")
        wait_painted(page, "bare", after=before)
        yield time.perf_counter() - start
    page.close()


def tell(name: str, seconds: Callable[[], Iterator[float]]) -> None:
    ms = [1e3 * each for each in seconds()]
    print(f"{name:52} {statistics.median(ms):5.0f}  {min(ms):5.0f} {max(ms):5.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.opening", description=__doc__)
    parser.add_argument("--tries", type=int, default=5, help="of each panel (default 5)")
    count = parser.parse_args().tries
    print(f"load {os.getloadavg()[0]:.1f}")
    with server() as app, server(BARE) as peer, sync_playwright() as playwright:
        browser = launch(playwright)
        tell("bare page, key to chart", lambda: bare(browser, peer, 2 * count))
        for panel in PANELS:
            tell(texts(panel[1])[panel[2]], lambda p=panel: tries(browser, app, p, count))
        browser.close()


if __name__ == "__main__":
    main()
