"""A link leaves parts of a page out, on every page, and says which parts there are."""

from __future__ import annotations

import pytest

from tests.dashboard.support import go_to, said, send, visit

SELECTORS = {"knob": "stSidebar {", "strip": ".st-key-trust {", "nav": "stTopNavLink"}
SMALL = {"hidden_size": "4", "seq_len": "12", "batch_size": "2"}


def styles(page: str, hide: str) -> str:
    app = visit(page, {**SMALL, "hide": hide} if page != "lecture" else {"hide": hide})
    assert not app.exception
    bodies = [str(element.proto.body) for element in app.get("html")]
    return " ".join(b for b in bodies if b.startswith("<style>") and "rnnviz-question" not in b)


@pytest.mark.parametrize("page", ["gradient-flow", "gates", "lecture"])
@pytest.mark.parametrize("part", ["knob", "strip", "nav"])
def test_a_part_is_left_out(page: str, part: str) -> None:
    shown, hidden = styles(page, "nonsense"), styles(page, part)
    mark = "display: none"
    assert hidden.count(mark) == shown.count(mark) + 1


def test_the_address_keeps_it_from_page_to_page_and_says_what_there_is() -> None:
    app = visit("gradient-flow", {**SMALL, "hide": "nav,sidebar,strip"})
    assert app.query_params["hide"] == "strip,nav"
    assert said(app) == "The link asks to hide sidebar; what can be hidden: knob, strip, nav."
    app.query_params.clear()  # as a click on a tab does
    assert go_to(app, "spectrum").query_params["hide"] == "strip,nav"
    assert go_to(app, "lecture").query_params == {"hide": "strip,nav", "scene": "1"}


def test_nothing_is_hidden_unless_asked() -> None:
    app = visit("gradient-flow", SMALL)
    assert "hide" not in app.query_params
    assert said(app) == said(visit("gradient-flow", {**SMALL, "hide": ""})) == ""


def test_on_the_lecture_page_it_is_said_until_the_scene_is_turned() -> None:
    app = visit("lecture", {"hide": "<b>all</b>", "scene": "2"})
    assert "what can be hidden" in said(app)
    assert "<b>" not in said(app)
    told = {"action": "next", "question": "cells", "number": 0}
    assert said(send(app, "rnnviz_desk", "act", told)) == ""
