"""What browser tests and the latency script share: a server, a browser, waiting for a paint."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SIZE: ViewportSize = {"width": 1280, "height": 720}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def server(
    script: Path | None = None, base: str = "", port: int | None = None, **more: str
) -> Iterator[str]:
    """Run app.py, or a script in its place, on a free port; yields the address. base: the path
    that it is mounted under. more: environment variables. It must end in good order."""
    port = port or free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "STREAMLIT_SERVER_PORT": str(port)}
    env |= {"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    env |= {"STREAMLIT_SERVER_BASE_URL_PATH": base, **more}
    app = ROOT / "app.py"
    if script is not None:
        app, env["RNNVIZ_TEST_PAGE"] = HERE / "serve_page.py", str(script)
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        yield wait_healthy(f"http://127.0.0.1:{port}{base}", process)
    finally:
        process.terminate()
        status = process.wait(10)
    assert status == 0, f"the server ended with status {status}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_healthy(address: str, process: subprocess.Popen, limit: float = 60) -> str:
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return address
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server at {address} did not start (exit code {process.poll()})")


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=chromium(), args=FLAGS)


def launch_at_home(playwright: Playwright, folder: Path) -> BrowserContext:
    """A browser with a folder, where it keeps scripts compiled: pages open in half the time."""
    return playwright.chromium.launch_persistent_context(
        folder, executable_path=chromium(), args=FLAGS, viewport=SIZE
    )


def chromium() -> str | None:
    """The Chromium of RNNVIZ_CHROMIUM, of the system, or None for Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("RNNVIZ_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def chart(page: Page, key: str) -> str:
    return f'.rnnviz-chart[data-key="{key}"]'


def painted(page: Page, key: str) -> int:
    """How often this chart has been painted since it was mounted; 0 while there is none."""
    found = page.locator(chart(page, key))
    return int(found.get_attribute("data-painted") or 0) if found.count() else 0


def wait_painted(page: Page, key: str, after: int = 0, timeout: float = 15_000) -> int:
    """Wait until the chart has been painted more than `after` times; returns the count."""
    script = "([css, n]) => Number(document.querySelector(css)?.dataset.painted ?? 0) > n"
    page.wait_for_function(script, arg=[chart(page, key), after], timeout=timeout)
    return painted(page, key)


# A script that ends is heard before the charts it changed are drawn: these say so themselves. What
# is so for three frames is not the moment between the two.
CALM = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const charts = [...document.querySelectorAll('.rnnviz-chart[data-behind]')];
  const calm = app?.dataset.testScriptState === 'notRunning'
    && !document.documentElement.classList.contains('rnnviz-ahead')
    && !charts.some((chart) => chart.clientWidth);
  window.rnnvizCalm = calm ? (window.rnnvizCalm ?? 0) + 1 : 0;
  if (window.rnnvizCalm < 3) return false;
  delete window.rnnvizCalm;
  return true;
}"""


def wait_idle(page: Page, timeout: float = 30_000) -> None:
    """Wait until no script runs and every chart shows what the server sent last."""
    page.wait_for_function(CALM, timeout=timeout)


def wait_quiet(page: Page, keys: tuple[str, ...]) -> dict[str, int]:
    """Wait until these charts are drawn and no script runs; returns their paint counts."""
    for key in keys:
        wait_painted(page, key, timeout=60_000)
    wait_idle(page)
    return {key: painted(page, key) for key in keys}


def axis_range(page: Page, key: str, axis: str = "xaxis") -> list[float]:
    """The range an axis shows, zoom included."""
    script = "([css, axis]) => document.querySelector(css)._fullLayout[axis].range"
    return page.evaluate(script, [f"{chart(page, key)} .rnnviz-plot", axis])


def plot_area(page: Page, key: str, x: float, y: float) -> tuple[float, float]:
    """Where in the window a point of the first panel lies; x and y are shares, from lower left."""
    script = """(css) => {
      const plot = document.querySelector(css), { left, top } = plot.getBoundingClientRect();
      const { xaxis, yaxis } = plot._fullLayout;
      return [left + xaxis._offset, top + yaxis._offset, xaxis._length, yaxis._length];
    }"""
    left, top, width, height = page.evaluate(script, f"{chart(page, key)} .rnnviz-plot")
    return left + x * width, top + (1 - y) * height
