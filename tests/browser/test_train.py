"""The Train page in a real browser: it plays, pauses, steps, and goes back without the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode
from zlib import crc32

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz import Experiment, to_query
from tests.browser import reading
from tests.browser.reading import drawn, line, troubles, wait_charts
from tests.browser.support import chart, painted, wait_idle, wait_painted
from tests.browser.test_trust import TEXT as TRUST
from tests.browser.test_trust import says, strip
from tests.browser.wire import as_bytes

pytestmark = [pytest.mark.browser, pytest.mark.trained]
SMALL = Experiment(models=("rnn", "gru"), seq_len=20, hidden_size=8, batch_size=8)
WHOLE = ("loss", "state-maps", "profile", "norms", "spectra-course", "gate-course", "written")


def untrained(request: pytest.FixtureRequest) -> str:
    """The query of a run that is this test's own: none of it has been trained before."""
    own = replace(SMALL, seed=crc32(request.node.nodeid.encode()) % 100_000)
    return urlencode(to_query(own))


@pytest.fixture
def train(app: str, visit: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    page = visit(f"{app}/train?{untrained(request)}")
    wait_charts(page, "train")
    return page


@pytest.fixture
def heard(app: str, open_page: Callable[..., Page]) -> tuple[Page, list[bytes]]:
    """The page of networks that write, and what it has sent to the server."""
    page, sent = open_page(f"{app}/rnnviz/tab.js"), []
    page.on("websocket", lambda ws: ws.on("framesent", lambda told: sent.append(as_bytes(told))))
    writes = replace(SMALL, task="text", loss_at="every", text="to be or not to be ")
    page.goto(f"{app}/train?{urlencode(to_query(writes))}")
    wait_charts(page, "train")
    return page, sent


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def scrubber(page: Page) -> Locator:
    return page.get_by_role("slider", name="Training step", exact=True)


def step(page: Page) -> int:
    return int(scrubber(page).input_value())


def wait_step(page: Page, least: int) -> None:
    """Wait until the scrubber stands at a step that is at least this far."""
    script = """(least) => {
      const find = (root) => [...root.querySelectorAll('*')].map((e) => e.shadowRoot)
        .filter(Boolean).map((r) => r.querySelector('.scrubber input')).find(Boolean);
      return Number(find(document)?.value ?? -1) >= least;
    }"""
    page.wait_for_function(script, arg=least, timeout=30_000)


def free_keys(page: Page) -> None:
    """Take the focus from a button that was clicked: it has a use of its own for space."""
    page.evaluate("document.activeElement.blur()")


def test_play_moves_the_curves_and_pause_stops_them(train: Page) -> None:
    """While it plays they are drawn on a layer, and then by plotly.js; the trust strip claims
    nothing of a network that is about to be another."""
    says(train, TRUST["unchecked"])
    count = painted(train, "loss")
    button(train, "Play").click()
    says(train, TRUST["playing"])
    expect(strip(train).locator(".line")).to_be_disabled()
    wait_step(train, 20)
    wait_painted(train, "loss", after=count + 1)
    on_layer = train.locator(f"{chart(train, 'loss')}.live")
    expect(on_layer).to_have_count(1)
    button(train, "Pause").click()
    expect(button(train, "Play")).to_be_visible()
    wait_idle(train)
    expect(on_layer).to_have_count(0)
    says(train, TRUST["unchecked"])
    held = step(train)
    shows = re.compile(rf"\btrain_steps={held}\b")
    expect(train.locator(chart(train, "loss"))).to_have_attribute("data-shows", shows)
    assert len(line(train, "loss", "RNN batch")) > 20
    wait_painted(train, "gate-course")
    assert step(train) == held


def test_a_hand_on_the_scrubber_moves_every_figure_without_the_server(
    heard: tuple[Page, list[bytes]],
) -> None:
    train, sent = heard
    button(train, "+10").click()
    wait_step(train, 10)
    wait_idle(train)
    for key in WHOLE:
        wait_painted(train, key)
    before = {key: drawn(train, key) for key in ("profile", "gate-course", "written")}
    messages = len(sent)
    assert messages
    scrubber(train).evaluate(
        "(input) => { input.value = 3; input.dispatchEvent(new Event('input')) }"
    )
    for key in WHOLE:
        expect(train.locator(chart(train, key))).to_have_attribute("data-step", "3")
    for key, old in before.items():
        css = f"{chart(train, key)} .rnnviz-plot"
        script = "([css, old]) => JSON.stringify(document.querySelector(css).data) !== old"
        train.wait_for_function(script, arg=[css, old])
    expect(scrubber(train)).to_have_attribute("aria-valuetext", re.compile(r"^step 3\b.*RNN \d"))
    assert len(sent) == messages


def test_a_step_and_a_knob_at_once_are_two_messages(heard: tuple[Page, list[bytes]]) -> None:
    """In one message they would run the figures alone, and the knob would be heard late."""
    train, sent = heard
    before = len(sent)
    gain = train.get_by_role("slider", name="Gain", exact=True)
    gain.evaluate("""(knob) => {
      const key = { key: 'ArrowRight', bubbles: true, composed: true };
      document.body.dispatchEvent(new KeyboardEvent('keydown', key));
      knob.value = Number(knob.value) + 8;
      knob.dispatchEvent(new Event('input'));
    }""")
    train.wait_for_url("**gain=**")
    told = sent[before:]
    (step, *_) = [m for m in told if b'"name":"step"' in m]
    assert b'"seq"' not in step
    assert sum(b'"seq"' in m for m in told) >= 1


def test_keys_play_step_and_go_back(train: Page) -> None:
    free_keys(train)
    train.keyboard.press("ArrowRight")
    wait_step(train, 1)
    wait_idle(train)
    train.keyboard.press("PageDown")
    wait_step(train, 11)
    wait_idle(train)
    for _ in range(3):
        train.keyboard.press("ArrowLeft")
    assert step(train) == 8
    train.keyboard.press("ArrowRight")
    assert step(train) == 9
    train.keyboard.press("Space")
    expect(button(train, "Pause")).to_be_visible()
    wait_step(train, 20)
    train.keyboard.press("Space")
    expect(button(train, "Play")).to_be_visible()


def test_looking_back_while_it_plays_pauses(train: Page) -> None:
    button(train, "Play").click()
    wait_step(train, 10)
    free_keys(train)
    train.keyboard.press("ArrowLeft")
    expect(button(train, "Play")).to_be_visible()
    expect(train.locator(chart(train, "loss"))).to_have_attribute("data-step", str(step(train)))


def test_the_network_of_the_chosen_step_opens_on_another_page(train: Page) -> None:
    button(train, "+10").click()
    wait_step(train, 10)
    wait_idle(train)
    free_keys(train)
    for _ in range(4):
        train.keyboard.press("ArrowLeft")
    button(train, "Show this network on Gradient flow").click()
    wait_charts(train, "")
    train.wait_for_url("**/?*train_steps=6*")
    expect(train.get_by_text("After 6 training steps.")).to_be_visible()


def test_leaving_the_page_ends_the_work(train: Page) -> None:
    button(train, "Play").click()
    wait_step(train, 5)
    train.get_by_role("link", name="Gates").click()
    wait_charts(train, "gates")
    wait_idle(train)
    count = painted(train, "memory-gate")
    train.wait_for_timeout(500)
    assert painted(train, "memory-gate") == count
    wait_idle(train, timeout=1000)
    train.get_by_role("link", name="Train", exact=True).click()
    button(train, "Pause").click()  # it plays on; the next test's page is of this session
    expect(button(train, "Play")).to_be_visible()


def test_a_lesson_is_one_choice_and_its_words_fit(app: str, open_page: Callable[..., Page]) -> None:
    """In a session of its own: a run that it has trained before is not trained again."""
    train = open_page(f"{app}/train?{urlencode(to_query(SMALL))}")
    wait_charts(train, "train")
    train.get_by_role("combobox", name="Lesson").click()
    train.get_by_role("option", name="Clipping").click()
    # First comes the run that is drawn in grey.
    expect(train.locator(".rnnviz-verdict")).to_contain_text("After", timeout=120_000)
    wait_step(train, 20)
    assert any("run" in (name or "") for name in names(train, "loss"))
    button(train, "Pause").click()
    expect(button(train, "Play")).to_be_visible()
    wait_idle(train)
    assert troubles(train, "train") == []
    assert reading.below_the_fold(train, chart(train, "state-maps")) <= 0


def names(page: Page, key: str) -> list[str]:
    css = f"{chart(page, key)} .rnnviz-plot"
    return page.evaluate("(css) => document.querySelector(css).data.map((t) => t.name)", css)
