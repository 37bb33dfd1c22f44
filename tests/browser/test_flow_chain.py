"""The chain above the curves: pointed at, stepped along, and while a knob moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from rnnviz.analysis.step_factors import StepFactors, step_factors
from rnnviz.experiment import run
from rnnviz.experiment.links import from_query
from rnnviz.wording.numbers import factor
from tests.browser import reading
from tests.browser.support import SIZE, chart, painted, wait_idle, wait_painted

pytestmark = pytest.mark.browser
SMALL = "models=rnn,lstm&seq_len=40&hidden_size=8&batch_size=4"
CHAIN = ".rnnviz-unrolled"
PHONE: ViewportSize = {"width": 360, "height": 740}
Open = Callable[..., Page]


@pytest.fixture
def open_at(app: str, visit: Open) -> Open:
    def opened(query: str = SMALL, **how: Any) -> Page:
        page = visit(f"{app}/?{query}", **how)
        wait_painted(page, "units")
        wait_idle(page)
        return page

    return opened


def track(page: Page) -> Any:
    return page.locator(f"{CHAIN} [role=slider]")


def said(page: Page) -> str:
    return track(page).get_attribute("aria-valuetext") or ""


def point_at(page: Page, step: int) -> None:
    """With the mouse, at the arrow that has come to a step."""
    arrow = page.locator(f'{CHAIN} path[data-step="{step}"]').bounding_box()
    page.mouse.move(arrow["x"] + 1, arrow["y"] + arrow["height"] / 2)


def bars(page: Page) -> dict[str, float]:
    script = "(all) => all.map(({ dataset }) => [dataset.part, Number(dataset.value)])"
    return dict(page.locator(f"{CHAIN} .bars rect").evaluate_all(script))


def split_of(query: str, model: str) -> StepFactors:
    experiment, _ = from_query({name: [value] for name, value in parse_qsl(query)})
    return step_factors(run(experiment)[model].layers[0][0], model)


def test_pointing_at_it_says_on_either_ground_the_factor_that_the_bars_add_up_to(
    open_at: Open,
) -> None:
    page, split = open_at(), split_of(SMALL, "rnn")
    assert bars(page) == {}
    for step in (39, 20, 1):
        point_at(page, step)
        expect(page.locator(CHAIN)).to_have_attribute("data-node", str(step - 1))
        whole = split.change[step]
        assert said(page).startswith(f"Step {step + 1} → {step}: {factor(10**whole)} = ")
        shown = bars(page)
        assert sum(shown.values()) == pytest.approx(whole, abs=3e-4)
        for name, value in shown.items():
            assert value == pytest.approx(split.factors[name][step], abs=1e-4)
            assert factor(10 ** split.factors[name][step]) in said(page)
        cursor = page.locator(chart(page, "flow-state"))
        assert cursor.get_attribute("data-cursor") == str(step)
    page.mouse.move(5, 5)
    assert bars(page) == {}
    assert said(page).startswith("Unrolled")
    point_at(page, 20)
    assert reading.contrast(page, f"{CHAIN} .words") > 7
    count = painted(page, "flow-state")
    page.emulate_media(color_scheme="dark")
    wait_painted(page, "flow-state", after=count)
    assert reading.contrast(page, f"{CHAIN} .words") > 7


def test_it_is_one_slider_for_the_keyboard_and_speaks(open_at: Open) -> None:
    page, split = open_at(f"{SMALL}&view_chain=lstm"), split_of(SMALL, "lstm")
    slider = track(page)
    slider.focus()
    for key, step in (("ArrowLeft", 39), ("ArrowLeft", 38), ("PageDown", 28), ("ArrowRight", 29),
                      ("Home", 1), ("ArrowLeft", 1)):  # fmt: skip
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == str(step)
        assert said(page).startswith(
            f"Step {step + 1} → {step}: {factor(10 ** split.change[step])}."
        )
        for name in ("carry", "g", "o"):
            share = f"{name} {split.shares[name][step]:.2f}"
            assert (share in said(page)) == (split.shares[name][step] >= 0.005)
    page.keyboard.press("End")
    assert said(page) == "Step 40: here the error begins."
    assert (slider.get_attribute("aria-valuemin"), slider.get_attribute("aria-valuemax")) == (
        "1", "40")  # fmt: skip
    page.keyboard.press("Escape")
    assert said(page).startswith("Unrolled")


WIDTHS = f"() => [...document.querySelectorAll('{CHAIN} path.error')].map((p) => +p.dataset.width)"


def test_arrows_are_as_thick_as_the_curve_is_high_and_its_steps_are_theirs(open_at: Open) -> None:
    page, split = open_at(), split_of(SMALL, "rnn")
    decades = np.cumsum(split.change[1:][::-1])
    low, high = -26.0, 4.0
    wanted = 1 + 14 * (decades - low) / (high - low)
    np.testing.assert_allclose(page.evaluate(WIDTHS), wanted, atol=1e-3)
    page.locator(chart(page, "flow-state")).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("Step 40 → 39: ")


HELD = f"""([gain]) => {{
  const box = document.querySelector('{CHAIN}');
  return new URLSearchParams(box.dataset.shows).get('gain') !== gain;
}}"""


def test_it_follows_a_knob_that_is_held_and_what_it_says_is_of_that_value(open_at: Open) -> None:
    page = open_at()
    page.locator(f"{CHAIN} [role=slider]").focus()
    page.keyboard.press("ArrowLeft")
    before = said(page)
    knob = page.get_by_role("slider", name="Gain", exact=True)
    box = knob.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], y)
    page.wait_for_function(HELD, arg=[None])
    assert page.evaluate("() => document.documentElement.classList.contains('rnnviz-ahead')")
    assert page.locator(CHAIN).get_attribute("data-live") == ""
    page.mouse.up()
    wait_idle(page)
    point_at(page, 39)
    query = page.locator(CHAIN).get_attribute("data-shows") or ""
    assert said(page) != before
    found = split_of(query, "rnn").change[39]
    assert said(page).startswith(f"Step 40 → 39: {factor(10**found)} = ")
    assert page.locator(chart(page, "flow-state")).get_attribute("data-shows") == query


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_curve_and_its_verdict_stay_in_sight(open_at: Open, lang: str) -> None:
    page = open_at(f"lang={lang}", viewport=SIZE)
    chain, curve = (
        page.locator(each).bounding_box() for each in (CHAIN, chart(page, "flow-state"))
    )
    assert chain["height"] <= 70
    assert chain["y"] + chain["height"] <= curve["y"]
    assert curve["y"] - chain["y"] - chain["height"] < 12
    assert curve["y"] + curve["height"] < SIZE["height"]
    assert reading.below_the_fold(page, chart(page, "units")) <= 0
    before = page.locator(CHAIN).bounding_box()
    point_at(page, 50)
    assert page.locator(CHAIN).bounding_box() == before


def test_it_is_put_away_and_the_link_says_so(open_at: Open) -> None:
    page = open_at(viewport=SIZE)
    small = page.locator(chart(page, "flow-state")).bounding_box()["height"]
    page.get_by_role("combobox", name="Whose chain").click()
    page.get_by_role("option", name="No chain").click()
    expect(page.locator(CHAIN)).to_have_count(0)
    wait_idle(page)
    assert "view_chain=none" in page.url
    assert page.locator(chart(page, "flow-state")).bounding_box()["height"] > small


def test_a_finger_chooses_a_step_on_a_phone(open_at: Open) -> None:
    page = open_at(viewport=PHONE)
    box = track(page).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(f"{CHAIN} .words b")).to_be_visible()
    assert bars(page)
    page.mouse.move(5, 600)
    assert bars(page)  # it has the focus, as after a tap


def test_long_names_beside_it_are_whole_or_keep_both_ends(open_at: Open) -> None:
    query = "models=rnn:activation=relu&seq_len=20&hidden_size=4&batch_size=2&layers=2&lang=zh"
    name = open_at(query).locator(f"{CHAIN} text.name")
    left = "(text) => text.getBBox().x"
    assert name.evaluate(left) >= 0
    said = name.text_content() or ""
    assert said.startswith("RNN")
    assert said.endswith("层")
