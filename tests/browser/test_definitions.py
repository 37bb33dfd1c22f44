"""Definitions are reached by pointer and by keyboard, and stand inside of the window."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_key_reaches_every_definition(
    visit: Visit, app: str, scheme: Literal["light", "dark"]
) -> None:
    page = visit(app, color_scheme=scheme)
    wait_quiet(page, ("flow-state", "units"))
    page.locator("dfn.rnnviz-term").first.focus()
    reached, boxes = list[str](), list[dict[str, object]]()
    for _ in range(60):
        focus = page.locator("dfn.rnnviz-term:focus")
        if focus.count():
            reached.append(focus.inner_text())
            boxes.append(focus.evaluate(BOX))
        page.keyboard.press("Tab")
    assert terms(page)[:6] == reached[:6]
    assert boxes[0]["said"] == f'"{definition("error")}"'
    for box in boxes:
        assert 0 <= float(str(box["left"])) < float(str(box["right"])) <= 1280
        assert box["ink"] != box["paper"]
    for box in boxes[:6]:  # of the first screen
        assert 0 <= float(str(box["top"])) < float(str(box["bottom"])) <= 720


def test_the_pointer_shows_it_and_takes_it_away(visit: Visit, app: str) -> None:
    page = visit(app)
    wait_quiet(page, ("flow-state", "units"))
    word = page.locator("dfn.rnnviz-term").first
    assert word.evaluate(BOX)["said"] == "none"
    word.hover()
    assert word.evaluate(BOX)["said"] == f'"{definition("error")}"'
    page.mouse.move(5, 700)
    assert word.evaluate(BOX)["said"] == "none"


def test_escape_closes_it(visit: Visit, app: str) -> None:
    page = visit(app)
    wait_quiet(page, ("flow-state", "units"))
    word = page.locator("dfn.rnnviz-term").first
    word.focus()
    assert word.evaluate(BOX)["said"] == f'"{definition("error")}"'
    page.keyboard.press("Escape")
    assert word.evaluate(BOX)["said"] == "none"
