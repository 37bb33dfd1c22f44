"""The trust strip in a real browser: on every page, in nobody's way, and never about another run
than the one on the screen."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.dashboard.main import PAGES
from rnnviz.wording.texts import texts
from tests.browser import reading
from tests.browser.support import HERE, server, wait_idle, wait_painted
from tests.browser.test_pages import drag, slider

pytestmark = pytest.mark.browser
SMALL = {"hidden_size": "6", "seq_len": "24", "batch_size": "2", "view_cells": "coarse"}
TEXT = texts("trust")
PASSED, FAILED = (TEXT[name].partition("[[")[0].strip() for name in ("passed", "failed"))
WAIT = 60_000

# Whether the strip is what one sees at its place, and all tabs at theirs.
UNCOVERED = """() => {
  const strip = document.querySelector('.rnnviz-trust'), { left, top, right, bottom } =
    strip.getBoundingClientRect();
  const inside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  const tabs = [...document.querySelectorAll('[data-testid=stTopNavLink]')];
  const seen = (element, box) => {
    const x = (box.left + box.right) / 2, y = box.top + Math.min(8, (box.bottom - box.top) / 2);
    return element.contains(document.elementFromPoint(x, y));
  };
  return inside && seen(strip, { left, top, right: Math.min(right, left + 80), bottom })
    && tabs.length > 0 && tabs.every((tab) => seen(tab, tab.getBoundingClientRect()));
}"""


def strip(page: Page) -> Locator:
    return page.locator(".rnnviz-trust")


def says(page: Page, sentence: str) -> Locator:
    """The strip, once it says this of the run on the screen."""
    now = strip(page).locator(".now")
    expect(now).to_contain_text(sentence, timeout=WAIT)
    expect(now).to_be_visible(timeout=WAIT)
    return strip(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_seen_on_every_page(app: str, open_page, scheme: str) -> None:
    page = open_page(f"{app}/?{urlencode(SMALL)}", color_scheme=scheme)
    for title, _ in PAGES.values():
        page.get_by_role("link", name=title, exact=True).click()
        wait_idle(page)
        found = says(page, PASSED)
        expect(found.get_by_role("status")).to_be_visible()
        page.wait_for_function(UNCOVERED)
        assert reading.contrast(page, ".rnnviz-trust summary") > 7
        assert reading.contrast(page, ".rnnviz-trust .good") > 4.5
        assert found.bounding_box()["y"] + found.bounding_box()["height"] < 56


@pytest.mark.parametrize("width", [1200, 1000])
def test_a_narrow_window_keeps_the_mark(app: str, open_page, width: int) -> None:
    size = {"width": width, "height": 720}
    page = open_page(f"{app}/gates?{urlencode(SMALL)}", viewport=size)
    says(page, PASSED)
    page.wait_for_function(UNCOVERED)
    assert strip(page).bounding_box()["height"] < 30


def test_everything_that_was_checked_is_a_click_away(app: str, open_page) -> None:
    page = open_page(f"{app}/?{urlencode(SMALL)}")
    found = says(page, PASSED)
    found.locator("summary").click()
    table = found.locator("table")
    expect(table).to_be_visible()
    expect(table.locator("th", has_text="complex step")).to_be_visible()
    expect(table).to_contain_text("not for a GRU")
    box = found.locator(".all").bounding_box()
    assert box["y"] + box["height"] <= 720
    assert box["x"] >= 0
    found.locator("summary").click()
    expect(table).to_be_hidden()


def test_it_is_dimmed_from_the_first_new_value_until_that_is_checked(app: str, open_page) -> None:
    page = open_page(f"{app}/?{urlencode({**SMALL, 'seed': '21'})}")
    found = says(page, PASSED)
    before = found.get_attribute("data-run")
    drag(page, "Gain", 0.5, 0.8)
    expect(found.locator(".then")).to_be_visible()
    expect(found.locator(".then")).to_contain_text(TEXT["stale"])
    expect(found.locator(".now")).to_be_hidden()
    expect(found).to_have_css("opacity", "0.55")
    assert page.evaluate(UNCOVERED)
    page.mouse.up()
    expect(found).not_to_have_attribute("data-run", before or "", timeout=WAIT)
    says(page, PASSED)
    expect(found).to_have_css("opacity", "1")


# What the strip said of which run whenever a chart was painted.
WATCH = """() => {
  window.claims = [];
  const marked = () => document.querySelector('.rnnviz-run')?.dataset.run;
  new MutationObserver(() => {
    const strip = document.querySelector('.rnnviz-trust');
    if (getComputedStyle(strip.querySelector('.now')).display === 'none') return;
    window.claims.push([strip.dataset.run, marked()]);
  }).observe(document.querySelector('[data-key=flow-state]'),
             { attributeFilter: ['data-painted'] });
}"""


def test_no_chart_is_painted_beside_what_was_said_of_another_run(app: str, open_page) -> None:
    page = open_page(f"{app}/?{urlencode({**SMALL, 'seed': '22'})}")
    found = says(page, PASSED)
    before = found.get_attribute("data-run")
    count = wait_painted(page, "flow-state")
    wait_idle(page)
    page.evaluate(WATCH)
    slider(page, "Gain").press("ArrowRight")
    wait_painted(page, "flow-state", after=count)
    expect(found).not_to_have_attribute("data-run", before or "", timeout=WAIT)
    says(page, PASSED)
    assert all(of == shown and of != before for of, shown in page.evaluate("window.claims"))


def test_while_training_plays_nothing_is_claimed(app: str, open_page) -> None:
    page = open_page(f"{app}/train?{urlencode(SMALL)}")
    says(page, PASSED)
    page.get_by_role("button", name="Play").click()
    says(page, TEXT["playing"])
    page.get_by_role("button", name="Pause").click()
    says(page, PASSED)


def test_a_refused_page_says_that_nothing_was_run(app: str, open_page) -> None:
    huge = {"models": "lstm", "hidden_size": "512", "seq_len": "2000", "batch_size": "256"}
    says(open_page(f"{app}/?{urlencode(huge)}"), TEXT["nothing"])


def test_a_planted_mistake_turns_it_red(open_page) -> None:
    with server(HERE / "mistaken_page.py") as address:
        page = open_page(f"{address}/?{urlencode(SMALL)}")
        found = says(page, FAILED)
        expect(found.locator(".now")).to_have_text(re.compile("✗ complex step.*✗ dot test"))
        expect(found.locator(".bad").first).to_have_css("color", "rgb(179, 38, 30)")
        found.locator("summary").click()
        cells = found.locator("table tr").nth(1).locator("td")
        expect(cells).to_contain_text(["✓", "✗", "✓"])  # RNN, LSTM, GRU
        page.close()
