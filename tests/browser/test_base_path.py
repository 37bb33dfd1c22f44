"""The dashboard under a path of its own, as behind a proxy: `--server.baseUrlPath=/rnn`."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import plotly.offline
import pytest
from playwright.sync_api import Page, expect

from rnnviz.wording.texts import texts
from tests.browser.support import server, wait_idle

pytestmark = pytest.mark.browser
FIRST = "spectrum"
OTHERS = ("gradient_flow", "train", "claims")
"""Gates and Phase diagram load no script that these do not."""
SMALL = "hidden_size=6&seq_len=24&batch_size=2&view_units=8"
PLOTLY = f"plotly/plotly.min.js?v={plotly.offline.get_plotlyjs_version()}"


@pytest.fixture(scope="module")
def mounted() -> Iterator[str]:
    with server(base="/rnn", RNNVIZ_METRICS="1") as address:
        yield address


def test_pages_of_every_script_have_their_charts_and_sliders_and_by_hand_its_chain(
    mounted: str, open_page
) -> None:
    """One opened by its address, the others by their links."""
    page = open_page(f"{mounted}/{FIRST}?{SMALL}")
    for tab in (FIRST, *OTHERS):
        turn_to(page, tab)
        path = "" if tab == "gradient_flow" else tab
        expect(page).to_have_url(re.compile(f"{mounted}/{path}([?]|$)"))
        wait_idle(page, 60_000)
        page.wait_for_selector(".rnnviz-chart:not([data-painted='0'])", timeout=60_000)
        expect(page.get_by_role("slider", name="Gain", exact=True)).to_be_visible()
        assert page.locator(".rnnviz-message:visible").count() == 0
    turn_to(page, "by_hand")
    large = page.get_by_role("link", name=texts("chain")["large"])
    expect(large).to_be_visible(timeout=60_000)
    assert (large.get_attribute("href") or "").startswith("/rnn/?")


def turn_to(page: Page, tab: str) -> None:
    page.get_by_role("link", name=texts("layout")[f"page_{tab}"], exact=True).click()


@pytest.mark.parametrize("path", [PLOTLY, "rnnviz/chart.js"])
def test_scripts_are_packed(mounted: str, path: str) -> None:
    asked = urllib.request.Request(f"{mounted}/{path}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"].startswith("W/")  # not packed for this visitor alone


def test_only_plotly_itself_is_kept_for_long(mounted: str) -> None:
    with urllib.request.urlopen(f"{mounted}/{PLOTLY}") as answer:
        assert answer.headers.get_content_type() == "text/javascript"
        assert "immutable" in answer.headers["Cache-Control"]
    with pytest.raises(HTTPError) as nothing:
        urllib.request.urlopen(f"{mounted}/nothing/{PLOTLY}")
    assert nothing.value.code == 404
    assert "immutable" not in (nothing.value.headers["Cache-Control"] or "")
    nothing.value.close()


def test_probes_are_answered_truly(mounted: str) -> None:
    with urllib.request.urlopen(f"{mounted}/version") as answer:
        assert answer.headers.get_content_type() == "application/json"
    with pytest.raises(HTTPError, match="404") as nothing:
        urllib.request.urlopen(f"{mounted}/health")
    nothing.value.close()
    # By then it is known which pages there are, and so the first one has been shown.
    with urllib.request.urlopen(f"{mounted}/healthz") as answer:
        assert answer.read() == b"ready"


def test_metrics_are_there_for_who_asks_for_them(mounted: str) -> None:
    with urllib.request.urlopen(f"{mounted}/metrics") as answer:
        assert re.search(rb"\nrnnviz_visitors \d+\n", answer.read())


def test_metrics_are_off_unless_asked_for(app: str) -> None:
    with pytest.raises(HTTPError, match="404") as nothing:
        urllib.request.urlopen(f"{app}/metrics")
    nothing.value.close()


def test_the_lecture_and_its_rooms_are_there(mounted: str, open_page) -> None:
    page = open_page(f"{mounted}/lecture?scene=1")
    page.wait_for_selector(".rnnviz-desk .keys button", timeout=60_000)
    page.keyboard.press("r")
    page.wait_for_selector(".rnnviz-chart:not([data-painted='0'])", timeout=60_000)
    with pytest.raises(HTTPError, match="404") as nothing:
        urllib.request.urlopen(f"{mounted}/vote/xxxxx")
    assert b"There is no such room" in nothing.value.read()
    nothing.value.close()
