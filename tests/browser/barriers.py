"""What keeps a reader out of a page, by axe-core."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.support import wait_idle

GRAVE = ("serious", "critical")
OPTIONS: dict[Literal["light", "dark"], dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
"""Another ground changes nothing but colours."""


def barriers(page: Page) -> list[tuple[str, str, list[str]]]:
    """On a light ground and on a dark one: the rule that is broken, and the elements that do."""
    found = []
    for ground, options in OPTIONS.items():
        page.emulate_media(color_scheme=ground)
        wait_idle(page)
        for each in Axe().run(page, options=options).response["violations"]:
            if each["impact"] in GRAVE:
                found.append((ground, each["id"], [node["html"] for node in each["nodes"]]))
    return found
