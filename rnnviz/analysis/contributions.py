"""What each time step contributes to ∂L/∂W_hh, and how the contributions add up or cancel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobians import normalise
from rnnviz.core import Trace
from rnnviz.core.numerics import LOG10_2, log10_norm, log10_rms

Array = np.ndarray

STORED = 290.0
"""Decades around 1 in which float64 holds a gradient with all of its digits."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """G_t, the part of G = ∂L/∂W_hh that comes from the step from t − 1 to t; index t − 1 holds
    step t. Σ_t G_t = G.

    log10_norm (T,): log10 ‖G_t‖_F of the batch's gradient. log10_each (T,): of each sequence's own
    ‖G_t‖_F, RMS over the batch, times B (a loss is a mean over the batch): what cancels between
    sequences is in this one still. With B = 1 they are equal.
    share (T,): ⟨G_t, G⟩ / ‖G‖², signed: they add up to 1, one can be negative or above 1. NaN where
    G is zero or not finite.
    checksum: ‖Σ_t G_t − G‖ / Σ_t ‖G_t‖ against the trace's own gradient; NaN beyond 10^±290.
    A small contribution is not a vanished gradient: ‖G_t‖ = ‖∂L/∂a_t‖ ‖h_{t−1}‖ for a simple RNN,
    and h_0 = 0 makes the first one exactly 0.
    """

    label: str
    log10_norm: Array
    log10_each: Array
    share: Array
    checksum: float


def weight_contributions(trace: Trace, label: str) -> Contributions:
    """Each step's part of ∂L/∂W_hh, from the same sums as the trace's own gradient. THEORY C3, E5.

    Raises ValueError above the limits of `limits`.
    """
    T, B = trace.seq_len, trace.batch_size
    limits.check("The contributions", limits.contributions_cost(trace.cell, T, B))
    norms, each, total = np.empty(T), np.empty((T, B)), (np.zeros(trace.params["W_hh"].shape), 0)
    with np.errstate(all="ignore"):
        for t in range(T):
            of_step = _of_step(trace, t, slice(None))
            total = _sum(total, of_step)
            norms[t] = _log10(*of_step)
            for b in range(B):
                each[t, b] = norms[t] if B == 1 else _log10(*_of_step(trace, t, slice(b, b + 1)))
        share = _shares(trace, *total)
        checksum = _checksum(trace.grads["W_hh"], *total, norms)
    return Contributions(label, norms, log10_rms(each) + np.log10(B), share, checksum)


def _sum(a: tuple[Array, int], b: tuple[Array, int]) -> tuple[Array, int]:
    """(values, log2) of a · 2**a_log2 + b · 2**b_log2, the exponent that of the larger one."""
    (x, x_log2), (y, y_log2) = a, b
    top = max(x_log2 if x.any() else y_log2, y_log2 if y.any() else x_log2)
    return np.ldexp(x, x_log2 - top) + np.ldexp(y, y_log2 - top), top


def _checksum(wanted: Array, total: Array, log2: int, norms: Array) -> float:
    """NaN where float64 itself holds the trace's gradient badly or not at all."""
    if not (np.abs(norms[np.isfinite(norms)]) < STORED).all():
        return float("nan")
    error = np.linalg.norm(np.ldexp(total, log2) - wanted)
    return 0.0 if error == 0 else float(error / (10.0**norms).sum())


def _of_step(trace: Trace, t: int, sequences: slice) -> tuple[Array, int]:
    """(G_{t+1} of some sequences, log2): what the trace of this step alone has, near 1."""
    log2 = trace.d_log2[t + 1, sequences]
    top = int(log2.max())

    def cut(values: Array, states: int = 1) -> Array:
        return values[t : t + states, :, sequences]

    part = replace(
        trace,
        x=cut(trace.x),
        h=cut(trace.h, 2),
        c=None if trace.c is None else cut(trace.c, 2),
        gate_values=cut(trace.gate_values),
        memo=None if trace.memo is None else cut(trace.memo),
        lengths=None,
        h_before=None,
        delayed=None,
        d_h_direct=cut(trace.d_h_direct),
        d_h=cut(trace.d_h, 2),
        d_c=None if trace.d_c is None else cut(trace.d_c, 2),
        d_log2=np.stack([log2, log2]) - top,
        d_gate_values=cut(trace.d_gate_values),
        direct_log2=None,
    )
    scaled, extra = normalise(part.grads["W_hh"].astype(np.float64))
    return scaled, top + int(extra)


def _shares(trace: Trace, total: Array, log2: int) -> Array:
    """⟨G_t, G⟩ / ‖G‖², G = total · 2**log2."""
    size = np.linalg.norm(total)
    steps = (_of_step(trace, t, slice(None)) for t in range(trace.seq_len))
    return np.array([np.ldexp((part * (total / size)).sum() / size, of_part - log2)
                     for part, of_part in steps])  # fmt: skip


def _log10(values: Array, log2: int) -> float:
    return float(log10_norm(values.ravel())) + log2 * LOG10_2
