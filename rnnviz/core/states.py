"""The state gradient: what of the error is left at each step, as log10 norms.

‖∂L/∂s_t‖, s = h, or s = (h, c) for an LSTM with h_t and c_t as independent coordinates.
With h_t held fixed, ∂L/∂c_t is what comes back along the carry path alone.
"""

from __future__ import annotations

import numpy as np

from rnnviz.core.numerics import log10_hypot, log10_norm, log10_rms
from rnnviz.core.trace import Trace

Array = np.ndarray


def state_log10(trace: Trace, h: Array | None = None) -> Array:
    """log10 ‖∂L/∂s_t‖ of each sequence, (T+1, B); `h` is log10 ‖d_h[t]‖ if it is known already."""
    h = log10_norm(trace.d_h, 1, trace.d_log2) if h is None else h
    carried = cell_carry(trace)
    if carried is None:
        return h
    result = h.copy()
    result[:-1] = log10_hypot(h[:-1], log10_norm(carried, 1, trace.d_log2[1:]))
    return result


def cell_carry(trace: Trace) -> Array | None:
    """∂L/∂c_t with h_t held fixed, (T, H, B) for t = 0 .. T−1, in units of 2**d_log2[t+1].

    What reaches c_t from c_{t+1}: of an LSTM f_{t+1} ∘ d_c[t+1], and what c_t sends through the
    peepholes of i and f. None without a cell state.
    """
    if trace.d_carry is not None or trace.d_c is None:
        return trace.d_carry
    with np.errstate(all="ignore"):
        return trace.cell.carried(trace)


def rms_over_batch(trace: Trace, log10: Array) -> Array:
    """log10 values (T+1, B) as their RMS over the sequences that have the step, (T+1,)."""
    return log10_rms(log10) + 0.5 * np.log10(trace.batch_size / sequences_at(trace))


def sequences_at(trace: Trace) -> Array:
    """How many sequences have each state, not padding, (T+1,); 1 where none has."""
    return np.append(trace.batch_size, trace.present.sum(axis=1).clip(1))
