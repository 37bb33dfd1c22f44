"""Pages that stand alone, opened from a folder by a browser that has no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from rnnviz import Experiment, run
from rnnviz.diagnosis import diagnose
from rnnviz.lecture.scenes import QUIZ, SCENES, Scene
from rnnviz.report import knobs, lecture_page
from rnnviz.wording.texts import ENGLISH, OFFERED
from tests.browser.support import SIZE, axis_range, wait_painted

pytestmark = pytest.mark.browser
OpenFile = Callable[[Path], Page]
Turn = Callable[[int], Page]


@contextmanager
def alone(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page that has no network, and what it asks for or complains of."""
    page, wrong = browser.new_page(viewport=SIZE, offline=True), []

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            wrong.append(request.url)

    page.on("request", asked)
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page, wrong
    page.close()
    assert wrong == []


@pytest.fixture
def open_file(browser: Browser) -> Iterator[OpenFile]:
    """Open a file; that nothing is asked for, and nothing complained of, is seen at the end."""
    with alone(browser) as (page, _):

        def opened(path: Path) -> Page:
            page.goto(path.as_uri())
            return page

        yield opened


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


(CHINESE,) = (name for name in OFFERED if name != ENGLISH)
HAN = re.compile("[\u4e00-\u9fff]")
COUNT = len(SCENES) + 2
"""Scenes, the quiz and By hand."""


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole lecture, in two languages; of each knob's places the fewest, which are sooner
    drawn: its lowest, and where scenes begin or have a tick."""
    few = {
        name: tuple(sorted({values[0], *(value for s in SCENES for value in places(s, name))}))
        for name, values in knobs.VALUES.items()
    }
    path = tmp_path_factory.mktemp("lecture") / "lecture.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knobs, "VALUES", few)
        path.write_text(lecture_page(SCENES, (ENGLISH, CHINESE)), encoding="utf-8")
    return path


def places(of: Scene, knob: str) -> tuple[float, ...]:
    return (*of.ticks, getattr(of.experiment, knob)) if of.knob == knob else ()


@pytest.fixture(scope="module")
def loaded(browser: Browser, lecture: Path) -> Iterator[tuple[Page, list[str]]]:
    """The lecture, loaded once, and what it asks for or complains of."""
    with alone(browser) as (page, wrong):
        page.goto(lecture.as_uri())
        yield page, wrong


@pytest.fixture
def turn(loaded: tuple[Page, list[str]], lecture: Path) -> Iterator[Turn]:
    """Turn the loaded lecture to a scene that no other test answers."""
    page, wrong = loaded

    def turned(number: int) -> Page:
        page.goto(f"{lecture.as_uri()}#{number}")
        return page

    yield turned
    found = wrong.copy()
    wrong.clear()
    assert found == []


def scene(page: Page) -> Locator:
    return page.locator("section.scene:visible")


def drawn(page: Page) -> Locator:
    """The figure that is in sight, once it is drawn."""
    found = scene(page).locator(".rnnviz-chart[data-painted]")
    expect(found.locator(".main-svg").first).to_be_visible()
    return found


def beyond_the_window(page: Page) -> int:
    """How many pixels are to be scrolled for."""
    return page.evaluate("document.documentElement.scrollHeight - innerHeight")


@pytest.mark.slow
def test_every_scene_is_there_by_keyboard_hidden_until_it_is_revealed_and_fits_the_projector(
    open_file: OpenFile, lecture: Path
) -> None:
    page = open_file(lecture)
    expect(scene(page)).to_have_count(1)
    for number, one in enumerate(SCENES, 1):
        expect(scene(page).locator(".number")).to_have_text(f"Scene {number} of {COUNT - 1}")
        expect(scene(page).locator(".choice")).to_have_count(one.choices or 1)
        expect(scene(page).locator(".rnnviz-place")).to_be_visible(visible=one.first is None)
        expect(scene(page).locator(".told")).to_be_empty()
        expect(scene(page).locator(".knob")).to_have_count(0)
        page.keyboard.press("r")
        if one.guess is None:
            expect(scene(page).locator(".choice.right kbd")).to_have_text(str(one.right))
        else:
            expect(scene(page).locator(".marks .truth")).to_be_visible()
        expect(scene(page).locator(".told .sentence")).not_to_be_empty()
        expect(scene(page).locator(".told .rnnviz-try")).not_to_be_empty()
        expect(scene(page).locator(".knob")).to_have_count(int(bool(one.knob)))
        drawn(page)
        assert beyond_the_window(page) <= 0, one.name
        page.keyboard.press("PageDown" if number % 2 else "ArrowRight")
    expect(scene(page).locator(".rnnviz-ballot")).to_have_count(len(QUIZ))
    page.keyboard.press("r")
    expect(scene(page).locator(".rnnviz-says").first).not_to_be_empty()
    assert beyond_the_window(page) <= 0
    page.keyboard.press("PageUp")
    expect(scene(page).locator(".number")).to_have_text(f"Scene {len(SCENES)} of {COUNT - 1}")


@pytest.mark.slow
def test_every_scene_with_its_answer_fits_the_projector_in_chinese(
    browser: Browser, lecture: Path
) -> None:
    page = browser.new_page(viewport=SIZE, locale="zh-CN")
    for number in range(1, COUNT):
        page.goto(f"{lecture.as_uri()}#{number}")
        expect(scene(page).locator(".number")).to_have_text(re.compile(rf"^\D*{number}\D"))
        expect(scene(page).locator("h1")).to_have_text(HAN)
        page.keyboard.press("r")
        expect(scene(page).locator(".rnnviz-says").first).not_to_be_empty()
        assert beyond_the_window(page) <= 0, number
    page.close()


@pytest.mark.slow
def test_an_answer_shows_the_truth_and_the_slider_moves_the_picture_in_either_language(
    turn: Turn,
) -> None:
    page = turn(4)
    expect(drawn(page)).to_contain_text("RNN 0.0")
    page.keyboard.press("1")
    expect(scene(page).locator(".choice.wrong kbd")).to_have_text("1")
    expect(scene(page).locator(".told")).to_contain_text("Not so. 0.9")
    expect(drawn(page)).to_contain_text("RNN −4.5")
    knob = page.get_by_role("slider", name="Gain")
    assert knob.get_attribute("aria-valuetext") == "0.9"
    knob.press("ArrowRight")
    knob.press("ArrowRight")
    assert knob.get_attribute("aria-valuetext") == "1.1"
    expect(drawn(page)).to_contain_text("RNN +4.1")
    expect(scene(page).locator(".number")).to_have_text(f"Scene 4 of {COUNT - 1}")
    page.keyboard.press("PageDown")
    page.go_back()
    expect(drawn(page)).to_contain_text("RNN +4.1")
    page.locator(f"button.language[lang={CHINESE}]").click()
    expect(scene(page).locator("h1")).to_have_text(HAN)
    expect(drawn(page)).to_contain_text("RNN +4.1")
    expect(drawn(page)).to_have_text(HAN)
    page.emulate_media(color_scheme="dark")
    page.locator(f"button.language[lang={ENGLISH}]").click()
    expect(scene(page).locator("h1")).not_to_have_text(HAN)


@pytest.mark.slow
def test_a_number_is_guessed_in_the_file(turn: Turn) -> None:
    number = next(n for n, one in enumerate(SCENES, 1) if one.guess)
    page = turn(number)
    typed, send = scene(page).locator(".guess .typed"), scene(page).locator(".guess .choice")
    typed.fill("-400")
    send.click()
    expect(scene(page).locator(".guess .said")).to_have_text("A number from −30 to 5, please.")
    expect(scene(page).locator(".told")).to_be_empty()
    typed.fill("-21")
    page.keyboard.press("Enter")
    expect(scene(page).locator(".told")).to_contain_text("Near enough: −21.0 is off by 1.1. −22.1:")
    expect(scene(page).locator(".marks .truth")).to_have_text("the run −22.1")
    expect(drawn(page)).to_contain_text("RNN −22.1")
    page.keyboard.press("o")
    expect(page.locator(".card").nth(number - 1)).to_contain_text("✓")
    page.keyboard.press("o")
    expect(page.locator(".card").first).to_be_hidden()


@pytest.mark.slow
def test_by_hand_steps_and_computes(turn: Turn) -> None:
    page = turn(COUNT)
    first = page.get_by_role("spinbutton", name="input x at step 1")
    said = scene(page).locator(".said")
    expect(said).to_have_text("Nothing has come in yet")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(said).to_contain_text("2")
    first.fill("2")
    first.blur()
    page.keyboard.press("End")
    expect(scene(page).locator(".formulas")).to_contain_text("∂L/∂h")
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    expect(scene(page).locator(".rnnviz-ballot")).to_have_count(len(QUIZ))
    page.keyboard.press("PageDown")
    expect(first).to_have_value("2")


@pytest.mark.slow
def test_the_quiz_counts(turn: Turn) -> None:
    page = turn(COUNT - 1)
    for at, question in enumerate(QUIZ):
        taken = question.right - 1 if at else question.right % question.choices
        scene(page).locator(".rnnviz-ballot").nth(at).locator(".choice").nth(taken).click()
    expect(scene(page).locator(".sentence")).to_have_text(f"{len(QUIZ) - 1} of {len(QUIZ)} right")


@pytest.mark.slow
def test_on_paper_every_scene_has_a_page_with_its_answer(
    open_file: OpenFile, lecture: Path
) -> None:
    page = open_file(lecture)
    page.wait_for_function("() => window.Plotly !== undefined")
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == COUNT
    expect(scene(page)).to_have_count(1)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(scene(page)).to_have_count(COUNT)
    expect(page.locator("section.scene .rnnviz-chart[data-painted]")).to_have_count(len(SCENES))
    expect(page.locator("section.scene .told .sentence")).to_have_count(len(SCENES))
