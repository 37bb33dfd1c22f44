"""A knob that moves: the page follows the hand past the script, and is exact when it rests."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from rnnviz.experiment import run
from rnnviz.experiment.links import from_query
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.picture import Picture
from tests.browser.reading import CHARTS, drawn, wait_charts
from tests.browser.support import axis_range, chart, plot_area, wait_idle
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
SMALL = "models=rnn,lstm&seq_len=40&hidden_size=8&batch_size=4"
PAGES = {"": gradient_flow, "spectrum": spectrum, "gates": gates}
AHEAD = "() => document.documentElement.classList.contains('rnnviz-ahead')"
SHOWS = "([css, not]) => (document.querySelector(css)?.dataset.shows ?? not) !== not"
Open = Callable[..., Page]


@pytest.fixture
def open_at(app: str, visit: Open) -> Open:
    return partial(at_rest, app, visit)


@pytest.fixture
def load_at(app: str, open_page: Open) -> Open:
    """For a test that leaves its page another than it was."""
    return partial(at_rest, app, open_page)


def at_rest(app: str, go: Open, path: str = "", query: str = SMALL, **how: Any) -> Page:
    page = go(f"{app}/{path}?{query}", **how)
    wait_charts(page, path)
    wait_idle(page)
    return page


def knob(page: Page, name: str = "Gain") -> Any:
    return page.get_by_role("slider", name=name, exact=True)


def shows(page: Page, key: str) -> str:
    return page.locator(chart(page, key)).get_attribute("data-shows") or ""


def move(page: Page, act: Callable[[], object], keys: tuple[str, ...]) -> None:
    """Do it, and wait until these charts are of something else."""
    before = {key: shows(page, key) for key in keys}
    act()
    for key, shown in before.items():
        page.wait_for_function(SHOWS, arg=[chart(page, key), shown])


def grab(page: Page, name: str = "Gain") -> Callable[[float], None]:
    """Hold the knob where it stands; returns what moves it to a share of its track."""
    box = knob(page, name).bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    share = knob(page, name).evaluate("(input) => input.value / input.max")
    page.mouse.move(box["x"] + share * box["width"], y)
    page.mouse.down()
    return lambda share: page.mouse.move(box["x"] + share * box["width"], y)


WATCH_SCRIPT = """() => {
  window.scripts = 0;
  const app = document.querySelector('[data-testid="stApp"]');
  new MutationObserver(() => { window.scripts += 1; })
    .observe(app, { attributeFilter: ['data-test-script-state'] });
}"""


# Nothing that the page does after a while is done, until it is let go.
STAND_STILL = """() => {
  const later = window.setTimeout, kept = [];
  window.setTimeout = (act, ms = 0, ...more) =>
    (ms < 200 ? later(act, ms, ...more) : kept.push(() => act(...more)));
  window.letGo = () => {
    window.setTimeout = later;
    for (const act of kept) act();
  };
}"""


@pytest.mark.parametrize("path", ["", "spectrum"])
def test_the_whole_first_screen_follows_the_hand_and_no_script_runs(
    path: str, open_at: Open
) -> None:
    page = open_at(path)
    page.evaluate(WATCH_SCRIPT)
    page.evaluate(STAND_STILL)
    verdict = page.locator(".rnnviz-verdict")
    said, first, drag = verdict.inner_html(), drawn(page, CHARTS[path][0]), grab(page)
    for share in (0.6, 0.75):
        move(page, lambda share=share: drag(share), CHARTS[path][:2])
    assert page.evaluate("window.scripts") == 0
    assert page.evaluate(AHEAD)
    assert verdict.inner_html() != said
    page.evaluate("letGo()")  # at rest in the hand
    expect(page.locator(f"{chart(page, CHARTS[path][0])}.live")).to_have_count(0)
    assert drawn(page, CHARTS[path][0]) != first
    page.mouse.up()
    wait_idle(page)
    value = knob(page).get_attribute("data-value")
    assert parse_qs(urlsplit(page.url).query)["gain"] == [value]
    assert not page.evaluate(AHEAD)
    for key in CHARTS[path]:
        assert dict(parse_qsl(shows(page, key)))["gain"] == value


# What a chart shows and the query that it names, as they are at one moment.
READ = """([css]) => {
  const box = document.querySelector(css);
  const layer = box.querySelectorAll('.rnnviz-layer-words > span');
  const notes = box.classList.contains('live') ? layer : box.querySelectorAll('.annotation-text');
  const plain = (node) => node.textContent.replace(/\\u200b/g, '').replace(/\\s+/g, ' ').trim();
  return { shows: box.dataset.shows, said: Array.from(notes, plain).sort() };
}"""


def labels(path: str, key: str, query: str) -> list[str]:
    """What a figure of the experiment would say, without its mark-up."""
    experiment, _ = from_query({name: [value] for name, value in parse_qsl(query)})
    module = PAGES[path]
    pictures = module.pictures(module.view(run(experiment)))
    drawn = next(p for p in pictures if isinstance(p, Picture) and p.key == key)
    return sorted(plain(note["text"]) for note in drawn.drawing["layout"]["annotations"])


def plain(text: str) -> str:
    return " ".join(re.sub("<.*?>", "", text.replace("<br>", "")).split())


@pytest.mark.parametrize(
    ("path", "keys", "query"),
    [
        ("", ("flow-state", "units"), SMALL),
        ("", ("flow-state",), f"{SMALL}&activation=relu&init=identity"),  # it explodes
        ("spectrum", ("singular-values",), SMALL),
        ("gates", ("memory-gate",), SMALL),
    ],
)
def test_every_frame_of_a_drag_is_of_what_it_says(
    path: str, keys: tuple[str, ...], query: str, open_at: Open
) -> None:
    page = open_at(path, query)
    page.evaluate(STAND_STILL)
    drag, seen = grab(page), {}
    for step in range(10):
        move(page, lambda step=step: drag(0.1 + 0.08 * step), keys)
        for key in keys:
            frame = page.evaluate(READ, [chart(page, key)])
            seen[key, frame["shows"]] = frame["said"]
    page.evaluate("letGo()")
    page.mouse.up()
    assert len(seen) == 10 * len(keys)
    for (key, shown), said in seen.items():
        assert said == labels(path, key, shown), (key, shown)


def picture(page: Page, key: str) -> np.ndarray:
    taken = page.locator(chart(page, key)).screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(taken)).convert("L"), dtype=np.int16)


@pytest.mark.parametrize(
    ("path", "keys", "scheme"),
    [
        ("", CHARTS[""], "dark"),
        ("spectrum", ("singular-values", "powers"), "light"),
        ("gates", ("memory-gate", "half-life"), "light"),
    ],
)
def test_the_layer_draws_what_plotly_draws(
    path: str, keys: tuple[str, ...], scheme: str, open_at: Open
) -> None:
    """But for the edges of lines and letters, whose smoothing is another. Of a knob that leaves the
    axes as they are: plotly.js draws others by itself."""
    page = open_at(path, color_scheme=scheme)
    page.evaluate(STAND_STILL)
    move(page, lambda: knob(page, "Distractor amplitude").press("ArrowRight"), keys)
    live = {}
    for key in keys:
        assert "live" in (page.locator(chart(page, key)).get_attribute("class") or "").split()
        live[key] = picture(page, key)
    page.evaluate("letGo()")
    wait_idle(page)
    for key in keys:
        exact = picture(page, key)
        differ = np.abs(exact - live[key]) > 60
        assert differ.mean() < 0.02, key


CALL_IT = """async (version) => {
  const plotly = await rnnvizPlotly, before = plotly.version;
  plotly.version = version;
  return before;
}"""


def test_a_version_of_plotly_that_it_was_not_tested_with_draws_by_itself(open_at: Open) -> None:
    page = open_at()
    version = page.evaluate(CALL_IT, "0.0.0")
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    for key in CHARTS[""]:
        assert page.locator(f"{chart(page, key)}.live").count() == 0
    page.evaluate(CALL_IT, version)


def test_what_streamlit_is_told_stays_in_the_address(app: str, open_page: Open) -> None:
    page = open_page(f"{app}/?embed=true&{SMALL}")
    wait_charts(page, "")
    wait_idle(page)
    page.evaluate(WATCH_SCRIPT)
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    page.wait_for_url(lambda url: "gain=" in url)
    assert page.evaluate("window.scripts") == 0
    assert "embed=true" in page.url


def test_where_the_route_fails_the_script_follows(load_at: Open) -> None:
    """An old proxy that answers with a page of its own."""
    page = load_at()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<p>Welcome</p>")

    page.route("**/rnnviz-live", answer)
    drag = grab(page)
    for share in (0.6, 0.75):
        move(page, lambda share=share: drag(share), CHARTS[""])
    page.mouse.up()
    wait_idle(page)
    assert len(asked) == 1
    value = knob(page).get_attribute("data-value")
    assert dict(parse_qsl(shows(page, "flow-state")))["gain"] == value


def test_a_knob_that_comes_back_leaves_the_page_as_it_was(open_at: Open) -> None:
    page = open_at()
    verdict, before = page.locator(".rnnviz-verdict").inner_html(), shows(page, "flow-state")
    page.evaluate(WATCH_SCRIPT)
    page.evaluate(STAND_STILL)
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    move(page, lambda: knob(page).press("ArrowLeft"), CHARTS[""])
    page.evaluate("letGo()")
    wait_idle(page)
    assert page.evaluate("window.scripts") == 0
    assert page.locator(".rnnviz-verdict").inner_html() == verdict
    assert shows(page, "flow-state") == before


def test_a_knob_that_rested_in_the_hand_is_let_go_before_the_script_has_drawn(
    app: str, open_page: Open
) -> None:
    """What a link did not get goes with the first move, and the script takes it away."""
    page = open_page("about:blank")
    wire = Wire(page)
    page.goto(f"{app}/?{SMALL}&no_such=1")
    wait_charts(page, "")
    wait_idle(page)
    drag = grab(page)
    wire.hold()
    move(page, lambda: drag(0.75), CHARTS[""])
    wire.wait_said("knob")
    before = {key: shows(page, key) for key in CHARTS[""]}
    assert all("gain=" in shown for shown in before.values())
    page.mouse.up()
    page.wait_for_timeout(500)
    assert page.evaluate(AHEAD)
    assert {key: shows(page, key) for key in CHARTS[""]} == before
    wire.release()
    wait_idle(page)
    assert {key: shows(page, key) for key in CHARTS[""]} == before


def test_what_does_not_follow_is_dimmed(open_at: Open) -> None:
    page = open_at(query=f"{SMALL}&view_quantity=h")
    assert page.locator(chart(page, "flow-h")).count() == 1
    page.evaluate(STAND_STILL)
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    expect(page.locator(".rnnviz-trust")).to_have_css("opacity", "0.55")
    expect(page.locator(chart(page, "flow-h"))).to_have_css("opacity", "0.35")
    expect(page.locator(chart(page, "flow-state"))).to_have_css("opacity", "1")
    page.evaluate("letGo()")
    wait_idle(page)
    expect(page.locator(".rnnviz-trust")).to_have_css("opacity", "1")
    details = page.locator(".st-key-details")
    expect(details).to_have_css("opacity", "0.35")
    assert shows(page, "flow-h") != shows(page, "flow-state")
    page.locator(chart(page, "flow-h")).scroll_into_view_if_needed()
    expect(details).to_have_css("opacity", "1")
    wait_idle(page)
    assert shows(page, "flow-h") == shows(page, "flow-state")


@pytest.mark.parametrize("path", ["", "spectrum"])
def test_at_rest_the_page_is_as_the_script_would_draw_it_and_no_script_runs(
    path: str, open_at: Open
) -> None:
    """And as its link opens it elsewhere, with the pinned curves."""
    page = open_at(path, f"{SMALL}&{urlencode({'pin': f'{SMALL}&gain=0.5'})}")
    page.evaluate(WATCH_SCRIPT)
    strip = page.locator(".rnnviz-trust")
    checked = strip.get_attribute("data-run")
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[path])
    wait_idle(page)
    assert page.evaluate("window.scripts") == 0
    value = knob(page).get_attribute("data-value")
    assert parse_qs(urlsplit(page.url).query)["gain"] == [value]
    assert strip.get_attribute("data-run") not in (checked, None)
    expect(strip.locator(".now")).to_be_visible()
    settled = {key: drawn(page, key) for key in CHARTS[path]}
    said, address = page.locator(".rnnviz-verdict").inner_html(), page.url
    page.reload()
    wait_charts(page, path)
    wait_idle(page)
    assert page.url == address
    assert page.locator(".rnnviz-verdict").inner_html() == said
    assert {key: drawn(page, key) for key in CHARTS[path]} == settled
    expect(knob(page)).to_have_attribute("data-value", value)
    expect(page.get_by_role("button", name="Unpin", exact=True)).to_be_visible()
    assert ("pinned RNN" in settled.get("flow-state", "")) == (path == "")


def test_a_knob_that_comes_back_after_a_rest_leaves_the_page_as_it_was(open_at: Open) -> None:
    page = open_at()
    before, address = shows(page, "flow-state"), page.url
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    wait_idle(page)
    assert page.url != address
    move(page, lambda: knob(page).press("ArrowLeft"), CHARTS[""])
    wait_idle(page)
    assert page.url == address
    assert shows(page, "flow-state") == before


def test_layers_are_offered_as_soon_as_there_are_two(open_at: Open) -> None:
    """What stands beside the figures is the script's."""
    page = open_at()
    page.get_by_role("button", name="More", exact=True).click()
    knob(page, "Layers").press("ArrowRight")
    expect(page.get_by_role("combobox", name="Layer", exact=True)).to_be_visible()


