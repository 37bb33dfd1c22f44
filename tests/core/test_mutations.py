"""Planted wrong derivatives: the complex-step check must catch every one of them.

A mutant is the real core with one mistake of the kind that one makes by hand. If a mutant
survives, the check is too weak; if it does not run, the place of the mistake has moved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.activations import ACTIVATIONS, Activation
from tests.core.mutants import CAUGHT, TOLERANCE, error, mutated, small
from tests.core.support import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_check_passes_without_a_mistake(kind):
    assert error(small(kind)) <= TOLERANCE


def one(y, out):
    out[...] = 1


def one_minus_y(y, out):
    np.subtract(1, y, out=out)


def of_value(y, out):
    np.copyto(out, y)


SLOPES = {
    "missing tanh'": ("tanh", one),
    "tanh' = 1 - y": ("tanh", one_minus_y),
    "missing relu'": ("relu", one),
    "missing logistic'": ("logistic", one),
    "logistic' = y": ("logistic", of_value),
    "identity' = y": ("identity", of_value),
}


@pytest.mark.parametrize("mistake", SLOPES)
def test_a_wrong_slope(mistake, monkeypatch):
    name, wrong = SLOPES[mistake]
    right = ACTIVATIONS[name]
    monkeypatch.setitem(ACTIVATIONS, name, Activation(right.value, wrong, right.lipschitz))
    assert error(small(f"rnn {name}")) > CAUGHT


def transposed(cell, rows):
    H = cell.hidden_size
    return np.concatenate([block.T for block in rows.reshape(-1, H, H)])


def without_gate(gate: str) -> Callable:
    def drop(cell, rows):
        H, k = cell.hidden_size, hidden_order(cell).index(gate)
        return np.concatenate([rows[: k * H], np.zeros((H, H)), rows[(k + 1) * H :]])

    return drop


def hidden_order(cell):
    """The gates whose rows W_hh has in the backward pass."""
    H, slabs = cell.hidden_size, cell.D_GATE_ROWS
    return [slabs[k] for k in range(len(slabs))[slice(*_whole(cell.h_rows, H))]]


def _whole(rows: slice, H: int):
    return tuple(None if edge is None else edge // H for edge in (rows.start, rows.stop))


def swapped(cell, rows):
    """The first two blocks in each other's place."""
    H = cell.hidden_size
    return np.concatenate([rows[H : 2 * H], rows[:H], rows[2 * H :]])


HIDDEN_WEIGHTS = [
    *((cell, "transposed W_hh", transposed) for cell in (RNN, LSTM, GRU)),
    *((LSTM, f"W_h{gate} dropped", without_gate(gate)) for gate in "ifgo"),
    *((GRU, f"W_h{gate} dropped", without_gate(gate)) for gate in ("r", "z", "r∘n")),
    *((cell, "two gates swapped", swapped) for cell in (LSTM, GRU)),
]


@pytest.mark.parametrize(
    ("cell", "change"),
    [(cell, change) for cell, _, change in HIDDEN_WEIGHTS],
    ids=[f"{cell.__name__} {name}" for cell, name, _ in HIDDEN_WEIGHTS],
)
def test_wrong_weights(cell, change):
    """`change` sees the rows as W_hh has them; the backward pass works with the transpose."""

    class Mutant(cell):
        def backward_weights(self, params):
            w = super().backward_weights(params)
            return w._replace(hidden=change(self, w.hidden.T).T)

    assert error(mutated(Mutant)) > CAUGHT


def slab(cell, d_a, gate):
    H, k = cell.hidden_size, cell.D_GATE_ROWS.index(gate)
    return d_a[:, k * H : (k + 1) * H]


def scaled_gate(gate: str, factor: Callable) -> Callable:
    """Multiply a gate's factor with factor(record, start, stop)."""

    def change(cell, record, start, stop, d_a, s):
        slab(cell, d_a, gate)[...] *= factor(record, slice(start, stop))

    return change


def no_tanh_c(cell, record, start, stop, d_a, s):
    s /= 1 - np.tanh(record.c[start + 1 : stop + 1]) ** 2


