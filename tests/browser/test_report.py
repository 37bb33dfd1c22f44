"""Pages that stand alone, opened from a folder by a browser that has no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from rnnviz import Experiment, run
from rnnviz.diagnosis import diagnose
from tests.browser.support import SIZE, axis_range, wait_painted

pytestmark = pytest.mark.browser
OpenFile = Callable[..., Page]


@pytest.fixture
def open_file(browser: Browser) -> Iterator[OpenFile]:
    """Open a file; that nothing is asked for, and nothing complained of, is seen at the end."""
    context = browser.new_context(viewport=SIZE, offline=True)
    asked: list[str] = []
    complaints: list[str] = []

    def hear(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            asked.append(request.url)

    def opened(path: Path, at: str = "") -> Page:
        page = context.new_page()
        page.on("request", hear)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{path.as_uri()}{at}")
        return page

    yield opened
    context.close()
    assert (asked, complaints) == ([], [])


def test_a_diagnosis_draws_its_figures(open_file: OpenFile, tmp_path: Path) -> None:
    made = run(Experiment(models=("lstm",), hidden_size=8, seq_len=40, batch_size=2))
    diagnose(made, lag=20).html(tmp_path / "report.html")
    page = open_file(tmp_path / "report.html")
    keys = page.eval_on_selector_all("[data-figure]", "all => all.map((each) => each.dataset.key)")
    assert keys[0] == "flow-state"
    for key in keys:
        wait_painted(page, key)
        assert page.locator(f'[data-key="{key}"] .main-svg').count() > 0
    assert axis_range(page, "flow-state")[1] >= 40
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    wait_painted(page, "flow-state", after=1)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