def test_fewer_sequences_are_said_until_the_knob_rests(open_at: Open) -> None:
    models = "rnn,lstm,gru,rnn:gain=2,lstm:memory_bias=0,rnn:leak=0.3"
    page = open_at(query=f"models={models}&seq_len=300")
    note = page.locator(".rnnviz-left-out")
    expect(note).to_have_text("")
    drag = grab(page)
    move(page, lambda: drag(0.6), ("flow-state",))
    expect(note).to_contain_text("of 16 sequences")
    page.mouse.up()
    wait_idle(page)
    expect(note).to_have_text("")
    assert "batch_size" not in shows(page, "flow-state")


def test_a_zoom_stays(open_at: Open) -> None:
    page = open_at()
    whole = axis_range(page, "flow-state")
    page.mouse.move(*plot_area(page, "flow-state", 0.2, 0.8))
    page.mouse.down()
    page.mouse.move(*plot_area(page, "flow-state", 0.5, 0.3), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "([css, old]) => document.querySelector(css)._fullLayout.xaxis.range[1] < old",
        arg=[f"{chart(page, 'flow-state')} .rnnviz-plot", whole[1] - 1],
    )
    zoomed = axis_range(page, "flow-state")
    page.evaluate(STAND_STILL)
    move(page, lambda: knob(page).press("ArrowRight"), CHARTS[""])
    assert page.locator(f"{chart(page, 'flow-state')}.live").count() == 1
    assert axis_range(page, "flow-state") == zoomed
    page.evaluate("letGo()")
    wait_idle(page)
    assert axis_range(page, "flow-state") == zoomed


