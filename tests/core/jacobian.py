"""State-to-state Jacobians written out from the equations (THEORY.md E9, E11, B14), and what a
trace says about the gradient of the same states."""

from __future__ import annotations

import numpy as np

from rnnviz.core.activations import ACTIVATIONS

OUTPUTS = {"tanh": np.tanh, "identity": np.array, "relu": lambda c: np.maximum(c, 0)}


def block(trace, gate):
    """A gate's H × H block of W_hh; zeros for a gate without weights."""
    H = trace.cell.hidden_size
    if gate not in trace.cell.trainable_gates:
        return np.zeros((H, H))
    return trace.params["W_hh"][trace.cell.gate_rows(gate)]


def slope_of(name, y):
    slope = np.empty_like(y)
    ACTIVATIONS[name].slope(y, slope)
    return slope


def rnn_jacobian(trace, t, b):
    """(1 − α) I + α D_t W."""
    leak, y = trace.cell.leak, trace.gates["a"][t - 1, :, b]
    D = slope_of(trace.cell.activation, y)[:, None]
    return (1 - leak) * np.eye(len(y)) + leak * D * trace.params["W_hh"]


def gru_jacobian(trace, t, b):
    """E11, reset after and before the product."""
    r, z, n = (trace.gates[gate][t - 1, :, b, None] for gate in "rzn")
    h, U_n, U_r = trace.h[t - 1, :, b, None], block(trace, "n"), block(trace, "r")
    if trace.cell.reset == "before":
        inner = U_n @ (np.diag(r[:, 0]) + h * r * (1 - r) * U_r)
    else:
        inner = r * U_n + (U_n @ h + trace.params["b_hn"][:, None]) * r * (1 - r) * U_r
    of_z = (h - n) * z * (1 - z) * block(trace, "z")
    return np.diag(z[:, 0]) + of_z + (1 - z) * (1 - n**2) * inner


def gate_slope(cell, value):
    """σ′ of a gate's value."""
    if cell.gate_activation == "logistic":
        return value * (1 - value)
    return np.where((value > 0) & (value < 1), 0.2, 0.0)


def lstm_slopes(trace, t, b):
    """∂h/∂a_o, and ∂c/∂a of i, f, g, each with c_{t-1} and c_t held; (H,)."""
    i, f, g, o = (trace.gates[gate][t - 1, :, b] for gate in "ifgo")
    c, squashed = trace.c[t - 1, :, b], trace.c[t, :, b]
    squashed = OUTPUTS[trace.cell.output](squashed)
    kept = c - g if trace.cell.coupled else c
    slopes = {
        "o": squashed * gate_slope(trace.cell, o),
        "i": g * gate_slope(trace.cell, i),
        "f": kept * gate_slope(trace.cell, f),
        "g": i * slope_of(trace.cell.candidate, g),
    }
    return {gate: s * (gate in trace.cell.trainable_gates) for gate, s in slopes.items()}


def peephole(trace, gate):
    return trace.params.get(f"p_{gate}", np.zeros(trace.cell.hidden_size))


def lstm_K(trace, t, b):
    """∂h_t/∂c_t, (H,)."""
    o, c = trace.gates["o"][t - 1, :, b], trace.c[t, :, b]
    through_squash = o * slope_of(trace.cell.output, OUTPUTS[trace.cell.output](c))
    return through_squash + lstm_slopes(trace, t, b)["o"] * peephole(trace, "o")


def lstm_C_c(trace, t, b):
    """∂c_t/∂c_{t-1} with h_{t-1} held, (H,)."""
    slopes, f = lstm_slopes(trace, t, b), trace.gates["f"][t - 1, :, b]
    return f + slopes["f"] * peephole(trace, "f") + slopes["i"] * peephole(trace, "i")


def lstm_jacobian(trace, t, b):
    """E9: 2H × 2H, h and c independent."""
    slopes, C_c = lstm_slopes(trace, t, b), lstm_C_c(trace, t, b)
    C_h = sum(slopes[gate][:, None] * block(trace, gate) for gate in "ifg")
    K = lstm_K(trace, t, b)
    H_h = slopes["o"][:, None] * block(trace, "o") + K[:, None] * C_h
    return np.block([[H_h, np.diag(K * C_c)], [C_h, np.diag(C_c)]])


def state_gradient(trace, t, b):
    """∂L/∂s_t, with h and c as independent coordinates for an LSTM: the part of d_c that comes
    through this step's own h is not counted twice."""
    d_h = trace.d_h[t, :, b]
    if trace.c is None:
        return d_h
    if t == 0:
        return np.concatenate([d_h, trace.d_c[0, :, b]])
    return np.concatenate([d_h, trace.d_c[t, :, b] - lstm_K(trace, t, b) * d_h])


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
