"""The Claims page in a real browser: verdicts come by themselves, nothing is cut, every network
opens."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from rnnviz.jobs.claims import CLAIMS
from rnnviz.wording.texts import texts
from tests.browser import reading
from tests.browser.support import chart, wait_idle, wait_painted

pytestmark = pytest.mark.browser
QUICK = {"view_units": "8", "hidden_size": "4", "batch_size": "2", "seq_len": "20"}


def wait_measured(page: Page, name: str) -> None:
    """Wait until the chosen claim is measured and its figure stands still."""
    wait_painted(page, f"claims-{name}", timeout=120_000)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=120_000)


def texts_of(page: Page, name: str) -> list[str]:
    """What is cut or lies over another text."""
    found = []
    for some in (
        page.evaluate(reading.PAGE_TEXT),
        page.evaluate(reading.FIGURE_TEXT, f"{chart(page, f'claims-{name}')} .rnnviz-plot"),
    ):
        found += [f"{text['text']!r} is cut" for text in some if text["cut"]]
        found += reading.overlaps(some)
    return found


def open_sentence(page: Page, name: str) -> None:
    page.get_by_role("button", name=texts("claims")[f"claim_{name}"]).click()
    page.wait_for_url(f"**view_claim={name}**")
    wait_measured(page, name)
    wait_idle(page)


def opens_a_network(page: Page) -> dict[str, list[str]]:
    """What the address says of it."""
    wait_painted(page, "flow-state", timeout=30_000)
    wait_idle(page)
    assert "/claims" not in page.url
    opened = parse_qs(urlsplit(page.url).query)
    assert opened["hidden_size"] == ["8"]
    assert opened["models"] == ["rnn"]
    return opened


def test_a_dot_opens_its_network_while_others_are_measured_and_by_keyboard(app: str, visit) -> None:
    page = visit(f"{app}/claims?{urlencode({**QUICK, 'view_draws': '12'})}")
    wait_measured(page, "sigma")
    script = """(css) => {
      const [dots] = document.querySelector(css).querySelectorAll('.scatterlayer .trace');
      const box = dots.querySelector('path.point').getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    }"""
    page.mouse.click(*page.evaluate(script, f"{chart(page, 'claims-sigma')} .rnnviz-plot"))
    opens_a_network(page)
    page.go_back()
    wait_measured(page, "sigma")
    wait_idle(page)
    figure = page.locator(chart(page, "claims-sigma"))
    figure.focus()
    said = figure.locator("> [role=status]")
    for _ in range(2):
        before = str(said.text_content())
        page.keyboard.press("ArrowRight")
        expect(said).not_to_have_text(before)
    gain = re.findall(r"gain ([\d.]+)", str(said.text_content()))[0]
    page.keyboard.press("Enter")
    assert opens_a_network(page)["gain"] == [gain]


def test_verdicts_come_by_themselves_each_sentence_and_a_counterexample_is_a_click_away(
    app: str, visit
) -> None:
    page = visit(f"{app}/claims?{urlencode(QUICK)}")
    wait_measured(page, "sigma")
    said = page.locator(".rnnviz-said")
    expect(said).to_have_count(len(CLAIMS))
    expect(said.first).to_contain_text("of 300 draws")
    expect(page.locator(".rnnviz-said.open")).to_have_count(0, timeout=120_000)
    button = page.get_by_role("button", name=texts("claims")["button_zero_radius"])
    assert button.bounding_box()["y"] < 720
    for name in reversed(CLAIMS):
        open_sentence(page, name)
        assert texts_of(page, name) == [], name
        assert reading.below_the_fold(page, chart(page, f"claims-{name}")) <= 0, name
    page.get_by_role("button", name=texts("claims")["button_gaussian"]).click()
    wait_painted(page, "powers", timeout=30_000)
    wait_idle(page)
    assert "/spectrum" in page.url
    assert "init=gaussian" in page.url
