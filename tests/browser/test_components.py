"""The slider and the chart in a real browser, on components_page.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import hear
from tests.browser.support import (
    SIZE,
    axis_range,
    chart,
    painted,
    plot_area,
    wait_idle,
    wait_painted,
    wait_quiet,
)

pytestmark = pytest.mark.browser
CHARTS = ("lines", "maps", "square")


@pytest.fixture(scope="module")
def loaded(components: str, visitor: BrowserContext) -> Iterator[tuple[Page, list[str]]]:
    """The page, loaded once, and what it complains of."""
    complaints: list[str] = []
    hear(page := visitor.new_page(), complaints)
    page.goto(components)
    yield page, complaints
    page.close()


@pytest.fixture
def page(loaded: tuple[Page, list[str]]) -> Iterator[Page]:
    """Everything on it is made anew."""
    page, complaints = loaded
    page.set_viewport_size(SIZE)
    page.mouse.up()
    page.mouse.move(0, 0)
    show_anew(page, "light")
    yield page
    assert complaints == []


def show_anew(page: Page, scheme: Literal["light", "dark"]) -> None:
    away = page.get_by_text("Put everything away")
    away.click()
    expect(page.locator(".rnnviz-chart")).to_have_count(0)
    wait_idle(page)
    page.emulate_media(color_scheme=scheme)
    away.click()
    wait_quiet(page, CHARTS)


def gain(page: Page) -> Locator:
    return page.get_by_role("slider", name="Gain", exact=True)


def server_says(page: Page, value: str) -> None:
    """Wait until the script reports this value."""
    expect(page.get_by_text(f"gain is {value}", exact=True)).to_be_visible()


def grab(page: Page, share: float) -> tuple[float, float, float]:
    """Press the mouse on the gain's track; returns where the thumb's path starts, its length, y."""
    box = gain(page).bounding_box()
    assert box is not None
    left, width, y = box["x"] + 8, box["width"] - 16, box["y"] + box["height"] / 2
    page.mouse.move(left + share * width, y)
    page.mouse.down()
    return left, width, y


def zoom_in(page: Page) -> list[float]:
    before = axis_range(page, "lines")
    page.mouse.move(*plot_area(page, "lines", 0.2, 0.8))
    page.mouse.down()
    page.mouse.move(*plot_area(page, "lines", 0.5, 0.3), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "([css, old]) => document.querySelector(css)._fullLayout.xaxis.range[1] < old",
        arg=[f"{chart(page, 'lines')} .rnnviz-plot", before[1] - 1],
    )
    return axis_range(page, "lines")


def test_slider_is_named_and_says_its_value(page: Page) -> None:
    expect(gain(page)).to_have_attribute("aria-valuetext", "1.00")
    steps = page.get_by_role("slider", name="Sequence length", exact=True)
    expect(steps).to_have_attribute("aria-valuetext", "100 steps")
    bias = page.get_by_role("slider", name="Memory bias", exact=True)
    expect(bias).to_have_attribute("aria-valuetext", "+3.0")
    expect(page.get_by_role("slider", name="Closed", exact=True)).to_be_disabled()


def test_drag_moves_the_chart_before_release(page: Page) -> None:
    low = axis_range(page, "lines", "yaxis")[0]
    count = painted(page, "lines")
    left, width, y = grab(page, 0.5)
    for step in range(1, 21):
        page.mouse.move(left + (0.5 + 0.02 * step) * width, y)
    wait_painted(page, "lines", after=count + 1)
    assert axis_range(page, "lines", "yaxis")[0] < low
    page.mouse.up()
    server_says(page, "3.031")


def test_last_value_of_a_drag_arrives(page: Page) -> None:
    left, width, y = grab(page, 0.5)
    for step in range(25):
        page.mouse.move(left + (0.2 + 0.031 * step) * width, y)
    page.mouse.move(left + 1.2 * width, y)
    page.mouse.up()
    server_says(page, "4.0")
    expect(gain(page)).to_have_attribute("aria-valuetext", "4.00")


def test_drag_rests_on_the_tick(page: Page) -> None:
    left, width, y = grab(page, 0.2)
    page.mouse.move(left + 0.506 * width, y, steps=3)
    page.mouse.up()
    server_says(page, "1.0")


def test_keyboard(page: Page) -> None:
    gain(page).focus()
    page.keyboard.press("ArrowRight")
    server_says(page, "1.014")
    page.keyboard.press("ArrowLeft")
    server_says(page, "1.0")
    page.keyboard.press("End")
    server_says(page, "4.0")
    page.keyboard.press("PageDown")
    server_says(page, "3.031")
    page.keyboard.press("Home")
    server_says(page, "0.25")


def test_reset_holds_when_another_widget_moves(page: Page) -> None:
    gain(page).focus()
    page.keyboard.press("End")
    server_says(page, "4.0")
    page.get_by_role("button", name="Reset").click()
    server_says(page, "1.0")
    expect(gain(page)).to_have_attribute("aria-valuetext", "1.00")
    page.get_by_role("slider", name="Memory bias", exact=True).press("ArrowRight")
    wait_quiet(page, CHARTS)
    server_says(page, "1.0")
    gain(page).press("End")
    server_says(page, "4.0")


def test_double_click_on_the_label_resets(page: Page) -> None:
    gain(page).press("End")
    server_says(page, "4.0")
    page.get_by_text("Gain", exact=True).dblclick()
    server_says(page, "1.0")


def test_zoom_survives_an_update_and_is_left_by_double_click(page: Page) -> None:
    zoomed, low = zoom_in(page), axis_range(page, "lines", "yaxis")
    count = painted(page, "lines")
    gain(page).press("End")
    wait_painted(page, "lines", after=count)
    server_says(page, "4.0")
    assert axis_range(page, "lines") == zoomed
    assert axis_range(page, "lines", "yaxis") == low
    page.mouse.dblclick(*plot_area(page, "lines", 0.5, 0.5))
    page.wait_for_function(
        "(css) => document.querySelector(css)._fullLayout.yaxis.range[0] === -40",
        arg=f"{chart(page, 'lines')} .rnnviz-plot",
    )


# The page is busy for longer between the two clicks than plotly.js lets pass between them.
BUSY = """() => document.addEventListener('mouseup', () => {
  const end = performance.now() + 600;
  while (performance.now() < end);
}, { once: true })"""


def test_a_double_click_counts_however_busy_the_page_is(page: Page) -> None:
    whole = axis_range(page, "lines", "yaxis")
    zoom_in(page)
    page.evaluate(BUSY)
    page.mouse.dblclick(*plot_area(page, "lines", 0.5, 0.5))
    page.wait_for_function(
        "([css, low]) => document.querySelector(css)._fullLayout.yaxis.range[0] === low",
        arg=[f"{chart(page, 'lines')} .rnnviz-plot", whole[0]],
    )


HANG = """async () => {
  const Plotly = await window.rnnvizPlotly;
  const react = Plotly.react;
  Plotly.react = () => {
    Plotly.react = react;
    return new Promise(() => {});
  };
}"""


def test_a_drawing_that_never_ends_does_not_stop_the_others(page: Page) -> None:
    count = painted(page, "maps")
    page.evaluate(HANG)
    gain(page).press("End")
    wait_painted(page, "maps", after=count)
    counts = {key: painted(page, key) for key in ("lines", "maps")}
    gain(page).press("Home")
    for key, count in counts.items():
        wait_painted(page, key, after=count)


def test_a_hidden_line_stays_hidden(page: Page) -> None:
    toggles = page.locator(f"{chart(page, 'lines')} .legendtoggle")
    toggles.first.click()
    visible = "(css) => document.querySelector(css)._fullData[0].visible"
    css = f"{chart(page, 'lines')} .rnnviz-plot"
    page.wait_for_function(f"(css) => ({visible})(css) === 'legendonly'", arg=css)
    count = painted(page, "lines")
    gain(page).press("End")
    wait_painted(page, "lines", after=count)
    assert page.evaluate(visible, css) == "legendonly"


def test_one_cursor_for_all_time_charts(page: Page) -> None:
    page.mouse.move(*plot_area(page, "lines", 0.5, 0.5))
    lines, maps = page.locator(chart(page, "lines")), page.locator(chart(page, "maps"))
    expect(lines).to_have_attribute("data-cursor", re.compile(r"\d+"))
    t = lines.get_attribute("data-cursor")
    expect(maps).to_have_attribute("data-cursor", str(t))
    expect(maps.locator(".rnnviz-cursors i")).to_have_count(3)
    expect(maps.locator(".rnnviz-cursors b")).to_have_text(f"t = {t}")
    assert page.locator(chart(page, "square")).get_attribute("data-cursor") is None
    page.mouse.move(5, 700)
    expect(lines).not_to_have_attribute("data-cursor", re.compile(".*"))
    expect(maps.locator(".rnnviz-cursors i")).to_have_count(0)


def test_cursor_follows_the_arrow_keys(page: Page) -> None:
    lines, maps = page.locator(chart(page, "lines")), page.locator(chart(page, "maps"))
    lines.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(maps).to_have_attribute("data-cursor", "2")
    page.keyboard.press("End")
    expect(maps).to_have_attribute("data-cursor", "100")
    page.keyboard.press("Escape")
    expect(maps).not_to_have_attribute("data-cursor", re.compile(".*"))


def test_what_has_not_changed_is_not_drawn_again(page: Page) -> None:
    counts = wait_quiet(page, CHARTS)
    gain(page).press("End")
    server_says(page, "4.0")
    wait_painted(page, "lines", after=counts["lines"])
    wait_painted(page, "maps", after=counts["maps"])
    assert painted(page, "square") == counts["square"]


def test_a_figure_without_traces_says_so(page: Page) -> None:
    page.get_by_text("Break the chart").click()
    square = page.locator(chart(page, "square"))
    expect(square.get_by_text("could not be drawn")).to_be_visible()
    page.get_by_text("Break the chart").click()
    expect(square.get_by_text("could not be drawn")).to_be_hidden()


def test_click_reaches_the_script(page: Page) -> None:
    page.locator(chart(page, "square")).scroll_into_view_if_needed()
    page.mouse.click(*plot_area(page, "square", 0.9, 0.9))
    expect(page.get_by_text("'x': 3, 'y': 2, 'z': 11")).to_be_visible()


def test_chart_wears_the_theme_and_follows_it_without_the_server(page: Page) -> None:
    inks = {"light": "rgb(22, 25, 29)", "dark": "rgb(240, 243, 246)"}
    tick = page.locator(f"{chart(page, 'lines')} .xtick text").first
    legend = page.locator(f"{chart(page, 'lines')} .legendtext").first
    expect(tick).to_have_css("fill", inks["light"])
    expect(legend).to_have_css("fill", inks["light"])
    count = painted(page, "lines")
    page.emulate_media(color_scheme="dark")
    wait_painted(page, "lines", after=count)
    expect(tick).to_have_css("fill", inks["dark"])
    show_anew(page, "dark")
    expect(tick).to_have_css("fill", inks["dark"])
    expect(legend).to_have_css("fill", inks["dark"])


def test_chart_follows_the_width(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 720})
    css = f"{chart(page, 'lines')} .main-svg"
    page.wait_for_function("(css) => document.querySelector(css).clientWidth < 720", arg=css)
