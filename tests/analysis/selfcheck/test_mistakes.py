"""Planted mistakes: each must turn the checks red that are there for it.

Each table or test names the group that sees it. The quick checks see a cell's wrong backward step
and wrong gradients of W_hh and W_xh; the thorough ones alone see other parameters, what lies
between cells, and one wrong number in the record of a step that the quick ones do not look at.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.selfcheck.checks import (
    DETERMINANT,
    DOT,
    GRADIENT,
    LOSSES,
    QUICK,
    STATES,
    THOROUGH,
    WEIGHTS,
    Group,
    checks,
)
from rnnviz.core import GRU, LSTM, RNN, network
from rnnviz.core.network import Network, NetworkTrace
from tests.core.networks import SETTINGS, Setting, setting
from tests.core.test_mutations_networks import (
    lower_layer_hears_one_direction,
    nothing_reversed,
    skip_dropped,
    skip_weights_see_the_step_before,
)

LAYERS, STACK, PADDED = "three layers", "deep and bidirectional", "deep, bidirectional, padded"
SKIPS = "skips, context, padded"
LSTM_LAYER = 1


def red(run: NetworkTrace, s: Setting, group: Group = THOROUGH) -> set[str]:
    return {check.name for check in checks(run, s.batch, group) if check.failed}


def seen_by(run: NetworkTrace, s: Setting) -> str:
    """Which group sees a mistake. These runs are small: of larger ones the quick checks look at
    few of all steps, so here at one a layer."""
    few = replace(QUICK, elements=1, lu=1)
    if red(run, s, few):
        return "quick"
    return "thorough" if red(run, s) else "neither"


def plain(cell) -> Setting:
    return setting(Network((cell,), 2), T=6, B=3)


def tampered(run: NetworkTrace, layer: int, **changes) -> NetworkTrace:
    """The run with arrays of one layer changed, and parameter gradients as they were recorded."""
    traces = list(run.layers)
    traces[layer] = (replace(traces[layer][0], **changes), *traces[layer][1:])
    wrong = replace(run, layers=tuple(traces))
    wrong.__dict__["grads"] = run.grads
    return wrong


def with_gradient(run: NetworkTrace, name: str, change) -> NetworkTrace:
    wrong = replace(run)
    wrong.__dict__["grads"] = {**run.grads, name: change(run.grads[name])}
    return wrong


def entry(values: np.ndarray, index, factor: float) -> np.ndarray:
    changed = values.copy()
    changed[index] *= factor
    return changed


def lstm(run: NetworkTrace):
    return run.layers[LSTM_LAYER][0]


RECORDED = {
    "one entry of ∂L/∂W_hh has the wrong sign": (
        lambda r: with_gradient(r, "1.forward.W_hh", lambda g: entry(g, (2, 1), -1)),
        {GRADIENT, WEIGHTS},
        "quick",
    ),
    "∂L/∂W_xh off by a thousandth": (
        lambda r: with_gradient(r, "0.forward.W_xh", lambda g: 1.001 * g),
        {GRADIENT, WEIGHTS},
        "quick",
    ),
    "∂L/∂b_h twice as large": (
        lambda r: with_gradient(r, "2.forward.b_h", lambda g: 2 * g),
        {GRADIENT},
        "thorough",
    ),
    "∂L/∂W_hy of another step": (
        lambda r: with_gradient(r, "W_hy", lambda g: g + 1e-6),
        {GRADIENT},
        "thorough",
    ),
    "∂L/∂W_hh is not a number": (
        lambda r: with_gradient(r, "1.forward.W_hh", lambda g: np.nan * g),
        {GRADIENT, WEIGHTS},
        "quick",
    ),
    "one ∂L/∂h_t": (
        lambda r: tampered(r, LSTM_LAYER, d_h=entry(lstm(r).d_h, (3, 1, 0), 1.001)),
        {STATES, LOSSES},
        "thorough",
    ),
    "one ∂L/∂h_t is not a number": (
        lambda r: tampered(r, LSTM_LAYER, d_h=entry(lstm(r).d_h, (3, 1, 1), np.nan)),
        {STATES},
        "thorough",
    ),
    "one ∂L/∂c_t": (
        lambda r: tampered(r, LSTM_LAYER, d_c=entry(lstm(r).d_c, (3, 1, 1), 1.001)),
        {STATES},
        "thorough",
    ),
    "the power of two beside a ∂L/∂h_t": (
        lambda r: tampered(
            r, LSTM_LAYER, d_log2=lstm(r).d_log2 + (np.arange(7) == 3)[:, None, None]
        ),
        {STATES, LOSSES},
        "thorough",
    ),
    "the power of two beside a ∂L/∂c_t": (
        lambda r: tampered(
            r, LSTM_LAYER, d_c_log2=lstm(r).d_c_log2 + (np.arange(7) == 3)[:, None, None]
        ),
        {STATES},
        "thorough",
    ),
    "the power of two beside the gate gradients of one step": (
        lambda r: tampered(
            r, LSTM_LAYER, d_gate_log2=lstm(r).d_gate_log2 + (np.arange(6) == 3)[:, None, None]
        ),
        {WEIGHTS},
        "quick",
    ),
    "the gate gradients of one step": (
        lambda r: tampered(
            r, LSTM_LAYER, d_gate_values=entry(lstm(r).d_gate_values, (4, slice(None), 2), 1.001)
        ),
        {WEIGHTS},
        "quick",
    ),
    "one value of a gate": (
        lambda r: tampered(r, LSTM_LAYER, gate_values=entry(lstm(r).gate_values, (4, 0, 2), 1.001)),
        {DOT},
        "thorough",
    ),
    "one state": (
        lambda r: tampered(r, LSTM_LAYER, h=entry(lstm(r).h, (3, 1, 2), 1.001)),
        {DOT, STATES, WEIGHTS},
        "quick",
    ),
}


@pytest.mark.parametrize("mistake", RECORDED)
def test_a_wrong_record_is_seen(mistake):
    plant, wanted, group = RECORDED[mistake]
    s = SETTINGS[LAYERS]()
    run = s.trace()
    assert red(run, s) == set()
    assert red(plant(run), s) >= wanted
    assert seen_by(plant(run), s) == group


class WrongFactor(LSTM):
    """∂c/∂a_g without its slope at one gate: i (1 − g) in place of i (1 − g²)."""

    def local_derivatives(self, record, start, stop, d_a, s):
        super().local_derivatives(record, start, stop, d_a, s)
        H = self.hidden_size
        d_a[:, 3 * H :] /= 1 + record.gate_values[start:stop, 3 * H :]


class OneFactorALittleWrong(LSTM):
    def local_derivatives(self, record, start, stop, d_a, s):
        super().local_derivatives(record, start, stop, d_a, s)
        d_a[:, 0] *= 1.0001


class SwappedSign(LSTM):
    """o (1 + tanh²c) in place of o (1 − tanh²c)."""

    def local_derivatives(self, record, start, stop, d_a, s):
        super().local_derivatives(record, start, stop, d_a, s)
        o = record.gate_values[start:stop, : self.hidden_size]
        s[...] = 2 * o - s


class CarryDropped(LSTM):
    """c_{t−1} is not told what comes back through the forget gate."""

    def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
        super().backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
        d_c[...] = 0


class UpdateGateDropped(GRU):
    """z ∘ d_h_t does not reach h_{t−1}."""

    def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
        super().backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
        d_h -= views[-1] * d_h_next


class SlopeOfThePreActivation(RNN):
    """1 − h_t in place of 1 − h_t²."""

    def local_derivatives(self, record, start, stop, d_a, s):
        np.subtract(1, record.gate_values[start:stop], d_a)


class LeakForgotten(RNN):
    def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
        RNN(self.input_size, self.hidden_size).backward_step(
            w, s, d_h_next, d_c_next, d_h, d_c, *views
        )


STEP = {GRADIENT, DOT, STATES}
CELLS = [
    (WrongFactor(2, 4), STEP),
    (OneFactorALittleWrong(2, 4), STEP | {DETERMINANT}),
    (SwappedSign(2, 4), STEP),
    (CarryDropped(2, 4), STEP),
    (UpdateGateDropped(2, 4), STEP),
    (SlopeOfThePreActivation(2, 4), STEP | {DETERMINANT}),
    (LeakForgotten(2, 4, leak=0.3), STEP),
]


@pytest.mark.parametrize(("cell", "wanted"), CELLS, ids=lambda v: type(v).__name__)
def test_a_wrong_backward_step_is_seen(cell, wanted):
    s = plain(cell)
    assert red(s.trace(), s) >= wanted
    assert seen_by(s.trace(), s) == "quick"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_cells_are_not(dtype):
    for cell in (LSTM(2, 4), GRU(2, 4), RNN(2, 4), RNN(2, 4, leak=0.3)):
        s = plain(cell)
        params = {name: value.astype(dtype) for name, value in s.params.items()}
        cast = replace(s, params=params)
        assert seen_by(cast.trace(), cast) == "neither"


@pytest.mark.parametrize("cell", [c for c, _ in CELLS if "Little" not in type(c).__name__],
                         ids=lambda v: type(v).__name__)  # fmt: skip
def test_single_precision_still_sees_a_wrong_formula(cell):
    s = plain(cell)
    cast = replace(s, params={name: v.astype("float32") for name, v in s.params.items()})
    assert red(cast.trace(), cast) >= STEP


def loss_not_averaged(patch):
    right = network.weighted

    def wrong(*given):
        errors, d_y = right(*given)
        return errors, d_y * 1.001

    patch.setattr(network, "weighted", wrong)


NETWORKS = [
    (lower_layer_hears_one_direction, STACK, {GRADIENT}),
    (nothing_reversed, PADDED, {GRADIENT}),
    (skip_weights_see_the_step_before, SKIPS, {GRADIENT}),
    (skip_dropped, SKIPS, {GRADIENT, STATES, LOSSES}),
    (loss_not_averaged, LAYERS, {GRADIENT}),
]


@pytest.mark.parametrize(("mistake", "name", "wanted"), NETWORKS)
def test_a_mistake_between_cells_is_seen(mistake, name, wanted, monkeypatch):
    mistake(monkeypatch)
    s = SETTINGS[name]()
    assert red(s.trace(), s) >= wanted
    assert seen_by(s.trace(), s) == "thorough"
