"""The Lecture page in a browser: keys and clicker, what is hidden, the hall's phones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from rnnviz.lecture.scenes import LAST, SCENES
from tests.browser.barriers import barriers
from tests.browser.conftest import OpenPage
from tests.browser.support import chart, server, wait_idle, wait_painted
from tests.browser.wire import Wire, as_bytes

pytestmark = pytest.mark.browser
CHOICE, SAYS, KEYS = ".rnnviz-ballot .choice", ".rnnviz-says.sentence", ".rnnviz-desk .keys"
TRY, KNOB = ".rnnviz-try", "input[type=range]:enabled"
GUESS, TRUTH = ".rnnviz-ballot .guess", ".guess .marks .truth"
GUESSED = next(n for n, scene in enumerate(SCENES, 1) if scene.guess)
TRAINED = [n for n, scene in enumerate(SCENES, 1) if scene.name == "clipping"]
PHONE: ViewportSize = {"width": 360, "height": 640}
# A phone asks every second or two how the vote stands.
HURRIED = "const wait = setTimeout; window.setTimeout = (then, ms) => wait(then, ms / 10);"
NUMBERS = [n for n in range(1, LAST + 1) if n not in TRAINED]


def open_scene(app: str, open_page: OpenPage, number: int | str, **more: object) -> Page:
    page = open_page(f"{app}/lecture?scene={number}", **more)
    page.wait_for_selector(f"{KEYS} button", timeout=60_000)
    wait_idle(page)
    return page


def scene_of(page: Page, number: int) -> None:
    said = re.compile(rf"\b{number}\b.*\b{LAST}\b")  # in any language
    expect(page.locator(".rnnviz-scene .number")).to_have_text(said)
    expect(page.locator(f"{KEYS} button").first).to_be_visible()  # the last of the page
    wait_idle(page)


def reveal(page: Page) -> None:
    page.keyboard.press("r")
    expect(page.locator(f"{CHOICE}.right, {TRUTH}").first).to_be_visible()
    wait_idle(page)


def test_the_curve_comes_after_the_answer(app: str, open_page: OpenPage) -> None:
    page = open_scene(app, open_page, 1)
    assert page.locator(".rnnviz-chart").count() == 0
    assert page.locator(TRY).count() == 0
    assert page.locator("section.stSidebar").is_hidden()
    page.keyboard.press("2")
    wait_painted(page, "flow-state")
    expect(page.locator(f"{CHOICE}.right")).to_contain_text("Less than 1 part in")
    expect(page.locator(f"{CHOICE}.wrong")).to_contain_text("your answer")
    expect(page.locator(SAYS)).to_be_visible()
    expect(page.locator(TRY)).to_contain_text("Try this: double the sequence length")


def test_a_number_is_typed_or_dragged_and_the_truth_stands_beside_it(
    app: str, open_page: OpenPage
) -> None:
    page = open_scene(app, open_page, GUESSED)
    typed, slide = page.locator(f"{GUESS} .typed"), page.locator(f"{GUESS} .slide")
    for silly in ("-99", "", "6", "1e9"):
        typed.fill(silly)
        page.keyboard.press("Enter")
        expect(page.locator(f"{GUESS} .said")).to_have_text("A number from −30 to 5, please.")
    expect(page.locator(SAYS)).to_have_count(0)
    typed.fill("-8")
    expect(slide).to_have_value("-8")
    assert slide.get_attribute("aria-valuetext") == "−8.0"
    slide.focus()
    page.keyboard.press("ArrowLeft")
    expect(typed).to_have_value("-8.1")
    page.locator(f"{GUESS} .choice").click()
    expect(page.locator(TRUTH)).to_have_text("the run −22.1")
    expect(page.locator(f"{GUESS} .mine")).to_have_text("your guess −8.1")
    says = page.locator(".rnnviz-says").first
    expect(says).to_contain_text("Not so: −8.1 is off by 14.0. −22.1: a step back multiplies")
    wait_idle(page)
    expect(says).not_to_have_class(re.compile("elsewhere"))
    assert "scene=11" in page.url
    expect(slide).to_be_disabled()


def test_every_key_does_what_the_desk_says(app: str, open_page: OpenPage) -> None:
    page = open_scene(app, open_page, 1)
    for key, number in (("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("PageUp", 1)):
        page.keyboard.press(key)
        scene_of(page, number)
    assert "scene=1" in page.url
    note, clock = page.locator(".rnnviz-desk aside"), page.locator(".rnnviz-desk span.clock")
    assert note.is_hidden()
    assert clock.is_hidden()
    page.keyboard.press("n")
    page.keyboard.press("t")
    expect(note).to_contain_text("a factor of 10")
    expect(clock).to_have_text(re.compile(r"lecture \d+:\d\d · scene \d+:\d\d"))
    page.keyboard.press("ArrowRight")
    scene_of(page, 2)
    expect(note).to_contain_text("Nothing is trained yet")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")
    cards = page.locator(".rnnviz-desk nav.cards")
    for closes in ("Escape", "3"):  # a number opens its scene, and answers nothing
        page.keyboard.press("o")
        expect(cards).to_be_visible()
        assert page.locator("h1").count() == 1
        page.keyboard.press(closes)
        expect(cards).to_be_hidden()
    scene_of(page, 3)
    expect(page.locator(f"{CHOICE}.right")).to_have_count(0)


def test_the_picture_follows_the_knob_past_the_script(app: str, open_page: OpenPage) -> None:
    """And after it the arrows turn the scene."""
    page = open_scene(app, open_page, 3)
    reveal(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    drawn = page.locator(chart(page, "flow-state"))
    before = drawn.get_attribute("data-shows")
    knob = page.locator(KNOB)
    knob.focus()
    page.keyboard.press("ArrowRight")
    expect(drawn).not_to_have_attribute("data-shows", str(before))
    assert any("/rnnviz-live" in address for address in asked)
    wait_idle(page)
    assert re.search(r"scene=3&memory_bias=0\.", page.url)
    page.keyboard.press("n")
    the_note_covers_nothing(page)
    page.keyboard.press("n")
    box = knob.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    scene_of(page, 4)


def the_note_covers_nothing(page: Page) -> None:
    """Neither the question's choices nor the keys."""
    note = page.locator(".rnnviz-desk aside").bounding_box()
    assert note
    for part in (page.locator(CHOICE).first, page.locator(KEYS), page.locator(KNOB)):
        box = part.bounding_box()
        assert box
        apart = note["y"] + note["height"] <= box["y"] or box["y"] + box["height"] <= note["y"]
        assert apart


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "zh")])
def test_every_scene_fits_the_projector_and_keeps_nobody_out(
    app: str, open_page: OpenPage, scheme: Literal["light", "dark"], language: str
) -> None:
    """Nothing scrolls at 1280 × 720, before the answer and after, and the smallest letters of the
    question, the choices and the answer are 18 pixels. In English axe looks at a scene with
    choices, one with a number and the quiz, on either ground."""
    page = open_scene(app, open_page, f"1&lang={language}", color_scheme=scheme)
    for number in range(1, LAST + 1):
        seen = language == "en" and number in (3, GUESSED, LAST)
        scene_of(page, number)
        fits(page, number, seen)
        if number in NUMBERS:
            reveal(page)
            fits(page, number, seen)
        page.emulate_media(color_scheme=scheme)
        page.keyboard.press("PageDown")


