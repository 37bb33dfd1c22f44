"""Hand and server at the same time: what is done last is what holds, whichever message comes
first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from rnnviz.wording.tasks import task_name
from tests.browser.conftest import Kept, Visit, keep, lent
from tests.browser.reading import CHARTS, wait_charts
from tests.browser.support import chart, wait_idle
from tests.browser.test_choices import (
    BODY,
    SMALL,
    by_escape,
    dice,
    knob,
    open_popover,
    pick,
    query,
    valuetext,
    written,
)
from tests.browser.test_live import at_rest, move
from tests.browser.wire import Message, Wire, as_bytes

pytestmark = pytest.mark.browser
Open = Callable[..., tuple[Page, Wire]]
RESTS = 500
"""ms, longer than a slider takes to come to rest."""


@pytest.fixture(scope="module")
def wires() -> list[Wire]:
    """Of the page that these tests take over from each other; the last is what it has now."""
    return []


@pytest.fixture(scope="module")
def wired(app: str, visitor: BrowserContext, wires: list[Wire]) -> Iterator[Kept]:
    yield from keep(app, visitor, lambda page: wires.append(Wire(page)))


@pytest.fixture
def open_wired(
    app: str, wired: Kept, wires: list[Wire], request: pytest.FixtureRequest
) -> Iterator[Open]:
    """A page whose server has said what never arrived is left to nobody."""
    with lent(wired, request) as visit:

        def open_it(address: str = "") -> tuple[Page, Wire]:
            page = visit(f"{app}/?{SMALL}&{address}")
            wait_charts(page, "")
            return page, wires[-1]

        yield open_it
        wires[-1].drop(lambda message: False)
        if wires[-1].has_lost:
            wired[0].drop()


def wait_kept(page: Page, wire: Wire) -> int:
    """Wait until the server has come to its end: every script that it has begun has ended, and no
    other one follows. How many messages are kept."""
    last, end = -1, time.monotonic() + 30
    while len(wire.kept) != last or not script_ended(wire.kept):
        assert time.monotonic() < end
        last = len(wire.kept)
        page.wait_for_timeout(150)
    return last


def script_ended(messages: list[Message]) -> bool:
    """Whether the last that the server says of its scripts is that one has ended."""
    kinds = [ForwardMsg.FromString(as_bytes(told)).WhichOneof("type") for told in messages]
    said = [kind for kind in kinds if kind in ("new_session", "script_finished")]
    return said[-1:] == ["script_finished"]


def test_a_choice_is_not_undone_by_what_the_server_sent_before_it(open_wired: Open) -> None:
    page, wire = open_wired()
    open_popover(page, "More")
    expect(knob(page, "task")).to_be_visible()
    wait_idle(page)
    wire.hold()
    pick(page, "Precision", "float32")
    old = wait_kept(page, wire)
    pick(page, "Task", task_name("words"))
    wire.deliver(old)
    by_escape(page)
    wait_kept(page, wire)
    wire.release()
    page.wait_for_url(written("dtype"))
    wait_idle(page)
    dice(page)
    wait_idle(page)
    assert query(page)["task"] == "words"
    open_popover(page, "More")
    expect(knob(page, "task")).to_have_value(task_name("words"))


def test_a_list_that_is_opened_before_what_it_chose_is_drawn_stays_open(open_wired: Open) -> None:
    """Once that is drawn, arrow keys are the training's, not a closed list's."""
    page, wire = open_wired()
    page.get_by_role("link", name="Train", exact=True).click()
    wait_charts(page, "train")
    wait_idle(page)
    wire.hold()
    pick(page, "Lesson", "Closed gates")
    wait_kept(page, wire)
    page.get_by_role("combobox", name="Lesson", exact=True).click()
    wire.release()
    page.wait_for_url(written("memory_bias"))
    wait_idle(page)
    expect(page.get_by_role("option").first).to_be_visible()
    by_escape(page)
    expect(page.get_by_role("option")).to_have_count(0)


def test_what_never_arrived_is_drawn_with_the_next_value_of_a_slider(open_wired: Open) -> None:
    """Streamlit forgets what it has not sent when a slider's message begins another run."""
    page, wire = open_wired()
    wire.hold()
    open_popover(page, "More")
    assert wait_kept(page, wire)
    wire.lose()
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    page.keyboard.press("Tab")
    expect(knob(page, "task")).to_be_visible()


def key_and_back(page: Page, wire: Wire, act: Callable[[], object]) -> None:
    """A key on a slider of another page, and Back before the server has heard of it."""
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    wait_idle(page)
    wire.hold()
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    act()
    page.go_back()
    page.wait_for_timeout(RESTS)
    wait_kept(page, wire)
    wire.release()
    wait_charts(page, "")
    wait_idle(page)


