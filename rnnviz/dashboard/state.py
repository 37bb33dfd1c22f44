"""What a visitor has set.

Each knob's value lives in `st.session_state` under the field's name.

Streamlit drops the value of a widget that was not drawn in the last run (its popover is closed,
another page is open). So no widget owns a value here: a choice lives in `st.session_state` under
its own name, where any code may read and set it, as `components.live_slider` has it, too. Its
widget has another key, shows the choice at first, and writes the choice when the visitor moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from rnnviz.dashboard import definitions
from rnnviz.dashboard.components import end_moves
from rnnviz.dashboard.memory import Crowded
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.presets import PRESETS
from rnnviz.views import by_hand
from rnnviz.wording.texts import ENGLISH, fill, language, speak, texts

P = ParamSpec("P")
R = TypeVar("R")
Callback = Callable[[], None]
CHOSEN = object()
"""Stands for the choice's own value."""
PATH = "path"
"""The page that is open."""
PAGE_VIEWS: dict[str, tuple[str, ...]] = {
    "gradient-flow": (
        "view_layer", "view_direction", "view_theory", "view_why", "view_seeds", "view_chain",
        "view_quantity", "view_step", "view_output",
    ),
    "spectrum": (
        "view_model", "view_layer", "view_direction", "view_gate", "view_theory",
        "view_ranks", "view_input",
    ),
    "gates": ("view_model", "view_layer", "view_direction", "view_states", "view_of", "view_units"),
    "train": ("view_company", "view_hidden_states"),
    "phase-diagram": ("view_x", "view_y", "view_cells", "view_number"),
    "claims": ("view_claim", "view_units", "view_draws", "view_example"),
    "by-hand": by_hand.VIEWS,
    "your-network": (),
}  # fmt: skip
"""Display choices of each page. They are in its link alone, and never change the network."""
VIEWS = frozenset(view for views in PAGE_VIEWS.values() for view in views)
SHOWS = "shows"
"""The query of the experiment that the page draws."""
PAGE, DETAILS = "page", "details"
"""Keys of the two fragments of a page: what is seen first, and what is below the fold."""
WHOLE_PAGE = (PAGE, DETAILS)
RUN = "run"
"""How many runs of the whole script have begun, or are asked for."""
PIN = "pin"
"""The link's name for the pinned experiment: its own link's query."""
LANGUAGE, LANGUAGE_ASKED = "lang", "lang.asked"
"""The visit's language, and the link's name for it; whether a link or the visitor asked for it, so
that the address says it, or the browser prefers it."""
LECTURE, SCENE = "lecture", "lecture.scene"
"""The page whose scenes set the knobs; where a visit has the number of the one that is open, as a
link says it."""
HIDE, HIDEABLE = "hide", ("knob", "strip", "nav")
"""The parts of the page that a link leaves out: the knobs, the trust strip, the tabs; its name for
them."""
ASKED = "asked"
"""The experiment that a link, a preset or Reset set the knobs to."""


def view_key(view: str, path: str = "") -> str:
    """Where a page, the open one if none is named, has a display choice of its own."""
    return f"{path or st.session_state[PATH]}.{view}"


def widget(
    name: str,
    shown: Any = CHOSEN,
    *,
    options: Sequence[Any] | None = None,
    default: str = "value",
    then: Callback | None = None,
    place: str = "widget",
) -> dict[str, Any]:
    """Key, first value and callback of the Streamlit widget that shows a choice and writes to it.

    A widget is never set: what the server sets may arrive after the visitor has gone on, and would
    undo her choice. A choice that other code has set gets another widget, with another key: what
    the browser still says of the one before is not listened to. So does each in another language:
    a browser knows what is chosen from a list by its words.

    Parameters
    ----------
    name : of the choice in `st.session_state`.
    shown : what the widget shows, if that is not the choice as it stands there.
    options : of a list, which takes a place among them for its first value.
    default : the parameter of any other widget that takes it.
    then : called after the choice has been written, before the script's body.
    place : tells a second widget of the same choice from the first.
    """
    value = st.session_state[name] if shown is CHOSEN else shown
    record, now = widget_record(name, place), (value, language())
    number, last = st.session_state.get(record, (0, now))
    number += last != now
    st.session_state[record] = (number, now)
    key = f"{record}.{number}"
    first = {default: value}
    if options is not None:
        first = {"index": options.index(value) if value in options else None}
    return {"key": key, "on_change": partial(_write, name, record, number, then), **first}


