"""The phase diagram in a real browser: it fills by itself, can be stopped, and opens its cells."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser import reading
from tests.browser.support import chart, plot_area, wait_idle, wait_painted

pytestmark = pytest.mark.browser
SMALL = {"models": "rnn,lstm,gru", "hidden_size": "4", "batch_size": "2", "view_cells": "coarse",
         "seq_len": "20", "view_y": "memory_bias"}  # fmt: skip


def progress(page: Page):
    return page.get_by_test_id("stProgress")


def wait_finished(page: Page) -> None:
    wait_painted(page, "phase", timeout=60_000)
    expect(progress(page)).to_have_count(0, timeout=60_000)
    wait_idle(page)


def test_it_fills_by_itself_and_fits_on_the_first_screen(app: str, visit) -> None:
    page = visit(f"{app}/phase-diagram?{urlencode({**SMALL, 'seed': '11'})}")
    wait_finished(page)
    page.wait_for_function("(css) => document.querySelector(css).data.some((t) => t.coloraxis)",
                           arg=f"{chart(page, 'phase')} .rnnviz-plot")  # fmt: skip
    assert reading.below_the_fold(page, chart(page, "phase")) <= 0
    assert page.locator(".rnnviz-how").first.bounding_box()["y"] < 700


def test_a_click_on_a_cell_opens_that_experiment(app: str, visit) -> None:
    page = visit(f"{app}/phase-diagram?{urlencode(SMALL)}")
    wait_finished(page)
    page.mouse.click(*plot_area(page, "phase", 0.93, 0.1))
    wait_painted(page, "flow-state")
    wait_idle(page)
    expect(page.get_by_role("slider", name="Gain")).to_have_attribute("aria-valuetext", "4.00")
    expect(page.get_by_role("slider", name="Memory bias")).to_have_attribute(
        "aria-valuetext", "−2.0"
    )
    assert "gain=4" in page.url
    assert "memory_bias=-2" in page.url


def test_cancel_and_go_on(app: str, visit) -> None:
    large = {**SMALL, "hidden_size": "32", "view_cells": "fine", "seed": "12"}
    page = visit(f"{app}/phase-diagram?{urlencode(large)}")
    wait_painted(page, "phase", timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    go_on = page.get_by_role("button", name="Go on")
    expect(go_on).to_be_visible()
    wait_idle(page)
    said = progress(page).inner_text()
    assert progress(page).inner_text() == said
    go_on.click()
    expect(progress(page)).not_to_have_text(said)
