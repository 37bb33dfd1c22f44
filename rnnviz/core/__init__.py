"""Recurrent networks in NumPy, forward and backward by hand. Imports NumPy alone.

Notation: T time steps, B batch, D input_size, O output_size, H hidden_size, G gates. Column
vectors, a_t = W_xh x_t + W_hh h_{t-1} + b_h; a batch is a matrix whose columns are sequences, so
arrays are (T, features, B) and weights (to, from). d_ means ∂L/∂.

Examples
--------
Those of what the package has go on from here.

>>> import numpy as np
>>> from rnnviz.core import GRU, LSTM, RNN, backward, bptt, forward, right_padded
>>> rng = np.random.default_rng(0)
>>> x = rng.standard_normal((20, 3, 4))  # 20 steps of 3 features, 4 sequences
>>> direct = np.zeros((20, 5, 4))
>>> direct[-1] = 1  # the loss is the sum of all units' last states
"""

from rnnviz.core.bptt import backward, bptt, forward
from rnnviz.core.cell import Cell
from rnnviz.core.gru import GRU
from rnnviz.core.layouts import right_padded
from rnnviz.core.lstm import LSTM
from rnnviz.core.rnn import RNN
from rnnviz.core.trace import Record, Trace
from rnnviz.core.variants import GRU_VARIANTS, LSTM_VARIANTS

CELLS: dict[str, type[Cell]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}

__all__ = [
    "CELLS",
    "GRU",
    "GRU_VARIANTS",
    "LSTM",
    "LSTM_VARIANTS",
    "RNN",
    "Cell",
    "Record",
    "Trace",
    "backward",
    "bptt",
    "forward",
    "right_padded",
]
