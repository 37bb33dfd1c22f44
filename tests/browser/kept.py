"""A page of the dashboard that tests take over from each other: to turn it to another address, as
Back does, costs a third of what it costs to load one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Page, TimeoutError, ViewportSize, expect

from tests.browser.support import SIZE, wait_idle

EMPTY = "your-network"
"""A page without a knob or a chart: what comes after it is made anew."""
TURN = """async (address) => {
  const { drawn, here, scriptRuns } = await import("/rnnviz/page.js");
  const before = drawn.run, end = performance.now() + 30000;
  let asked = 0; // when
  const ask = () => {
    history[asked ? "replaceState" : "pushState"]({}, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
    asked = performance.now();
  };
  ask();
  while (here.path !== new URL(address).pathname || drawn.run === before) {
    if (performance.now() > end) throw new Error(`${address} was not turned to`);
    if (performance.now() > asked + 1000 && !scriptRuns()) ask();
    await new Promise(requestAnimationFrame);
  }
}"""
"""Until the whole script has run for it. Streamlit forgets to turn the page where a script was
about to run a part of the one before."""
RESTLESS = """() => ({
  address: location.href,
  script: document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState,
  classes: document.documentElement.className,
  behind: Array.from(document.querySelectorAll('[data-behind]'), ({ dataset }) => dataset.key),
})"""
AT_EASE = """() => {
  document.activeElement?.blur();
  scrollTo(0, 0);
  document.querySelector("[data-testid=stMain]").scrollTo(0, 0);
}"""


class KeptPage:
    """make: opens a page that says what it complains of."""

    def __init__(self, app: str, make: Callable[[], Page]) -> None:
        self.app, self.make = app, make
        self.page: Page | None = None

    def visit(
        self,
        address: str,
        *,
        viewport: ViewportSize = SIZE,
        color_scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """The page, turned to an address of the dashboard, where nothing is left of the last visit
        but its session. A test that is about how a page is loaded opens one of its own."""
        page = self.page = self._taken_over() or self._load()
        page.mouse.up()
        page.mouse.move(0, 0)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, media="screen", reduced_motion="null")
        page.evaluate(AT_EASE)
        self._turn(page, f"{self.app}/{EMPTY}")
        expect(page.locator(".rnnviz-chart")).to_have_count(0)
        self._turn(page, address)
        return page

    def _taken_over(self) -> Page | None:
        """The page, at rest. Of one that does not come to it the summary of all tests says why."""
        if self.page is None:
            return None
        self.page.bring_to_front()  # what lies behind another draws nothing
        try:
            wait_idle(self.page)
        except TimeoutError:
            why = self.page.evaluate(RESTLESS)
            warnings.warn(f"a page that was left did not come to rest: {why}", stacklevel=2)
            self.drop()
        return self.page

    def drop(self) -> None:
        """Close the page: the next visit loads another."""
        if self.page is not None:
            self.page.close()
        self.page = None

    def _load(self) -> Page:
        page = self.make()
        page.goto(f"{self.app}/{EMPTY}")
        expect(page.locator("h1")).to_be_visible(timeout=60_000)
        wait_idle(page)
        return page

    def _turn(self, page: Page, address: str) -> None:
        if page.url != address:
            page.evaluate(TURN, address)
            wait_idle(page)
