"""The numbers and formulas of By hand are the core's."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from rnnviz.views.by_hand import ACTIVATIONS, GATES
from tests.dashboard.node import answer
from tests.dashboard.small_cells import by_core, by_page, random_chains, steep_chains

FORMS = [(cell, units) for cell in GATES for units in (1, 2)]
CLOSE = 1e-12
ROUNDED = 0.02
"""What is lost by three digits a number, as a share of a sum's terms."""
WRITTEN = 5e-4
"""What three digits of a number can tell, as a share of it."""
TINY = 1e-300
"""Below it By hand says of a number only that it is not 0."""
WRITE = """[unroll(chain)].flatMap((run) =>
  Array.from({ length: 2 * run.T + 1 }, (_, stage) => stage).flatMap((stage) =>
    formulas(chain, run, stage).map((each) => ({ stage, ...each }))))"""
NAMES = {"tanh": math.tanh, "σ": lambda a: 1 / (1 + math.exp(-a)), "ReLU": lambda a: max(a, 0.0),
         "id": float}  # fmt: skip


def written_of(chain: dict[str, Any]) -> list[dict[str, Any]]:
    """Every formula of every stage."""
    imports = {"unroll": "chain.js", "formulas": "chain_formulas.js"}
    found: list[dict[str, Any]] = answer(imports, WRITE, chain=chain)
    return found


def assert_close(name: str, found: Any, right: Any) -> None:
    if isinstance(right, dict):
        for key, value in right.items():
            assert_close(f"{name}.{key}", found[key], value)
    elif isinstance(right, list):
        for one, other in zip(found, right, strict=True):
            assert_close(name, one, other)
    else:
        largest = max(1.0, np.abs(right).max(initial=0))
        np.testing.assert_allclose(found, right, rtol=0, atol=CLOSE * largest, err_msg=name)


@pytest.mark.parametrize(("kind", "units"), FORMS)
def test_every_number_is_the_core_s(kind: str, units: int) -> None:
    chains = list(random_chains(kind, units))
    found = by_page(chains)
    for chain, numbers in zip(chains, found, strict=True):
        assert_close(kind, numbers, by_core(chain))


@pytest.mark.parametrize(("kind", "units"), FORMS)
def test_where_cells_are_saturated_the_gradients_keep_their_digits(kind: str, units: int) -> None:
    """Of each gradient by itself, however small: an error of 10^−40 has its digits, too."""
    chains = list(steep_chains(kind, units))
    found = by_page(chains)
    for chain, numbers in zip(chains, found, strict=True):
        core = by_core(chain)
        for t, row in enumerate(core["d_h"]):
            there, least = np.array(numbers["d_h"][t], float), WRITTEN * np.abs(row).max()
            np.testing.assert_allclose(there, row, rtol=0, atol=least + TINY)


def test_a_saturated_unit_is_not_written_as_1_nor_its_slope_as_0() -> None:
    chain = {"cell": "rnn", "activation": "tanh", "units": 1, "W_xh": [20], "W_hh": [1.2],
             "b_h": [0], "b_hn": [], "inputs": [1, 1, 1], "target": [0]}  # fmt: skip
    written = written_of(chain)
    of_step = {each["left"]: each for each in written if each["stage"] == 2}
    assert of_step["h_2"]["shown"] == "1 − 7.71·10^{−19}"
    slope = of_step["φ′(a_2)"]
    assert slope["numbers"] == "(1 − (1 − 7.71·10^{−19})^2)"
    assert slope["shown"] == "1.54·10^{−18}"
    assert slope["value"] == pytest.approx(1 / math.cosh(21.2) ** 2, rel=1e-12, abs=0)
    (back,) = (each for each in written if each["left"] == "∂L/∂h_2")
    assert back["shown"] == "1.85·10^{−18}"


def rest(a: float) -> float:
    """1 − tanh(a)."""
    return 2 / (math.exp(2 * a) + 1)


@pytest.mark.parametrize(
    ("chain", "wanted"),
    [
        ({"cell": "rnn", "activation": "tanh", "W_xh": [21], "W_hh": [0], "b_h": [0]}, -rest(21)),
        ({"cell": "rnn", "activation": "tanh", "W_xh": [-21], "W_hh": [0], "b_h": [0],
          "target": [-1]}, rest(21)),
        ({"cell": "rnn", "activation": "logistic", "W_xh": [42], "W_hh": [0], "b_h": [0]},
         -1 / (math.exp(42) + 1)),
        ({"cell": "lstm", "W_xh": [0] * 4, "W_hh": [0] * 4, "b_h": [45, 60, 45, 42]},
         -1 / (math.exp(42) + 1) - rest(3)),
        ({"cell": "lstm", "W_xh": [0] * 4, "W_hh": [0] * 4, "b_h": [45, 60, 45, 42],
          "inputs": [0] * 30}, -1 / (math.exp(42) + 1) - rest(30)),
        ({"cell": "gru", "W_xh": [0] * 3, "W_hh": [0] * 3, "b_h": [0, -50, 21]}, -rest(21)),
    ],
)  # fmt: skip
def test_the_error_of_a_saturated_unit_with_its_end_for_a_target_is_what_it_leaves(
    chain: dict[str, Any], wanted: float
) -> None:
    whole = {"activation": "tanh", "units": 1, "b_hn": [0], "inputs": [1, 1, 1], "target": [1],
             **chain}  # fmt: skip
    written = written_of(whole)
    T = len(whole["inputs"])
    loss, error = (each for each in written if each["stage"] == T + 1)
    assert error["value"] == pytest.approx(wanted, rel=1e-9, abs=0)
    assert loss["value"] == pytest.approx(wanted**2 / 2, rel=1e-9, abs=0)
    if abs(wanted) < WRITTEN:
        assert re.fullmatch(r"(1 −|−1 \+) \d\.\d\d·10\^\{−\d+\} − \(?−?1\)?", error["numbers"])


