"""A page that is open while the server is started again."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.support import free_port, server, wait_idle, wait_painted

pytestmark = pytest.mark.browser
SMALL = {"models": "rnn", "seq_len": "20", "hidden_size": "8", "batch_size": "4"}
CONNECTED = '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
AWAY = '[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"])'


@pytest.fixture
def restarted(visitor: BrowserContext):
    """A page, opened before the server was started again, that has found the new one."""
    port = free_port()
    page = visitor.new_page()
    with server(port=port) as address:
        page.goto(f"{address}/?{urlencode(SMALL)}")
        wait_painted(page, "flow-state", timeout=60_000)
        wait_idle(page)
    page.wait_for_selector(AWAY)
    with server(port=port):
        page.wait_for_selector(CONNECTED, timeout=60_000)
        wait_idle(page)
        yield page
        page.close()


def test_the_first_key_is_not_lost(restarted: Page) -> None:
    restarted.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    restarted.wait_for_url(re.compile("gain="), timeout=5_000)
