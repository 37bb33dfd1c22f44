"""The numbers of By hand, by the very script that a browser runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import playwright
import pytest

from rnnviz.dashboard.components.browser import HERE
from rnnviz.experiment.links import from_query
from tests.dashboard.support import sent_chain, visit

NODE = Path(playwright.__file__).parent / "driver" / "node"
SCRIPT = """
import {{ unroll }} from "{static}/chain.js";
import {{ number }} from "{static}/chain_text.js";
const run = unroll({chain});
const all = (lists) => lists.map((list) => list.map(number));
const products = run.products.map(number);
console.log(JSON.stringify({{ d_h: all(run.d_h), h: all(run.h), products }}));
"""
LINK = """
import {{ largeLink }} from "{static}/by_hand.js";
console.log(JSON.stringify(largeLink({chain}, {large})));
"""


LARGE = {"W_xh": 100, "W_hh": 100}


def said_by(script: str, **values: Any) -> Any:
    """What a script prints as JSON."""
    given = {name: json.dumps(value) for name, value in values.items()}
    script = script.format(static=(HERE / "static").as_uri(), **given)
    args = [str(NODE), "--input-type=module", "-e", script]
    return json.loads(subprocess.run(args, capture_output=True, text=True, check=True).stdout)


def alike(cell: str, **changed: Any) -> dict[str, Any]:
    """One unit, whose weights and biases are all alike."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    given = {"W_xh": 1.0, "W_hh": 1.0, "b_h": 0.0, **changed}
    arrays = {name: [given[name]] * gates for name in ("W_xh", "W_hh", "b_h")}
    rest = {"activation": "tanh", "units": 1, "b_hn": [0.0], "target": [1.0], "inputs": [1, 0, 0]}
    return {"cell": cell, **rest, **{n: v for n, v in changed.items() if n in rest}, **arrays}


def written(cell: str, **changed: Any) -> dict[str, Any]:
    """The numbers of such a cell, as they are written."""
    found: dict[str, Any] = said_by(SCRIPT, chain=alike(cell, **changed))
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


@pytest.mark.parametrize("W_hh", [100.0, 1.2, 0.0])
@pytest.mark.parametrize(("cell", "b_h"), [("rnn", 0.0), ("lstm", 70.0), ("gru", -70.0)])
def test_the_way_to_many_units_opens_as_it_is(W_hh: float, cell: str, b_h: float) -> None:
    """What lies beyond the knobs there is at their end, and nothing is refused."""
    large = sent_chain(visit("by-hand"))["large"]
    link = said_by(LINK, chain=alike(cell, W_hh=W_hh, b_h=b_h), large=large)
    experiment, messages = from_query(dict(parse_qsl(urlsplit(link).query)))
    assert messages == ()
    assert experiment.gain == min(max(W_hh, 0.01), 16)
    assert (experiment.memory_bias != 3.0) == (cell != "rnn")
