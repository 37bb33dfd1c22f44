"""What is chosen holds, in a real browser: popovers close, pages turn, the address is the view."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.experiment import FIELDS
from rnnviz.wording.names import field_name, setting_name
from rnnviz.wording.tasks import task_name
from tests.browser import reading
from tests.browser.reading import wait_charts
from tests.browser.support import chart, plot_area, wait_idle, wait_painted
from tests.browser.test_pages import drag
from tests.browser.test_phase import SMALL as PHASE
from tests.browser.test_phase import wait_finished

pytestmark = pytest.mark.browser
SMALL = "seq_len=10&hidden_size=4&batch_size=2"
BODY = "[data-testid=stPopoverBody]"
TEXT = "we are here. they are there."


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


def choose(page: Page, name: str) -> None:
    """Give a knob of the open popover another value than its default."""
    known, found = FIELDS[name], knob(page, name)
    if known.kind == "choice":
        choice = "words" if name == "task" else known.choices[known.default == known.choices[0]]
        pick(page, field_name(name), (task_name if name == "task" else setting_name)(choice))
    elif known.kind == "text":
        found.fill(TEXT)
        found.press("Control+Enter")
    else:
        found.press("PageDown" if known.default == known.page_high else "PageUp")
    page.wait_for_url(written(name))
    wait_idle(page)
    expect(page.locator(BODY)).to_be_visible()  # it stays open while its contents change


def by_escape(page: Page) -> None:
    page.keyboard.press("Escape")


def by_a_click_outside(page: Page) -> None:
    page.get_by_test_id("stMain").click(position={"x": 900, "y": 690})


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


def turn(page: Page) -> None:
    """To another page and back."""
    for name, path in (("Gates", "/gates"), ("Gradient flow", "/")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(lambda url, path=path: urlparse(url).path == path and "task=" in url)
        wait_idle(page)


def ways() -> Iterator[tuple[Callable[[Page], None], Callable[[Page], None]]]:
    closings, acts = (by_escape, by_a_click_outside), (dice, turn, slide)
    return zip(itertools.cycle(closings), itertools.cycle(acts), strict=False)


def test_every_knob_of_more_holds(app: str, visit) -> None:
    """Each is chosen once, like a person does: open, choose, close, go on."""
    page = visit(f"{app}/?models=rnn,lstm&seq_len=20")
    wait_charts(page, "")
    open_popover(page, "More")
    choose(page, "task")
    names = [name for name in FIELDS if name != "task" and knob(page, name).count()]
    assert len(names) > 10
    assert not query(page).keys() & set(names)
    by_escape(page)
    for name, (close, act) in zip(names, ways(), strict=False):
        open_popover(page, "More")
        choose(page, name)
        chosen = query(page)
        close(page)
        expect(page.locator(BODY)).to_have_count(0)
        act(page)
        wait_idle(page)
        now = query(page)
        moved = {key for key in chosen.keys() | now.keys() if chosen.get(key) != now.get(key)}
        assert moved <= {"seed", "gain"}, (name, act.__name__)
    open_popover(page, "More")
    shown = {name: knob(page, name) for name in names if FIELDS[name].kind in ("choice", "text")}
    now = query(page)
    for name, found in shown.items():
        expect(found).to_have_value(now[name].replace("_", " "))
    expect(knob(page, "task")).to_have_value(task_name("words"))


def test_a_popover_that_is_opened_as_a_slider_comes_to_rest_is_drawn(app: str, visit) -> None:
    page = visit(f"{app}/?{SMALL}")
    wait_charts(page, "")
    for _ in range(4):
        page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
        open_popover(page, "More")
        expect(knob(page, "task")).to_be_visible()
        page.wait_for_url(written("gain"))
        wait_idle(page)
        by_escape(page)
        expect(page.locator(BODY)).to_have_count(0)


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


def test_back_finds_the_diagram_that_a_cell_was_opened_from(app: str, open_page) -> None:
    """Its address keeps which axes it has."""
    page = open_page(f"{app}/phase-diagram?{urlencode(PHASE)}")
    wait_finished(page)
    address, drawn = page.url, reading.drawn(page, "phase")
    assert "view_y=memory_bias" in address
    page.mouse.click(*plot_area(page, "phase", 0.93, 0.1))
    wait_painted(page, "flow-state")
    wait_idle(page)
    page.go_back()
    wait_finished(page)
    assert page.url == address
    assert reading.drawn(page, "phase") == drawn


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


def test_escape_closes_a_list_and_changes_nothing(app: str, visit) -> None:
    page = visit(f"{app}/")
    wait_charts(page, "")
    lists = (
        ("", "Preset", "Knife edge", "init"),
        ("Train", "Lesson", "Closed gates", "memory_bias"),
    )
    for tab, label, option, sets in lists:
        if tab:
            page.get_by_role("link", name=tab, exact=True).click()
        pick(page, label, option)
        page.wait_for_url(written(sets))
        found = page.get_by_role("combobox", name=label, exact=True)
        expect(found).to_have_value(option)
        address = page.url
        found.click()
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)
        wait_idle(page)
        expect(found).to_have_value(option)
        assert page.url == address
