"""The knobs of the popover "More", and lists, by hand: what is chosen holds once it is closed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, expect

from rnnviz.experiment import FIELDS
from rnnviz.wording.names import field_name, setting_name
from rnnviz.wording.tasks import task_name
from tests.browser.reading import wait_charts
from tests.browser.support import wait_idle
from tests.browser.test_choices import (
    BODY,
    by_escape,
    dice,
    knob,
    open_popover,
    pick,
    query,
    slide,
    written,
)

pytestmark = pytest.mark.browser
Act = Callable[[Page], None]
TEXT = "we are here. they are there."


def choose(page: Page, name: str) -> None:
    """Give a knob of the open popover another value than its default. A list that is opened before
    the script has ended that draws it closes."""
    wait_idle(page)
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


def by_a_click_outside(page: Page) -> None:
    page.get_by_test_id("stMain").click(position={"x": 900, "y": 690})


def turn(page: Page) -> None:
    """To another page and back."""
    for name, path in (("Gates", "/gates"), ("Gradient flow", "/")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(lambda url, path=path: urlparse(url).path == path and "task=" in url)
        wait_idle(page)


def openings(names: list[str]) -> Iterator[tuple[str, Act]]:
    """The knob that is moved in each opening of the popover, and what is done after it: each act
    comes after each kind. Each field and each act: tests/dashboard/test_choices.py."""
    for kinds, acts in (
        (("choice",), (dice, turn, slide)),
        (("int", "float"), (dice, turn, slide)),
        (("text",), (turn,)),
    ):
        own = [name for name in names if FIELDS[name].kind in kinds]
        for first, act in enumerate(acts):
            yield own[first], act


def test_every_kind_of_knob_of_more_holds(app: str, visit) -> None:
    """Like a person does: open, choose, close, go on."""
    page = visit(f"{app}/?models=rnn,lstm&seq_len=20")
    wait_charts(page, "")
    open_popover(page, "More")
    choose(page, "task")
    names = [name for name in FIELDS if name != "task" and knob(page, name).count()]
    assert len(names) > 10
    assert not query(page).keys() & set(names)
    by_escape(page)
    closings = itertools.cycle((by_escape, by_a_click_outside))
    for (name, act), close in zip(openings(names), closings, strict=False):
        open_popover(page, "More")
        choose(page, name)
        before = query(page)
        close(page)
        expect(page.locator(BODY)).to_have_count(0)
        act(page)
        wait_idle(page)
        now = query(page)
        moved = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
        assert moved <= {"seed", "gain"}, (name, act.__name__)
    open_popover(page, "More")
    now = query(page)
    chosen = [name for name in names if name in now and FIELDS[name].kind in ("choice", "text")]
    assert len(chosen) == 4
    for name in chosen:
        expect(knob(page, name)).to_have_value(now[name].replace("_", " "))
    expect(knob(page, "task")).to_have_value(task_name("words"))


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
