"""A link starts about a second of work by itself; for more it takes a click."""

from __future__ import annotations

import math
from typing import Any
from unittest import mock

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, estimate
from rnnviz.dashboard import compute, jobs
from rnnviz.dashboard.memory import Memory
from tests.dashboard.support import PAGES, assert_sound, change, charts, press, said, visit
from tests.dashboard.test_knobs import SMALL, never

TRAINED = Experiment(models=("rnn",), seq_len=2, hidden_size=1, batch_size=1, train_steps=3000)
LONG = Experiment(models=("gru",), seq_len=100, hidden_size=8, batch_size=2)


@pytest.fixture(autouse=True)
def _empty() -> None:
    compute.traces.clear()


def slow(monkeypatch: pytest.MonkeyPatch, factor: float = 1000.0) -> None:
    """A machine on which a run of the first screen takes seconds."""
    speed = compute.Speed(python=factor, products=factor, elements=factor)
    monkeypatch.setattr(compute, "speed", lambda: speed)


def asks(app: AppTest) -> bool:
    return any(button.label == "Run it" for button in app.button)


@pytest.mark.parametrize("tab", PAGES)
def test_a_link_that_takes_long_asks_first(tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(tab, TRAINED)
    assert not app.exception
    assert charts(app) == {}
    cost = estimate(TRAINED)
    takes = f"about {math.ceil(cost.seconds)} s and {math.ceil(cost.bytes / 2**20)} MiB of memory"
    assert f"asks the server to train 1 model for 3,000 steps: {takes}" in said(app)
    assert asks(app)


def test_a_link_that_takes_much_memory_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = compute.Speed(python=0.01, products=0.01, elements=0.01)
    monkeypatch.setattr(compute, "speed", lambda: quick)
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(query=Experiment(seq_len=2000))
    assert not app.exception
    assert asks(app)
    assert "about 1 s and " in said(app)


def test_a_click_runs_it_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch)
    app = visit(query=LONG)
    assert asks(app)
    app = press(app, "Run it")
    assert_sound(app)
    assert charts(app)
    compute.traces.clear()
    compute.views().clear()
    assert charts(change(app, gain=1.5))
    app = change(app, gain=LONG.gain)
    assert charts(app)
    assert not asks(app)


def test_what_is_set_by_hand_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch)
    app = visit(query=LONG)
    assert asks(app)
    app = change(app, gain=1.25)
    assert not asks(app)
    assert_sound(app)


def test_what_is_short_or_there_already_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not asks(visit(query=SMALL))
    compute.traces(LONG)
    slow(monkeypatch)
    assert not asks(visit(query=LONG))


def test_a_pinned_curve_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch)
    compute.traces(SMALL)
    assert not asks(visit(query=SMALL))
    monkeypatch.setattr(compute, "run_plan", never)
    assert asks(visit(query={**dict(visit(query=SMALL).query_params), "pin": "gain=1.5"}))


@pytest.mark.trained
@pytest.mark.usefixtures("_short_slices")
@pytest.mark.parametrize("tab", ["train", "phase-diagram", "claims"])
def test_pages_that_work_in_slices_do_not_ask(tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(tab, TRAINED)
    assert not app.exception
    assert not asks(app)


class Left(Exception):
    """As Streamlit ends a script whose visitor has gone."""


@pytest.mark.parametrize("changes", [{"train_steps": 20_000}, {"seq_len": 2000, "hidden_size": 64}])
def test_work_whose_visitor_has_gone_ends(changes: dict[str, Any]) -> None:
    """Training and the run itself, before anything is done to the end."""
    small = {"models": ("rnn",), "hidden_size": 1, "batch_size": 16, "seq_len": 2}
    experiment = Experiment(**{**small, **changes})

    def leave() -> None:
        raise Left

    with mock.patch.object(jobs, "courteous", return_value=leave), pytest.raises(Left):
        compute.traces(experiment)
    assert not compute.memory().holds(experiment)


def test_the_page_is_asked_whether_anybody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again, but not at every call."""
    asked, clock = [], iter([0.0, 0.01, 0.06, 0.06, 0.1, 0.12, 0.12])
    monkeypatch.setattr(jobs, "give_way", lambda: asked.append(1))
    monkeypatch.setattr(jobs.time, "monotonic", lambda: next(clock))
    tell = jobs.courteous()
    for _ in range(4):
        tell()
    assert len(asked) == 2


def test_a_server_without_room_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Memory(1 << 30)
    monkeypatch.setattr(compute, "memory", lambda: room)
    monkeypatch.setattr("rnnviz.dashboard.memory.PATIENCE", 0)
    monkeypatch.setattr("rnnviz.dashboard.memory.PULSE", 0)
    room._working = 1 << 30
    app = visit(query=Experiment(seed=987))
    assert not app.exception
    assert "has no room for this now. Try again in a moment." in said(app)


def test_a_small_server_refuses_what_a_large_one_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Memory(1 << 20)
    monkeypatch.setattr(compute, "memory", lambda: room)
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(query=Experiment(seed=988))
    assert "the limits are 1 MiB and 10 s" in said(app)
