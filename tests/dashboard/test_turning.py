"""A click that leads to another page with other knobs, while ticks are on their way."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from rnnviz import Experiment
from rnnviz.dashboard import state
from rnnviz.dashboard.turning import Turning
from tests.dashboard.support import experiment, visit

WANTED = Experiment(("gru",), seq_len=7, hidden_size=3, batch_size=2)  # type: ignore[arg-type]
SMALL = {"models": "rnn", "seq_len": "5", "hidden_size": "2", "batch_size": "2"}


def test_the_knobs_move_at_the_tick_that_knows_of_the_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adopted: list[Experiment] = []
    session: dict[str, Any] = {"cells.clock": {"tick": 4}}
    monkeypatch.setattr(st, "session_state", session)
    monkeypatch.setattr(state, "adopt", adopted.append)
    turning = Turning()
    turning.ask("gradient-flow", WANTED)
    turning.hear("cells", 5)
    assert (adopted, turning.path) == ([], "")
    session["cells.clock"] = {"tick": 5}
    turning.hear("cells", 5)
    assert (adopted, turning.path) == ([WANTED], "gradient-flow")
    turning.hear("cells", 5)
    assert adopted == [WANTED]


@pytest.mark.parametrize(("page", "place"), [("claims", "claims"), ("phase-diagram", "diagram")])
def test_until_then_no_work_is_done(page: str, place: str) -> None:
    app = visit(page, {**SMALL, "view_cells": "coarse"})
    mine = app.session_state[place]
    mine.turning.ask("gradient-flow", WANTED)
    before = (mine if place == "claims" else mine.diagram).slices
    app.run()
    assert (mine if place == "claims" else mine.diagram).slices == before
    assert experiment(app).models == ("rnn",)
