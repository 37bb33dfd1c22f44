"""Your network in a browser: one that does not learn, then a visitor's own file."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from rnnviz.models.examples import EXAMPLES
from rnnviz.wording.texts import texts
from tests.browser import reading
from tests.browser.barriers import barriers
from tests.browser.support import chart, wait_idle, wait_painted
from tests.models.hostile import npz

pytestmark = pytest.mark.browser
TEXT = texts("your_network")
VERDICT = ".rnnviz-verdict"


def test_one_that_does_not_learn_then_a_file(app: str, open_page) -> None:
    """A refused file leaves the one before; axe-core finds nothing grave beside a diagnosis."""
    page = open_page(f"{app}/your-network")
    page.get_by_role("button", name=TEXT["example_vanishes"]).click()
    expect(page.locator(VERDICT)).to_be_visible(timeout=60_000)
    wait_painted(page, "flow-state", timeout=60_000)
    wait_idle(page)
    expect(page.locator(VERDICT)).to_contain_text("vanishes before the lag")
    assert reading.below_the_fold(page, VERDICT) <= 0
    lstm = {"name": "own-lstm.npz", "mimeType": "", "buffer": npz(EXAMPLES["closed"].weights())}
    page.locator("input[type=file]").first.set_input_files(lstm)
    expect(page.get_by_text("own-lstm.npz: PyTorch’s weights")).to_be_visible(timeout=30_000)
    expect(page.locator(VERDICT)).to_contain_text("The memory gate f is closed", timeout=30_000)
    wait_idle(page)
    page.get_by_text("All findings (3 serious").click()
    expect(page.get_by_text("rnn.bias_ih_l0").first).to_be_visible()
    assert barriers(page) == []
    assert page.locator(chart(page, "flow-state")).count() == 1
    bad = {"name": "model.pt", "mimeType": "", "buffer": b"\x80\x02}q\x00."}
    page.locator("input[type=file]").first.set_input_files(bad)
    refused = page.get_by_text("model.pt was not opened: the file is a pickle, which is never")
    expect(refused).to_be_visible(timeout=30_000)
    expect(page.get_by_text("own-lstm.npz: PyTorch’s weights")).to_be_visible()
    wait_painted(page, "flow-state")
    assert "own-lstm" not in page.url
