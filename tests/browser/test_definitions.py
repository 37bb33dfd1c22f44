"""Definitions are reached by pointer and by keyboard, and stand inside of the window."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page

from rnnviz.wording.glossary import definition
from tests.browser.conftest import Visit
from tests.browser.support import wait_quiet

pytestmark = pytest.mark.browser
BOX = """(word) => {
  const after = getComputedStyle(word, '::after');
  const p = word.closest('p, h1').getBoundingClientRect();
  const top = p.top + parseFloat(after.top);
  return {said: after.content, left: p.left, right: p.left + parseFloat(after.width),
          top, bottom: top + parseFloat(after.height),
          ink: after.color, paper: after.backgroundColor};
}"""


def terms(page: Page) -> list[str]:
    return page.locator("dfn.rnnviz-term").all_inner_texts()


def said(word: Locator) -> str:
    return str(word.evaluate(BOX)["said"])


def test_the_tab_key_and_the_pointer_show_every_definition(visit: Visit, app: str) -> None:
    """Whole, in ink that differs from its paper; Escape and leaving take it away."""
    page = visit(app, color_scheme="dark")
    wait_quiet(page, ("flow-state", "units"))
    word, error = page.locator("dfn.rnnviz-term").first, f'"{definition("error")}"'
    assert said(word) == "none"
    word.hover()
    assert said(word) == error
    page.mouse.move(5, 700)
    assert said(word) == "none"
    word.focus()
    reached, boxes = list[str](), list[dict[str, object]]()
    for _ in range(60):
        focus = page.locator("dfn.rnnviz-term:focus")
        if focus.count():
            reached.append(focus.inner_text())
            boxes.append(focus.evaluate(BOX))
        page.keyboard.press("Tab")
    assert terms(page)[:6] == reached[:6]
    assert boxes[0]["said"] == error
    for box in boxes:
        assert 0 <= float(str(box["left"])) < float(str(box["right"])) <= 1280
        assert box["ink"] != box["paper"]
    for box in boxes[:6]:  # of the first screen
        assert 0 <= float(str(box["top"])) < float(str(box["bottom"])) <= 720
    page.emulate_media(color_scheme="light")
    word.focus()
    box = word.evaluate(BOX)
    assert box["said"] == error
    assert box["ink"] != box["paper"]
    page.keyboard.press("Escape")
    assert said(word) == "none"
