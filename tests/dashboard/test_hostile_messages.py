"""What a component is told by anyone who speaks its language does no harm."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import streamlit as st

from rnnviz.dashboard import jobs, state
from rnnviz.dashboard.components import scrubber, slider
from rnnviz.dashboard.components.browser import finite, number
from rnnviz.dashboard.jobs import Work
from rnnviz.dashboard.pages import claims, phase
from rnnviz.experiment import Experiment
from rnnviz.jobs.claims import Asked, Claims
from rnnviz.jobs.phase import Diagram, make_axis

HUGE = "1" + "0" * 400
NUMBERS = [HUGE, f"-{HUGE}", "1e400", "-1e400", "Infinity", "-Infinity", "NaN", "1e308", "-1e308"]
OTHERS = ["null", "true", '"1"', "[1]", '{"a": 1}']


@pytest.fixture(params=[*NUMBERS, *OTHERS])
def sent(request: pytest.FixtureRequest) -> Any:
    """One value, as Streamlit reads it from a message."""
    return json.loads(request.param)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A visitor's state."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", found)
    return found


def test_a_number_is_read_as_it_is_and_nothing_else_is_one() -> None:
    assert (number(2), number(-0.5), number(np.int64(3))) == (2.0, -0.5, 3.0)
    assert (number(10**400), number(-(10**400))) == (math.inf, -math.inf)
    assert [number(json.loads(other)) for other in OTHERS] == [None] * len(OTHERS)
    assert number(math.nan) is None
    assert (finite(2), finite(10**400), finite(-math.inf)) == (2.0, None, None)


def test_a_slider_stays_on_its_track(session: dict[str, Any], sent: Any) -> None:
    session |= {"gain": 1.0, "gain.slider": {"knob": {"value": sent, "seq": sent, "run": sent}}}
    slider._adopt("gain", 0.25, 4.0, None)
    assert 0.25 <= session["gain"] <= 4.0


def test_a_training_step_is_a_whole_number(sent: Any) -> None:
    heard: list[tuple[str, int]] = []
    scrubber._hear({"name": "show", "step": sent}, lambda name, step: heard.append((name, step)))
    assert heard == [("show", 0)]


@pytest.mark.parametrize("other", ["x", "y"])
def test_a_click_beside_the_diagram_opens_a_cell_or_nothing(
    monkeypatch: pytest.MonkeyPatch, sent: Any, other: str
) -> None:
    diagram = Diagram(Experiment(), make_axis("gain", 3), make_axis("seq_len", 3))
    work = Work(jobs.DIAGRAM, diagram)
    monkeypatch.setattr(phase, "visit", lambda: work)
    monkeypatch.setattr(state, "read", lambda: (Experiment(), ()))
    monkeypatch.setattr(phase, "hear_sliders", lambda: None)
    phase._open({"x": sent, "y": sent, other: 1})
    if work.leaving is not None:
        assert work.leaving[1].gain in diagram.x.values
        assert work.leaving[1].seq_len in diagram.y.values
    phase._open({"x": 1, "y": 1})
    assert work.leaving is not None


@pytest.mark.parametrize("other", ["curve", "point"])
def test_a_click_beside_the_dots_opens_nothing(
    session: dict[str, Any], sent: Any, other: str
) -> None:
    work = claims.visit()
    work.follow(Claims(Asked(0, 8, Experiment())))
    claims._open_draw({"curve": sent, "point": sent, other: 0})
    assert work.leaving is None
