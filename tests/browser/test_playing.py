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
from tests.browser.test_train import SMALL, button, step, untrained, wait_step
from tests.browser.wire import Wire

pytestmark = [pytest.mark.browser, pytest.mark.trained]
Open = Callable[..., Page]
BELOW = "profile"


def at_rest(page: Page) -> Page:
    wait_charts(page, "train")
    wait_idle(page)
    return page


@pytest.fixture
def wired(app: str, open_page: Open) -> tuple[Page, Wire]:
    page = open_page("about:blank")
    wire = Wire(page)
    page.goto(f"{app}/train?{urlencode(to_query(SMALL))}")
    return at_rest(page), wire


@pytest.fixture
def train(app: str, visit: Open, request: pytest.FixtureRequest) -> Page:
    return at_rest(visit(f"{app}/train?{untrained(request)}"))


def play(page: Page) -> None:
    button(page, "Play").click()
    wait_step(page, 20)


def shown(page: Page, key: str, name: str) -> str:
    """A setting of the experiment that a chart shows."""
    query = page.locator(chart(page, key)).get_attribute("data-shows") or ""
    return dict(parse_qsl(query)).get(name, "")


def test_training_goes_on_without_the_script(wired: tuple[Page, Wire]) -> None:
    page, wire = wired
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


def test_a_knob_is_followed_while_it_plays(wired: tuple[Page, Wire]) -> None:
    page, wire = wired
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


def test_a_knob_that_comes_back_leaves_the_run_as_it_is(train: Page) -> None:
    button(train, "+10").click()
    wait_step(train, 10)
    wait_idle(train)
    before = train.inner_text(".rnnviz-verdict")
    gain = train.get_by_role("slider", name="Gain", exact=True)
    box = gain.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    train.evaluate(STAND_STILL)
    train.mouse.move(box["x"] + box["width"] / 2, middle)
    train.mouse.down()
    train.mouse.move(box["x"] + 0.7 * box["width"], middle)
    train.wait_for_function(
        "() => document.querySelector('.rnnviz-verdict').innerText.startsWith('Before')"
    )
    assert step(train) == 0
    train.mouse.move(box["x"] + box["width"] / 2, middle)
    train.mouse.up()
    train.evaluate("letGo()")
    wait_idle(train)
    train.wait_for_function(
        "(said) => document.querySelector('.rnnviz-verdict').innerText === said", arg=before
    )
    assert step(train) == 10


def test_what_is_below_follows_where_it_is_in_sight(train: Page) -> None:
    play(train)
    below = train.locator(chart(train, BELOW))
    below.scroll_into_view_if_needed()
    for _ in range(2):
        before = shown(train, BELOW, "train_steps")
        train.wait_for_function(
            "([css, before]) => document.querySelector(css).dataset.shows !== before",
            arg=[chart(train, BELOW), below.get_attribute("data-shows")],
        )
        assert int(shown(train, BELOW, "train_steps")) > int(before or 0)
    button(train, "Pause").click()  # the next visit of the page does not play on
    expect(button(train, "Play")).to_be_visible()


def test_where_the_route_fails_training_goes_on_by_the_script(app: str, open_page: Open) -> None:
    """On a page that is left behind: it asks the route again after a while."""
    page = at_rest(open_page(f"{app}/train?{urlencode(to_query(SMALL))}"))
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
