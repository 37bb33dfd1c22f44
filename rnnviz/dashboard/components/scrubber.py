"""The training step that a page shows, chosen in the browser: no move of it reaches the server.

While training plays it asks for one slice after the other ("tick"), no faster than the browser
draws; a page that is left or hidden asks for nothing.

Keys work anywhere on the page: space plays and pauses, the right arrow is one training step, or
one step on in what is recorded; left goes back; with shift, or as page keys, ten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.dashboard.components.browser import HERE, finite, loader
from rnnviz.jobs.training import Training
from rnnviz.plots.theme import DARK, Style
from rnnviz.views.train import View
from rnnviz.wording.numbers import loss_words
from rnnviz.wording.texts import texts

KEY = "training-step"
COMPONENT_KEY = f"{KEY}.scrubber"
COMMANDS = ("tick", "play", "pause", "step", "ten", "show")

_SCRUBBER = st.components.v2.component(
    "rnnviz_scrubber",
    html=(HERE / "scrubber.html").read_text("utf-8"),
    css="".join((HERE / f"{name}.css").read_text("utf-8") for name in ("slider", "scrubber")),
    js=loader("scrubber.js"),
)


def scrubber(told: bytes, on_command: Callable[[str, int], None]) -> None:
    """Draw the range input "Training step".

    Parameters
    ----------
    told : see `packed`.
    on_command : called, before the script's body, with one of `COMMANDS` and the chosen step.
    """

    def commanded() -> None:
        state = st.session_state.get(COMPONENT_KEY) or {}
        _hear(state.get("command"), on_command)

    _SCRUBBER(key=COMPONENT_KEY, data=told, on_command_change=commanded)


def packed(run: Training, shown: View, every: float) -> bytes:
    """What the browser is sent of it. The script sends it, and the live route does.

    Parameters
    ----------
    run : what is trained; when its number changes, the last step is shown again.
    shown : what the page says of it. While it plays nothing is said here: step and losses move on,
        and stand in the page's verdict.
    every : the least time in seconds between two ticks.
    """
    playing, text = shown.choices.playing, texts("train")
    furthest = max(shown.courses, key=lambda course: (course.last_step, len(course.curves.steps)))
    steps = furthest.curves.steps[-1:] if playing else furthest.curves.steps
    told = {
        "key": KEY,
        "run": str(run.number),
        "steps": steps.tolist(),
        "series": [_series(course, shown.styles[course.label], steps) for course in shown.courses],
        "playing": playing,
        "every": 1000 * every,
        "show": text["show"],
        "words": {**texts("chart"), "clauses": texts("lists")["clauses"]},
    }
    return json.dumps(told).encode()


def _series(course: Course, style: Style, steps: np.ndarray) -> dict[str, Any]:
    """A model's name, its colour on a light page and on a dark one, and its loss, as the page
    writes it, at each of these steps, or at the last recorded one before it."""
    rows = np.searchsorted(course.curves.steps, steps, side="right") - 1
    return {
        "name": style.title,
        "colour": style.colour,
        "dark": DARK.get(style.colour, style.colour),
        "losses": [loss_words(course.loss_at(int(row))) for row in rows],
    }


def _hear(command: object, on_command: Callable[[str, int], None]) -> None:
    """Pass on what the browser asks for, if it is a command."""
    if not isinstance(command, Mapping) or command.get("name") not in COMMANDS:
        return
    step = finite(command.get("step")) or 0.0
    on_command(str(command["name"]), int(step) if 0 <= step < 2**31 else 0)