@pytest.mark.parametrize("heard", [False, True], ids=["with_the_key", "after_the_key"])
def test_back_after_a_key_shows_what_the_address_says(open_wired: Open, heard: bool) -> None:
    page, wire = open_wired("gain=1.5")
    before = valuetext(page, "Gain")
    key_and_back(page, wire, lambda: heard and page.wait_for_timeout(100))
    assert query(page)["gain"] == "1.5"
    assert valuetext(page, "Gain") == before
    page.wait_for_timeout(RESTS)
    assert query(page)["gain"] == "1.5"


def goes_back(message: Message) -> bool:
    """Whether the browser's message says that it has gone back."""
    told = BackMsg.FromString(as_bytes(message))
    return told.rerun_script.is_history_navigation


def test_back_turns_the_page_though_the_message_was_forgotten(open_wired: Open) -> None:
    page, wire = open_wired()
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    forgotten = wire.drop_first(goes_back)
    page.go_back()
    expect(page.locator(chart(page, "flow-state"))).to_be_visible()
    assert forgotten


def test_a_link_turns_the_page_though_the_message_was_forgotten(open_wired: Open) -> None:
    page, wire = open_wired()
    forgotten = wire.drop_first(lambda message: True)
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    assert forgotten


SAY_AND_CLICK = """async () => {
  const { sendAlone, wait } = await import("/rnnviz/page.js"), order = [];
  const link = document.querySelector('a[href$="/gates"]');
  link.addEventListener("click", () => order.push("clicked"));
  sendAlone(() => setTimeout(() => order.push("left"))); // as Streamlit sends
  for (let k = 0; k < 4; k += 1) await null;
  link.click();
  while (order.length < 2) await wait(10);
  return order;
}"""


