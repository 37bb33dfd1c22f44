"""While training plays, slices and knobs go past the script, and the page says what that would."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from rnnviz import to_query
from tests.browser.reading import wait_charts
from tests.browser.support import chart, painted, wait_idle, wait_painted
from tests.browser.test_live import STAND_STILL
from tests.browser.test_train import SMALL, button, step, wait_step
from tests.browser.wire import Wire

pytestmark = [pytest.mark.browser, pytest.mark.trained]
Train = tuple[Page, Wire]
BELOW = "profile"


@pytest.fixture
def train(app: str, open_page: Callable[..., Page]) -> Train:
    page = open_page("about:blank")
    wire = Wire(page)
    page.goto(f"{app}/train?{urlencode(to_query(SMALL))}")
    wait_charts(page, "train")
    wait_idle(page)
    return page, wire


def play(page: Page) -> None:
    button(page, "Play").click()
    wait_step(page, 20)


def shown(page: Page, key: str, name: str) -> str:
    """A setting of the experiment that a chart shows."""
    query = page.locator(chart(page, key)).get_attribute("data-shows") or ""
    return dict(parse_qsl(query)).get(name, "")


def test_training_goes_on_without_the_script(train: Train) -> None:
    page, wire = train
    play(page)
    wire.hold()
    said, done, paints = page.inner_text(".rnnviz-verdict"), step(page), painted(page, "loss")
    wait_step(page, done + 50)
    wait_painted(page, "loss", after=paints + 3)
    assert page.inner_text(".rnnviz-verdict") != said
    assert not wire.kept
    button(page, "Pause").click()
    page.wait_for_timeout(500)
    wire.release()
    expect(button(page, "Play")).to_be_visible()
    wait_idle(page)
    assert shown(page, "loss", "train_steps") == str(step(page))
    assert f"{step(page):,}" in page.inner_text(".rnnviz-verdict")


def test_a_knob_is_followed_while_it_plays(train: Train) -> None:
    page, wire = train
    play(page)
    gain = page.get_by_role("slider", name="Gain", exact=True)
    gain.focus()
    wire.hold()
    gain.press("ArrowUp")
    value = gain.get_attribute("data-value")
    css = chart(page, "loss")
    page.wait_for_function(
        "([css, value]) => new URLSearchParams(document.querySelector(css).dataset.shows)"
        ".get('gain') === value",
        arg=[css, value],
    )
    assert step(page) == 0
    wire.release()  # first comes what the server had sent of the run before
    page.wait_for_function(
        """([css, value]) => {
          const shown = new URLSearchParams(document.querySelector(css).dataset.shows);
          return shown.get('gain') === value && Number(shown.get('train_steps')) >= 20;
        }""",
        arg=[css, value],
    )
    expect(button(page, "Pause")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"\bgain={value}\b"))


def test_a_knob_that_comes_back_leaves_the_run_as_it_is(train: Train) -> None:
    page, _ = train
    button(page, "+10").click()
    wait_step(page, 10)
    wait_idle(page)
    before = page.inner_text(".rnnviz-verdict")
    gain = page.get_by_role("slider", name="Gain", exact=True)
    box = gain.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.evaluate(STAND_STILL)
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], middle)
    page.wait_for_function(
        "() => document.querySelector('.rnnviz-verdict').innerText.startsWith('Before')"
    )
    assert step(page) == 0
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.up()
    page.evaluate("letGo()")
    wait_idle(page)
    page.wait_for_function(
        "(said) => document.querySelector('.rnnviz-verdict').innerText === said", arg=before
    )
    assert step(page) == 10


def test_what_is_below_follows_where_it_is_in_sight(train: Train) -> None:
    page, _ = train
    play(page)
    page.locator(chart(page, BELOW)).scroll_into_view_if_needed()
    for _ in range(2):
        before = shown(page, BELOW, "train_steps")
        page.wait_for_function(
            "([css, before]) => document.querySelector(css).dataset.shows !== before",
            arg=[chart(page, BELOW), page.locator(chart(page, BELOW)).get_attribute("data-shows")],
        )
        assert int(shown(page, BELOW, "train_steps")) > int(before or 0)


def test_where_the_route_fails_training_goes_on_by_the_script(train: Train) -> None:
    page, _ = train
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<p>Welcome</p>")

    page.route("**/rnnviz-live", answer)
    play(page)
    wait_step(page, step(page) + 20)
    assert len(asked) == 1
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