def z_for_one_minus_z(cell, record, start, stop, d_a, s):
    z = record.gates["z"][start:stop]
    for gate in ("n", "r", "r∘n"):
        slab(cell, d_a, gate)[...] *= z / (1 - z)


def no_b_hn(cell, record, start, stop, d_a, s):
    m = record.saved[start:stop]
    slab(cell, d_a, "r")[...] *= 1 - record.params["b_hn"][:, None] / m


def inverse(gate: str) -> Callable:
    return lambda record, steps: 1 / record.gates[gate][steps]


def inverse_rest(gate: str) -> Callable:
    return lambda record, steps: 1 / (1 - record.gates[gate][steps])


FACTORS = [
    (LSTM, "sigma' of i is i", scaled_gate("i", inverse_rest("i"))),
    (LSTM, "sigma' of f is f", scaled_gate("f", inverse_rest("f"))),
    (LSTM, "sigma' of o is o", scaled_gate("o", inverse_rest("o"))),
    (LSTM, "tanh' of g dropped", scaled_gate("g", lambda r, t: 1 / (1 - r.gates["g"][t] ** 2))),
    (LSTM, "i dropped before g", scaled_gate("g", inverse("i"))),
    (LSTM, "g dropped before i", scaled_gate("i", inverse("g"))),
    (LSTM, "c_t instead of c_{t-1}", scaled_gate("f", lambda r, t: (r.c[1:] / r.c[:-1])[t])),
    (LSTM, "tanh(c) dropped before o", scaled_gate("o", lambda r, t: 1 / np.tanh(r.c[1:])[t])),
    (LSTM, "tanh'(c) dropped", no_tanh_c),
    (GRU, "sigma' of r is r", scaled_gate("r", inverse_rest("r"))),
    (GRU, "sigma' of z is z", scaled_gate("z", inverse_rest("z"))),
    (GRU, "n - h instead of h - n", scaled_gate("z", lambda r, t: -1.0)),
    (GRU, "tanh' of n dropped", scaled_gate("n", lambda r, t: 1 / (1 - r.gates["n"][t] ** 2))),
    (GRU, "z instead of 1 - z", z_for_one_minus_z),
    (GRU, "r dropped before W_hn h", scaled_gate("r∘n", inverse("r"))),
    (GRU, "b_hn dropped", no_b_hn),
]


@pytest.mark.parametrize(
    ("cell", "change"),
    [(cell, change) for cell, _, change in FACTORS],
    ids=[f"{cell.__name__} {name}" for cell, name, _ in FACTORS],
)
def test_a_wrong_factor(cell, change):
    class Mutant(cell):
        def local_derivatives(self, record, start, stop, d_a, s):
            super().local_derivatives(record, start, stop, d_a, s)
            change(self, record, start, stop, d_a, s)

    assert error(mutated(Mutant)) > CAUGHT


def carry_without_f(d_h_next, d_c_next, d_h, d_c, views, before):
    d_c[...] = d_c_next


def carry_without_what_h_adds(d_h_next, d_c_next, d_h, d_c, views, before):
    d_c[...] = views[-1] * before


def no_carry(d_h_next, d_c_next, d_h, d_c, views, before):
    d_c[...] = 0


def no_way_through_z(d_h_next, d_c_next, d_h, d_c, views, before):
    d_h -= views[-1] * d_h_next


def residual(d_h_next, d_c_next, d_h, d_c, views, before):
    d_h += d_h_next


STEPS = [
    (LSTM, carry_without_f),
    (LSTM, carry_without_what_h_adds),
    (LSTM, no_carry),
    (GRU, no_way_through_z),
    (RNN, residual),
]


@pytest.mark.parametrize(("cell", "change"), STEPS)
def test_a_wrong_step(cell, change):
    class Mutant(cell):
        def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
            before = None if d_c_next is None else d_c_next.copy()
            super().backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
            change(d_h_next, d_c_next, d_h, d_c, views, before)

    assert error(mutated(Mutant)) > CAUGHT


def test_there_are_at_least_15_mistakes():
    assert len(SLOPES) + len(HIDDEN_WEIGHTS) + len(FACTORS) + len(STEPS) >= 15