def test_what_was_said_before_a_click_on_a_link_leaves_before_it(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?{SMALL}")
    wait_charts(page, "")
    assert page.evaluate(SAY_AND_CLICK) == ["left", "clicked"]
    wait_charts(page, "gates")


# Back comes where the page has said something. Streamlit names the page that is left once more, and
# says that a script has begun.
SAY_AND_GO_BACK = """async () => {
  const { sendAlone } = await import("/rnnviz/page.js"), order = [], left = location.pathname;
  const { dataset } = document.querySelector('[data-testid="stApp"]');
  const wentBack = new Promise((done) => addEventListener("popstate", () => {
    order.push(`back at ${location.pathname}`);
    done();
  }));
  await new Promise((said) => sendAlone(said));
  history.back();
  await new Promise((shown) => setTimeout(shown, 40));
  history.pushState({}, "", left);
  dataset.testScriptState = "running";
  order.push("begun");
  await Promise.race([wentBack, new Promise((never) => setTimeout(never, 5000))]);
  dataset.testScriptState = "notRunning";
  return order;
}"""


def test_back_waits_for_a_script_that_hears_of_what_was_said(app: str, open_page: Visit) -> None:
    """Later, that would bring what the knobs of the page were that was left."""
    page = open_page(f"{app}/?{SMALL}")
    wait_charts(page, "")
    page.get_by_role("link", name="Gates", exact=True).click()
    wait_charts(page, "gates")
    wait_idle(page)
    assert page.evaluate(SAY_AND_GO_BACK) == ["begun", "back at /"]
    wait_charts(page, "")
    wait_idle(page)
    page.go_forward()
    wait_charts(page, "gates")


LOOK_AND_LEAVE = """async () => {
  const { default: mount } = await import("/rnnviz/below.js");
  const { live } = await import("/rnnviz/live.js"), { sendAlone } = await import("/rnnviz/page.js");
  let asked = 0;
  const leave = mount({ data: { count: -1 }, setTriggerValue: () => (asked += 1) });
  live.owe(true);
  dispatchEvent(new PopStateEvent("popstate"));
  dispatchEvent(new Event("resize")); // what is below is looked at
  leave();
  await new Promise((sent) => sendAlone(sent));
  return asked;
}"""


def test_what_was_below_is_not_asked_for_when_the_page_has_been_left(
    app: str, visit: Visit
) -> None:
    page = visit(f"{app}/your-network")
    assert page.evaluate(LOOK_AND_LEAVE) == 0


# What the page does after a second or more is done when it is let go, each in a task of its own.
STAND_STILL = """() => {
  const { setTimeout, clearTimeout } = window, kept = new Map();
  let last = 1e9;
  window.setTimeout = (act, ms = 0, ...args) => {
    if (ms < 1000) return setTimeout(act, ms, ...args);
    kept.set(last += 1, () => act(...args));
    return last;
  };
  window.clearTimeout = (id) => kept.delete(id) || clearTimeout(id);
  window.letGo = () => {
    Object.assign(window, { setTimeout, clearTimeout });
    kept.forEach((act) => setTimeout(act));
    setTimeout(() => { window.letGo.done = true; });
  };
}"""


def test_a_value_that_was_just_sent_is_not_sent_again(open_wired: Open) -> None:
    """The second message would end the run that a click has begun with the first."""
    page, wire = open_wired()
    gain = page.get_by_role("slider", name="Gain", exact=True)
    gain.press("ArrowRight")
    page.keyboard.press("Tab")
    wait_idle(page)
    page.evaluate(STAND_STILL)
    values: list[Message] = []
    wire.drop(lambda message: "knob" in str(message) and bool(values.append(message)))
    gain.press("ArrowRight")
    gain.evaluate("(node) => { node.blur(); setTimeout(letGo); }")
    page.wait_for_function("() => letGo.done")
    wait_idle(page)
    assert len(values) == 1


def test_a_popover_that_is_opened_as_a_slider_comes_to_rest_is_drawn(
    app: str, visit: Visit
) -> None:
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


def test_reset_right_after_a_key_resets(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?{SMALL}")
    wait_charts(page, "")
    before = valuetext(page, "Gain")
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_timeout(2 * RESTS)
    wait_idle(page)
    assert valuetext(page, "Gain") == before
    assert "gain" not in query(page)


def watch(page: Page, script: str) -> list[str]:
    """What charts show from now on, as the script sees it."""
    seen: list[str] = []
    page.expose_function("saw", lambda shown: seen.append(shown))
    page.evaluate(script)
    return seen


def gains(seen: list[str]) -> set[str]:
    return {dict(parse_qsl(shown))["gain"] for shown in seen}


# What every chart that comes shows from now on.
SEE_NEW = """() => {
  const known = new Set(document.querySelectorAll('.rnnviz-chart'));
  new MutationObserver((all) => {
    for (const { target } of all) if (!known.has(target)) saw(target.dataset.shows);
  }).observe(document.body, { subtree: true, attributeFilter: ['data-shows'] });
}"""


def test_what_is_touched_next_finds_the_script_told(app: str, open_page: Visit) -> None:
    """A button that does something with the knobs' values, and a page that is turned to."""
    page = at_rest(app, open_page)
    gain = page.get_by_role("slider", name="Gain", exact=True)
    move(page, lambda: gain.press("ArrowRight"), CHARTS[""])
    wait_idle(page)
    value = gain.get_attribute("data-value")
    page.get_by_role("button", name="Pin", exact=True).click()
    page.wait_for_url(lambda url: "pin" in parse_qs(urlsplit(url).query))
    assert dict(parse_qsl(parse_qs(urlsplit(page.url).query)["pin"][0]))["gain"] == value
    wait_idle(page)
    move(page, lambda: gain.press("ArrowRight"), CHARTS[""])
    wait_idle(page)
    value = gain.get_attribute("data-value")
    seen = watch(page, SEE_NEW)
    page.get_by_role("link", name="Spectrum", exact=True).click()
    wait_charts(page, "spectrum")
    wait_idle(page)
    assert seen
    assert gains(seen) == {value}
    expect(gain).to_have_attribute("data-value", value)
    assert query(page)["gain"] == value


# What every chart and chain that there is, or will be, shows from now on. Another script of the
# visit seems to end.
SEE_ALL = """() => new MutationObserver((all) => {
  for (const { target } of all) saw(target.dataset.shows);
}).observe(document.body, { subtree: true, attributeFilter: ['data-shows'] })"""
ANOTHER_ENDS = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  for (const state of ["running", "notRunning"]) app.setAttribute("data-test-script-state", state);
}"""


def test_a_link_after_a_key_waits_for_the_script_that_heard_of_it(open_wired: Open) -> None:
    """Not for whichever ends next, with the value before."""
    page, wire = open_wired()
    wait_idle(page)
    gain = page.get_by_role("slider", name="Gain", exact=True)
    move(page, lambda: gain.press("ArrowRight"), CHARTS[""])
    wait_idle(page)
    value = gain.get_attribute("data-value")
    seen = watch(page, SEE_ALL)
    wire.hold()
    page.get_by_role("link", name="Spectrum", exact=True).click()
    page.evaluate(ANOTHER_ENDS)
    page.wait_for_timeout(RESTS)
    wait_kept(page, wire)
    wire.release()
    wait_charts(page, "spectrum")
    wait_idle(page)
    assert seen
    assert gains(seen) == {value}
