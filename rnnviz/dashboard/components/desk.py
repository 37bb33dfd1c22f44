"""What a lecture is led by: the choices of a question, and the keys.

What the browser sends arrives through a callback, before the script's body, as a dict that `told`
reads; nothing of it is checked but its kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.browser import finite, loader

# Not isolated: the page's style sheet says how they look.
_BALLOT = st.components.v2.component("rnnviz_ballot", js=loader("ballot.js"), isolate_styles=False)
_DESK = st.components.v2.component("rnnviz_desk", js=loader("desk.js"), isolate_styles=False)
DESK = "lecture.desk"


@dataclass(frozen=True)
class Told:
    """What a lecturer or a student did.

    action: "next", "previous", "go", "reveal", "answer", "room", "bars" or "back". question: that
    it is about, by its name; number: of the choice, or of the scene to go to. code, secret: of the
    room that the tab led before it was loaded again.
    """

    action: str
    question: str
    number: int
    code: str = ""
    secret: str = ""


def ballot(
    question: str,
    choices: Sequence[str],
    *,
    taken: int,
    right: int,
    guess: Mapping[str, Any] | None,
    words: Mapping[str, str],
    votes: Mapping[str, Any] | None,
    on_act: Callable[[], None],
) -> None:
    """Draw the choices as buttons, or the scale on which a number is guessed.

    Parameters
    ----------
    question : its name.
    choices : HTML, in their order.
    taken, right : numbers of choices, or places of a scale, from 1; 0 for none, or while it is not
        shown.
    guess : the scale, in place of choices: low, high, step, and within how far a guess is right.
    words : what is said of all this.
    votes : where the room's votes are asked for; None without a room.
    on_act : called when a choice is taken; see `told`.
    """
    data = {"question": question, "choices": list(choices), "taken": taken, "right": right,
            "guess": guess, "words": dict(words), "votes": votes}  # fmt: skip
    _BALLOT(key=_key(question), data=data, on_act_change=on_act)


def desk(
    *,
    question: str,
    note: str,
    choices: int,
    words: Mapping[str, str],
    room: tuple[str, str] | None,
    heard: str,
    cards: Sequence[Mapping[str, Any]],
    progress: Mapping[str, bool],
    on_act: Callable[[], None],
) -> None:
    """Draw the line of keys and listen to them.

    Parameters
    ----------
    question : the name of the scene that is open.
    note : HTML, seen when it is asked for.
    choices : how many the keys 1, 2, … may take.
    words : what stands on the buttons.
    room : code and secret of the one that is led.
    heard : the code of the one that this tab asked to lead again.
    cards : of each scene the `names` of its questions and its `title`, HTML.
    progress : question -> whether it was answered right, which the browser keeps.
    on_act : called for every key and button; see `told`.
    """
    data = {"question": question, "note": note, "choices": choices, "words": dict(words),
            "room": room, "heard": heard, "cards": list(cards),
            "progress": dict(progress)}  # fmt: skip
    _DESK(key=DESK, data=data, on_act_change=on_act)


def told(question: str = "") -> Told | None:
    """What the ballot of a question, or without one the desk, has sent last."""
    said = (st.session_state.get(_key(question) if question else DESK) or {}).get("act")
    if not isinstance(said, dict):
        return None
    action, name, number = said.get("action"), said.get("question"), finite(said.get("number", 0))
    if not isinstance(action, str) or not isinstance(name, str) or number is None:
        return None
    code, secret = (str(said.get(name) or "") for name in ("code", "secret"))
    return Told(action, name, int(number), code, secret)


def _key(question: str) -> str:
    return f"{question}.ballot"
