"""By hand: the chain stands in the page's link, and what the browser says of it in the address."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from rnnviz.views.by_hand import Chain, default, from_link, in_numbers
from tests.dashboard.support import go_to, said, sent_chain, visit

PAGE = "by-hand"
LSTM = {"view_cell": "lstm", "view_W_hh": "1,2,3,4", "view_stage": "7"}
NO_UNITS = {"view_units": "7", "view_target": "1"}


def as_sent(chain: Chain) -> dict[str, Any]:
    """What it is after a way through JSON."""
    told: dict[str, Any] = json.loads(json.dumps(in_numbers(chain)))
    return told


def tell(app: AppTest, seq: object, asked: object) -> AppTest:
    """What the browser says of the chain. AppTest itself has no such part."""
    states = app._tree.get_widget_states()
    value = json.dumps({"chain": {"seq": seq, "asked": asked}})
    found = [e.proto for e in app.get("bidi_component")]
    (chain,) = (proto.id for proto in found if proto.component_name == "rnnviz_chain")
    states.widgets.append(WidgetState(id=chain, json_value=value))
    return app._run(states)


def test_it_opens_with_a_chain_and_without_knobs() -> None:
    app = visit(PAGE)
    assert not app.exception
    assert sent_chain(app)["chain"] == as_sent(default())
    assert not app.sidebar
    assert said(app) == ""
    assert app.query_params == {}


def test_a_link_opens_its_chain_and_stays() -> None:
    app = visit(PAGE, LSTM)
    asked = {name.removeprefix("view_"): value for name, value in LSTM.items()}
    assert sent_chain(app)["chain"] == as_sent(from_link(asked)[0])
    assert app.query_params == LSTM
    assert visit(PAGE, app.query_params).query_params == LSTM


def test_what_the_browser_says_is_in_the_address_and_comes_back_with_its_number() -> None:
    asked = {"cell": "gru", "units": "1", "W_hh": "1,2,0.5", "stage": "2"}
    app = tell(visit(PAGE, LSTM), 3, asked)
    assert not app.exception
    assert sent_chain(app)["seq"] == 3
    assert sent_chain(app)["chain"] == as_sent(from_link(asked)[0])
    address = {"view_cell": "gru", "view_W_hh": "1,2,0.5", "view_stage": "2"}
    assert app.query_params == address
    go_to(app, "spectrum")
    assert app.query_params == {}
    assert go_to(app, PAGE).query_params == address


def test_a_hostile_link_is_said_until_something_is_changed() -> None:
    app = visit(PAGE, NO_UNITS)
    message = "The link asked for view_units=7; allowed is 1, 2; using 1."
    assert said(app) == message
    assert app.query_params == {"view_target": "1"}
    assert said(app.run()) == message
    assert said(tell(app, 1, {"target": "2"})) == ""
    assert app.query_params == {"view_target": "2"}


@pytest.mark.parametrize(
    "asked", [None, [], "x", {"W_hh": 3, "cell": None}, {"W_hh": "1,2", "stage": "1e9", "q": "1"}]
)
def test_a_hostile_browser_gets_the_default(asked: object) -> None:
    app = tell(visit(PAGE, LSTM), "x", asked)
    assert not app.exception
    assert sent_chain(app)["chain"] == as_sent(default())
    assert sent_chain(app)["seq"] == 0


def test_an_experiment_that_is_too_large_for_other_pages_is_no_matter() -> None:
    large = {"hidden_size": "512", "seq_len": "2000", "batch_size": "256", "models": "lstm"}
    app = visit(PAGE, {**large, **LSTM})
    assert not app.error
    assert sent_chain(app)["chain"]["cell"] == "lstm"


def test_its_way_to_many_units_keeps_the_language() -> None:
    query = sent_chain(visit(PAGE, {"lang": "xx"}))["large"]["query"]
    assert query == {"lang": "xx", "init": "orthogonal", "v": "1"}