def fits(page: Page, number: int, seen: bool) -> None:
    """seen: whether axe looks at it."""
    room = page.evaluate(
        "() => { const m = document.querySelector('.stMain');"
        "return [m.scrollHeight - m.clientHeight, m.scrollWidth - m.clientWidth]; }"
    )
    assert max(room) <= 0, (number, room)
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('h1, .choice span, .rnnviz-says')]"
        ".map((node) => parseFloat(getComputedStyle(node).fontSize))"
    )
    assert min(sizes) >= 18, (number, sizes)
    assert page.locator("h1").count() == 1
    assert not seen or barriers(page) == [], number


def test_cards_keep_what_was_answered_in_the_browser(app: str, open_page: OpenPage) -> None:
    page = open_scene(app, open_page, 2)
    page.keyboard.press("3")
    expect(page.locator(f"{CHOICE}.right")).to_be_visible()
    page.wait_for_function(
        "() => (localStorage.getItem('rnnviz.lecture.progress') ?? '').includes('cells')"
    )
    page.goto(f"{app}/lecture?scene=1")
    scene_of(page, 1)
    page.keyboard.press("o")
    card = page.locator(".rnnviz-desk nav .card").nth(1)
    expect(card.locator("i")).to_have_text("✓")
    card.click()
    scene_of(page, 2)


@pytest.fixture(scope="module")
def hall() -> Iterator[str]:
    """A server that listens to the machines around it, too."""
    with server(STREAMLIT_SERVER_ADDRESS="0.0.0.0") as address:
        yield address


def test_a_server_that_no_phone_reaches_says_so(app: str, open_page: OpenPage) -> None:
    page = open_scene(app, open_page, 1)
    page.keyboard.press("v")
    expect(page.locator(".rnnviz-place")).to_contain_text("No phone can join")


def test_a_room_is_asked_for_until_the_server_has_heard(app: str, open_page: OpenPage) -> None:
    """What a page sends while it is loaded again may be lost."""
    page = open_page("about:blank")
    wire = Wire(page)
    page.goto(f"{app}/lecture?scene=1")
    scene_of(page, 1)
    page.keyboard.press("v")
    expect(page.locator(".rnnviz-votes").first).to_have_text("0")
    lost = wire.drop_first(lambda message: b'"back"' in as_bytes(message))
    page.reload()
    scene_of(page, 1)
    expect(page.locator(".rnnviz-votes").first).to_have_text("0")
    assert lost


@pytest.fixture
def phones(browser: Browser) -> Iterator[list[Page]]:
    """Two, of two people."""
    pages = [browser.new_page(viewport=PHONE) for _ in range(2)]
    for page in pages:
        page.add_init_script(HURRIED)
    yield pages
    for page in pages:
        page.close()


