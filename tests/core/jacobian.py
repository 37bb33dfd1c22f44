"""State-to-state Jacobians written out from the equations (THEORY.md E9, E11), and what a trace
says about the gradient of the same states."""

from __future__ import annotations

import numpy as np

from rnnviz.core.activations import ACTIVATIONS


def block(trace, gate):
    return trace.params["W_hh"][trace.cell.gate_rows(gate)]


def rnn_jacobian(trace, t, b):
    """D_t W."""
    y = trace.h[t, :, b]
    slope = np.empty_like(y)
    ACTIVATIONS[trace.cell.activation].slope(y, slope)
    return slope[:, None] * trace.params["W_hh"]


def gru_jacobian(trace, t, b):
    """E11, reset after the product."""
    r, z, n = (trace.gates[gate][t - 1, :, b, None] for gate in "rzn")
    h = trace.h[t - 1, :, b, None]
    m = block(trace, "n") @ h + trace.params["b_hn"][:, None]
    inner = r * block(trace, "n") + m * r * (1 - r) * block(trace, "r")
    of_z = (h - n) * z * (1 - z) * block(trace, "z")
    return np.diag(z[:, 0]) + of_z + (1 - z) * (1 - n**2) * inner


def lstm_jacobian(trace, t, b):
    """E9: 2H × 2H, h and c independent."""
    i, f, g, o = (trace.gates[gate][t - 1, :, b, None] for gate in "ifgo")
    c, th = trace.c[t - 1, :, b, None], np.tanh(trace.c[t, :, b, None])
    C_h = c * f * (1 - f) * block(trace, "f") + g * i * (1 - i) * block(trace, "i")
    C_h += i * (1 - g**2) * block(trace, "g")
    K = o * (1 - th**2)
    H_h = th * o * (1 - o) * block(trace, "o") + K * C_h
    return np.block([[H_h, np.diag((K * f)[:, 0])], [C_h, np.diag(f[:, 0])]])


def state_gradient(trace, t, b):
    """∂L/∂s_t, with h and c as independent coordinates for an LSTM: the part of d_c that comes
    through this step's own h is not counted twice."""
    d_h = trace.d_h[t, :, b]
    if trace.c is None:
        return d_h
    if t == 0:
        return np.concatenate([d_h, trace.d_c[0, :, b]])
    th, o = np.tanh(trace.c[t, :, b]), trace.gates["o"][t - 1, :, b]
    return np.concatenate([d_h, trace.d_c[t, :, b] - o * (1 - th**2) * d_h])


def jacobian(trace, t, b):
    return {"RNN": rnn_jacobian, "LSTM": lstm_jacobian, "GRU": gru_jacobian}[
        type(trace.cell).__name__
    ](trace, t, b)


def carried(trace, t, b):
    """∂L/∂s_{t-1} without the direct gradient at t-1."""
    gradient = state_gradient(trace, t - 1, b).copy()
    if t > 1:
        gradient[: trace.cell.hidden_size] -= trace.d_h_direct[t - 2, :, b]
    return gradient
