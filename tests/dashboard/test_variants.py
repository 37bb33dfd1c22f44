"""The form that adds a model with a setting of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.core import CELLS
from rnnviz.experiment.effects import idle
from rnnviz.experiment.plan import plan
from rnnviz.wording.texts import ENGLISH, speak, texts
from tests.dashboard.support import (
    assert_sound,
    change,
    experiment,
    press,
    said,
    verdict,
    visit,
)

SMALL = Experiment(models=("rnn", "lstm"), hidden_size=8, seq_len=20, batch_size=2)


def form(kind: str, setting: str, query: Experiment = SMALL) -> AppTest:
    """Open More and choose in the form what is to be given a value."""
    app = change(visit(query=query), more=True)
    app.selectbox(key="variant_kind").select(kind).run()
    return app.selectbox(key=f"variant_setting_{kind}_en").select(setting).run()


def fill_in(app: AppTest, value: str) -> AppTest:
    app.text_input(key="variant_value").input(value).run()
    return press(app, "Add this model")


def add(kind: str, setting: str, value: str, query: Experiment = SMALL) -> AppTest:
    """Open More, fill in the form and press its button."""
    return fill_in(form(kind, setting, query), value)


def test_a_variant_stands_beside_its_model() -> None:
    app = add("lstm", "forget_bias", "0")
    assert experiment(app).models == ("rnn", "lstm", "lstm:forget_bias=0")
    assert_sound(app)


def test_what_is_filled_in_is_there_when_the_popover_is_opened_again() -> None:
    app = change(visit(query=SMALL), more=True)
    app.selectbox(key="variant_kind").select("lstm").run()
    app.selectbox(key="variant_setting_lstm_en").select("forget_bias").run()
    app.text_input(key="variant_value").input("0.5").run()
    app = change(change(change(app, more=False), gain=2.0), more=True)
    press(app, "Add this model")
    assert experiment(app).models == ("rnn", "lstm", "lstm:forget_bias=0.5")


@pytest.fixture
def speaks() -> Iterator[Callable[[AppTest, str], None]]:
    """Chooses a language by its button, which closes More, and opens that again. AppTest names the
    options of a list in this thread."""
    names = {"zh": "中文", ENGLISH: "English"}

    def choose(app: AppTest, name: str) -> None:
        press(app, names[name])
        speak(name)
        change(app, more=True)

    yield choose
    speak(ENGLISH)


def test_what_is_filled_in_is_there_in_another_language(
    speaks: Callable[[AppTest, str], None],
) -> None:
    app = fill_in(form("lstm", "forget_bias"), "0.5")
    speaks(app, "zh")
    speaks(app, ENGLISH)
    app.selectbox(key="variant_setting_lstm_en").select("gain").run()
    speaks(app, "zh")
    press(app, texts("sidebar")["add"])
    assert experiment(app).models[2:] == ("lstm:forget_bias=0.5", "lstm:gain=0.5")


def test_what_is_filled_in_last_is_added_by_a_click_that_comes_before_it_is_drawn() -> None:
    app = add("lstm", "forget_bias", "0")
    app.text_input(key="variant_value").input("1.5")
    press(app, "Add this model")
    assert experiment(app).models[2:] == ("lstm:forget_bias=0", "lstm:forget_bias=1.5")
    app.selectbox(key="variant_setting_lstm_en").select("variant")
    press(app, "Add this model")
    assert experiment(app).models[4:] == ("lstm:variant=peepholes",)


def test_a_model_that_is_there_already_is_not_added_and_that_is_said() -> None:
    app = press(add("lstm", "forget_bias", "0"), "Add this model")
    assert experiment(app).models == ("rnn", "lstm", "lstm:forget_bias=0")
    assert "lstm:forget_bias=0 is on the page already" in said(app)


def test_a_setting_with_few_values_offers_them() -> None:
    app = change(visit(query=SMALL), more=True)
    app.selectbox(key="variant_setting_rnn_en").select("activation").run()
    app.selectbox(key="variant_value_activation_rnn_en").select("relu").run()
    press(app, "Add this model")
    assert experiment(app).models == ("rnn", "lstm", "rnn:activation=relu")


@pytest.mark.parametrize("kind", [kind for kind, cell in CELLS.items() if len(cell.VARIANTS) > 1])
def test_every_variant_stands_beside_its_cell_under_a_readable_name(kind: str) -> None:
    app = change(visit(query=SMALL), more=True)
    app.selectbox(key="variant_kind").select(kind).run()
    options = app.selectbox(key=f"variant_value_variant_{kind}_en").options
    assert not any("_" in option or option in CELLS[kind].VARIANTS for option in options)
    for name in [*CELLS[kind].VARIANTS][1:]:
        app.session_state["models"] = ["rnn"]
        app.selectbox(key=f"variant_value_variant_{kind}_en").select(name).run()
        press(app, "Add this model")
        assert experiment(app).models == ("rnn", f"{kind}:variant={name}")
        assert_sound(app)


@pytest.mark.parametrize(
    ("variant", "option", "function", "named"),
    [
        ("relu_in", "candidate", "relu", "LSTM, ReLU candidate"),
        ("relu_out", "output", "relu", "LSTM, ReLU output"),
        ("hard_gates", "gate_activation", "hard_sigmoid", "LSTM, hard gates"),
    ],
)
def test_an_lstm_may_have_relu_and_hard_gates(
    variant: str, option: str, function: str, named: str
) -> None:
    label = f"lstm:variant={variant}"
    query = Experiment(**{**vars(SMALL), "models": ("lstm", label)})
    cells = [network.cells[0] for network in plan(query).networks.values()]
    assert [getattr(cell, option) == function for cell in cells] == [False, True]
    app = visit(query=query)
    assert_sound(app)
    assert named in verdict(app)
    assert not idle(query)


def test_what_is_no_setting_is_refused_with_the_reason() -> None:
    app = form("lstm", "forget_bias")
    for value in ("", "abc", "1e9", "<b>", "1,gain=x", "1,gain=99", "11"):
        app.text_input(key="variant_value").input(value)
        press(app, "Add this model")
        assert experiment(app).models == SMALL.models, value
        assert "lstm" in said(app), value
        assert not app.exception, value
    assert not said(app.run()), "it is said once"


def test_the_seventh_model_is_refused() -> None:
    six = tuple(f"rnn:gain={gain}" for gain in range(1, 7))
    app = add("lstm", "forget_bias", "0", Experiment(**{**vars(SMALL), "models": six}))
    assert experiment(app).models == six
    assert "At most 6" in said(app)