def test_a_pointer_on_a_chart_reads_what_is_shown(open_at: Open) -> None:
    page = open_at()
    page.evaluate(STAND_STILL)
    move(page, lambda: knob(page).press("End"), CHARTS[""])
    page.mouse.move(*plot_area(page, "flow-state", 0.5, 0.5))
    expect(page.locator(f"{chart(page, 'flow-state')}.live")).to_have_count(0)
    assert dict(parse_qsl(shows(page, "flow-state")))["gain"] == "4"
    page.evaluate("letGo()")


SEE = """(css) => {
  const box = document.querySelector(css);
  const look = new MutationObserver(() => saw(box.dataset.shows));
  look.observe(box, { attributeFilter: ["data-shows"] });
}"""


def test_a_knob_that_was_left_is_not_forgotten_by_the_next_one(load_at: Open) -> None:
    page = load_at()
    seen: list[str] = []
    page.expose_function("saw", lambda shown: seen.append(shown))
    page.evaluate(SEE, chart(page, "flow-state"))
    knob(page).press("End")
    knob(page, "Memory bias").press("End")
    knob(page, "Memory bias").press("ArrowLeft")
    wait_idle(page)
    assert seen
    assert {dict(parse_qsl(shown))["gain"] for shown in seen} == {"4"}


