"""A click that leads to another page with other knobs, while ticks are on their way."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from rnnviz import Experiment
from rnnviz.dashboard import state
from rnnviz.dashboard.jobs import CLAIMS, Work
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
    work: Work[None] = Work(CLAIMS, slices=4)
    work.leave("gradient-flow", WANTED)
    work.hear("cells")
    assert (adopted, work.path) == ([], "")
    session["cells.clock"] = {"tick": 5}
    work.hear("cells")
    assert (adopted, work.path) == ([WANTED], "gradient-flow")
    work.hear("cells")
    assert adopted == [WANTED]


@pytest.mark.parametrize(("page", "place"), [("claims", "claims"), ("phase-diagram", "diagram")])
def test_until_then_no_work_is_done(page: str, place: str) -> None:
    app = visit(page, {**SMALL, "view_cells": "coarse"})
    work = app.session_state[place]
    work.leave("gradient-flow", WANTED)
    before, job = work.slices, work.job
    app.run()
    assert (work.slices, work.job) == (before, job)
    assert experiment(app).models == ("rnn",)
