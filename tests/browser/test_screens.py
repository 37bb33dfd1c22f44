"""Every page as axe-core finds it, on a phone, zoomed to 200 %, on a small laptop, on a wide screen
and on paper."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from rnnviz.dashboard.main import ALONE, FIRST, PAGES
from rnnviz.wording.texts import texts
from tests.browser import reading
from tests.browser.barriers import barriers
from tests.browser.support import SIZE, chart, painted, wait_idle, wait_painted
from tests.browser.test_accessibility import LAST, address, at_rest
from tests.browser.test_pages import slider

pytestmark = pytest.mark.browser
PHONE: ViewportSize = {"width": 360, "height": 740}
ZOOMED: ViewportSize = {"width": 640, "height": 360}
SMALL_LAPTOP: ViewportSize = {"width": 1024, "height": 768}
WIDE: ViewportSize = {"width": 1920, "height": 1080}
SIZES = (PHONE, ZOOMED, SMALL_LAPTOP, WIDE)
FITS = """() => [...document.querySelectorAll('.rnnviz-chart')].every((box) =>
  !box.clientWidth || box.querySelector('.rnnviz-plot').layout?.width === box.clientWidth)"""
SIDEWAYS = """() => [document.scrollingElement, document.querySelector('[data-testid=stMain]')]
  .map((element) => element.scrollWidth - element.clientWidth)"""
# A sidebar is folded away in a narrow window alone, and does not move any more.
FOLDED = """() => [...document.querySelectorAll('[data-testid=stSidebar]')].every((bar) =>
  bar.dataset.collapsed === String(innerWidth <= 768) && !bar.getAnimations().length
  && (innerWidth <= 768 ? bar.getBoundingClientRect().right <= 0
    : bar.getBoundingClientRect().left === 0))"""
SIX = "rnn,lstm,gru,lstm:forget_bias=0,gru:update_bias=0,rnn:activation=relu"
# The groups of buttons and the boxes of choices that hide a part of themselves.
CUT = """() => [...document.querySelectorAll('.stMain .stButtonGroup')].filter(
  (group) => group.lastElementChild.getBoundingClientRect().right > group.parentElement
    .parentElement.getBoundingClientRect().right + 1).length
  + [...document.querySelectorAll('.stMain .stSelectbox input')].filter(
  (input) => input.scrollWidth > input.clientWidth).length"""
INSIDE = "() => document.querySelector('[data-testid=stMain]').getBoundingClientRect().left"


def troubles(page: Page) -> list[str]:
    """Texts of the page and of all its figures that are cut or lie over each other; not of the
    sidebar where that is folded away."""
    left = page.evaluate(INSIDE)
    groups = [[t for t in page.evaluate(reading.PAGE_TEXT) if t["left"] >= max(left, 1)]]
    for key in page.locator(".rnnviz-chart").evaluate_all("(all) => all.map((c) => c.dataset.key)"):
        groups.append(page.evaluate(reading.FIGURE_TEXT, f"{chart(page, key)} .rnnviz-plot"))
    found = []
    for written in groups:
        found += [f"{text['text']!r} is cut" for text in written if text["cut"]]
        found += reading.overlaps(written)
    return found


def title(path: str) -> str:
    return texts("layout")[f"page_{path.replace('-', '_')}"]


def test_no_two_pages_have_one_title() -> None:
    assert len(set(map(title, PAGES))) == len(PAGES)


def assert_has_a_table(figure: Locator) -> None:
    """Of its values, when it is asked for."""
    figure.get_by_role("button", name=texts("chart")["values"]).press("Enter")
    table = figure.get_by_role("region").locator("table").first
    expect(table.locator("tbody tr").first).to_be_visible()
    assert table.locator("thead th").count() >= 2
    assert "Click to enter" not in figure.get_by_role("region").inner_text()


def fits(page: Page, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.wait_for_function(FOLDED)
    page.wait_for_function(FITS)
    wait_idle(page)
    assert page.evaluate(SIDEWAYS) == [0, 0], size
    assert troubles(page) == [], size
    assert page.evaluate(CUT) == 0, size


@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_nobody_out_and_fits_every_window(app: str, visit, path: str) -> None:
    """All has a name, and each figure a table. Nothing is cut, covered or scrolls sideways; where
    the window is narrow the sidebar is folded away.

    On a phone the trust strip's line is whole, but not where it says all of a checked run that is
    the sidebar's: no other test has this run checked."""
    page = at_rest(visit(f"{address(app, path)}&gain=1.1{list(PAGES).index(path)}"), path)
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.title() == f"{title(path)} · rnnviz"
    tree = page.locator("body").aria_snapshot()
    names = re.findall(r'- button(?: "(.*?)")?(?: \[|:|$)', tree)
    assert len(names) > (3 if path in ALONE else 5)
    # An icon's own name is what Streamlit calls a button that has none.
    assert [name for name in names if not name or name.endswith(" icon")] == []
    assert barriers(page) == []
    if path == "phase-diagram":
        assert page.locator(".stMain .stSelectbox input").count()  # which `fits` looks at
    for size in SIZES:
        fits(page, size)
    for figure in page.locator(".rnnviz-chart").all():
        assert_has_a_table(figure)


