"""A browser, and pages that fail their test when they complain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

from tests.browser.kept import KeptPage
from tests.browser.support import HERE, SIZE, launch, launch_at_home, server

OpenPage = Callable[..., Page]
Visit = Callable[..., Page]
# On a page that is not the first one Streamlit's own script asks for these below the page's path,
# is told that they are not there, and then asks for the right ones.
STREAMLIT_ASKS = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Chromium and a running server")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose contexts know nothing of each other."""
    found = launch(playwright)
    yield found
    found.close()


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """The address of the dashboard."""
    with server() as address:
        yield address


@pytest.fixture(scope="session")
def components() -> Iterator[str]:
    """The address of components_page.py."""
    with server(HERE / "components_page.py") as address:
        yield address


@pytest.fixture(scope="session")
def visitor(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser that keeps what it has loaded. A visit of the dashboard is a page, not a browser:
    nothing of one is left to the next."""
    found = launch_at_home(playwright, tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


def hear(page: Page, complaints: list[str]) -> None:
    """Keep what the console calls an error, and any uncaught exception."""

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not STREAMLIT_ASKS.search(message.location["url"]):
            complaints.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))


def forget(page: Page, address: str) -> None:
    """Nothing that a visit before left in the browser is found by this one: Streamlit keeps there
    whether the sidebar is folded."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    storage = {"origin": origin, "storageTypes": "local_storage"}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", storage)


Kept = tuple[KeptPage, list[str]]
"""The page that tests take over from each other, and what it complains of."""


def keep(
    app: str, visitor: BrowserContext, prepare: Callable[[Page], object] = lambda page: None
) -> Iterator[Kept]:
    """prepare: called with the page before anything is loaded, and with each that follows it."""
    complaints: list[str] = []

    def make() -> Page:
        hear(page := visitor.new_page(), complaints)
        prepare(page)
        return page

    found = KeptPage(app, make)
    yield found, complaints
    found.drop()


@contextmanager
def lent(kept: Kept, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """To one test, which turns the page to addresses: see KeptPage. One that fails leaves no page
    behind."""
    page, complaints = kept
    complaints.clear()
    failed = request.session.testsfailed
    yield page.visit
    if request.session.testsfailed > failed or complaints:
        page.drop()
    assert complaints == []


@pytest.fixture(scope="session")
def kept(app: str, visitor: BrowserContext) -> Iterator[Kept]:
    yield from keep(app, visitor)


@pytest.fixture
def visit(kept: Kept, request: pytest.FixtureRequest) -> Iterator[Visit]:
    with lent(kept, request) as turn:
        yield turn


@pytest.fixture
def open_page(browser: Browser, visitor: BrowserContext) -> Iterator[OpenPage]:
    """Open an address in a page of its own; as a stranger in a browser of its own, which may prefer
    a language.

    What the console calls an error, and any uncaught exception, fails the test at its end.
    """
    complaints: list[str] = []
    opened: list[Page] = []

    def open_address(
        address: str,
        *,
        viewport: ViewportSize = SIZE,
        color_scheme: Literal["light", "dark"] = "light",
        stranger: bool = False,
        locale: str = "en-US",
    ) -> Page:
        alone = stranger or locale != "en-US"
        opened.append(page := browser.new_page(locale=locale) if alone else visitor.new_page())
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        hear(page, complaints)
        if page.context is visitor and len(opened) == 1:
            forget(page, address)
        page.goto(address)
        return page

    yield open_address
    for each in opened:
        each.close()
    assert complaints == []
