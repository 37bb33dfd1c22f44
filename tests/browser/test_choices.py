"""What is chosen holds, in a real browser: popovers close, pages turn, the address is the view."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from rnnviz.wording.names import field_name
from tests.browser import reading
from tests.browser.reading import wait_charts
from tests.browser.support import chart, plot_area, wait_idle, wait_painted
from tests.browser.test_live import STAND_STILL
from tests.browser.test_pages import drag, slider
from tests.browser.test_phase import SMALL as PHASE
from tests.browser.test_phase import wait_finished

pytestmark = pytest.mark.browser
SMALL = "seq_len=10&hidden_size=4&batch_size=2"
BODY = "[data-testid=stPopoverBody]"


def knob(page: Page, name: str) -> Locator:
    """A field's knob in the open popover, whatever kind it is."""
    label = re.compile(f"^{re.escape(field_name(name))}$")
    body = page.locator(BODY)
    found = [body.get_by_role(role, name=label) for role in ("combobox", "slider", "textbox")]  # type: ignore[arg-type]
    return found[0].or_(found[1]).or_(found[2])


def open_popover(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(BODY)).to_be_visible()


def pick(page: Page, label: str, option: str) -> None:
    """Choose from a list."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def query(page: Page) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlparse(page.url).query).items()}


def written(name: str) -> Callable[[str], bool]:
    """Whether an address names a field."""
    return lambda url: name in parse_qs(urlparse(url).query)


def by_escape(page: Page) -> None:
    page.keyboard.press("Escape")


def dice(page: Page) -> None:
    before = query(page).get("seed")
    page.get_by_test_id("stSidebar").get_by_role("button", name="Another seed").first.click()
    page.wait_for_url(lambda url: parse_qs(urlparse(url).query).get("seed", [None])[-1] != before)


def slide(page: Page) -> None:
    """By hand: what a key has moved comes to rest a moment later, on its own."""
    share = page.get_by_role("slider", name="Gain", exact=True).evaluate("(i) => i.value / i.max")
    drag(page, "Gain", share, share + 0.04)
    page.mouse.up()
    shown = valuetext(page, "Gain")
    page.wait_for_url(lambda url: written_gain(url) == shown)


def written_gain(url: str) -> str:
    """As the slider says it."""
    return f"{float(parse_qs(urlparse(url).query).get('gain', ['1'])[-1]):.2f}"


def valuetext(page: Page, name: str) -> str:
    return str(page.get_by_role("slider", name=name, exact=True).get_attribute("aria-valuetext"))


def test_back_and_forward_show_what_the_address_says(app: str, open_page) -> None:
    """A move of a knob adds nothing to the history; a page does, with its knobs and views."""
    page = open_page(f"{app}/?{SMALL}")
    wait_charts(page, "")
    before = page.evaluate("history.length")
    for _ in range(3):
        slide(page)
        wait_idle(page)
    flow, gain = page.url, valuetext(page, "Gain")
    assert page.evaluate("history.length") == before
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    page.get_by_role("radio", name="GRU").click()
    page.wait_for_url(written("view_model"))
    slide(page)
    wait_idle(page)
    gates, moved = page.url, valuetext(page, "Gain")
    assert moved != gain
    assert page.evaluate("history.length") == before + 1

    page.go_back()
    wait_charts(page, "")
    expect(page.get_by_role("slider", name="Gain", exact=True)).to_have_attribute(
        "aria-valuetext", gain
    )
    assert page.url == flow
    page.go_forward()
    wait_charts(page, "gates")
    expect(page.get_by_role("slider", name="Gain", exact=True)).to_have_attribute(
        "aria-valuetext", moved
    )
    assert page.url == gates
    page.reload()
    wait_charts(page, "gates")
    assert (page.url, valuetext(page, "Gain")) == (gates, moved)


def view(page: Page, heading: str | re.Pattern[str], part: str) -> tuple[str, str]:
    """The address and a part, a picture or words, of the page with this heading."""
    expect(page.locator("h1").first).to_have_text(heading, timeout=60_000)
    found = page.locator(part)
    expect(found).to_be_visible(timeout=30_000)
    wait_idle(page)
    return page.url, found.evaluate("(box) => JSON.stringify(box.data) ?? box.innerText")


@pytest.mark.parametrize(
    ("left", "link", "part"),
    [
        (
            f"gates?{SMALL}&v=1&view_model=gru",
            "Spectrum",
            '.rnnviz-chart[data-key="memory-gate"] .js-plotly-plot',
        ),
        ("lecture?scene=5&gain=2", "Your network", ".rnnviz-scene .number"),
        ("by-hand?view_cell=gru", "Lecture", ".formulas"),
    ],
    ids=["gates", "lecture", "by_hand"],
)
def test_back_finds_the_page_as_it_was_left(
    app: str, open_page, left: str, link: str, part: str
) -> None:
    """Its entry keeps what it alone says, as the chosen model or the scene."""
    page = open_page(f"{app}/{left}")
    before = view(page, re.compile("."), part)
    assert before[0] == f"{app}/{left}"
    heading = page.locator("h1").first.inner_text()
    page.get_by_role("link", name=link, exact=True).click()
    expect(page.locator("h1").first).not_to_have_text(heading)
    wait_idle(page)
    turned = page.url
    page.go_back()
    assert view(page, heading, part) == before
    page.go_forward()
    expect(page.locator("h1").first).not_to_have_text(heading)
    wait_idle(page)
    assert page.url == turned


def test_back_finds_a_page_that_was_left_before_any_component_had_come(app: str, open_page) -> None:
    """Streamlit writes over what its address says before the page is turned."""
    page, held = open_page("about:blank"), list[Route]()
    page.route(re.compile(r"/rnnviz/(?!address)\w+\.js"), lambda route: held.append(route))
    page.goto(f"{app}/lecture?scene=5&gain=2")
    scene = page.locator(".rnnviz-scene .number")
    expect(scene).to_have_text(re.compile("Scene 5 "), timeout=30_000)
    expect(page.locator("input[type=range]")).to_be_disabled()  # a key would be lost
    page.get_by_role("link", name="Your network", exact=True).click()
    expect(scene).to_have_count(0)
    wait_idle(page)
    page.go_back()
    expect(scene).to_have_text(re.compile("Scene 5 "))
    wait_idle(page)
    assert held
    assert page.url == f"{app}/lecture?scene=5&gain=2"
    for each in held:
        each.continue_()


# What looks after a while waits for the script, then acts.
LET_GO = """async () => {
  const { STUCK, scriptEnds, wait } = await import("/rnnviz/page.js");
  letGo();
  await scriptEnds(STUCK);
  await wait(100);
}"""


def test_back_finds_the_diagram_that_a_cell_was_opened_from(app: str, open_page) -> None:
    """It fills by itself, on the first screen. A click on a cell opens that experiment; Back, the
    diagram with the axes that it had, which its address keeps. Another cell opens too, though what
    looks after a while whether Back has turned the page looks then."""
    page = open_page(f"{app}/phase-diagram?{urlencode(PHASE)}")
    wait_finished(page)
    page.wait_for_function("(css) => document.querySelector(css).data.some((t) => t.coloraxis)",
                           arg=f"{chart(page, 'phase')} .rnnviz-plot")  # fmt: skip
    assert reading.below_the_fold(page, chart(page, "phase")) <= 0
    assert page.locator(".rnnviz-how").first.bounding_box()["y"] < 700
    address, drawn = page.url, reading.drawn(page, "phase")
    assert "view_y=memory_bias" in address
    page.mouse.click(*plot_area(page, "phase", 0.93, 0.1))
    wait_painted(page, "flow-state")
    wait_idle(page)
    expect(slider(page, "Gain")).to_have_attribute("aria-valuetext", "4.00")
    expect(slider(page, "Memory bias")).to_have_attribute("aria-valuetext", "−2.0")
    assert (query(page)["gain"], query(page)["memory_bias"]) == ("4", "-2")
    page.evaluate(STAND_STILL)
    page.go_back()
    wait_finished(page)
    assert page.url == address
    assert reading.drawn(page, "phase") == drawn
    page.mouse.click(*plot_area(page, "phase", 0.07, 0.1))
    wait_painted(page, "flow-state")
    page.evaluate(LET_GO)
    wait_idle(page)
    expect(slider(page, "Gain")).to_have_attribute("aria-valuetext", "0.25")
    assert urlparse(page.url).path == "/"


def test_a_knob_that_moves_while_the_page_goes_back_waits_for_it(app: str, visit) -> None:
    """What is sent before Streamlit has turned the page would bring back the one it came from."""
    page = visit(f"{app}/?{SMALL}")
    wait_charts(page, "")
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    wait_idle(page)
    page.get_by_role("slider", name="Gain", exact=True).evaluate("""(knob) => {
      addEventListener('popstate', () => {
        knob.value = Number(knob.value) + 8;
        knob.dispatchEvent(new Event('input'));
      }, { once: true });
    }""")
    page.go_back()
    wait_charts(page, "")
    page.wait_for_url(written("gain"))
    wait_idle(page)
    assert urlparse(page.url).path == "/"
    expect(page.locator(chart(page, "flow-state"))).to_be_visible()
