"""A choice holds, whatever Streamlit forgets: every knob and every view, whatever is done next.

The table of fields drives it: a new field is tested as it stands. AppTest has no popover that a
click outside closes; one that is closed says so in `st.session_state`, and does not draw its knobs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, to_query
from rnnviz.dashboard.knobs import RANGES
from rnnviz.dashboard.main import PAGES
from rnnviz.dashboard.state import PAGE_VIEWS, VIEWS, view_key
from rnnviz.experiment import FIELDS
from tests.dashboard.support import (
    change,
    charts,
    experiment,
    go_to,
    knobs,
    press,
    same,
    setting,
    visit,
    widget_key,
)
from tests.dashboard.test_views import DEEP
from tests.dashboard.training_support import choose, tick, training

# Of a task that has a text, so that the text has a knob.
BASE = Experiment(task="text", text="to be or not to be", seq_len=10, hidden_size=4, batch_size=2)
POPOVERS = ("more", "train_how")
pytestmark = pytest.mark.usefixtures("_short_slices")
KNOBS = [name for name in FIELDS if name != "train_steps"]
"""Training steps are set by the Train page, and end with any other knob that moves."""


def another(name: str) -> Any:
    """A value that the field has not in BASE."""
    known, now = FIELDS[name], getattr(BASE, name)
    if known.kind == "choice":
        return known.choices[(known.choices.index(now) + 1) % len(known.choices)]
    if known.kind == "text":
        return "knock knock who is there"
    if known.kind == "models":
        return now[1:]
    further = 3 * now if known.log and known.kind == "float" else now + (known.step or 1)
    return further if further <= known.page_high else now - known.step


CHOSEN = replace(BASE, **{name: another(name) for name in KNOBS})


def open_popovers(app: AppTest, opened: bool) -> AppTest:
    return change(app, **dict.fromkeys(POPOVERS, opened))


def widgets(app: AppTest) -> dict[str, Any]:
    """Field -> its knob, of those that are drawn; live sliders have their value without one."""
    drawn = {widget.key: widget for widget in knobs(app)}
    keys = {name: widget_key(app, name) for name in KNOBS}
    return {name: drawn[key] for name, key in keys.items() if key in drawn}


def move(app: AppTest) -> AppTest:
    """Every knob, to its value in CHOSEN."""
    drawn = widgets(app)
    assert {*drawn, *RANGES} == set(KNOBS), "every knob can be reached on this page"
    for name in KNOBS:
        value = getattr(CHOSEN, name)
        if name in RANGES:
            app.session_state[name] = float(value)
        else:
            drawn[name].set_value(list(value) if name == "models" else value)
    return app.run()


@pytest.fixture
def chosen() -> AppTest:
    """The Train page, after every knob was moved and every popover closed."""
    return open_popovers(move(open_popovers(visit("train", BASE), True)), False)


def look_again(app: AppTest, now: Experiment) -> Experiment:
    open_popovers(app, True)
    shown = {name: widget.value for name, widget in widgets(app).items()}
    assert shown == {**{n: getattr(now, n) for n in shown}, "models": list(now.models)}
    open_popovers(app, False)
    return now


def turn(app: AppTest, now: Experiment) -> Experiment:
    for page in (*PAGES, "train"):
        go_to(app, page)
        assert experiment(app) == now, page
        assert app.query_params == to_query(now), page
    return now


def slide(app: AppTest, now: Experiment) -> Experiment:
    change(app, gain=2.0)
    return replace(now, gain=2.0)


def dice(app: AppTest, now: Experiment) -> Experiment:
    app.button(key="reseed").click().run()
    return replace(now, seed=now.seed + 1)


def play(app: AppTest, now: Experiment) -> Experiment:
    tick(press(app, "Play"))
    return now


def begin_a_lesson(app: AppTest, _: Experiment) -> Experiment:
    """A lesson sets every knob; then it is its values that hold."""
    choose(app, "closed")
    press(app, "Pause")
    return open_popovers(app, False).session_state["training"].training.experiment


@pytest.mark.trained
def test_every_knob_holds(chosen: AppTest) -> None:
    """What is chosen, what the address says and what is trained are one and the same after each
    act, and stay so when the address is opened again."""
    app, expected = chosen, CHOSEN
    for act in (look_again, turn, slide, dice, play, begin_a_lesson):
        after, expected = act.__name__, act(app, expected)
        assert {name: app.session_state[name] for name in KNOBS} == {
            **{name: getattr(expected, name) for name in KNOBS},
            "models": list(expected.models),
        }, after
        assert app.query_params == to_query(expected), after
        assert experiment(app) == training(app).experiment == expected, after
        again = visit("train", app.query_params)
        assert experiment(again) == training(again).experiment == expected, after


def test_what_is_drawn_is_what_was_chosen(chosen: AppTest) -> None:
    small = go_to(chosen, "gradient-flow")
    fresh = visit("gradient-flow", CHOSEN)
    assert same(charts(small)["flow-state"], charts(fresh)["flow-state"])


DISPLAYED: dict[str, Any] = {
    "view_layer": "1", "view_direction": "backward", "view_theory": True, "view_why": True,
    "view_quantity": "h", "view_seeds": "5", "view_chain": "lstm", "view_states": True,
    "view_of": "rnn",
    "view_model": "lstm", "view_gate": "o", "view_x": "memory_bias", "view_y": "distractor",
    "view_cells": "coarse", "view_number": "horizon", "view_claim": "sigma", "view_units": "8",
    "view_draws": "3", "view_example": "zero_radius", "view_company": "AAPL",
    "view_hidden_states": 9, "view_step": 7, "view_output": "3",
    "view_ranks": "1, last", "view_input": 0.5, "view_cell": "gru", "view_activation": "relu",
    "view_W_xh": "1,2,3,4,5,6", "view_W_hh": "1,2,3,4,5,6,7,8,9,-1,-2,0.5",
    "view_b_h": "1,2,3,4,5,6", "view_b_hn": "1,2", "view_inputs": "1,0,2,-1",
    "view_target": "0.5,1", "view_stage": "3",
}  # fmt: skip


def test_every_page_has_its_views_and_every_view_is_tested() -> None:
    assert PAGE_VIEWS.keys() == PAGES.keys()
    assert DISPLAYED.keys() == VIEWS


def kept(app: AppTest, page: str) -> dict[str, Any]:
    keys = {view: view_key(view, page) for view in PAGE_VIEWS[page]}
    return {v: app.session_state[key] for v, key in keys.items() if key in app.session_state}


@pytest.mark.trained
def test_views_stay_with_their_page() -> None:
    """Those of every page were chosen: on each, its own hold and stand in the address, and they
    alone; opened again, the address says the same."""
    shown = replace(DEEP, task="stocks")
    wanted = {page: {view: DISPLAYED[view] for view in views} for page, views in PAGE_VIEWS.items()}
    wanted["by-hand"] |= {"view_units": "2"}
    app = visit(query=shown)
    for page, views in wanted.items():
        change(go_to(app, page), **views)
    for page, views in wanted.items():
        address = {**to_query(shown), **{view: str(value) for view, value in views.items()}}
        assert go_to(app, page).query_params == address, page
        assert kept(app, page) == views, page
        assert not views or visit(page, address).query_params == address, page


@pytest.mark.trained
def test_a_page_chooses_nothing_by_itself() -> None:
    app = visit(query=DEEP)
    for page in PAGES:
        assert go_to(app, page).query_params == to_query(DEEP), page


def test_back_and_forward_restore_what_the_address_says(monkeypatch: pytest.MonkeyPatch) -> None:
    app = change(visit("gradient-flow", DEEP), view_layer="1", text="x" * 3000)
    before, address = setting(app), dict(app.query_params)
    change(press(app, "Pin"), gain=2.0, view_layer="2", view_direction="backward")
    monkeypatch.setattr("rnnviz.dashboard.address._in_history", lambda: True)
    app.query_params = address
    app.run()
    assert setting(app) == before
    assert kept(app, "gradient-flow")["view_layer"] == "1"
    assert app.query_params == address