def test_keys_are_followed_too_and_the_focus_stays(load_at: Open) -> None:
    page = load_at()
    knob(page).focus()
    for _ in range(5):
        move(page, lambda: page.keyboard.press("ArrowRight"), CHARTS[""])
    wait_idle(page)
    value = knob(page).get_attribute("data-value")
    assert parse_qs(urlsplit(page.url).query)["gain"] == [value]
    expect(knob(page)).to_be_focused()


def test_a_square_picture_is_after_a_drag_the_one_that_its_link_opens(load_at: Open) -> None:
    query = "models=rnn:hidden_size=1&seq_len=20&gain=3&bidirectional=yes&loss_at=every"
    page = load_at("spectrum", query)
    first = square(page)
    to, keys = grab(page), ("eigenvalues",)
    move(page, lambda: to(0.9), keys)
    move(page, lambda: to(0.5), keys)
    page.mouse.up()
    wait_idle(page)
    dragged = square(page)
    page.reload()
    wait_charts(page, "spectrum")
    wait_idle(page)
    assert dragged == square(page) != first


def square(page: Page) -> list[Any]:
    """The ranges and the places of both axes of the eigenvalues."""
    script = """css => ["xaxis", "yaxis"].map((name) => {
      const { range, domain } = document.querySelector(css)._fullLayout[name];
      return [...range, ...domain].map((value) => Math.round(1e6 * value));
    })"""
    return page.evaluate(script, f"{chart(page, 'eigenvalues')} .rnnviz-plot")
