"""Charts by keyboard: each says its values in a table, and what lies in it opens."""

from __future__ import annotations

from math import inf, nan
from statistics import median
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.core.numerics import Status
from rnnviz.dashboard.main import FIRST
from rnnviz.wording.texts import texts
from tests.browser.reading import line
from tests.browser.support import chart, wait_idle, wait_painted

pytestmark = pytest.mark.browser
LAST = {"gradient-flow": "units", "spectrum": "jacobians", "gates": "carry", "train": "state-maps",
        "phase-diagram": "phase", "claims": "claims-sigma", "by-hand": "",
        "your-network": ""}  # fmt: skip
"""The last chart of each page's first screen; "" where the page has none."""
SHOWN = {"by-hand": ".formulas p", "your-network": ".st-key-example-closed button"}
"""What such a page shows."""
SMALL = {"hidden_size": "6", "seq_len": "24", "batch_size": "2", "view_cells": "coarse",
         "view_units": "8"}  # fmt: skip


def at_rest(page: Page, path: str) -> Page:
    """Once everything is drawn and nothing is measured any more."""
    if LAST[path]:
        wait_painted(page, LAST[path], timeout=60_000)
    else:
        expect(page.locator(SHOWN[path]).first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=60_000)
    wait_idle(page)
    return page


def address(app: str, path: str) -> str:
    return f"{app}/{path.replace(FIRST, '')}?{urlencode(SMALL)}"


def test_a_chart_s_values_are_a_short_table_when_asked_for(app: str, visit) -> None:
    page = at_rest(visit(address(app, FIRST)), FIRST)
    figure = page.locator(chart(page, "flow-state"))
    button = figure.get_by_role("button", name=texts("chart")["values"], exact=True)
    assert page.locator(".rnnviz-chart table").count() == 0
    button.press("Enter")
    rows = [row.locator("th, td").all_inner_texts() for row in figure.locator("tr").all()]
    assert rows[0] == ["time step t", "RNN", "LSTM", "GRU"]
    assert 2 < len(rows) <= 13
    for step, *values in rows[1:]:
        drawn = [line(page, "flow-state", name)[int(step) - 1] for name in rows[0][1:]]
        said = [float(value.replace("\u2212", "-")) for value in values]
        assert said == pytest.approx(drawn, rel=1e-3, abs=1e-3), step
    page.keyboard.press("Escape")
    expect(figure.locator(".rnnviz-values")).to_be_hidden()
    expect(button).to_be_focused()


def rows_of(figure: Locator) -> list[list[str]]:
    """Of the table of its values, without the head."""
    figure.get_by_role("button", name=texts("chart")["values"], exact=True).press("Enter")
    rows = figure.locator("tbody tr")
    expect(rows.first).to_be_visible()
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


COLUMNS = """(plot) => {
  const [below, top] = plot._fullData.length > 1 ? plot._fullData : [null, plot._fullData[0]];
  const kind = (row, column) => (below.z.length > 1 ? below.z[row][column] : below.z[0][0]);
  return Array.from(top.z[0], (_, column) => Array.from(top.z, (row, at) =>
    (Number.isFinite(row[column]) ? row[column] : `kind ${kind(at, column)}`)));
}"""


def log10(cell: float | str) -> float:
    zeros = (f"kind {Status.ZERO:d}", f"kind {Status.ROUNDED:d}")
    return float(cell) if not isinstance(cell, str) else -inf if cell in zeros else nan


@pytest.mark.parametrize("more", [{"init": "delay_line", "activation": "identity"}, {}],
                         ids=["zeros", "numbers"])  # fmt: skip
def test_the_table_of_a_map_says_medians(app: str, visit, more: dict[str, str]) -> None:
    """With as many decimals as the map; zeros count, and of an even number of units it is the mean
    of the two in the middle."""
    query = {"models": "rnn", "seq_len": "12", "hidden_size": "8", "batch_size": "2", **more}
    page = at_rest(visit(f"{app}/?{urlencode(query)}"), FIRST)
    figure = page.locator(chart(page, "units"))
    columns = figure.locator(".rnnviz-plot").evaluate(COLUMNS)
    assert len(columns) == 12
    for (step, said), column in zip(rows_of(figure), columns, strict=True):
        middle = median(map(log10, column))
        if middle == -inf:
            assert said == texts("chart")["zero"], step
        else:
            assert float(said.replace("\u2212", "-")) == pytest.approx(middle, abs=0.05001), step


def test_a_dot_that_stands_aside_is_told_at_its_own_step(app: str, visit) -> None:
    page = at_rest(visit(address(app, "gates")), "gates")
    rows = rows_of(page.locator(chart(page, "carry")))
    assert [step for step, *_ in rows if not step.isdigit()] == []
    assert rows[0][0] == "0"
    assert "\u2013" not in rows[0]


def test_a_cell_of_the_phase_diagram_opens_by_keyboard(app: str, visit) -> None:
    path = "phase-diagram"
    page = at_rest(visit(address(app, path)), path)
    page.locator(chart(page, LAST[path])).focus()
    said = page.locator(f"{chart(page, LAST[path])} > [role=status]")
    for key, cell in (("ArrowUp", "Gain 0.25, Sequence length T 10:"),
                      ("ArrowRight", "Gain 0.397, Sequence length T 10:"),
                      ("ArrowUp", "Gain 0.397, Sequence length T 27:")):  # fmt: skip
        page.keyboard.press(key)
        expect(said).to_contain_text(cell)
    page.keyboard.press("Enter")
    wait_painted(page, "flow-state", timeout=30_000)
    wait_idle(page)
    opened = parse_qs(urlsplit(page.url).query)
    assert opened["seq_len"] == ["27"]
    assert float(opened["gain"][0]) == pytest.approx(0.397, rel=1e-3)
