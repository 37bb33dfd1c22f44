"""Knobs set the experiment, display choices do not, and what cannot be run says why."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

import rnnviz.dashboard.compute as compute
from rnnviz import PRESETS, Experiment
from rnnviz.dashboard import state
from rnnviz.dashboard.components import slider
from rnnviz.dashboard.train_controls import OWN
from rnnviz.experiment import FIELDS, check_size
from rnnviz.wording.names import field_name
from rnnviz.wording.texts import texts
from tests.dashboard.support import (
    PAGES,
    assert_sound,
    change,
    charts,
    experiment,
    go_to,
    knobs,
    line,
    notes,
    numbers,
    preset_words,
    press,
    said,
    same,
    setting,
    sliders,
    verdict,
    visit,
    widget_key,
)  # fmt: skip

SMALL = Experiment(hidden_size=8, seq_len=20, batch_size=2)
KNOBS: dict[str, Any] = {
    "models": ["gru", "lstm"],
    "task": "adding",
    "seq_len": 33.4,
    "hidden_size": 7.0,
    "batch_size": 3.0,
    "init": "orthogonal",
    "gain": 1.7,
    "activation": "relu",
    "memory_bias": -1.5,
    "gate_init": "chrono",
    "input_scale": 2.0,
    "layers": 2,
    "bidirectional": "yes",
    "leak": 0.5,
    "skip": 3,
    "distractor": 0.4,
    "loss_at": "every",
    "seed": 11,
    "dtype": "float32",
    "text": "knock knock",
    "match": "parameters",
}


SIZES = {"seq_len": 33, "hidden_size": 7, "batch_size": 3}


def keys(app: AppTest) -> Counter[str]:
    """How often each widget is on the page; a live slider goes by its label."""
    names = {widget_key(app, name): name for name in FIELDS}
    found = Counter(names[widget.key] for widget in knobs(app) if widget.key in names)
    labels = {field_name(name): name for name in FIELDS}
    return found + Counter(labels[label] for label in sliders(app))


@pytest.mark.trained
def test_every_field_has_exactly_one_knob() -> None:
    assert {*KNOBS, *OWN, "train_steps"} == set(FIELDS)
    here = keys(change(visit(query=Experiment(task="words")), more=True))
    assert {name: here[name] for name in KNOBS} == dict.fromkeys(KNOBS, 1)
    there = keys(change(visit("train", SMALL), train_how=True))
    assert {name: there[name] for name in OWN} == dict.fromkeys(OWN, 1)
    assert not set(OWN) & set(here), "the knobs of training are on the Train page alone"


@pytest.mark.trained
def test_trained_weights_have_a_way_back() -> None:
    """`train_steps` is set by the Train page and by links."""
    app = visit(query=Experiment(**{**vars(SMALL), "train_steps": 2}))
    assert "After 2 training steps" in " ".join(e.proto.body for e in app.get("html"))
    assert app.query_params["train_steps"] == "2"
    app.button(key="untrain").click().run()
    assert experiment(app) == SMALL


SEEN = ("seq_len", "gain", "init", "activation", "distractor", "seed", "hidden_size",
        "input_scale", "loss_at", "task")  # fmt: skip
"""What the first figure must follow, whatever else it shows."""


@pytest.mark.parametrize("name", KNOBS)
def test_a_knob_changes_its_field_alone_and_the_figure_follows(name: str) -> None:
    app = visit(query=SMALL)
    before = charts(app)["flow-state"]
    change(app, **{name: KNOBS[name]})
    value = round(KNOBS[name]) if FIELDS[name].kind == "int" else KNOBS[name]
    expected = tuple(value) if name == "models" else value
    assert experiment(app) == Experiment(**{**vars(SMALL), name: expected})
    assert_sound(app)
    assert name not in SEEN or not same(before, charts(app)["flow-state"])


def test_an_open_memory_carries_the_error_and_a_closed_one_does_not() -> None:
    app = visit()
    assert line(charts(app)["flow-state"], "LSTM")[1] > -1
    app = change(app, memory_bias=0.0)
    closed = charts(app)["flow-state"]
    assert line(closed, "LSTM")[1] < -18
    assert line(closed, "GRU")[1] < -18
    assert experiment(app) == Experiment(memory_bias=0.0)


VIEWS = {
    "gradient-flow": {"view_quantity": "h"},
    "spectrum": {"view_model": "lstm", "view_gate": "o"},
    "gates": {"view_model": "gru"},
}


@pytest.mark.parametrize("tab", PAGES)
def test_a_display_choice_never_changes_the_network(
    tab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(tab, SMALL)
    before = experiment(app)
    monkeypatch.setattr(compute, "run_plan", never)
    app = change(app, **VIEWS[tab])
    assert not app.exception
    assert experiment(app) == before == SMALL


def never(*_: object) -> None:
    raise AssertionError("computed")


@pytest.mark.parametrize("tab", PAGES)
def test_the_same_seed_gives_the_same_picture(tab: str) -> None:
    app = visit(tab, SMALL)
    first = charts(app)
    compute.traces.clear()
    compute.views().clear()
    change(app, seed=1)
    again = charts(change(app, seed=0))
    assert all(same(first[key], again[key]) for key in first)


def test_reseed_draws_another_network() -> None:
    app = visit(query=SMALL)
    app.button(key="reseed").click().run()
    assert experiment(app) == Experiment(**{**vars(SMALL), "seed": 1})
    app = change(visit(query=SMALL), seed=2**31 - 1)
    app.button(key="reseed").click().run()
    assert experiment(app).seed == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_every_knob_but_the_seed(name: str) -> None:
    app = visit(query=Experiment(**{**KNOBS, **SIZES}))
    app.selectbox(key=widget_key(app, "preset")).select(name).run()
    assert experiment(app) == PRESETS[name].experiment(seed=11)
    assert preset_words(app) == (
        f"{texts('presets')[name]} "
        "(Numbers that are not said of every seed are of seed 0, not of 11.)"
    )


def test_a_knob_that_is_moved_afterwards_leaves_it_said_where_one_started() -> None:
    app = visit(query=SMALL)
    app.selectbox(key=widget_key(app, "preset")).select("held_open").run()
    change(app, gain=3.3, **SIZES)
    title = texts("presets")["title_held_open"]
    assert preset_words(app).startswith(f"You started from “{title}”")


def test_of_the_seed_that_a_preset_s_numbers_are_of_nothing_is_said() -> None:
    app = visit(query=PRESETS["knife_edge"].experiment(seed=0))
    assert preset_words(app) == texts("presets")["knife_edge"]


def test_reset_brings_back_every_default() -> None:
    app = change(visit(query={"gain": "abc"}), **KNOBS)
    press(press(app, "Pin"), "Reset")
    assert setting(app).experiment == Experiment()
    assert setting(app).pinned is None
    assert not app.query_params
    assert said(app) == ""
    assert app.selectbox(key=widget_key(app, "preset")).value == "held_open"


def test_a_pinned_curve_stays_as_a_ghost_while_knobs_move() -> None:
    app = visit(query=SMALL)
    plain = charts(app)["flow-state"]
    press(app, "Pin")
    moved = charts(change(app, memory_bias=-1.0))["flow-state"]
    assert setting(app).pinned == SMALL
    ghosts = [values for values in numbers(moved) if any(
        values.shape == old.shape and np.array_equal(values, old, equal_nan=True)
        for old in numbers(plain)
    )]  # fmt: skip
    assert len(ghosts) >= 3
    press(app, "Unpin")
    assert setting(app).pinned is None
    assert len(charts(app)["flow-state"]["data"]) < len(moved["data"])


def test_the_experiment_stays_when_the_page_is_left() -> None:
    app = change(visit(query=SMALL), gain=1.3)
    for tab in (*PAGES, *PAGES):
        assert experiment(go_to(app, tab)) == Experiment(**{**vars(SMALL), "gain": 1.3})


@pytest.mark.parametrize("tab", PAGES)
def test_without_models_the_last_good_picture_stays(tab: str) -> None:
    app = visit(tab, SMALL)
    before = charts(app)
    change(app, models=[])
    assert "Choose at least one model" in said(app)
    assert experiment(app) == SMALL
    assert all(same(before[key], chart) for key, chart in charts(app).items())
    change(app, models=["gru"])
    assert said(app) == ""
    assert experiment(app).models == ("gru",)


HUGE = Experiment(seq_len=2000, batch_size=256, hidden_size=512)


@pytest.mark.parametrize("tab", PAGES)
def test_too_large_a_run_is_refused_before_anything_is_computed(
    tab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(tab, HUGE)
    assert not app.exception
    assert charts(app) == {}
    assert check_size(HUGE) in said(app)
    assert "MiB" in said(app)
    assert "limits are" in said(app)
    assert sliders(app), "the knobs must stay, or there is no way back"


def test_what_is_refused_is_not_pinned() -> None:
    assert setting(press(visit(query=HUGE), "Pin")).pinned is None


def test_a_refused_run_can_be_made_smaller() -> None:
    app = change(visit(query=HUGE), seq_len=20, batch_size=2, hidden_size=8)
    assert_sound(app)
    assert experiment(app) == SMALL
    assert verdict(app)


def test_a_sequence_that_is_cut_says_so() -> None:
    app = visit(query={"task": "stocks", "seq_len": "300", "hidden_size": "4"})
    assert "78 weeks" in notes(app)


def test_a_value_is_heard_though_what_its_callback_wrote_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Streamlit ends a run at whose beginning another message comes, as of a popover that closes,
    and has told the callback by then."""
    monkeypatch.setattr(slider, "_adopt", lambda *_: None)
    app = visit(query=SMALL)
    assert experiment(tell(app, "gain", 2.0)).gain == 2.0


def tell(app: AppTest, name: str, value: float) -> AppTest:
    """What the browser says of a slider."""
    (found,) = (e for e in app.get("bidi_component") if f'"key": "{name}"' in e.proto.json)
    knob = {"value": value, "seq": 7, "run": app.session_state[state.RUN]}
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=found.proto.id, json_value=json.dumps({"knob": knob})))
    return app._run(states)


def test_a_slider_of_a_popover_that_has_closed_says_nothing() -> None:
    app = tell(change(visit(query=SMALL), more=True), "hidden_size", 12.0)
    app = change(app, more=False)
    assert experiment(app).hidden_size == 12
    assert experiment(press(app.run(), texts("sidebar")["pin"])).hidden_size == 12
