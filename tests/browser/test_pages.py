"""Every page in a real browser: whole, readable in the dark, in its language, by keys alone."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.plots import theme
from tests.browser import reading
from tests.browser.kept import TURN
from tests.browser.reading import CHARTS, line, troubles, wait_charts
from tests.browser.support import chart, painted, wait_idle, wait_painted

pytestmark = pytest.mark.browser
FLOW = "flow-state"
NAMES = {"": "Gradient flow", "spectrum": "Spectrum", "gates": "Gates", "train": "Train"}


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def drag(page: Page, name: str, start: float, end: float) -> None:
    """Take a slider's thumb from one share of its track to another, and hold it."""
    box = slider(page, name).bounding_box()
    assert box is not None
    left, width, y = box["x"] + 8, box["width"] - 16, box["y"] + box["height"] / 2
    page.mouse.move(left + start * width, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(left + (start + (end - start) * step / 10) * width, y)


def turn_to(page: Page, tab: str) -> None:
    page.get_by_role("link", name=NAMES[tab], exact=True).click()
    wait_charts(page, tab)


def test_first_screens_are_whole_and_readable_in_the_dark(app: str, visit) -> None:
    page = visit(app, color_scheme="dark")
    for tab in CHARTS:
        turn_to(page, tab)
        assert troubles(page, tab) == [], tab
        for key in CHARTS[tab][:4] if tab != "spectrum" else CHARTS[tab][:3]:
            assert reading.below_the_fold(page, chart(page, key)) <= 0, key
        sidebar = "[data-testid=stSidebarContent]"
        assert page.evaluate("(css) => { const { scrollHeight, clientHeight } = "
                             "document.querySelector(css); return scrollHeight - clientHeight }",
                             sidebar) <= 0, tab  # fmt: skip
        assert_readable_in_the_dark(page, tab)


def assert_readable_in_the_dark(page: Page, tab: str) -> None:
    background = page.locator("[data-testid=stApp]").evaluate(
        "(app) => getComputedStyle(app).backgroundColor"
    )
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 40
    first = f"{chart(page, CHARTS[tab][0])} .xtick text"
    for css in (first, ".rnnviz-verdict p", ".rnnviz-verdict b", "p.rnnviz-how"):
        assert reading.contrast(page, css) > 7, (tab, css)
    assert reading.contrast(page, ".rnnviz-verdict span") > 3, tab


def test_choices_and_marked_numbers_are_not_cut(app: str, visit) -> None:
    long = {"init": "spectral_radius", "activation": "identity", "loss_at": "every"}
    page = visit(f"{app}/?{urlencode(long)}")
    wait_charts(page, "")
    assert troubles(page, "") == []
    assert reading.below_the_fold(page, chart(page, "units")) <= 0
    pinned = {"models": "rnn", "init": "delay_line", "activation": "identity", "pin": "gain=2"}
    visit(f"{app}/?{urlencode(pinned)}")
    wait_charts(page, "")
    assert troubles(page, "") == []


def test_overflow_leaves_no_figure_blank(app: str, visit) -> None:
    wild = {"models": "rnn,lstm", "activation": "relu", "gain": "16", "seq_len": "400",
            "init": "identity", "hidden_size": "16"}  # fmt: skip
    page = visit(f"{app}/?{urlencode(wild)}")
    for tab in ("", "spectrum", "gates"):
        turn_to(page, tab)
        assert page.locator(".rnnviz-message:visible").count() == 0, tab
    visit(f"{app}/gates?{urlencode({**wild, 'models': 'rnn'})}")
    wait_painted(page, "states")
    assert page.locator(".rnnviz-message:visible").count() == 0


def test_the_keyboard_alone_is_enough(app: str, open_page) -> None:
    """From the top of the page, where a loaded one begins."""
    page = open_page(app)
    wait_charts(page, "")
    gain = slider(page, "Gain")
    for _ in range(40):
        page.keyboard.press("Tab")
        if gain.evaluate("(input) => input.getRootNode().activeElement === input"):
            break
    expect(gain).to_be_focused()
    count, before = painted(page, FLOW), line(page, FLOW, "RNN")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_painted(page, FLOW, after=count)
    wait_charts(page, "")
    expect(gain).not_to_have_attribute("aria-valuetext", "1.00")
    assert line(page, FLOW, "RNN") != before


def test_what_charts_and_the_scrubber_say_is_in_the_language_of_the_page(app: str, visit) -> None:
    query = "lang=xx&train_steps=2&hidden_size=6&seq_len=12&batch_size=4"
    page = visit(f"{app}/train?{query}")
    wait_charts(page, "train")
    titles = page.locator(".modebar-btn").evaluate_all("(all) => all.map((b) => b.dataset.title)")
    assert len(titles) >= 4 * 5
    assert [title for title in titles if not title.startswith("\u27e6")] == []
    scrubber = page.get_by_role("slider", name=re.compile("Training step"))
    assert scrubber.get_attribute("aria-valuetext").startswith("\u27e6step \u27e7")
    assert page.locator("label", has_text="Training step").inner_text().startswith("\u27e6")


def test_data_pictures_and_equations_are_a_click_away(app: str, visit) -> None:
    page = visit(f"{app}/gates")
    wait_charts(page, "gates")
    for name in ("Save as PNG", "Save as SVG"):
        assert page.locator(f".modebar-btn[data-title='{name}']").count() == 4
    page.get_by_text("Numbers: saturation").click()
    data = page.get_by_role("button", name="Data: half-lives (CSV)")
    expect(data).to_be_visible()
    data.scroll_into_view_if_needed()  # what comes into sight may be drawn anew
    wait_idle(page)  # a click while a script ends may ask for a file that it has replaced
    with page.expect_download() as download:
        data.click()
    header, first = download.value.path().read_text("utf-8").splitlines()[:2]
    assert header.startswith("model,")
    assert first.startswith("lstm,")
    page.get_by_text("Equations of the LSTM").click()
    expect(page.locator(".katex").first).to_be_visible()
    assert page.locator(".katex-error").count() == 0


COLOURS = """async (css) => {
  const found = new Set();
  for (const each of document.querySelectorAll(`${css} .heatmaplayer image`)) {
    const image = Object.assign(new Image(), { src: each.getAttribute("href") });
    await image.decode();
    const { width, height } = image, canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const pixels = pen.getImageData(0, 0, width, height).data;
    for (let k = 0; k < pixels.length; k += 4)
      if (pixels[k + 3]) found.add([...pixels.slice(k, k + 3)].join());
  }
  return [...found];
}"""


def test_zeros_are_grey_whatever_was_drawn_before(app: str, visit) -> None:
    """Two models are drawn as two maps; then one, and its zeros take the second one's place."""
    two = urlencode({"models": "rnn,lstm", "seq_len": "30", "hidden_size": "8"})
    one = {"models": "rnn", "init": "delay_line", "activation": "identity"}
    one |= {"seq_len": "30", "hidden_size": "8"}
    page = visit(f"{app}/?{two}")
    for query in (urlencode(one), two, urlencode(one)):
        page.evaluate(TURN, f"{app}/?{query}")
        wait_idle(page)
    wait_idle(page)
    grey = [int(theme.EXACT_ZERO[k : k + 2], 16) for k in (1, 3, 5)]
    assert ",".join(map(str, grey)) in page.evaluate(COLOURS, chart(page, "units"))
