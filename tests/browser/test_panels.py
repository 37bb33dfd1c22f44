"""What is below the fold in a real browser: each panel opens, is painted, and can be read."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from rnnviz import Experiment, to_query
from tests.browser import reading
from tests.browser.reading import wait_charts
from tests.browser.support import chart, painted, wait_idle, wait_painted
from tests.browser.test_pages import turn_to

pytestmark = pytest.mark.browser
PANELS = {
    "": {
        "Pair matrix:": ("one-loss",),
        "Lag profile:": ("lags",),
        "Sums in ∂L/∂W_hh": ("contributions",),
    },
    "spectrum": {
        "Weights:": ("weights", "weight-gradients"),
        "Fixed points:": ("fixed-points",),
        "Singular values over the lag:": ("lag-spectra",),
        "Lyapunov spectrum:": ("lyapunov",),
        "Jacobian spectra": ("bands",),
    },
}
MANY = ("rnn", "lstm", "gru", "lstm:forget_bias=0", "gru:update_bias=0", "rnn:gain=2")
LARGE = to_query(
    Experiment(models=MANY, layers=2, bidirectional="yes", seq_len=40, hidden_size=16, batch_size=4)
)
"""As many models as there may be, of long names, and layers to choose from."""


def unfold(page: Page, title: str, keys: tuple[str, ...]) -> None:
    """Open a panel and wait until its charts are drawn."""
    page.get_by_text(title).first.click()
    for key in keys:
        wait_painted(page, key, timeout=60_000)
    wait_idle(page)


def unreadable(page: Page, keys: tuple[str, ...]) -> list[str]:
    """Texts of these figures that are cut or lie over another."""
    found = []
    for key in keys:
        css = f"{chart(page, key)} .rnnviz-plot"
        page.locator(css).scroll_into_view_if_needed()
        written = page.evaluate(reading.FIGURE_TEXT, css)
        assert written, key
        found += [f"{key}: {text['text']!r} is cut" for text in written if text["cut"]]
        found += [f"{key}: {pair}" for pair in reading.overlaps(written)]
    return found


def test_every_panel_opens_and_can_be_read(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode(LARGE)}")
    for tab in PANELS:
        turn_to(page, tab)
        for title, keys in PANELS[tab].items():
            unfold(page, title, keys)
            assert unreadable(page, keys) == [], title


def test_states_and_seeds_can_be_read(app: str, visit) -> None:
    query = {**LARGE, "view_states": "True", "view_of": "lstm"}
    page = visit(f"{app}/gates?{urlencode(query)}")
    kinds = ("state", "gradient", "state-lines", "gradient-lines")
    keys = tuple(f"{kind}-{name}" for kind in kinds for name in "hc")
    for key in keys:
        wait_painted(page, key, timeout=60_000)
    assert unreadable(page, keys) == []
    query = {**LARGE, "view_seeds": "5"}
    page = visit(f"{app}/?{urlencode(query)}")
    wait_painted(page, "flow-state", timeout=60_000)
    page.get_by_text("least to greatest of 5 seeds").wait_for()
    assert unreadable(page, ("flow-state",)) == []


def test_why_opens_at_the_verdict_and_can_be_read_in_the_dark(app: str, visit) -> None:
    page = visit(f"{app}/?{urlencode(LARGE)}", color_scheme="dark")
    wait_charts(page, "")
    page.get_by_text("Why?", exact=True).first.click()
    wait_painted(page, "step-factors")
    page.wait_for_url("**view_why=True*")
    wait_charts(page, "")
    assert unreadable(page, ("step-factors",)) == []
    assert reading.contrast(page, f"{chart(page, 'step-factors')} .xtick text") > 7


# A hand that never rests: one that stays still for a moment counts as at rest, and on a busy
# machine a test's mouse does.
TAKE = """(knob) => {
  knob.dispatchEvent(new PointerEvent('pointerdown'));
  window.hand = setInterval(() => {
    knob.value = Number(knob.value) + 1;
    knob.dispatchEvent(new Event('input'));
  }, 30);
}"""
LET_GO = """(knob) => {
  clearInterval(window.hand);
  knob.dispatchEvent(new PointerEvent('pointerup'));
}"""


def test_an_open_panel_waits_until_the_knob_is_let_go(app: str, visit) -> None:
    """Dragging draws the first screen alone; the panel follows after release."""
    page = visit(app)
    wait_charts(page, "")
    unfold(page, "Lag profile:", ("lags",))
    first, panel = painted(page, "flow-state"), painted(page, "lags")
    before = reading.drawn(page, "lags")
    gain = page.get_by_role("slider", name="Gain", exact=True)
    gain.evaluate(TAKE)
    wait_painted(page, "flow-state", after=first)
    assert painted(page, "lags") == panel
    assert reading.drawn(page, "lags") == before
    gain.evaluate(LET_GO)
    wait_painted(page, "lags", after=panel, timeout=60_000)
    assert reading.drawn(page, "lags") != before


def test_the_pair_matrix_in_the_dark(app: str, visit) -> None:
    page = visit(app, color_scheme="dark")
    wait_charts(page, "")
    unfold(page, "Pair matrix:", ("one-loss",))
    page.get_by_text("Put a loss at every step").click()
    for key in ("pairs", "cancellation"):
        wait_painted(page, key, timeout=60_000)
    wait_idle(page)
    assert unreadable(page, ("pairs", "cancellation")) == []
    assert reading.contrast(page, f"{chart(page, 'pairs')} .xtick text") > 7


@pytest.mark.parametrize("tab", PANELS)
def test_theory_moves_nothing_but_itself(app: str, visit, tab: str) -> None:
    """Switched on, the first screen keeps its places and gains its lines."""
    page = visit(f"{app}/{tab}")
    wait_charts(page, tab)
    keys = reading.CHARTS[tab]
    places = [page.locator(chart(page, key)).bounding_box() for key in keys]
    before, count = reading.drawn(page, keys[0]), painted(page, keys[0])
    page.get_by_text("Theory", exact=True).first.click()
    wait_painted(page, keys[0], after=count)
    page.wait_for_url("**view_theory=True*")
    wait_charts(page, tab)
    assert [page.locator(chart(page, key)).bounding_box() for key in keys] == places
    assert len(reading.drawn(page, keys[0])) > len(before)
    assert reading.troubles(page, tab) == []
