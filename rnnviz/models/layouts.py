"""How frameworks store recurrent layers: a table of data, one line a framework.

Arrays in a wrong order of gates have the right shapes and give numbers without a word. So the
order never comes from a shape: names decide, else the caller, or a reference that only one of the
orders reproduces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core import GRU, LSTM, RNN, Cell, checks
from rnnviz.core.gru import RESETS
from rnnviz.core.numerics import Array
from rnnviz.models.unsaid import Unsaid


@dataclass(frozen=True)
class Layout:
    """How a framework stores a recurrent layer.

    lstm, gru: its order of the gates, in our letters: i, f, g (the candidate, also c or j), o and
    r, z (keeps), n (the candidate, also h). columns: whether the gates are stacked along columns,
    weights being (from, to). arrays: the names of a layer's arrays, in the order in which they
    are handed over without names. forget_bias: what is added to b_f at run time. reset: the
    GRU's, before or after the product; None where the framework has both. names: a pattern of how
    it names an array, with the groups array, prefix, layer, direction and cell as far as its names
    say them. source: where it says the order.

    Examples
    --------
    >>> LAYOUTS["onnx"].lstm
    ('i', 'o', 'f', 'g')
    """

    title: str
    arrays: tuple[str, ...]
    lstm: tuple[str, ...]
    gru: tuple[str, ...]
    columns: bool = False
    forget_bias: float = 0.0
    reset: str | None = None
    names: str = ""
    source: str = ""

    def gates(self, kind: str) -> tuple[str, ...]:
        """The order of the gates of a kind of cell."""
        return {"lstm": self.lstm, "gru": self.gru, "rnn": RNN.GATES}[kind]


LAYOUTS = {
    "pytorch": Layout(
        "PyTorch", ("weight_ih", "weight_hh", "bias_ih", "bias_hh"),
        ("i", "f", "g", "o"), ("r", "z", "n"), reset="after",
        names=r"(?:(?P<prefix>.+)\.)?(?P<array>(?:weight|bias)_(?:ih|hh|hr))"
              r"(?:_l(?P<layer>\d{1,4})(?P<direction>_reverse)?)?",
        source="torch.nn.LSTM, GRU, RNN and the Cells: (W_ii|W_if|W_ig|W_io), (W_ir|W_iz|W_in)"),
    "keras": Layout(
        "Keras", ("kernel", "recurrent_kernel", "bias"),
        ("i", "f", "g", "o"), ("z", "r", "n"), columns=True,
        names=r"(?:(?P<prefix>.+?)/)?(?:(?P<direction>forward|backward)_[^/]+/)?"
              r"(?:(?P<cell>\w*cell(?:_\d{1,6})?)/)?(?P<array>kernel|recurrent_kernel|bias)(?::0)?",
        source="keras.layers.LSTM, GRU, SimpleRNN; a GRU's bias has two rows with reset_after"),
    "onnx": Layout(
        "ONNX", ("W", "R", "B"), ("i", "o", "f", "g"), ("z", "r", "n"),
        names=r"(?:(?P<prefix>.+)[./])?(?P<array>[WRBP])",
        source="operators LSTM: W[iofc], GRU: W[zrh], linear_before_reset; RNN: Wi"),
    "tensorflow1": Layout(
        "TensorFlow 1", ("kernel", "bias"), ("i", "g", "f", "o"), ("r", "z", "n"), columns=True,
        forget_bias=1.0, reset="before",
        names=r"(?:(?P<prefix>.+?)/)?(?:(?P<direction>fw|bw)/)?(?:cell_(?P<layer>\d{1,4})/)?"
              r"(?P<cell>basic_lstm_cell|lstm_cell|gru_cell|basic_rnn_cell)/"
              r"(?P<array>(?:(?:gates|candidate)/)?(?:kernel|bias)|w_[ifo]_diag|projection/kernel)"
              r"(?::0)?",
        source="BasicLSTMCell, LSTMCell: i, j, f, o of [x, h]; GRUCell: gates r, u and candidate"),
    "rnnviz": Layout(
        "rnnviz", ("W_xh", "W_hh", "b_h", "b_hn"), ("i", "f", "g", "o"), ("r", "z", "n"),
        names=r"(?:(?P<layer>\d{1,4})\.(?P<direction>forward|backward)\.)?"
              r"(?P<array>W_xh|W_hh|b_h|b_hn|p_[ifo])",
        source="rnnviz.core"),
}  # fmt: skip
"""Name -> how that framework stores recurrent layers."""

KINDS: dict[int, str] = {1: "rnn", 3: "gru", 4: "lstm"}
"""How many blocks of rows -> the kind of cell. It says nothing about their order."""


@dataclass(frozen=True)
class Reading:
    """What shapes do not say, as a layer's blocks are read: the order of the gates, the GRU's
    reset, what is added to the LSTM's b_f, the RNN's nonlinearity.

    Examples
    --------
    >>> str(Reading(("i", "o", "f", "g"), forget_bias=1.0))
    'gates i, o, f, g, 1 added to b_f'
    """

    gates: tuple[str, ...]
    reset: str = ""
    forget_bias: float = 0.0
    activation: str = ""

    def __str__(self) -> str:
        said = [f"gates {', '.join(self.gates)}"] if len(self.gates) > 1 else []
        said += [f"reset {self.reset} the product"] if self.reset else []
        said += [f"{self.forget_bias:g} added to b_f"] if self.forget_bias else []
        said += [f"nonlinearity {self.activation}"] if self.activation else []
        return ", ".join(said)


@dataclass(frozen=True, eq=False)
class Blocks:
    """A layer and direction as (to, from) weights, its gates stacked along rows in an order that
    is not known here: W_x (G·H, D), W_h (G·H, H), the bias beside W_x and the one beside W_h
    (G·H,), peepholes by gate (H,)."""

    W_x: Array
    W_h: Array
    b_x: Array
    b_h: Array
    peepholes: dict[str, Array]

    @property
    def kind(self) -> str:
        return KINDS[len(self.W_h) // self.W_h.shape[1]]

    def cell(self, reading: Reading) -> Cell:
        """The core's cell for these blocks."""
        D, H = self.W_x.shape[1], self.W_h.shape[1]
        if self.kind == "lstm":
            return LSTM(D, H, peepholes=bool(self.peepholes))
        if self.kind == "gru":
            return GRU(D, H, reset=reading.reset)
        return RNN(D, H, activation=reading.activation)

    def params(self, reading: Reading) -> dict[str, Array]:
        """The core's parameters of these blocks."""
        cell = self.cell(reading)
        H, gates = cell.hidden_size, reading.gates
        with np.errstate(over="ignore"):
            b = self.b_x + self.b_h
        last = gates.index(cell.CANDIDATE_GATE) * H
        candidate = self.b_h[last : last + H]
        if reading.reset == "after":
            b[last : last + H] = self.b_x[last : last + H]
        if reading.forget_bias:
            f = gates.index("f") * H
            b[f : f + H] += b.dtype.type(reading.forget_bias)
        found = {n: cell.stacked(rows, gates)
                 for n, rows in (("W_xh", self.W_x), ("W_hh", self.W_h), ("b_h", b))}  # fmt: skip
        found |= {"b_hn": candidate} if reading.reset == "after" else {}
        found |= {f"p_{gate}": p for gate, p in self.peepholes.items()}
        return {name: value.copy() for name, value in found.items()}


