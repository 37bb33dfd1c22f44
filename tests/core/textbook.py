"""One step of every variant, written as the papers write it: one line a gate, nothing shared with
the core."""

from __future__ import annotations

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


PHI = {
    "tanh": np.tanh,
    "relu": lambda a: np.where(a.real > 0, a, 0),
    "logistic": sigmoid,
    "identity": lambda a: a,
}


def hard_sigmoid(a):
    """Of Keras before its version 3."""
    return np.maximum(0, np.minimum(1, 0.2 * a + 0.5))


def pre(p, cell, gate, x, h):
    """W_x x + W_h h + b of one gate."""
    H = cell.hidden_size
    k = cell.trainable_gates.index(gate)
    W_x, W_h, b = (p[name][k * H : (k + 1) * H] for name in ("W_xh", "W_hh", "b_h"))
    return W_x @ x + W_h @ h + b[:, None]


def rnn(cell, p, x, h, c):
    a = PHI[cell.activation](pre(p, cell, "a", x, h))
    return (1 - cell.leak) * h + cell.leak * a, None, {"a": a}


def lstm(cell, p, x, h, c):
    """Gers and Schmidhuber 2000 for the peepholes, Greff et al. 2015 for the rest."""
    held = dict(cell.fixed)
    of_gate = sigmoid if cell.gate_activation == "logistic" else hard_sigmoid

    def gate(name, seen):
        if name in held:
            return np.full(h.shape, held[name])
        look = p[f"p_{name}"][:, None] * seen if cell.peepholes else 0
        return of_gate(pre(p, cell, name, x, h) + look)

    f = gate("f", c)
    i = 1 - f if cell.coupled else gate("i", c)
    g = PHI[cell.candidate](pre(p, cell, "g", x, h))
    c_next = f * c + i * g
    o = gate("o", c_next)
    return o * PHI[cell.output](c_next), c_next, {"i": i, "f": f, "g": g, "o": o}


def gru(cell, p, x, h, c):
    """Cho et al. 2014, v3 for the reset before the product; PyTorch's for after."""
    r, z = (sigmoid(pre(p, cell, name, x, h)) for name in "rz")
    if cell.reset == "before":
        n = np.tanh(pre(p, cell, "n", x, r * h))
    else:
        W_hn = p["W_hh"][2 * cell.hidden_size :]
        n = np.tanh(pre(p, cell, "n", x, 0 * h) + r * (W_hn @ h + p["b_hn"][:, None]))
    return (1 - z) * n + z * h, None, {"r": r, "z": z, "n": n}


def step(cell, params, x, h, c=None):
    """(h, c, gates) after one step; x (D, B), h and c (H, B)."""
    return {"RNN": rnn, "LSTM": lstm, "GRU": gru}[type(cell).__name__](cell, params, x, h, c)
