"""The trust strip in a real browser: on every page, in nobody's way, and never about another run
than the one on the screen."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.wording.texts import texts
from tests.browser import reading
from tests.browser.support import HERE, server, wait_idle, wait_painted
from tests.browser.test_pages import drag, slider
from tests.browser.wire import Wire, as_bytes

pytestmark = pytest.mark.browser
SMALL = {"hidden_size": "6", "seq_len": "24", "batch_size": "2", "view_cells": "coarse",
         "view_units": "8"}  # fmt: skip
TEXT = texts("trust")
QUICKLY = f"✓ sums, determinant, dot test checked · {TEXT['to_ask']}"
WHOLLY = "✓ sums, determinant, dot test, complex step, states, losses checked"
SAID = {"": QUICKLY, "train": TEXT["unchecked"], "phase-diagram": TEXT["unchecked_sidebar"]}
"""By page, of a run that nobody has asked about: all texts that there are."""
WAIT = 60_000
INKS = {"light": "rgb(22, 25, 29)", "dark": "rgb(240, 243, 246)"}
"""The colour of a page's text."""

# Whether the strip is what one sees at its place, all of it, and all tabs at theirs.
UNCOVERED = """() => {
  const strip = document.querySelector('.rnnviz-trust .line');
  const { left, top, right, bottom } = strip.getBoundingClientRect();
  const inside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  const whole = strip.scrollWidth <= strip.clientWidth;
  const tabs = [...document.querySelectorAll('[data-testid=stTopNavLink]')];
  const seen = (element, x, y) => element.contains(document.elementFromPoint(x, y));
  const middle = (top + bottom) / 2;
  return inside && whole && seen(strip, left + 4, middle) && seen(strip, right - 4, middle)
    && tabs.every((tab) => {
      const box = tab.getBoundingClientRect();
      return seen(tab, (box.left + box.right) / 2, (box.top + box.bottom) / 2);
    });
}"""


def strip(page: Page) -> Locator:
    return page.locator(".rnnviz-trust")


def says(page: Page, sentence: str) -> Locator:
    """The strip, once it says this of the run on the screen."""
    now = strip(page).locator(".now")
    expect(now).to_contain_text(sentence, timeout=WAIT)
    expect(now).to_be_visible(timeout=WAIT)
    return strip(page)


@pytest.mark.parametrize("path", SAID)
def test_it_is_one_line_whatever_the_window(app: str, visit, path: str) -> None:
    seed = str(30 + list(SAID).index(path))  # whose run no other test of the session has checked
    page = visit(f"{app}/{path}?{urlencode({**SMALL, 'seed': seed})}")
    found = says(page, SAID[path])
    expect(found.get_by_role("status")).to_be_visible()
    for scheme, ink in INKS.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.locator(".rnnviz-trust .line")).to_have_css("color", ink)
        assert reading.contrast(page, ".rnnviz-trust .line") > 7, scheme
        if not path:
            assert reading.contrast(page, ".rnnviz-trust .good") > 4.5, scheme
    for width, height in ((1024, 768), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(UNCOVERED)
        box = found.bounding_box()
        assert box["y"] + box["height"] < 57, width
        assert box["height"] < 18, width


def test_pages_of_many_runs_say_what_is_known_of_the_sidebar_s(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode(SMALL)}")
    says(page, QUICKLY)
    page.get_by_role("link", name="Claims", exact=True).click()
    says(page, f"✓ Sidebar's run: {QUICKLY[2:]}")
    page.wait_for_function(UNCOVERED)
    page.set_viewport_size({"width": 1024, "height": 768})
    page.wait_for_function(UNCOVERED)


def test_on_a_phone_it_is_there_and_the_sidebar_lies_over_it(app: str, open_page) -> None:
    """A stranger's: Streamlit's own browser storage remembers a sidebar that was closed."""
    size = {"width": 390, "height": 844}
    page = open_page(f"{app}/gates?{urlencode(SMALL)}", viewport=size, stranger=True)
    says(page, QUICKLY)
    page.wait_for_function(UNCOVERED)
    page.get_by_test_id("stExpandSidebarButton").click()
    close = page.get_by_test_id("stSidebarCollapseButton").locator("button")
    close.click(timeout=5_000)
    expect(strip(page).locator(".all")).to_be_hidden()
    says(page, QUICKLY)


def test_the_keyboard_opens_and_closes_it(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode(SMALL)}")
    says(page, QUICKLY)
    line = page.get_by_role("button", name="sums, determinant, dot test checked")
    line.focus()
    page.keyboard.press("Enter")
    expect(line).to_have_attribute("aria-expanded", "true")
    panel = page.get_by_role("region", name=TEXT["panel_name"])
    expect(panel).to_be_visible()
    assert panel.get_attribute("id") == line.get_attribute("aria-controls")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=TEXT["ask_now"])).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(line).to_be_focused()
    expect(line).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_everything_that_was_checked_is_a_click_away(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode(SMALL)}")
    found = says(page, QUICKLY)
    found.locator(".line").click()
    table = found.locator("table")
    expect(table).to_be_visible()
    expect(table.locator("th", has_text="complex step")).to_be_visible()
    expect(table).to_contain_text("not for a GRU")
    expect(table).to_contain_text(TEXT["not_checked"])
    box = found.locator(".all").bounding_box()
    assert box["y"] + box["height"] <= 720
    assert box["x"] >= 0
    found.locator(".line").click()
    expect(table).to_be_hidden()


