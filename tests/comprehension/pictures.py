"""`python -m tests.comprehension.pictures OUT`: the pictures that readers of the comprehension
test are shown, as PNG files in the folder OUT.

Each is the page that a link opens, once nothing on it moves any more. What is asked about them
stands in questions.md, and the right answers in answers.md, which readers do not see.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_query
from rnnviz.experiment.presets import PRESETS
from tests.browser.support import launch, server, wait_idle

SETTLED = 600_000
"""Milliseconds that the slices of a phase diagram, of the claims or of training may take."""
MOVING = ".stProgress, .rnnviz-plays, p.rnnviz-said.open"
"""What is there while slices of work are left."""


@dataclass(frozen=True)
class Shown:
    """page: the path of a page. views: what a link says beside the experiment. height of the
    window, 1280 wide: what is asked about stands in it."""

    page: str
    experiment: Experiment = field(default_factory=Experiment)
    views: Mapping[str, str] = field(default_factory=dict)
    height: int = 720

    @property
    def link(self) -> str:
        """The address behind that of the server."""
        return f"{self.page}?{urlencode({**to_query(self.experiment), **self.views})}"


LINEAR = {"models": ("rnn",), "init": "orthogonal", "activation": "identity", "distractor": 0.0}
SIX = ("rnn", "rnn:init=orthogonal", "lstm", "lstm:variant=cifg", "gru", "gru:update_bias=0")
PICTURES = {
    "1": Shown(""),
    "2": Shown("", Experiment(memory_bias=0.0)),
    "3": Shown("", Experiment(**LINEAR, gain=0.9)),
    "4": Shown("spectrum", PRESETS["all_twos"].experiment()),
    "5": Shown("", PRESETS["shift_register"].experiment()),
    "6": Shown("", PRESETS["flat_is_not_memory"].experiment()),
    "7": Shown("gates", Experiment(models=("lstm", "lstm:forget_bias=1")), height=900),
    "8": Shown("claims", height=900),
    "9": Shown("", Experiment(**LINEAR, gain=4.0, seq_len=1000)),
    "10": Shown("", Experiment(models=SIX), height=800),
    "11": Shown("phase-diagram", height=900),
    "12": Shown("train", Experiment(seq_len=40, train_steps=400), height=900),
    "13": Shown("", views={"view_why": "True"}, height=900),
}


def take(page: Page, address: str, shown: Shown, path: Path) -> None:
    """Open the link, wait until nothing moves any more, keep what the window shows."""
    page.set_viewport_size({"width": 1280, "height": shown.height})
    page.goto(f"{address}/{shown.link}")
    page.wait_for_selector(".rnnviz-chart[data-painted]", timeout=60_000)
    page.wait_for_selector(MOVING, state="detached", timeout=SETTLED)
    wait_idle(page, SETTLED)
    page.screenshot(path=path)


def main(folder: str, names: list[str]) -> None:
    """Take these pictures, all of them unless some are named."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with server() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for name in names or PICTURES:
            page = browser.new_page()
            take(page, address, PICTURES[name], Path(folder) / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
