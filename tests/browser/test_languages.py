"""Pages in Chinese as they are seen: whole, with a language for screen readers, and a choice that
the keyboard reaches."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from rnnviz.dashboard.main import FIRST, PAGES
from tests.browser.support import wait_idle
from tests.browser.test_accessibility import SMALL, at_rest
from tests.browser.test_screens import SMALL_LAPTOP, fits

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", PAGES)
def test_a_chinese_page_is_whole(app: str, visit, path: str) -> None:
    query = urlencode({**SMALL, "lang": "zh"})
    page = visit(f"{app}/{path.replace(FIRST, '')}?{query}", viewport=SMALL_LAPTOP)
    at_rest(page, path)
    assert page.locator("html").get_attribute("lang") == "zh"
    fits(page, SMALL_LAPTOP)


def test_the_language_is_chosen_by_keyboard(app: str, visit) -> None:
    """What is chosen from a list is said in it, too."""
    page = at_rest(
        visit(f"{app}/spectrum?{urlencode({**SMALL, 'init': 'orthogonal'})}"), "spectrum"
    )
    assert page.locator("html").get_attribute("lang") == "en"
    heading = page.locator("h1")
    for name, other, said, initializer, chosen in (
        ("中文", "English", "预言", "初始化方式", "正交"),
        ("English", "中文", "promise", "Initializer", "orthogonal"),
    ):
        button = page.get_by_role("button", name=name, exact=True)
        button.focus()
        button.press("Enter")
        expect(page.get_by_role("button", name=other, exact=True)).to_be_visible()
        expect(heading).to_contain_text(said)
        listed = page.get_by_role("combobox", name=initializer, exact=True)
        expect(listed).to_have_value(chosen)
        wait_idle(page)
    assert "lang=en" in page.url
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_browser_that_prefers_chinese_has_it_and_its_links_name_no_language(
    app: str, open_page
) -> None:
    page = open_page(f"{app}/by-hand", locale="zh-CN")
    at_rest(page, "by-hand")
    expect(page.locator("h1")).to_contain_text("误差")
    page.get_by_role("link", name=re.compile("^你的网络$")).click()
    expect(page).to_have_url(re.compile("/your-network"))
    expect(page.locator("h1")).to_contain_text("梯度")
    wait_idle(page)
    assert "lang" not in page.url
