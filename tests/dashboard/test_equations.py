"""The equations that are printed are those of the network that ran, sizes filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.core import GRU, LSTM, RNN
from tests.dashboard.support import change, visit

SMALL = {"hidden_size": 5, "seq_len": 12, "batch_size": 2, "bidirectional": "no"}
TITLE = "Equations of the {} and their gradients"


def written(name: str, **changes: Any) -> str:
    """What the expander of one network says once it is open."""
    experiment = Experiment(**{**SMALL, **changes})
    app = change(visit(query=experiment), **{f"open-{TITLE.format(name)}": True})
    assert not app.exception
    return next(box.value for box in app.markdown if "$$" in box.value)


CELLS = {
    "RNN": {"models": ("rnn",)},
    "RNN, leak 0.25": {"models": ("rnn:leak=0.25",)},
    "RNN, skip 4": {"models": ("rnn",), "skip": 4},
    "RNN, 3 layers, both directions": {"models": ("rnn",), "layers": 3, "bidirectional": "yes"},
    **{"LSTM": {"models": ("lstm",)}, "GRU": {"models": ("gru",)}},
    "GRU, reset before": {"models": ("gru:variant=reset_before",)},
    "LSTM, coupled gates": {"models": ("lstm:variant=cifg",)},
    "LSTM, no gates": {"models": ("lstm:variant=no_gates",)},
    "LSTM, peepholes, skip 7": {"models": ("lstm:variant=peepholes,skip=7",)},
}
ADDED = {
    "RNN": "a_t &= W_{xh}\\,x_t + W_{hh}\\,h_{t-1} + b_h",
    "RNN, leak 0.25": "h_t &= 0.75\\,h_{t-1} + 0.25\\,\\tanh(a_t)",
    "RNN, skip 4": "W_{\\mathrm{skip}}\\,h_{t-4}",
    "RNN, 3 layers, both directions": "[\\overrightarrow{h}_T;",
    "LSTM": "h_t &= o_t \\circ \\tanh(c_t)",
    "GRU": "r_t \\circ (W_{hn}\\,h_{t-1} + b_{hn})",
    "GRU, reset before": "W_{hn}\\,(r_t \\circ h_{t-1})",
    "LSTM, coupled gates": "i_t &= 1 - f_t",
    "LSTM, no gates": "f_t &= 0",
    "LSTM, peepholes, skip 7": "p_f \\circ c_{t-1}",
}


@pytest.mark.parametrize("name", CELLS)
def test_equations_are_those_of_the_network(name: str) -> None:
    text = written(name, **CELLS[name])
    assert ADDED[name] in text
    assert "[[" not in text
    assert text.count("$") % 2 == 0
    assert text.count("{") == text.count("}")


def test_sizes_are_those_of_the_run() -> None:
    text = written("LSTM, coupled gates, 2 layers", models=("lstm:variant=cifg",), layers=2)
    assert "\\mathbb{R}^{15 \\times 8}" in text
    assert "$T = 12$" in text
    assert "There are 2." in text


def test_networks_that_differ_in_their_numbers_alone_share_their_equations() -> None:
    app = visit(query=Experiment(models=("rnn", "rnn:gain=2", "lstm", "lstm:forget_bias=0"),
                                 hidden_size=4, seq_len=8))  # fmt: skip
    titles = [e.label for e in app.expander if e.label.startswith("Equations")]
    assert titles == [TITLE.format("LSTM"), TITLE.format("RNN")]


@pytest.mark.parametrize(
    ("models", "titles"),
    [
        (("rnn:activation=relu", "rnn"), ["RNN", "RNN, activation ReLU"]),
        (("lstm", "lstm:hidden_size=8"), ["LSTM", "LSTM, hidden size 8"]),
        (("rnn", "rnn:hidden_size=4"), ["RNN"]),
    ],
)
def test_each_has_the_equations_of_its_own_name(models: tuple[str, ...], titles: list[str]) -> None:
    app = visit(query=Experiment(models=models, hidden_size=4, seq_len=8))
    found = [e.label for e in app.expander if e.label.startswith("Equations")]
    assert found == [TITLE.format(title) for title in titles]
    plain = written("RNN", models=("rnn:activation=relu", "rnn"))
    assert "\\tanh(a_t)" in plain


def test_a_picture_sets_the_first_state_of_one_cell_alone() -> None:
    captions = {"models": ("rnn",), "task": "captioning", "hidden_size": 5}
    said = "Only layer 1, where it reads forward, begins there; all else begins at 0."
    assert said in written("RNN, 2 layers", layers=2, **captions)
    assert said not in written("RNN", **captions)


def test_a_skip_reaches_the_first_state_where_that_is_not_zero() -> None:
    plain, captions = {"models": ("rnn",), "skip": 2}, {"task": "captioning", "hidden_size": 5}
    assert "before step 1 these states are 0" in written("RNN, skip 2", **plain)
    assert "before step 0 these states are 0" in written("RNN, skip 2", **plain, **captions)


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        (0.25, "0.75\\,h_{t-1} + 0.25\\,"),
        (1e-5, "0.99999\\,h_{t-1} + 1 \\cdot 10^{-5}\\,"),
        (0.99999, "0.00001\\,h_{t-1} + 0.99999\\,"),
        (1 / 3, "(1 - 0.3333333333333333)\\,h_{t-1}"),
        (5e-324, "(1 - 5 \\cdot 10^{-324})\\,h_{t-1}"),
        (np.float64(0.3), "0.7\\,h_{t-1} + 0.3\\,"),
        (np.float64(1), "h_t &= \\tanh(a_t)"),
    ],
)
def test_a_leak_and_its_rest_have_their_digits(leak: float, said: str) -> None:
    assert said in RNN(2, 1, leak=leak).equations().forward


@pytest.mark.parametrize(
    "cell",
    [
        RNN(2, 1), RNN(2, 1, leak=0.3), RNN(2, 1, "identity", skip=3),
        *(LSTM(2, 1, **options) for options in ({}, {"peepholes": True}, {"coupled": True})),
        GRU(2, 1), GRU(2, 1, reset="before"),
    ],
)  # fmt: skip
def test_formulas_are_whole(cell: Any) -> None:
    for block in cell.equations():
        assert block.startswith("$$")
        assert block.count("{") == block.count("}")
        assert block.count("\\left") == block.count("\\right")
        assert block.count(r"\\begin") == block.count(r"\\end")
