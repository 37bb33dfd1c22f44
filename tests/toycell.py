"""A cell made by the README's "Add to it: A cell" and nothing else: two gates, a cell state and a
slope of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core.activations import ACTIVATIONS, Activation
from rnnviz.core.cell import Cell, named_rows


def algebraic(a, out):
    np.divide(a, np.sqrt(1 + a * a), out=out)


def algebraic_slope(y, out):
    np.power(1 - y * y, 1.5, out=out)


ALGEBRAIC = Activation(algebraic, algebraic_slope, 1.0, "algebraic")
LOGISTIC = ACTIVATIONS["logistic"]


@dataclass(frozen=True)
class Leaky(Cell):
    """f_t = σ(W_xf x_t + W_hf h_{t-1} + b_f)          forget gate
    g_t = φ(W_xg x_t + W_hg h_{t-1} + b_g)          candidate, φ(a) = a / √(1 + a²)
    c_t = f_t ∘ c_{t-1} + (1 − f_t) ∘ g_t
    h_t = φ(c_t)

    Source: nobody's; it is here to be added.
    """

    GATES = ("f", "g")
    CANDIDATE_GATE = "g"
    MEMORY_GATE = "f"
    HAS_CELL_STATE = True
    SAVES = True

    def forward_step(self, w, s, f, g, h, c, h_next, c_next, saved):
        np.dot(w.hidden, h, s)
        a_f, a_g = np.split(s, 2)
        LOGISTIC.value(f + a_f, f)
        ALGEBRAIC.value(g + a_g, g)
        c_next[...] = f * c + (1 - f) * g
        ALGEBRAIC.value(c_next, h_next)
        saved[...] = h_next

    def local_derivatives(self, record, start, stop, d_a, s):
        f, g = named_rows(record.gate_values[start:stop], self.GATE_ROWS).values()
        of_f, of_g = named_rows(d_a, self.D_GATE_ROWS).values()
        LOGISTIC.slope(f, of_f)
        of_f *= record.c[start:stop] - g
        ALGEBRAIC.slope(g, of_g)
        of_g *= 1 - f
        ALGEBRAIC.slope(record.saved[start:stop], s)

    def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, d_a, d_f, d_g, dh_dc, f, g):
        d_c_next += dh_dc * d_h_next
        d_f *= d_c_next
        d_g *= d_c_next
        np.dot(w.hidden, d_a, d_h)
        np.multiply(f, d_c_next, d_c)

    def activation_of(self, gate):
        return ALGEBRAIC if gate == "g" else LOGISTIC