def test_what_a_gate_changes_keeps_its_digits_where_the_state_is_near_an_end() -> None:
    """h_{t−1} − n_t of a GRU whose n is always tanh 20: its distance from n, each step times z."""
    chain = {"cell": "gru", "activation": "tanh", "units": 1, "W_xh": [0, -1, 2],
             "W_hh": [0, 0.5, 0], "b_h": [0, 0, 0], "b_hn": [0], "inputs": [10] * 8,
             "target": [1]}  # fmt: skip
    changes = "unroll(chain).steps.slice(1).map((step) => step.change[0])"
    found = answer({"unroll": "chain.js"}, changes, chain=chain)
    n = away = math.tanh(20)
    for change in found:
        assert change == pytest.approx(-away, rel=WRITTEN, abs=0)
        away /= 1 + math.exp(10 - 0.5 * (n - away))
    assert away < 1e-30


def test_a_number_below_a_thousand_is_written_out() -> None:
    written = answer({"number": "chain_text.js"}, "[999.4, 999.7, -999.9].map(number)")
    assert written == ["999", "1000", "−1000"]


@pytest.mark.parametrize(("kind", "units"), FORMS)
def test_the_product_of_the_factors_is_what_is_left_of_the_error(kind: str, units: int) -> None:
    """Of the whole state: in an LSTM what reaches c past the step's own h, f ∘ ∂L/∂c of the next
    step, and ∂L/∂h."""
    chains = list(random_chains(kind, units))
    found = by_page(chains)
    for chain, numbers in zip(chains, found, strict=True):
        core = by_core(chain)
        state = core["d_h"]
        if kind == "lstm":
            kept = [
                gates["f"] * d_c for gates, d_c in zip(core["gates"], core["d_c"][1:], strict=True)
            ]
            state = np.hstack([state, [*kept, np.zeros(units)]])
        left = np.linalg.norm(state, axis=1)
        assert_close("state", numbers["state"], state)
        assert_close("size", np.abs(numbers["products"]) * left[-1], left)
        if units == 1 and kind != "lstm":
            assert_close("sign", np.multiply(numbers["products"], state[-1]), state[:, 0])
        there, factors = left[1:] > 0, np.array(numbers["factors"], float)  # of nothing none
        assert_close("factors", np.abs(factors[there]) * left[1:][there], left[:-1][there])


@pytest.mark.parametrize(("kind", "units"), FORMS)
def test_what_is_put_into_a_formula_comes_to_what_it_says(kind: str, units: int) -> None:
    several = list(random_chains(kind, units))[: len(ACTIVATIONS) if kind == "rnn" else 2]
    for chain in several:
        calm = {n: [0.25 * x for x in v] if isinstance(v, list) else v for n, v in chain.items()}
        written = written_of(calm)
        assert {each["stage"] for each in written} == {*range(2 * len(chain["inputs"]) + 1)}
        for each in written:
            parts = [part for part in each["numbers"].split(" = ") if part]
            assert parts or each["stage"] == 0
            for part in parts:
                largest = sum(abs(_value(term)) for term in _terms(part))
                near = pytest.approx(each["value"], rel=0, abs=ROUNDED * largest)
                assert _value(part) == near, each


def _terms(written: str) -> list[str]:
    """What is added or taken away, outside of brackets."""
    terms, depth = [""], 0
    for sign in re.split(r"([()]| [+−] )", written):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and sign in (" + ", " − "):
            terms.append("")
        else:
            terms[-1] += sign
    return terms


def _value(written: str) -> float:
    """What a formula comes to, computed from its digits."""
    text = re.sub(r"10\^\{(−?\d+)\}", r"1e\1", written).replace("·1e", "e")
    text = text.translate(str.maketrans({"−": "-", "·": "*", "½": "0.5"})).replace("^2", "**2")
    assert not set(re.findall(r"[^\W\d_]+", text)) - {*NAMES, "e"}, written
    return float(eval(text, {"__builtins__": {}}, NAMES))