@pytest.mark.parametrize(("path", "width"), [("", 1024), ("train", 1280), ("claims", 1280)])
def test_the_rest_is_checked_when_one_asks_and_the_panel_stays(
    app: str, visit, path: str, width: int
) -> None:
    size = {"width": width, "height": 720}
    page = visit(f"{app}/{path}?{urlencode(SMALL)}", viewport=size)
    expect(strip(page).locator(".line")).to_be_enabled(timeout=WAIT)
    strip(page).locator(".line").click()
    ask = strip(page).locator(".ask")
    ask.click(timeout=10_000)
    expect(ask).to_have_text(TEXT["done"], timeout=WAIT)
    expect(strip(page).locator(".now")).to_contain_text(WHOLLY[2:])
    expect(strip(page).locator("table")).to_be_visible()
    expect(strip(page).locator("table")).not_to_contain_text(TEXT["not_checked"])
    expect(ask).to_be_focused()


def test_what_one_asks_is_asked_again_where_the_message_is_lost(app: str, open_page) -> None:
    page = open_page("about:blank")
    wire = Wire(page)
    page.goto(f"{app}/?{urlencode({**SMALL, 'seed': '23'})}")
    says(page, QUICKLY)
    lost = wire.drop_first(lambda message: b'"ask"' in as_bytes(message))
    strip(page).locator(".line").click()
    strip(page).locator(".ask").click()
    expect(strip(page).locator(".ask")).to_have_text(TEXT["done"], timeout=WAIT)
    assert lost


def test_it_is_dimmed_from_the_first_new_value_until_that_is_checked(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode({**SMALL, 'seed': '21'})}")
    found = says(page, QUICKLY)
    before = found.get_attribute("data-run")
    drag(page, "Gain", 0.5, 0.8)
    expect(found.locator(".then")).to_be_visible()
    expect(found.locator(".then")).to_contain_text(TEXT["stale"])
    expect(found.locator(".now")).to_be_hidden()
    expect(found).to_have_css("opacity", "0.55")
    assert page.evaluate(UNCOVERED)
    page.mouse.up()
    expect(found).not_to_have_attribute("data-run", before or "", timeout=WAIT)
    says(page, QUICKLY)
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


def test_no_chart_is_painted_beside_what_was_said_of_another_run(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode({**SMALL, 'seed': '22'})}")
    found = says(page, QUICKLY)
    before = found.get_attribute("data-run")
    count = wait_painted(page, "flow-state")
    wait_idle(page)
    page.evaluate(WATCH)
    slider(page, "Gain").press("ArrowRight")
    wait_painted(page, "flow-state", after=count)
    expect(found).not_to_have_attribute("data-run", before or "", timeout=WAIT)
    says(page, QUICKLY)
    assert all(of == shown and of != before for of, shown in page.evaluate("window.claims"))


def test_a_refused_page_says_that_nothing_was_run(app: str, visit) -> None:
    huge = {"models": "lstm", "hidden_size": "512", "seq_len": "2000", "batch_size": "256"}
    says(visit(f"{app}/?{urlencode(huge)}"), TEXT["nothing"])


def test_a_planted_mistake_turns_it_red(open_page) -> None:
    with server(HERE / "mistaken_page.py") as address:
        page = open_page(f"{address}/?{urlencode(SMALL)}")
        found = says(page, "✗ determinant, dot test failed in LSTM")
        expect(found.locator(".now b")).to_have_css("color", "rgb(179, 38, 30)")
        found.locator(".line").click()
        found.locator(".ask").click()
        says(page, "✗ determinant, dot test, complex step, states failed in LSTM")
        expect(found.locator(".ask")).to_have_text(TEXT["done"], timeout=WAIT)
        row = found.locator("tr", has=page.locator("th", has_text=re.compile("^complex step")))
        expect(row.locator("td")).to_contain_text(["✓", "✗", "✓"])  # RNN, LSTM, GRU
        page.close()
