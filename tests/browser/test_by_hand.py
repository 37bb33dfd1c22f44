"""By hand in a browser: every key and button takes one step, what is edited is followed at once,
and the address opens the very picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.views.by_hand import GATES
from rnnviz.wording.texts import fill, texts
from tests.browser.barriers import barriers
from tests.browser.conftest import Visit
from tests.browser.support import wait_idle, wait_painted

pytestmark = pytest.mark.browser
WORDS = texts("chain")
SYMBOLS = re.compile(r"RNN|LSTM|GRU|tanh|relu|ReLU|logistic|identity")


def opened(visit: Visit, app: str, query: str = "", **options: Any) -> Page:
    page = visit(f"{app}/by-hand?{query}", **options)
    expect(page.locator(".formulas p").first).to_be_visible(timeout=60_000)
    wait_idle(page)
    return page


def stage(page: Page) -> Locator:
    return page.locator(".said")


def forward(t: int, T: int = 5) -> str:
    return fill(WORDS["stage_forward"], t=t, T=T)


def back(t: int) -> str:
    return fill(WORDS["stage_backward"], t=t)


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("spinbutton", name=re.compile(f"^{re.escape(name)}[ :]"))


def test_keys_go_one_step_on_and_back(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    expect(stage(page)).to_have_text(back(1))
    for key, says in (("ArrowLeft", back(2)), ("PageUp", back(3)), ("ArrowRight", back(2)),
                      ("Home", WORDS["stage_start"]), ("ArrowLeft", WORDS["stage_start"]),
                      ("PageDown", forward(1)), ("End", back(1))):  # fmt: skip
        page.keyboard.press(key)
        expect(stage(page)).to_have_text(says)
    expect(page).not_to_have_url(re.compile("view_stage"))
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("view_stage=9"))


def test_buttons_do_too_and_arrows_appear_one_by_one(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    press = lambda name: page.get_by_role("button", name=WORDS[name], exact=True).click()  # noqa: E731
    press("start")
    assert page.locator(".error").count() == 0
    expect(page.get_by_role("button", name=WORDS["back"], exact=True)).to_be_disabled()
    for t in range(1, 6):
        press("forward")
        expect(stage(page)).to_have_text(forward(t))
        assert page.locator("rect.state:not(.later)").count() == t + 1
    press("forward")
    expect(stage(page)).to_have_text(WORDS["stage_loss"])
    for t in range(4, 0, -1):
        press("forward")
        expect(stage(page)).to_have_text(back(t))
        assert page.locator(".error").count() == 6 - t
    press("back")
    assert page.locator(".error").count() == 4


def test_play_goes_to_the_end_and_stops(visit: Visit, app: str) -> None:
    page = opened(visit, app, "view_stage=8")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=WORDS["pause"], exact=True)).to_be_visible()
    expect(stage(page)).to_have_text(back(1), timeout=15_000)
    expect(page.get_by_role("button", name=WORDS["play"], exact=True)).to_be_visible()


def test_the_arrows_are_as_thick_as_the_error(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    drawn = page.locator("path.error").evaluate_all(
        "(all) => all.map((a) => [Number(a.dataset.error), Math.max(...(a.getAttribute('d')"
        ".match(/V[\\d.]+H[\\d.]+Z/)?.map((t) => parseFloat(t.slice(1))) ?? [0]))"
        " - Number(a.getAttribute('d').match(/M[\\d.]+ ([\\d.]+)/)[1])])"
    )
    assert len(drawn) == 5
    (largest, width), *others = drawn
    assert largest == pytest.approx(0.67675, abs=1e-5)
    for error, thickness in others:
        assert thickness / width == pytest.approx(error / largest, rel=1e-6)


def test_a_weight_is_typed_and_everything_follows(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    weight, formula = field(page, "W_ha"), page.locator(".formulas p").first
    before = formula.text_content() or ""
    weight.fill("0.5")
    expect(formula).not_to_have_text(before)
    expect(formula).to_contain_text("0.5")
    expect(page.locator("rect.state")).to_have_count(6)
    weight.press("ArrowUp")
    expect(weight).to_have_value("0.6")
    weight.press("ArrowLeft")  # moves in the number, not in the chain
    expect(stage(page)).to_have_text(back(1))
    expect(page).to_have_url(re.compile("view_W_hh=0.6"))
    page.reload()
    expect(field(page, "W_ha")).to_have_value("0.6", timeout=60_000)


def test_so_is_an_input_a_target_and_a_bias(visit: Visit, app: str) -> None:
    page = opened(visit, app, "view_cell=lstm")
    table = page.locator(".table")
    for name in ("input x at step 2", "target of unit 1", "b_f 1", "W_xi"):
        before = table.text_content() or ""
        field(page, name).fill("0.7")
        expect(table).not_to_have_text(before)


def test_a_number_is_dragged(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    box = field(page, "W_ha").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=5)
    page.mouse.up()
    expect(field(page, "W_ha")).to_have_value("2.2")
    page.mouse.move(x, y)
    expect(field(page, "W_ha")).to_have_value("2.2")
    expect(page).to_have_url(re.compile("view_W_hh=2.2"))


def test_what_is_no_number_or_too_large_is_said_of_a_link_marked_where_typed_and_changes_nothing(
    visit: Visit, app: str
) -> None:
    page = opened(visit, app, "view_units=9&view_W_hh=%3Cscript%3E&view_stage=1e9")
    said = page.locator(".rnnviz-warning").inner_text()
    assert said.count("The link asked for") == 3
    assert "<" not in said
    expect(field(page, "W_ha")).to_have_value("1.2")
    before = page.locator(".table").inner_text()
    for wrong in ("", "101", "-1e9"):
        field(page, "W_ha").fill(wrong)
        expect(field(page, "W_ha")).to_have_attribute("aria-invalid", "true")
        assert page.locator(".table").inner_text() == before
    field(page, "W_ha").blur()
    expect(field(page, "W_ha")).to_have_value("1.2")


def test_another_cell_keeps_the_inputs_and_comes_back_as_it_was(visit: Visit, app: str) -> None:
    page = opened(visit, app, "view_W_hh=0.7&view_inputs=1,0,0.5")
    page.get_by_label(WORDS["cell"]).select_option("lstm")
    expect(page.locator(".tag.carry").first).to_have_text(WORDS["carry"])
    assert page.locator(".tag.gates").all_inner_texts() == [
        fill(WORDS["gate"], gate=gate) for gate in GATES["lstm"]
    ]
    expect(field(page, "input x at step 3")).to_have_value("0.5")
    page.get_by_label(WORDS["units"]).select_option("2")
    expect(field(page, "target of unit 2")).to_have_value("0")
    page.get_by_label(WORDS["units"]).select_option("1")
    page.get_by_label(WORDS["cell"]).select_option("rnn")
    expect(field(page, "W_ha")).to_have_value("0.7")
    page.get_by_label(WORDS["steps"]).select_option("8")
    expect(field(page, "input x at step 8")).to_have_value("0")
    expect(page).to_have_url(re.compile(r"view_inputs=1%2C0%2C0.5%2C0%2C0%2C0%2C0%2C0"))


def test_the_way_to_many_units_opens_gradient_flow(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    page.get_by_role("link", name=WORDS["large"]).click()
    wait_painted(page, "flow-state", timeout=60_000)
    assert "gain=1.2" in page.url
    assert page.locator(".rnnviz-warning").count() == 0


def test_a_definition_opens_by_keyboard_and_closes(visit: Visit, app: str) -> None:
    page = opened(visit, app)
    word = page.locator(".table dfn").nth(3)
    word.focus()
    shown = "(word) => getComputedStyle(word, '::after').content"
    assert word.evaluate(shown) == f'"{WORDS["define_factor"]}"'
    page.keyboard.press("Escape")
    assert word.evaluate(shown) == "none"


@pytest.mark.parametrize("query", ["view_cell=gru&view_stage=7", "view_cell=lstm&view_units=2"])
def test_axe_finds_nothing_grave_in_any_cell(visit: Visit, app: str, query: str) -> None:
    assert barriers(opened(visit, app, query)) == []


def test_every_text_comes_from_the_wording(visit: Visit, app: str) -> None:
    """In the pseudo-locale all that is seen or read out stands in ⟦ ⟧, signs and names apart."""
    page = opened(visit, app, "view_cell=lstm&view_units=2&lang=xx")
    said = page.locator(".hand").evaluate(
        """(hand) => [...hand.querySelectorAll('*')].flatMap((node) => [
          ...['aria-label', 'title', 'aria-description'].map((name) => node.getAttribute(name)),
          [...node.childNodes].some((child) => child.nodeType === 3) ? node.textContent : "",
        ]).filter(Boolean)"""
    )
    assert sum("⟦" in text for text in said) > 40
    left = [re.sub("⟦[^⟧]*⟧?", "", text) for text in said]
    assert [text for text in left if re.search(r"[^\W\d_]{3,}", SYMBOLS.sub("", text))] == []


SEEN = """(page) => ['.bar button', '.chain svg', '.formulas'].map((css) => {
  const { top, bottom } = page.querySelector(css).getBoundingClientRect();
  return [Math.round(top), Math.round(bottom)];
})"""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("cell", GATES)
def test_buttons_chain_and_formulas_of_two_units_are_in_sight(
    visit: Visit, app: str, cell: str, lang: str
) -> None:
    """Of every stage, in a window of 1280 × 720."""
    page = opened(visit, app, f"view_cell={cell}&view_units=2&lang={lang}")
    hand = page.locator(".hand")
    for _ in range(11):
        seen = hand.evaluate(SEEN)
        assert min(top for top, _ in seen) >= 0
        assert max(bottom for _, bottom in seen) <= 720, seen
        assert page.locator(".formulas").evaluate("(f) => f.scrollWidth - f.clientWidth") <= 0
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize(
    "query",
    [
        "view_cell=gru&view_units=2&view_inputs=1,0,0,0,0,0,0,0&view_stage=16",
        "view_cell=lstm&view_units=2&view_inputs=1,0,0,0,0,0,0,0&view_stage=16",
        "view_W_hh=20&view_target=1&view_stage=10",
    ],
)
def test_long_numbers_and_many_steps_have_room(visit: Visit, app: str, query: str) -> None:
    page = opened(visit, app, query)
    wide = """(all) => all.filter((cell) => {
      const range = document.createRange(), box = cell.getBoundingClientRect();
      range.selectNodeContents(cell);
      const { left, right } = range.getBoundingClientRect();
      return left < box.left - 1 || right > box.right + 1;
    }).map((cell) => cell.textContent)"""
    cells = page.locator(".row > div:not(.name), .parameters small")
    assert cells.count() > 5
    texts = cells.locator("span").or_(page.locator(".parameters small"))
    assert texts.evaluate_all(wide) == []
    beyond = """(all) => all.filter((step) => {
      const box = step.querySelector('rect').getBoundingClientRect();
      return [...step.querySelectorAll('text.value')].some((text) => {
        const { left, right } = text.getBoundingClientRect();
        return left < box.left || right > box.right;
      });
    }).map((step) => step.textContent)"""
    assert page.locator("g.step").evaluate_all(beyond) == []
