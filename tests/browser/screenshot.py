"""`python -m tests.browser.screenshot`: make the README's picture anew."""

from __future__ import annotations

from playwright.sync_api import sync_playwright

from tests.browser.support import HERE, SIZE, launch, server, wait_quiet

PICTURE = HERE / "first-screen.png"


def main() -> None:
    """Open the app as a newcomer does and keep the first screen."""
    with server() as address, sync_playwright() as playwright:
        page = launch(playwright).new_page(viewport=SIZE)
        page.goto(address)
        wait_quiet(page, ("flow-state", "units"))
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