def reading(
    layout: Layout,
    kind: str,
    gates: Sequence[str] | None = None,
    reset: str | None = None,
    forget_bias: float | None = None,
    activation: str | None = None,
) -> Reading:
    """How a layout stacks a kind of cell, where the caller does not say otherwise.

    Raises ValueError for gates that are not the cell's, for a GRU whose reset nobody has said, and
    for what the kind of cell does not have.
    """
    order = layout.gates(kind) if gates is None else _order(gates, layout.gates(kind))
    of_lstm = layout.forget_bias if forget_bias is None else forget_bias
    for name, value, has in (("reset", reset, "gru"), ("forget_bias", forget_bias, "lstm"),
                             ("activation", activation, "rnn")):  # fmt: skip
        if value is not None and kind != has:
            raise ValueError(f"{name} must be None for {kind.upper()} weights, got {value!r}")
    if kind == "lstm":
        return Reading(order, forget_bias=checks.number("forget_bias", of_lstm))
    if kind == "rnn":
        known = ("tanh", "relu", "logistic", "identity")
        return Reading(order, activation=checks.choice("activation", activation or "tanh", known))
    if (said := reset or layout.reset) is None:
        message = (f"reset must be said of {layout.title}'s GRU weights without a bias that shows "
                   "it: one of after, before, got None")  # fmt: skip
        raise Unsaid(message, "reset", RESETS)
    return Reading(order, reset=checks.choice("reset", said, RESETS))


def readings(first: Reading, kind: str) -> list[Reading]:
    """All that weights of a kind could mean: `first`, then every other line of the table."""
    orders = {layout.gates(kind): None for layout in LAYOUTS.values()} | {first.gates: None}
    forms = {
        "lstm": [replace(first, forget_bias=bias) for bias in (0.0, 1.0)],
        "gru": [replace(first, reset=reset) for reset in RESETS],
        "rnn": [replace(first, activation=name) for name in ("tanh", "relu")],
    }[kind]
    every = [replace(form, gates=order) for order in orders for form in forms]
    return [first, *(each for each in every if each != first)]


def _order(gates: object, allowed: tuple[str, ...]) -> tuple[str, ...]:
    order = tuple(gates) if isinstance(gates, str | tuple | list) else ()
    if sorted(map(str, order)) != sorted(allowed):
        raise ValueError(f"gates must be {', '.join(sorted(allowed))} in the order in which they "
                         f"are stacked, got {gates!r}")  # fmt: skip
    return order
