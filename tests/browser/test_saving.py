"""What was trained is there when the page is loaded again, in this tab alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from rnnviz import to_query
from tests.browser.reading import line, wait_charts, wait_for_line
from tests.browser.support import server, wait_idle
from tests.browser.test_train import SMALL, button, scrubber, step, wait_step
from tests.browser.wire import as_bytes

pytestmark = pytest.mark.browser
LONG = 30_000
KEEP_CONNECTION = """
  const connect = window.WebSocket;
  window.WebSocket = function (...given) { return (window.connection = new connect(...given)); };
  Object.assign(window.WebSocket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
"""


def stands(page: Page, steps: int) -> None:
    """Wait until the scrubber is at this step, and no script runs. A tab behind another is slow."""
    page.bring_to_front()
    expect(scrubber(page)).to_have_value(str(steps), timeout=LONG)
    wait_idle(page)
    expect(scrubber(page)).to_have_value(str(steps))


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A dashboard that keeps no session whose connection is lost."""
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "0")
    with server() as address:
        yield address


def verdict(page: Page) -> str:
    return page.locator(".rnnviz-verdict").inner_text()


def play(page: Page, steps: int) -> None:
    button(page, "Play").click()
    wait_step(page, steps)


def pause(page: Page) -> None:
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
    wait_idle(page)


def test_a_page_that_is_loaded_again_goes_on_where_it_was(
    app: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{app}/train?{urlencode(to_query(SMALL))}")
    wait_charts(page, "train")
    play(page, 20)
    pause(page)
    held, loss, said = step(page), line(page, "loss", "RNN batch"), verdict(page)
    page.reload()
    stands(page, held)
    wait_for_line(page, "loss", "RNN batch", loss)
    assert verdict(page) == said
    play(page, held + 5)
    page.reload()
    expect(page.locator(".rnnviz-verdict")).to_contain_text("After", timeout=LONG)
    wait_idle(page)
    assert step(page) >= held + 5
    expect(button(page, "Play")).to_be_visible()


def test_tabs_of_one_browser_are_independent(app: str, open_page: Callable[..., Page]) -> None:
    address = f"{app}/train?{urlencode(to_query(replace(SMALL, seed=3)))}"
    first = open_page(address)
    stands(first, 0)
    button(first, "+10").click()
    stands(first, 10)
    second = open_page(first.url)
    stands(second, 0)
    first.bring_to_front()
    button(first, "+10").click()
    stands(first, 20)
    # What a duplicate of the first tab begins with.
    kept = first.evaluate("JSON.stringify({ ...sessionStorage })")
    twin = open_page(f"{app}/rnnviz/tab.js")
    twin.evaluate("(kept) => Object.assign(sessionStorage, JSON.parse(kept))", kept)
    twin.goto(first.url)
    stands(twin, 20)
    button(twin, "+10").click()
    stands(twin, 30)
    for page, steps in ((first, 20), (twin, 30)):
        page.reload()
        stands(page, steps)


def test_a_connection_that_is_lost_with_its_session_loses_nothing(
    forgetful: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{forgetful}/rnnviz/tab.js")
    page.add_init_script(KEEP_CONNECTION)
    page.goto(f"{forgetful}/train?{urlencode(to_query(SMALL))}")
    stands(page, 0)
    button(page, "+10").click()
    stands(page, 10)
    with page.expect_websocket() as again:
        page.evaluate("window.connection.close()")
    again.value.wait_for_event("framesent", lambda sent: b'"claim"' in as_bytes(sent))
    stands(page, 10)
    button(page, "+10").click()
    stands(page, 20)
