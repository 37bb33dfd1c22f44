"""A chain to follow by hand: a cell of one or two units over a few steps, as a link says it.

The browser computes and draws it (components/static/chain.js); this is what it starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rnnviz.experiment.fields import parse_number, show
from rnnviz.experiment.links import inert
from rnnviz.plots import theme
from rnnviz.wording.glossary import definition
from rnnviz.wording.lists import names
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import say, texts

GATES: Mapping[str, tuple[str, ...]] = {
    "rnn": ("a",),
    "lstm": ("i", "f", "g", "o"),
    "gru": ("r", "z", "n"),
}
ACTIVATIONS = ("tanh", "relu", "logistic", "identity")
UNITS = ("1", "2")
STEPS = 3, 8
MOST = 100.0
"""The largest size of a number that is set by hand."""
DEFINE = "define_"
"""Begins the name of a text that defines a word."""
PREFIX = "view_"
NUMBERS = ("W_xh", "W_hh", "b_h", "b_hn", "inputs", "target")
NAMES = ("cell", "activation", "units", *NUMBERS, "stage")
VIEWS = tuple(f"{PREFIX}{name}" for name in NAMES)
"""What a link says of a chain."""
BLOCKS = {"1": (1.2,), "2": (0.9, -0.8, 0.8, 0.9)}
"""W_hh of each gate: it multiplies by 1.2 (with two units, it turns as well)."""
FROM_INPUT = {"a": 1.0, "i": 4.0, "f": 0.0, "g": 2.0, "o": 0.0, "r": 0.0, "z": -4.0, "n": 2.0}
"""The clue opens the gate that writes."""
BIASES = {"i": -2.0, "f": 3.0, "z": 3.0}
"""What is written is kept."""


@dataclass(frozen=True)
class Chain:
    """The cell, its parameters, what goes in and what should come out.

    W_xh, W_hh, b_h: rows of all gates one after the other, as PyTorch stacks them; W_hh row by
    row. b_hn: a GRU's alone. inputs: x_1 ... x_T; target: one number a unit, L = ½ ‖h_T − y‖².
    stage: how much is shown, from nothing (0), over T steps forward and the loss, to the error
    at step 1 (2T).
    """

    cell: str
    activation: str
    units: str
    W_xh: tuple[float, ...]
    W_hh: tuple[float, ...]
    b_h: tuple[float, ...]
    b_hn: tuple[float, ...]
    inputs: tuple[float, ...]
    target: tuple[float, ...]
    stage: int


def default(cell: str = "rnn", units: str = "1") -> Chain:
    """One clue at step 1, five steps, weights of 1.2."""
    gates, each = GATES[cell], range(int(units))
    inputs = (1.0, 0.0, 0.0, 0.0, 0.0)
    return Chain(
        cell=cell,
        activation="tanh",
        units=units,
        W_xh=tuple(FROM_INPUT[gate] / (unit + 1) for gate in gates for unit in each),
        W_hh=BLOCKS[units] * len(gates),
        b_h=tuple(BIASES.get(gate, 0.0) for gate in gates for _ in each),
        b_hn=tuple(0.0 for _ in each) if cell == "gru" else (),
        inputs=inputs,
        target=tuple(0.0 for _ in each),
        stage=2 * len(inputs),
    )


def from_link(query: Mapping[str, str]) -> tuple[Chain, tuple[str, ...]]:
    """The chain that a link asks for, and a message for each part that it did not get.

    query: name without prefix -> text. What is not allowed is the default; the rest is honoured.
    """
    messages: list[str] = []
    asked = {name: query[name] for name in NAMES if query.get(name)}

    def choose(name: str, allowed: tuple[str, ...], otherwise: str) -> str:
        return _chosen(name, asked.get(name, otherwise), allowed, messages)

    start = default(choose("cell", tuple(GATES), "rnn"), choose("units", UNITS, "1"))
    values: dict[str, Any] = {"activation": choose("activation", ACTIVATIONS, "tanh")}
    for name in NUMBERS:
        if name in asked:
            values[name] = _numbers(name, asked[name], getattr(start, name), messages)
    last = 2 * len(values.get("inputs", start.inputs))
    stages = tuple(map(str, range(last + 1)))
    values["stage"] = int(choose("stage", stages, str(last)))
    return Chain(**{**asdict(start), **values}), tuple(messages)


def to_link(chain: Chain) -> dict[str, str]:
    """Name without prefix -> text, for all that differs from the default of this cell."""
    start = default(chain.cell, chain.units)
    written = {"cell": chain.cell, "activation": chain.activation, "units": chain.units}
    query = {n: value for n, value in written.items() if value != getattr(default(), n)}
    for name in NUMBERS:
        if (value := getattr(chain, name)) != getattr(start, name):
            query[name] = ",".join(map(show, value))
    if chain.stage != 2 * len(chain.inputs):
        query["stage"] = str(chain.stage)
    return query


def furnishings() -> dict[str, Any]:
    """What the browser's part needs beside the chain: words, colours, defaults, limits."""
    text = texts("chain")
    of_house = {"error": definition("error")}
    return {
        "words": {name: said for name, said in text.items() if not name.startswith(DEFINE)},
        "definitions": of_house
        | {n.removeprefix(DEFINE): text[n] for n in text if n.startswith(DEFINE)},
        "names": {cell: display_name(cell) for cell in GATES},
        "colours": {cell: _both(theme.model_colour(cell)) for cell in GATES},
        "defaults": {
            cell: {units: in_numbers(default(cell, units)) for units in UNITS} for cell in GATES
        },
        "activations": ACTIVATIONS,
        "steps": STEPS,
        "most": MOST,
    }


def in_numbers(chain: Chain) -> dict[str, Any]:
    """A chain as the browser has it."""
    return {**asdict(chain), "units": int(chain.units)}


def _both(colour: str) -> tuple[str, str]:
    """A colour on a light page and on a dark one."""
    return colour, theme.DARK.get(colour, colour)


def _chosen(name: str, asked: str, allowed: tuple[str, ...], messages: list[str]) -> str:
    """What is asked for; else the default, which for a stage is the last."""
    if asked in allowed:
        return asked
    used = allowed[-1 if name == "stage" else 0]
    among = names(allowed)
    if name == "stage":
        among = say("by_hand", "allowed_stage", last=used)
    messages.append(_refused(name, asked, among, used))
    return used


def _numbers(
    name: str, asked: str, usual: tuple[float, ...], messages: list[str]
) -> tuple[float, ...]:
    """As many numbers as there must be, none too large."""
    few, many = STEPS if name == "inputs" else (len(usual), len(usual))
    found = [parse_number(part) for part in asked.split(",", many)]
    read = tuple(x + 0.0 for x in found if x is not None and abs(x) <= MOST)
    if few <= len(read) <= many and len(read) == len(found):
        return read
    count = str(few) if few == many else f"{few}–{many}"
    key = "allowed_one" if many == 1 else "allowed_numbers"
    allowed = say("by_hand", key, count=count, most=show(MOST))
    used = ",".join(map(show, usual)) or say("by_hand", "none")
    messages.append(_refused(name, asked, allowed, used))
    return usual


def _refused(name: str, asked: str, allowed: str, used: str) -> str:
    named = f"{PREFIX}{name}={inert(asked)}"
    return say("by_hand", "refused", asked=named, allowed=allowed, used=used)
