"""A visit's language: its link's, in the address as the knobs move, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.wording.texts import ENGLISH, speak
from tests.dashboard.support import change, go_to, said, verdict, visit

TINY: dict[str, Any] = {"seq_len": "12", "hidden_size": "4", "batch_size": "2"}
PSEUDO = {"lang": "xx"}


def how(app: AppTest) -> list[str]:
    """The sentences under the figures."""
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if body.startswith('<p class="rnnviz-how"')]


@pytest.fixture
def pseudo() -> Iterator[None]:
    """This thread speaks it, too: AppTest names the options of a list as the page does."""
    speak("xx")
    yield
    speak(ENGLISH)


def test_the_language_stays_in_the_address_as_knobs_move_and_pages_turn(pseudo: None) -> None:
    app = visit(query=TINY | PSEUDO)
    assert change(app, gain=1.5).query_params == TINY | PSEUDO | {"gain": "1.5", "v": "1"}
    app.query_params.clear()  # as a click on a tab does
    assert go_to(app, "spectrum").query_params["lang"] == "xx"
    assert all("⟦" in body for body in how(app))


@pytest.mark.parametrize(
    "page", ["gradient-flow", "spectrum", "gates", pytest.param("train", marks=pytest.mark.trained)]
)
def test_nobody_sees_another_visitor_s_language(page: str) -> None:
    first, other = visit(page, TINY), visit(page, TINY | PSEUDO)
    again = visit(page, TINY)
    assert how(first) == how(again)
    assert verdict(first) == verdict(again)
    assert "⟦" not in "".join([*how(again), verdict(again)])
    assert all("⟦" in body for body in (*how(other), verdict(other)))


def test_a_language_that_is_not_there_is_said() -> None:
    app = visit(query=TINY | {"lang": "tlh"})
    assert said(app) == "The link asks for the language tlh; allowed: en, zh; using English."
    assert "lang" not in app.query_params
    assert said(visit(query=TINY | PSEUDO)) == said(visit(query=TINY | {"lang": "en"})) == ""
