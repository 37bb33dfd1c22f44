"""How By hand writes its numbers, and the way from it to many units."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from rnnviz.experiment import Experiment
from rnnviz.experiment.links import from_query
from tests.dashboard.node import answer
from tests.dashboard.support import sent_chain, visit

WRITTEN = """[unroll(chain)].map((run) => {
  const all = (lists) => lists.map((list) => list.map(number));
  return { d_h: all(run.d_h), h: all(run.h), products: run.products.map(number) };
})[0]"""
LARGE = {"W_xh": 100, "W_hh": 100}


def alike(cell: str, **changed: Any) -> dict[str, Any]:
    """One unit, whose weights and biases are all alike."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    given = {"W_xh": 1.0, "W_hh": 1.0, "b_h": 0.0, **changed}
    arrays = {name: [given[name]] * gates for name in ("W_xh", "W_hh", "b_h")}
    rest = {"activation": "tanh", "units": 1, "b_hn": [0.0], "target": [1.0], "inputs": [1, 0, 0]}
    return {"cell": cell, **rest, **{n: v for n, v in changed.items() if n in rest}, **arrays}


def written(cell: str, **changed: Any) -> dict[str, Any]:
    """The numbers of such a cell, as they are written."""
    imports = {"unroll": "chain.js", "number": "chain_text.js"}
    found: dict[str, Any] = answer(imports, WRITTEN, chain=alike(cell, **changed))
    return found


def test_a_slope_that_is_too_small_for_a_number_is_not_written_as_zero() -> None:
    """1 − tanh²(10⁴) is 4·e^−20000."""
    found = written("rnn", inputs=[100, 0, 0], target=[0.0], **LARGE)
    assert found["d_h"] == [["<10^{−300}"], ["3.06·10^{−169}"], ["5.54·10^{−85}"], ["1"]]
    assert found["products"][0] == "<10^{−300}"


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_nor_is_a_gate_that_is_nearly_shut(cell: str) -> None:
    found = written(cell, inputs=[100, 0, 0], W_xh=-100, W_hh=100)
    assert "0" not in [one for (one,) in found["d_h"]]
    assert found["h"][0] == ["0"]


def test_what_is_exactly_zero_is_written_as_zero() -> None:
    """No error, and a unit that is off."""
    still = written("rnn", inputs=[0, 0, 0], target=[0.0], **LARGE)
    assert still["d_h"] == [["0"]] * 4
    off = written("rnn", activation="relu", W_xh=-1.0)
    assert [one for (one,) in off["d_h"]] == ["0", "0", "0", "−1"]


def test_what_is_too_large_for_a_number_is_infinite() -> None:
    found = written("rnn", activation="identity", inputs=[100] * 8, W_xh=1e150, W_hh=1e150)
    assert found["h"][-1] == ["∞"]


def many_units(chain: dict[str, Any], large: dict[str, Any]) -> tuple[Experiment, tuple[str, ...]]:
    """What the way to them opens, and what is refused of it."""
    link = answer({"largeLink": "by_hand.js"}, "largeLink(chain, large)", chain=chain, large=large)
    return from_query(dict(parse_qsl(urlsplit(link).query)))


@pytest.mark.parametrize("W_hh", [100.0, 1.2, 0.0])
@pytest.mark.parametrize(("cell", "b_h"), [("rnn", 0.0), ("lstm", 70.0), ("gru", -70.0)])
def test_the_way_to_many_units_opens_as_it_is(W_hh: float, cell: str, b_h: float) -> None:
    """What lies beyond the knobs there is at their end, and nothing is refused."""
    large = sent_chain(visit("by-hand"))["large"]
    experiment, messages = many_units(alike(cell, W_hh=W_hh, b_h=b_h), large)
    assert messages == ()
    assert experiment.gain == min(max(W_hh, 0.01), 16)
    assert (experiment.memory_bias != 3.0) == (cell != "rnn")


@pytest.mark.parametrize(
    ("query", "models", "gain", "more"),
    [
        ("view_W_hh=-1.5&view_activation=relu", "rnn", 1.5, {"activation": "relu"}),
        ("view_cell=lstm&view_b_h=0,1.5,0,0", "lstm", 1.2, {"memory_bias": 1.5}),
        ("view_cell=gru&view_units=2", "gru", 1.2042, {"memory_bias": 3.0, "distractor": 0.0}),
        ("view_inputs=1,0,0.5,0,0", "rnn", 1.2, {"distractor": 1.0}),
    ],
)
def test_many_units_have_the_setting_of_the_link_that_opened_the_chain(
    query: str, models: str, gain: float, more: dict[str, Any]
) -> None:
    told = sent_chain(visit("by-hand", dict(parse_qsl(query))))
    experiment, messages = many_units(told["chain"], told["large"])
    assert messages == ()
    assert [str(model) for model in experiment.models] == [models]
    assert experiment.gain == pytest.approx(gain, rel=1e-3)
    assert (experiment.hidden_size, experiment.seq_len, experiment.init) == (64, 100, "orthogonal")
    assert {name: getattr(experiment, name) for name in more} == more
