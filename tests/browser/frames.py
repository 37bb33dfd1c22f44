"""What a page shows in every frame while something is going on, for what may not be seen in any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

# The same frame twice is one.
WATCH = """() => {
  const see = READ;
  const watch = { seen: [], ends: false };
  window.rnnvizFrames = watch;
  watch.look = () => {
    const now = JSON.stringify(see());
    if (watch.seen.at(-1) !== now) watch.seen.push(now);
  };
  const frame = () => {
    if (watch.ends) return;
    watch.look();
    requestAnimationFrame(frame);
  };
  frame();
}"""
STOP = """() => {
  window.rnnvizFrames.ends = true;
  window.rnnvizFrames.look();
  return window.rnnvizFrames.seen.map((seen) => JSON.parse(seen));
}"""


@contextmanager
def watching(page: Page, read: str) -> Iterator[list[Any]]:
    """What the JavaScript function `read` returns in each frame; complete at the end."""
    seen: list[Any] = []
    page.evaluate(WATCH.replace("READ", read.strip()))
    yield seen
    seen += page.evaluate(STOP)
