"""A link to a chain: what it may say, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rnnviz.core import CELLS, RNN, Cell
from rnnviz.experiment import FIELDS
from rnnviz.views.by_hand import ACTIVATIONS, GATES, UNITS, Chain, default, from_link, to_link

FORMS = [(cell, units) for cell in GATES for units in UNITS]


def test_the_cells_and_activations_are_the_core_s() -> None:
    assert {name: CELLS[name].GATES for name in GATES} == GATES
    assert set(ACTIVATIONS) == set(FIELDS["activation"].choices)


@pytest.mark.parametrize(("cell", "units"), FORMS)
def test_a_default_has_the_core_s_shapes(cell: str, units: str) -> None:
    chain, core = default(cell, units), _core(cell, int(units))
    sizes = core.param_shapes()
    for name, shape in sizes.items():
        assert len(getattr(chain, name)) == shape[0] * (shape[1] if len(shape) > 1 else 1), name
    assert (len(chain.b_hn) > 0) == ("b_hn" in sizes)
    assert len(chain.target) == int(units)


def _core(cell: str, units: int) -> Cell:
    return RNN(1, units) if cell == "rnn" else CELLS[cell](1, units)


@pytest.mark.parametrize(("cell", "units"), FORMS)
def test_a_link_opens_what_it_was_made_of(cell: str, units: str) -> None:
    start = default(cell, units)
    assert from_link(to_link(start)) == (start, ())
    changed = replace(
        start,
        W_hh=tuple(w / 7 for w in start.W_hh),
        b_h=tuple(-1e-7 for _ in start.b_h),
        inputs=(0.1, -3.0, 100.0),
        target=tuple(2.5 for _ in start.target),
        stage=4,
    )
    assert from_link(to_link(changed)) == (changed, ())


def test_the_default_has_an_empty_link() -> None:
    assert to_link(default()) == {}
    assert from_link({}) == (default(), ())


def test_a_link_keeps_what_is_allowed_of_it() -> None:
    chain, messages = from_link({"cell": "gru", "W_hh": "1,2,3", "b_hn": "4", "inputs": "1,2"})
    assert chain == replace(default("gru"), W_hh=(1.0, 2.0, 3.0), b_hn=(4.0,))
    assert messages == (
        "The link asked for view_inputs=1,2; allowed is 3–8 numbers from −100 to 100, with commas; "
        "using 1,0,0,0,0.",
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"cell": "<b>"}, "view_cell=?b?; allowed is rnn, lstm, gru; using rnn."),
        ({"units": "3"}, "view_units=3; allowed is 1, 2; using 1."),
        ({"activation": "sin"}, "allowed is tanh, relu, logistic, identity; using tanh."),
        ({"W_hh": "nan"}, "view_W_hh=nan; allowed is a number from −100 to 100; using 1.2."),
        ({"W_hh": "1e999"}, "allowed is a number from −100 to 100; using 1.2."),
        ({"W_hh": "100.1"}, "allowed is a number from −100 to 100; using 1.2."),
        ({"W_hh": "1,2"}, "view_W_hh=1,2; allowed is a number"),
        ({"W_hh": ",".join("1" * 4000)}, "..."),
        ({"b_hn": "1"}, "allowed is 0 numbers from −100 to 100, with commas; using none."),
        ({"inputs": ",".join("1" * 9)}, "allowed is 3–8 numbers"),
        ({"inputs": "1,1,x"}, "allowed is 3–8 numbers"),
        ({"inputs": "1,1,1", "stage": "7"}, "view_stage=7; allowed is 0 to 6; using 6."),
        ({"stage": "-1"}, "view_stage=-1; allowed is 0 to 10; using 10."),
        ({"stage": "٣"}, "allowed is 0 to 10; using 10."),
    ],
)
def test_what_is_not_allowed_is_said(query: dict[str, str], said: str) -> None:
    chain, messages = from_link(query)
    assert len(messages) == 1
    assert said in messages[0]
    assert len(messages[0]) < 200
    allowed: Chain = replace(default(), inputs=(1.0,) * 3, stage=6)
    assert chain == (allowed if query.get("inputs") == "1,1,1" else default())
