"""Links: what one says is what the visitor gets, and what it says wrongly is said."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest

import rnnviz.dashboard.compute as compute
from rnnviz import PRESETS, Experiment, to_query
from rnnviz.experiment import FIELDS
from rnnviz.wording.texts import texts
from tests.dashboard.support import (
    PAGES,
    Address,
    assert_sound,
    change,
    charts,
    experiment,
    press,
    said,
    same,
    setting,
    sliders,
    visit,
    widget_key,
)  # fmt: skip
from tests.dashboard.test_knobs import KNOBS, SMALL, never

ODD = Experiment(**{**KNOBS, "models": ("gru", "lstm:forget_bias=0"), "seq_len": 33,
                    "hidden_size": 7, "batch_size": 3})  # fmt: skip


@pytest.mark.parametrize("tab", PAGES)
def test_a_link_sets_every_knob(tab: str) -> None:
    app = visit(tab, ODD)
    assert experiment(app) == ODD
    assert app.session_state["models"] == list(ODD.models)
    assert said(app) == "" or tab == "gradient-flow"
    assert_sound(app)


def test_the_knobs_show_what_the_link_says() -> None:
    app = visit(query=ODD)
    shown = {label: slider["value"] for label, slider in sliders(app).items()}
    assert (shown["Gain"], shown["Memory bias"]) == (1.7, -1.5)
    assert app.selectbox(key=widget_key(app, "init")).value == "orthogonal"
    assert app.selectbox(key=widget_key(app, "activation")).value == "relu"
    assert app.number_input(key=widget_key(app, "seed")).value == 11
    assert app.segmented_control(key=widget_key(app, "loss_at")).value == "every"


@pytest.mark.parametrize("tab", PAGES)
def test_a_view_opened_again_shows_the_same_numbers(tab: str) -> None:
    app = change(visit(tab, SMALL), gain=1.7, memory_bias=0.5)
    compute.traces.clear()
    compute.views().clear()
    again = visit(tab, app.query_params)
    assert setting(again) == setting(app)
    drawn = charts(again)
    assert all(same(chart, drawn[key]) for key, chart in charts(app).items())


@pytest.mark.usefixtures("_short_slices")
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_s_link_names_the_preset(name: str) -> None:
    """In the sidebar; what is said of it where a run is shown, in tests/dashboard/test_knobs.py."""
    app = visit("claims", PRESETS[name].experiment(seed=11))
    assert app.selectbox(key=widget_key(app, "preset")).value == name


def test_the_address_follows_the_knobs_and_says_only_what_differs() -> None:
    app = visit()
    assert app.query_params == {}
    assert change(app, gain=2.0).query_params == {"gain": "2", "v": "1"}
    assert change(app, gain=1.0).query_params == {}


def test_the_pin_is_in_the_link() -> None:
    app = change(press(visit(query=SMALL), "Pin"), gain=2.0)
    again = visit(query=app.query_params)
    assert setting(again) == setting(app)
    assert setting(again).pinned == SMALL
    assert same(charts(again)["flow-state"], charts(app)["flow-state"])


def test_the_link_that_is_shown_is_the_address() -> None:
    app = change(press(visit(query=SMALL), "Pin"), gain=2.0, link=True)
    shown = [block.value for block in app.code]
    assert len(shown) == 1
    assert Address.of(shown[0]).query == app.query_params


def test_a_display_choice_is_in_the_link() -> None:
    app = change(visit("spectrum", SMALL), view_model="lstm", view_gate="o")
    assert app.query_params["view_gate"] == "o"
    again = visit("spectrum", app.query_params)
    assert same(charts(again)["singular-values"], charts(app)["singular-values"])


NONSENSE = [
    "1e9",
    "-1",
    "0",
    "3.7",
    "NaN",
    "inf",
    "abc",
    "",
    "[]",
    "1_000",
    "0x10",
    "١٢",
    "<script>alert(1)</script>",
    "![x](http://evil.example)",
    "$\\href{x}$",
    "9" * 5000,
]


@pytest.mark.parametrize("asked", NONSENSE, ids=lambda text: text[:12])
def test_nonsense_is_replaced_and_said(asked: str) -> None:
    app = visit(query={"hidden_size": asked, "seq_len": "20", "batch_size": "2"})
    assert not app.exception
    assert experiment(app).seq_len == 20
    assert 1 <= experiment(app).hidden_size <= 512
    assert "The link asked for hidden_size=" in said(app)
    assert f"using {experiment(app).hidden_size}." in said(app)
    assert not any(bad in said(app) for bad in ("<", ">", "http:", "$", "]("))


def test_every_field_survives_nonsense() -> None:
    """All at once; one after the other in tests/experiment/test_links.py."""
    wrong = dict.fromkeys(set(FIELDS) - {"text"}, "<b>nonsense</b>")
    app = visit(query=wrong)
    assert_sound(app)
    told = said(app).count("The link asked for")
    assert told > 1
    assert said(app).endswith(f"… and {len(wrong) - told} more.")
    assert experiment(app) == Experiment()


HOSTILE: dict[str, dict[str, Any]] = {
    "repeated": {"gain": ["2", "3"]},
    "unknown": {"hidden": "5", "__proto__": "x"},
    "old version": {"model": "lstm", "T": "50"},
    "views": {"view_model": "<script>", "view_gate": "zz", "view_quantity": "abc"},
    "view of a model that is not there": {"models": "rnn", "view_model": "gru"},
    "pin": {"pin": "gain=abc&x=<script>"},
    "pin without end": {"pin": urlencode({"pin": urlencode({"pin": "gain=2"})})},
    "names of our own": {"visit": "1", "setting": "x", "last_good": "y", "preset": "z"},
    "many": {f"key{n}": "1" for n in range(900)},
    "broken text": {"task": "text", "text": "a\ufffdb\x00c"},
    "cut text": {"task": "text", "text": "ab" * 1000, "text_cut": "5000"},
}


@pytest.mark.parametrize(
    ("name", "tab"),
    [*zip(HOSTILE, itertools.cycle(PAGES), strict=False), *(("views", tab) for tab in PAGES[1:])],
)
def test_a_hostile_link_opens_a_sound_page(name: str, tab: str) -> None:
    app = visit(tab, {**to_query(SMALL), **HOSTILE[name]})
    assert_sound(app)
    assert "<script>" not in said(app)


def test_a_hostile_link_starts_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(query={"seq_len": "1e9", "hidden_size": "1e9", "batch_size": "1e9"})
    assert not app.exception
    assert "limits are" in said(app)


def test_what_a_link_leaves_out_is_said_where_it_is_shown() -> None:
    app = change(visit(query=SMALL), task="text", text="ab" * 2000, link=True)
    assert any("first 2,000 of 4,000 characters" in caption.value for caption in app.caption)


def test_a_long_text_is_in_no_address_but_in_a_link() -> None:
    """An address stands in the logs of proxies; a sample is no visitor's."""
    own = "to be or not to be " * 20
    app = press(change(visit(query=SMALL), task="text", text=own), "Pin")
    app = change(app, text=own + own, link=True)
    assert "pin" in app.query_params
    assert own[:10] not in unquote_plus("".join(map(str, app.query_params.values())))
    assert own[:10] in app.code[0].value.replace("+", " ")
    sample = texts("samples")["rhyme"]
    assert change(app, text=sample).query_params["text"] == sample


def test_messages_are_gone_once_a_knob_is_moved() -> None:
    app = visit(query={"hidden_size": "abc"})
    assert said(change(app, gain=2.0)) == ""
    assert said(press(app, "Reset")) == ""


def test_a_pin_is_checked_like_the_rest_of_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(query={**to_query(SMALL), "pin": "gain=abc&hidden_size=8"})
    assert setting(app).pinned == Experiment(hidden_size=8)
    assert "Pinned curve: The link asked for gain=abc" in said(app)
    monkeypatch.setattr(compute, "run_plan", never)
    app = visit(query={**to_query(SMALL), "pin": "seq_len=2000&batch_size=256&hidden_size=512"})
    assert not app.exception
    assert setting(app).pinned is None
    assert "The pinned curve is left out" in said(app)


def test_a_query_that_streamlit_drops_opens_the_defaults() -> None:
    app = visit(query={"text": "x" * 600_000})
    assert_sound(app)
    assert experiment(app) == Experiment()
