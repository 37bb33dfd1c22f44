"""The phase diagram in a real browser: it can be stopped, and goes on. How it fills and opens its
cells: test_choices.py."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import wait_idle, wait_painted
from tests.browser.test_pages import slider

pytestmark = pytest.mark.browser
SMALL = {"models": "rnn,lstm,gru", "hidden_size": "4", "batch_size": "2", "view_cells": "coarse",
         "seq_len": "20", "view_y": "memory_bias"}  # fmt: skip


def progress(page: Page):
    return page.get_by_test_id("stProgress")


def wait_finished(page: Page) -> None:
    wait_painted(page, "phase", timeout=60_000)
    expect(progress(page)).to_have_count(0, timeout=60_000)
    wait_idle(page)


def test_cancel_and_go_on(app: str, visit) -> None:
    """What was cancelled stays as it is while the page goes on."""
    large = {**SMALL, "hidden_size": "32", "view_cells": "fine", "seed": "12"}
    page = visit(f"{app}/phase-diagram?{urlencode(large)}")
    wait_painted(page, "phase", timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    go_on = page.get_by_role("button", name="Go on")
    expect(go_on).to_be_visible()
    wait_idle(page)
    said = progress(page).inner_text()
    slider(page, "Gain").press("End")  # moves the ring
    page.wait_for_url(re.compile(r"\bgain=4\b"))
    wait_idle(page)
    assert progress(page).inner_text() == said
    go_on.click()
    expect(progress(page)).not_to_have_text(said)
