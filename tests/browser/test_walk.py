"""Tasks and networks are chosen by hand, and train."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from rnnviz.experiment.model import override_field
from rnnviz.wording.tasks import task_name
from rnnviz.wording.texts import texts
from tests.browser.reading import wait_charts
from tests.browser.support import painted, wait_idle, wait_painted
from tests.browser.test_choices import by_escape, open_popover, pick, query, written
from tests.browser.test_panels import unreadable
from tests.browser.test_train import button, scrubber

pytestmark = pytest.mark.browser
LEAST = 10
"""Training steps after which a run counts as begun."""


class Trained(NamedTuple):
    """The last run of the table below the fold."""

    models: list[str]
    steps: int
    settings: str


def last_run(page: Page) -> Trained:
    script = """() => {
      const tables = [...document.querySelectorAll('.rnnviz-table')];
      const table = tables.find((t) => t.textContent.includes('training steps'));
      return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent));
    }"""
    header, *rows = page.evaluate(script)
    run, model, steps, settings = map(header.index, ("run", "model", "training steps", "settings"))
    rows = [row for row in rows if row[run] == rows[-1][run]]
    least = min(int(row[steps]) for row in rows)
    return Trained([row[model] for row in rows], least, rows[-1][settings])


def train(page: Page) -> Trained:
    """From the start until every model has trained a little; what the table says of it."""
    wait_idle(page)
    expect(scrubber(page)).to_have_value("0")
    button(page, f"+{LEAST}").click()
    expect(scrubber(page)).to_have_value(str(LEAST), timeout=30_000)
    wait_idle(page)
    expect(page.locator(".rnnviz-table").last).to_be_attached()
    return last_run(page)


@pytest.fixture(params=["rnn,lstm,gru"])
def page(app: str, open_page: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    """Train, where small networks have begun to learn."""
    page = open_page(f"{app}/train?models={request.param}&seq_len=10&hidden_size=8&loss_at=every")
    wait_charts(page, "train")
    assert train(page).models == request.param.upper().split(",")
    return page


def choose_task(page: Page, task: str) -> None:
    open_popover(page, "More")
    pick(page, "Task", task_name(task))
    page.wait_for_url(re.compile(rf"[?&]task={task}(&|$)"))
    by_escape(page)
    if task == "text":
        page.get_by_role("button", name="A nursery rhyme").click()
        page.wait_for_url(written("text"))
    wait_idle(page)


def add_variant(page: Page, cell: str, variant: str) -> None:
    """In the open popover."""
    pick(page, "Cell", cell)
    variants = page.get_by_role("combobox", name="Value", exact=True)
    first = override_field("variant", cell.lower()).choices[1]
    expect(variants).to_have_value(texts("sidebar")[f"variant_{first}"])
    wait_idle(page)
    pick(page, "Value", variant)
    expect(variants).to_have_value(variant)
    wait_idle(page)
    before = query(page).get("models", "").count(":")
    button(page, "Add this model").click()
    page.wait_for_url(lambda url: url.count("%3A") > before)
    wait_idle(page)


def press(page: Page, slider: str, key: str) -> None:
    page.get_by_role("slider", name=slider, exact=True).press(key)
    wait_idle(page)


BELOW = {"text": "written", "sentiment": "own-sentence", "captioning": "digits",
         "stocks": "forecast"}  # fmt: skip
"""Where it is seen what the networks of a task do, once they have been trained."""


@pytest.mark.parametrize("page", ["rnn,lstm"], indirect=True)
def test_a_task_of_every_figure(page: Page) -> None:
    """It is chosen from the list, trains, and two networks' rows do not lie over each other."""
    for task, key in BELOW.items():
        choose_task(page, task)
        before = painted(page, key)
        found = train(page)
        assert found.steps >= LEAST
        assert f"Task delayed_recall → {task}" in found.settings
        wait_painted(page, key, after=before)
        assert unreadable(page, (key,)) == [], task


def test_variants_layers_directions_leak_skip_and_an_optimizer_that_clips(page: Page) -> None:
    open_popover(page, "More")
    add_variant(page, "LSTM", "coupled gates: i = 1 − f (CIFG)")
    add_variant(page, "GRU", "reset before the product")
    pick(page, "Both directions", "yes")
    page.wait_for_url(written("bidirectional"))
    for slider, name in (("Layers", "layers"), ("Leak (RNN)", "leak"), ("Skip, steps", "skip")):
        press(page, slider, "PageDown" if name == "leak" else "PageUp")
        page.wait_for_url(written(name))
    by_escape(page)
    open_popover(page, "Optimizer")
    pick(page, "Optimizer", "sgd")
    page.wait_for_url(written("optimizer"))
    pick(page, "Clip gradients", "norm")  # in the same opening
    page.wait_for_url(written("clip"))
    by_escape(page)
    found = train(page)
    assert len(found.models) == 5
    for said in ("cifg", "reset_before", "Both directions no → yes", "Layers 1 → ",
                 "Leak (RNN) 1 → ", "Skip, steps 0 → "):  # fmt: skip
        assert said in found.settings
    assert re.search("Optimizer adam → sgd.*Clip gradients none → norm", found.settings)