def test_a_hall_votes(hall: str, open_page: OpenPage, phones: list[Page]) -> None:
    app = hall
    lecturer = open_scene(app, open_page, 1)
    lecturer.keyboard.press("v")
    link = lecturer.locator(".rnnviz-place .link").first
    expect(link).to_contain_text("/vote/")
    code = link.inner_text().rpartition("/")[2]
    for number, phone in enumerate(phones):
        phone.goto(f"{app}/vote/{code}")
        expect(phone.locator("button")).to_have_count(4)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
        phone.locator("button").nth(number).click()
        expect(phone.locator("#said")).to_have_text("Your vote counts.")
    phones[0].locator("button").nth(3).click()
    expect(lecturer.locator(".rnnviz-votes").first).to_have_text("2")
    assert lecturer.locator(".choice .count").all_inner_texts() == [""] * 4
    lecturer.keyboard.press("h")
    counts = lecturer.locator(".choice .count")
    expect(counts.nth(3)).to_have_text("1")
    assert counts.all_inner_texts() == ["0", "1", "0", "1"]
    lecturer.reload()
    wait_idle(lecturer)
    expect(lecturer.locator(".rnnviz-votes").first).to_have_text("2")
    reveal(lecturer)
    expect(phones[0].locator("#said")).to_have_text("You took the right one.")
    expect(phones[1].locator("#said")).to_have_text("The right one is marked.")
    lecturer.keyboard.press("ArrowRight")
    expect(phones[0].locator("h1")).to_contain_text("The same task")
    lecturer.keyboard.press("v")
    expect(phones[0].locator("#said")).to_contain_text("has ended")


def test_a_hall_guesses_a_number(hall: str, open_page: OpenPage, phones: list[Page]) -> None:
    lecturer = open_scene(hall, open_page, GUESSED)
    lecturer.keyboard.press("v")
    told = lecturer.locator(".rnnviz-says b").first
    expect(told).to_contain_text("/vote/")
    code = told.inner_text().rpartition("/")[2]
    for phone, number in zip(phones, ("-21.5", "-3"), strict=True):
        phone.goto(f"{hall}/vote/{code}")
        field, button = phone.locator("input[type=number]"), phone.locator("button")
        expect(button).to_have_text("Vote")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
        button.click()  # nothing is typed yet
        expect(phone.locator("#said")).to_have_text("A number from −30.0 to 5.0, please.")
        field.fill("-1000")
        button.click()
        expect(phone.locator("#said")).to_have_text("A number from −30.0 to 5.0, please.")
        field.fill(number)
        button.click()
        expect(phone.locator("#said")).to_have_text("Your vote counts.")
    expect(lecturer.locator(".rnnviz-votes").first).to_have_text("2")
    bars = lecturer.locator(f"{GUESS} .bars")
    expect(bars).to_have_attribute("data-bins", "0 0 0 1 0 0 0 0 0 0 1 0 0 0")
    assert "".join(bars.locator("i").all_inner_texts()) == ""  # before they are shown
    lecturer.keyboard.press("h")
    expect(bars.locator("i").nth(3)).to_have_text("1")
    reveal(lecturer)
    expect(phones[0].locator("#said")).to_have_text(
        "It is −22.1. Your −21.5 is near enough: off by 0.6."
    )
    expect(phones[1].locator("#said")).to_have_text("It is −22.1. Your −3.0 is off by 19.1.")


def test_the_answer_says_of_which_value_it_is_where_the_knob_stands_elsewhere(
    app: str, open_page: OpenPage
) -> None:
    """Arrows move the knob that has the focus, the clicker turns the scene."""
    page = open_scene(app, open_page, 4)
    reveal(page)
    knob, answer = page.locator(KNOB), page.locator(".rnnviz-says[data-holds]")
    expect(answer).not_to_have_class(re.compile("elsewhere"))
    knob.focus()
    before = knob.get_attribute("data-value")
    page.keyboard.press("ArrowRight")
    expect(knob).not_to_have_attribute("data-value", str(before))
    scene_of(page, 4)
    expect(answer).to_have_class(re.compile("elsewhere"))
    assert answer.evaluate("p => getComputedStyle(p, '::before').content") == '"At Gain 0.9: "'
    page.keyboard.press("ArrowLeft")
    expect(answer).not_to_have_class(re.compile("elsewhere"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")  # the script draws the answer anew
    wait_idle(page)
    expect(answer).to_have_class(re.compile("elsewhere"))
    knob.focus()
    page.keyboard.press("PageDown")
    scene_of(page, 5)


def test_a_loaded_answer_says_of_which_value_it_is(app: str, open_page: OpenPage) -> None:
    """A link that says where the knob stands shows the answer; so does the page loaded again."""
    page = open_scene(app, open_page, "4&gain=1.2")
    answer = page.locator(".rnnviz-says[data-holds]")
    expect(answer).to_have_class(re.compile("elsewhere"))
    page.reload()
    expect(answer).to_have_class(re.compile("elsewhere"), timeout=60_000)
    page.goto(f"{app}/lecture?scene=4&shown=1")
    expect(page.locator(KNOB)).to_be_visible(timeout=60_000)
    wait_idle(page)
    expect(answer).not_to_have_class(re.compile("elsewhere"))
