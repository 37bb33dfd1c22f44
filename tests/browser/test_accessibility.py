"""What axe-core, a keyboard and a screen reader find on every page, light and dark."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from rnnviz.dashboard.main import FIRST, PAGES
from tests.browser.support import wait_idle, wait_painted

pytestmark = pytest.mark.browser
LAST = {"gradient-flow": "units", "spectrum": "jacobians", "gates": "carry", "train": "state-maps",
        "phase-diagram": "phase", "claims": "claims-sigma"}  # fmt: skip
"""The last chart of each page's first screen."""
SMALL = {"hidden_size": "6", "seq_len": "24", "batch_size": "2", "view_cells": "coarse",
         "view_units": "8"}  # fmt: skip
GRAVE = ("serious", "critical")


def at_rest(page: Page, path: str) -> Page:
    """Once everything is drawn and nothing is measured any more."""
    wait_painted(page, LAST[path], timeout=60_000)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=60_000)
    wait_idle(page)
    return page


def address(app: str, path: str) -> str:
    return f"{app}/{path.replace(FIRST, '')}?{urlencode(SMALL)}"


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_grave(app: str, open_page, path: str) -> None:
    page = at_rest(open_page(address(app, path)), path)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        wait_idle(page)
        violations = Axe().run(page).response["violations"]
        assert [
            (scheme, violation["id"], [node["html"] for node in violation["nodes"]])
            for violation in violations
            if violation["impact"] in GRAVE
        ] == []


def test_each_page_has_a_heading_and_a_title_and_no_nameless_button(app: str, open_page) -> None:
    titles = set()
    page = open_page(address(app, FIRST))
    for path in PAGES:
        page.goto(address(app, path))
        at_rest(page, path)
        assert page.locator("h1").count() == 1, path
        assert page.locator("h1").inner_text().strip(), path
        titles.add(page.title())
        tree = page.locator("body").aria_snapshot()
        names = re.findall(r'- button(?: "(.*?)")?(?: \[|:|$)', tree)
        assert len(names) > 5, path
        # An icon's own name is what Streamlit calls a button that has none.
        assert [name for name in names if not name or name.endswith(" icon")] == [], path
    assert len(titles) == len(PAGES)
    assert all(title.endswith(" · rnnviz") for title in titles)