@pytest.mark.parametrize("path", PAGES)
def test_six_models_in_a_longer_language_have_room(app: str, visit, path: str) -> None:
    """Every text is 40 % longer there; letters may be smaller, but none is cut or covered."""
    page = at_rest(visit(f"{address(app, path)}&{urlencode({'lang': 'xx', 'models': SIX})}"), path)
    assert page.evaluate(SIDEWAYS) == [0, 0]
    assert troubles(page) == []


def test_on_a_phone_the_chart_stays_in_sight_while_its_knob_moves(app: str, open_page) -> None:
    """A stranger's: Streamlit's own browser storage remembers a sidebar that was unfolded."""
    page = at_rest(open_page(address(app, FIRST), viewport=PHONE, stranger=True), FIRST)
    fits(page, PHONE)
    page.get_by_test_id("stExpandSidebarButton").click()
    knob, figure = slider(page, "Gain"), page.locator(chart(page, "flow-state"))
    count = painted(page, "flow-state")
    knob.press("ArrowRight")
    wait_painted(page, "flow-state", after=count)
    wait_idle(page)
    sheet, drawn = page.get_by_test_id("stSidebar").bounding_box(), figure.bounding_box()
    assert drawn["y"] >= 0
    assert drawn["y"] + drawn["height"] <= sheet["y"]
    assert sheet["y"] < knob.bounding_box()["y"] < PHONE["height"]


def test_on_a_wide_screen_the_charts_grow(app: str, visit) -> None:
    page = at_rest(visit(address(app, FIRST), viewport=SIZE), FIRST)
    figure = page.locator(chart(page, "flow-state"))
    before = figure.bounding_box()
    page.set_viewport_size(WIDE)
    page.wait_for_function(FITS)
    wait_idle(page)
    after = figure.bounding_box()
    assert after["x"] + after["width"] > WIDE["width"] - 60
    assert after["height"] > 1.2 * before["height"]
    assert reading.below_the_fold(page, chart(page, LAST[FIRST])) <= 0


def test_paper_has_the_figures_whole_and_no_knobs(app: str, open_page) -> None:
    page = at_rest(open_page(address(app, FIRST)), FIRST)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 980})
    for unseen in ("stSidebar", "stHeader"):
        expect(page.get_by_test_id(unseen)).to_be_hidden()
    assert page.locator("button:visible").count() == 0
    for figure in page.locator(".rnnviz-plot .main-svg:visible").all():
        box = figure.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 691


def test_focus_is_seen_and_motion_is_reduced(app: str, visit) -> None:
    page = at_rest(visit(address(app, FIRST)), FIRST)
    page.emulate_media(reduced_motion="reduce")
    link = page.get_by_role("link", name="Spectrum", exact=True)
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert link.evaluate("(link) => getComputedStyle(link).outlineStyle") == "solid"
    moves = page.get_by_test_id("stSidebar").evaluate(
        "(bar) => getComputedStyle(bar).transitionDuration.split(',').map(parseFloat)"
    )
    assert max(moves) <= 0.001


def test_a_trained_network_s_wide_table_scrolls_by_itself_on_a_phone(app: str, visit) -> None:
    """And what stands beside it, in the models' colours, is read on either ground."""
    query = "train_steps=3&hidden_size=6&seq_len=24&batch_size=4"
    page = visit(f"{app}/train?{query}", viewport=PHONE)
    table = page.locator(".rnnviz-scrolls").first
    expect(table).to_be_attached(timeout=60_000)
    wait_idle(page)
    assert page.evaluate(SIDEWAYS) == [0, 0]
    assert table.evaluate("(box) => box.scrollWidth > box.clientWidth")
    assert barriers(page) == []
