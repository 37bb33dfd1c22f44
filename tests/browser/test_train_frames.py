"""The Train page, frame by frame: nothing old stands under something new, not for a moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from rnnviz import to_query
from rnnviz.wording.texts import texts
from tests.browser.frames import watching
from tests.browser.reading import wait_charts
from tests.browser.support import wait_idle
from tests.browser.test_train import SMALL, button, untrained

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

# The buttons that play or pause, and where the one beside them is.
ROW = """() => {
  const all = [...document.querySelectorAll('.stMain button')].filter((b) => b.offsetWidth);
  const named = (pattern) => all.filter((b) => pattern.test(b.innerText.trim()));
  return [named(/(Play|Pause)$/).length, named(/^[+]1$/)[0]?.getBoundingClientRect().left];
}"""
# Step and losses, wherever the page says them: verdict, scrubber, headline of the loss chart; and
# of which run that chart is.
NUMBERS = """() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
  const scrubber = roots.map((r) => r.querySelector('.scrubber output')).find(Boolean);
  const verdict = document.querySelector('.rnnviz-verdict p');
  const chart = document.querySelector('.rnnviz-chart[data-key="loss"]');
  const plot = chart?.querySelector('.rnnviz-plot');
  const headline = plot?.layout?.annotations?.[0]?.text.replace(/<[^>]*>/g, '');
  return [verdict?.innerText, [...scrubber?.children ?? []].map((e) => e.innerText), headline,
    chart?.dataset.shows];
}"""
LOSS = re.compile(r"(RNN|GRU) ([\d.]+)")
# Whether the loss chart's headline says the losses of the verdict.
AGREES = """() => {
  const [verdict, , headline] = (NUMBERS)();
  const [said, drawn] = [verdict, headline].map((text) => text?.match(/(RNN|GRU) [0-9.]+/g));
  return said && drawn && said.sort().join() === drawn.sort().join();
}""".replace("NUMBERS", NUMBERS)
# The hint, and which verdict and charts can be seen with it.
SHOWN = """() => {
  const seen = (e) => e && getComputedStyle(e).visibility === 'visible';
  const verdict = document.querySelector('.rnnviz-verdict');
  const charts = [...document.querySelectorAll('.rnnviz-chart')].filter(seen);
  return [document.querySelector('.stMain p.rnnviz-how')?.innerText,
    seen(verdict) ? verdict.innerText : null, [...new Set(charts.map((c) => c.dataset.revision))]];
}"""

# The step of the verdict; how many figures the gates' heatmap was given to draw (what it counts
# itself, it counts when the frame is out), and how opaque it is.
DIMMED = """() => {
  const chart = document.querySelector('.rnnviz-chart[data-key="gate-course"]');
  const given = (window.rnnvizGiven ??= []), { data } = chart.querySelector('.rnnviz-plot');
  if (given.at(-1) !== data) given.push(data);
  const step = document.querySelector('.rnnviz-verdict').innerText.split(':')[0];
  const box = chart.closest('[data-stale]');
  const opacity = [box, chart].map((e) => Number(getComputedStyle(e).opacity));
  return [step, given.length, opacity[0] * opacity[1]];
}"""


@pytest.fixture
def train(app: str, visit: Open, request: pytest.FixtureRequest) -> Page:
    return at_rest(app, visit, untrained(request))


def at_rest(app: str, go: Open, query: str) -> Page:
    page = go(f"{app}/train?{query}")
    wait_charts(page, "train")
    wait_idle(page)
    return page


def play_for_a_while(page: Page, steps: int = 5) -> None:
    button(page, "Play").click()
    page.wait_for_function(
        "(least) => Number(/After ([0-9]+)/.exec(document.body.innerText)?.[1] ?? 0) > least",
        arg=int((re.findall(r"After (\d+)", page.inner_text(".rnnviz-verdict")) or ["0"])[0])
        + steps,
    )
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()


def choose(page: Page, lesson: str) -> None:
    page.get_by_role("combobox", name="Lesson").click()
    page.get_by_role("option", name=texts("lessons")[f"title_{lesson}"]).click()


@pytest.mark.trained
def test_play_and_pause_are_one_button(train: Page) -> None:
    with watching(train, ROW) as seen:
        for _ in range(2):
            play_for_a_while(train)
    assert {count for count, _ in seen} == {1}
    assert len({left for _, left in seen}) == 1


def test_one_number_for_one_thing_while_it_plays_and_after(train: Page) -> None:
    with watching(train, NUMBERS) as seen:
        play_for_a_while(train, 100)
        wait_idle(train)
        train.wait_for_function(AGREES)
    began = seen[0][-1]
    playing = [frame for frame in seen if frame[0].startswith("After") and frame[-1] != began]
    assert len(playing) > 1
    for verdict, scrubbed, headline, _ in playing:
        step = re.findall(r"\d+", verdict)[0]
        losses = dict(LOSS.findall(verdict))
        assert dict(LOSS.findall(headline)) == losses or not re.search(r"\d", headline)
        assert scrubbed in ([], [step, *(f"{model} {losses[model]}" for model in ("RNN", "GRU"))])
    assert LOSS.search(playing[0][2]) is None
    _, scrubbed, headline, _ = playing[-1]
    assert scrubbed
    assert LOSS.search(headline)


def assert_nothing_stays(page: Page, lesson: str, verdict: str) -> None:
    """Of a run, once a lesson has begun: under its name and its sentence stand a verdict and charts
    of its own, or none."""
    play_for_a_while(page)
    wait_idle(page)
    old = page.locator('.rnnviz-chart[data-key="loss"]').get_attribute("data-revision")
    with watching(page, SHOWN) as seen:
        choose(page, lesson)
        sentence = texts("lessons")[lesson]
        expect(page.locator(".stMain p.rnnviz-how").first).to_contain_text(sentence[:40])
        expect(page.locator(".rnnviz-verdict")).to_contain_text(verdict, timeout=60_000)
    under = [frame for frame in seen if frame[0] and texts("lessons")[lesson][:40] in frame[0]]
    assert under
    assert all(old not in revisions for _, _, revisions in under)
    first = seen[0][1]
    assert all(said != first for _, said, _ in under)


@pytest.fixture
def alone(app: str, open_page: Open) -> Page:
    """In a session of its own: a run that it has trained before is not trained again."""
    return at_rest(app, open_page, urlencode(to_query(SMALL)))


@pytest.mark.parametrize(
    ("lesson", "verdict"), [("closed", "After"), ("influence", "The true gradient")]
)
def test_nothing_of_the_lesson_before_stands_under_the_new_name(
    alone: Page, lesson: str, verdict: str
) -> None:
    assert_nothing_stays(alone, lesson, verdict)


def test_a_lesson_s_first_run_shows_how_far_it_is_and_can_be_paused(alone: Page) -> None:
    assert_nothing_stays(alone, "clipping", "First the run to compare with")
    button(alone, "Pause").click()
    expect(button(alone, "Play")).to_be_visible()
    wait_idle(alone)
    assert "of 600 training steps" in alone.inner_text(".rnnviz-verdict")


def test_a_heatmap_that_waits_for_its_numbers_is_dimmed(app: str, visit: Open) -> None:
    slow = replace(SMALL, models=("rnn", "lstm", "gru"), seq_len=200, hidden_size=64, seed=41)
    page = at_rest(app, visit, urlencode(to_query(slow)))
    with watching(page, DIMMED) as seen:
        button(page, "+1").click()
        expect(page.locator(".rnnviz-verdict")).to_contain_text("After 1 step", timeout=60_000)
        wait_idle(page)
    before, given, _ = seen[0]
    first = next(frame for frame in seen if frame[0] != before)
    assert first[1] != given or first[2] < 0.5
