"""A gate by hand: one LSTM cell of a single unit, every factor written out."""

# %% [markdown]
# # A gate by hand
# One unit, one input, four steps. Small enough to work out each number, and to see where the
# forget gate stands in the gradient.

# %%
import numpy as np

from rnnviz.core import LSTM, bptt

cell = LSTM(input_size=1, hidden_size=1)
params = {
    "W_xh": np.array([[0.5], [0.3], [1.0], [0.2]]),  # rows i, f, g, o
    "W_hh": np.array([[0.1], [-0.2], [0.4], [0.3]]),
    "b_h": np.array([0.0, 1.0, 0.0, 0.0]),  # the forget gate starts open
}
x = np.array([1.0, -0.5, 0.25, 2.0]).reshape(4, 1, 1)  # (T, D, B)
direct = np.zeros((4, 1, 1))
direct[-1] = 1.0  # the loss is h_4, so its direct gradient is 1 at the last step
trace = bptt(cell, params, x, direct)

# %% [markdown]
# Forward: the equations of the cell, one step after the other.


# %%
def sigmoid(a: float) -> float:
    """σ(a), the nonlinearity of the three gates."""
    return 1 / (1 + np.exp(-a))


h, c = 0.0, 0.0
steps = []
for x_t in x.ravel():
    a_i, a_f, a_g, a_o = params["W_xh"][:, 0] * x_t + params["W_hh"][:, 0] * h + params["b_h"]
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    before, c = c, f * c + i * g
    h = o * np.tanh(c)
    steps.append((i, f, g, o, before, c))
print(f"h_4 by hand {h:.6f}, by the core {trace.h[4, 0, 0]:.6f}")

# %% [markdown]
# Backward: dL/dc_t has two sources, h_t and the next cell state, and the forget gate is the
# factor between the two cell states.

# %%
d_h, d_c_next = 1.0, 0.0
by_hand = []
for i, f, g, o, before, c in reversed(steps):
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
    d_a = np.array(
        [
            d_c * g * i * (1 - i),
            d_c * before * f * (1 - f),
            d_c * i * (1 - g**2),
            d_h * np.tanh(c) * o * (1 - o),
        ]
    )
    by_hand.append(d_c)
    d_c_next = f * d_c  # what is carried to the step before
    d_h = params["W_hh"][:, 0] @ d_a  # what leaves through the gates

# %% [markdown]
# The core records dL/dc_t at every step. Where float64 would run over or under, the true value is
# `d_c * 2.0**d_c_log2`; here that power is 0.

# %%
of_core = trace.d_c[1:, 0, 0][::-1]
largest_difference = float(np.max(np.abs(np.array(by_hand) - of_core)))
print(f"largest difference between hand and core: {largest_difference:.1e}")