def widget_record(name: str, place: str = "widget") -> str:
    """Where a visit has how many widgets a choice has had, and what the last one shows."""
    return f"{name}.{place}"


def _write(name: str, record: str, number: int, then: Callback | None) -> None:
    value, (_, (_, spoken)) = st.session_state[f"{record}.{number}"], st.session_state[record]
    st.session_state[name], st.session_state[record] = value, (number, (value, spoken))
    count_run()
    if then is not None:
        then()


@dataclass(frozen=True)
class Setting:
    """What a page shows: the experiment, and the pinned one."""

    experiment: Experiment
    pinned: Experiment | None


def choose_language(name: str) -> None:
    """Speak another language from now on, and let the address say it. A button's callback."""
    st.session_state.update({LANGUAGE: name, LANGUAGE_ASKED: True})
    speak_here()
    count_run()


def speak_here() -> None:
    """Speak the visit's language in this thread: Streamlit has another one for each run."""
    speak(st.session_state.get(LANGUAGE, ENGLISH))


def fragment(key: str) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """A part of a page that Streamlit can run alone, in the visit's language, with definitions of
    its own. Where there is no room for its work, it says so."""

    def wrap(function: Callable[P, R]) -> Callable[P, R | None]:
        @wraps(function)
        def spoken(*args: P.args, **kwargs: P.kwargs) -> R | None:
            speak_here()
            try:
                with definitions.afresh():
                    return function(*args, **kwargs)
            except Crowded as crowded:
                st.error(fill(texts("layout")["refused"], reason=crowded), icon="⛔")
                return None

        return st.fragment(spoken, key=key)

    return wrap


def count_run() -> None:
    """A run of the whole script begins, or is asked for: until the browser has drawn it, a slider
    must not ask for the page alone, as that would be in place of it."""
    st.session_state[RUN] = st.session_state.get(RUN, 0) + 1


def preset_of(experiment: Experiment) -> str | None:
    """The preset that a link opens, if it is one."""
    same = (
        name
        for name, preset in PRESETS.items()
        if preset.experiment(seed=experiment.seed) == experiment
    )
    return next(same, None)


def adopt(experiment: Experiment) -> None:
    """Set every knob to the experiment's values. From a callback, or before the knobs are drawn."""
    st.session_state["last_good"] = st.session_state[ASKED] = experiment
    st.session_state.update(_values(experiment))
    count_run()
    end_moves(st.session_state[RUN])


def _values(experiment: Experiment) -> dict[str, Any]:
    values = {name: getattr(experiment, name) for name in FIELDS}
    return {**values, "models": [str(model) for model in experiment.models]}


def read() -> tuple[Experiment, str]:
    """The experiment that the knobs describe, and what is wrong with it if it cannot be one.

    Then the last good experiment is returned.
    """
    values, last = {name: _value(name) for name in FIELDS}, st.session_state["last_good"]
    if not values["models"]:
        return last, texts("sidebar")["no_model"]
    if all(value == getattr(last, name) for name, value in values.items()):
        return last, ""
    try:
        experiment, problem = Experiment(**values), ""
    except ValueError as error:
        experiment, problem = last, str(error)
    experiment = _with_its_training(experiment, last)
    st.session_state["last_good"] = experiment
    return experiment, problem


def _with_its_training(experiment: Experiment, before: Experiment) -> Experiment:
    """Training belongs to the settings it was done with: once another knob has moved, the
    networks are the untrained ones again."""
    steps = experiment.train_steps
    if not steps or steps != before.train_steps or experiment == before:
        return experiment
    st.session_state["train_steps"] = 0
    return replace(experiment, train_steps=0)


def _value(name: str) -> Any:
    known, value = FIELDS[name], st.session_state[name]
    if known.kind == "models":
        return tuple(value)
    return round(value) if known.kind == "int" else value
