"""The training step that a page shows, chosen in the browser: no move of it reaches the server.

While training plays it asks for one slice after the other ("tick"), no faster than the browser
draws; a page that is left or hidden asks for nothing.

Keys work anywhere on the page: space plays and pauses, the right arrow is one training step, or
one step on in what is recorded; left goes back; with shift, or as page keys, ten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from rnnviz.dashboard.components.browser import HERE, finite, loader
from rnnviz.wording.texts import texts

Array = np.ndarray
COMMANDS = ("tick", "play", "pause", "step", "ten", "show")

_SCRUBBER = st.components.v2.component(
    "rnnviz_scrubber",
    html=(HERE / "scrubber.html").read_text("utf-8"),
    css="".join((HERE / f"{name}.css").read_text("utf-8") for name in ("slider", "scrubber")),
    js=loader("scrubber.js"),
)


class Series(NamedTuple):
    """A model's name, its colour on a light page and on a dark one, and its loss at each
    recorded step, as the page writes it."""

    name: str
    colour: str
    dark: str
    losses: Sequence[str]


def scrubber(
    *,
    key: str,
    run: str,
    steps: Array,
    series: Sequence[Series],
    playing: bool,
    every: float,
    on_command: Callable[[str, int], None],
    show: str = "",
) -> None:
    """Draw the range input "Training step".

    Parameters
    ----------
    key : names it on its page.
    run : what is trained; when it changes, the last step is shown again.
    steps : the recorded training steps.
    series : what is said of each step. While it plays nothing is: step and losses move on, and
        stand in the page's verdict.
    playing, every : whether it asks for ticks, and the least time in seconds between two.
    on_command : called, before the script's body, with one of `COMMANDS` and the chosen step.
    show : label of the button that opens the chosen network on another page; "" for none.
    """
    kept = slice(-1, None) if playing else slice(None)
    data = {
        "run": run,
        "steps": np.asarray(steps)[kept].tolist(),
        "series": [
            {
                "name": s.name,
                "colour": s.colour,
                "dark": s.dark,
                "losses": list(s.losses[kept]),
            }
            for s in series
        ],
        "playing": playing,
        "every": 1000 * every,
        "show": show,
        "words": {**texts("chart"), "clauses": texts("lists")["clauses"]},
    }

    def commanded() -> None:
        state = st.session_state.get(component_key(key)) or {}
        _hear(state.get("command"), on_command)

    _SCRUBBER(key=component_key(key), data=json.dumps(data).encode(), on_command_change=commanded)


def component_key(key: str) -> str:
    """The session key of the component itself, beside that of its value."""
    return f"{key}.scrubber"


def _hear(command: object, on_command: Callable[[str, int], None]) -> None:
    """Pass on what the browser asks for, if it is a command."""
    if not isinstance(command, Mapping) or command.get("name") not in COMMANDS:
        return
    step = finite(command.get("step")) or 0.0
    on_command(str(command["name"]), int(step) if 0 <= step < 2**31 else 0)
