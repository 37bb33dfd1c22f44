"""What each time step contributes to ∂L/∂W_hh, and how the contributions add up or cancel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.norms import normalise
from rnnviz.analysis.jacobian.sequence import Progress
from rnnviz.core import Trace
from rnnviz.core.numerics import LOG10_2, LOWEST, Array, log10_hypot, log10_norm, log10_rms

Terms = list[tuple[Array, Array, Array]]
"""See `Cell.hidden_terms`; the exponents of the first are between the two."""

STORED = 290.0
"""Decades around 1 in which float64 holds a gradient with all of its digits."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """G_t, the part of G = ∂L/∂W_hh that comes from the step from t − 1 to t; index t − 1 holds
    step t. Σ_t G_t = G. T: steps of the longest sequence.

    log10_norm (T,): log10 ‖G_t‖_F of the batch's gradient. log10_each (T,): of each sequence's own
    ‖G_t‖_F, RMS over the batch, times B (a loss is a mean over the batch): what cancels between
    sequences is in this one still. With B = 1 they are equal.
    share (T,): ⟨G_t, G⟩ / ‖G‖², signed: they add up to 1, one can be negative or above 1. NaN where
    G is zero or not finite.
    checksum: ‖Σ_t G_t − G‖ / Σ_t ‖G_t‖ against the trace's own gradient; NaN beyond 10^±290.
    from_zero: whether every sequence's h_0 is 0.
    A small contribution is not a vanished gradient: ‖G_t‖ = ‖∂L/∂a_t‖ ‖h_{t−1}‖ for a simple RNN,
    and where h_0 is 0 the first one is exactly 0.
    """

    label: str
    log10_norm: Array
    log10_each: Array
    share: Array
    checksum: float
    from_zero: bool = False


def weight_contributions(
    trace: Trace, label: str, progress: Progress | None = None
) -> Contributions:
    """Each step's part of ∂L/∂W_hh: G_t = Σ_b ∂L/∂a_t h_{t−1}ᵀ. THEORY C3, E5.

    With one sequence ‖G_t‖_F = ‖∂L/∂a_t‖ ‖h_{t−1}‖. Of a truncated pass: of its own ∂L/∂W_hh.
    Raises ValueError above the limits of `limits`.

    Examples
    --------
    >>> found = analysis.weight_contributions(rnn, "RNN")
    >>> found.log10_norm.shape, bool(found.checksum < 1e-12)
    ((20,), True)
    """
    T, B = trace.seq_len, trace.batch_size
    limits.check("The contributions", limits.contributions_cost(trace.cell, T, B))
    tell = progress or (lambda share: None)
    with np.errstate(all="ignore"):
        terms = _terms(trace)
        norms, total = np.empty(T), None
        for t in range(T):
            of_step = _of_step(terms, t)
            total = of_step if total is None else _sum(total, of_step)
            norms[t] = _log10(*of_step)
            tell((t + 1) / (2 * T))
        assert total is not None
        share = np.empty(T)
        for t in range(T):
            share[t] = _share(_of_step(terms, t), total)
            tell((T + t + 1) / (2 * T))
        each = norms if B == 1 else log10_rms(_each(terms)) + np.log10(B)
        checksum = _checksum(trace.grads["W_hh"], *total, norms)
    from_zero, T = not np.any(trace.h[0]), trace.longest
    return Contributions(label, norms[:T], each[:T], share[:T], checksum, from_zero)


def _terms(trace: Trace) -> Terms:
    """With the exponents of the gates' gradients between the two."""
    if trace.d_gate_log2.shape[1] == 1:
        terms = trace.cell.hidden_terms(trace, trace.d_gate_values)
        return [(a, trace.d_gate_log2, v) for a, v in terms]
    every = np.broadcast_to(trace.d_gate_log2, trace.d_gate_values.shape)
    exponents = [log2 for log2, _ in trace.cell.hidden_terms(trace, every)]
    given = trace.cell.hidden_terms(trace, trace.d_gate_values)
    return [(a, log2, v) for (a, v), log2 in zip(given, exponents, strict=True)]


def _of_step(terms: Terms, t: int) -> tuple[Array, int]:
    """(G_{t+1}, log2), its largest entry near 1."""
    parts, exponents = [], []
    for a, log2, v in terms:
        a_t, v_t = a[t].astype(np.float64), v[t].astype(np.float64)
        top = int(np.where(a_t, log2[t], LOWEST).max()) if a_t.any() else 0
        (a_t, of_a), (v_t, of_v) = normalise(_times(a_t, log2[t] - top)), normalise(v_t)
        parts.append(a_t @ v_t.T)
        exponents.append(top + int(of_a) + int(of_v))
    highest = max(exponents)
    rows = [_times(part, e - highest) for part, e in zip(parts, exponents, strict=True)]
    scaled, extra = normalise(rows[0] if len(rows) == 1 else np.concatenate(rows))
    return scaled, highest + int(extra)


def _each(terms: Terms) -> Array:
    """log10 ‖G_t‖_F of each sequence alone, (T, B): outer products."""
    norms = [log10_norm(a, 1, log2) + log10_norm(v, 1) for a, log2, v in terms]
    return norms[0] if len(norms) == 1 else log10_hypot(*norms)


def _times(values: Array, log2: Array | int) -> Array:
    """values · 2**log2."""
    return np.ldexp(values, log2) if np.any(log2) else values


def _sum(a: tuple[Array, int], b: tuple[Array, int]) -> tuple[Array, int]:
    """(values, log2) of a · 2**a_log2 + b · 2**b_log2, the exponent that of the larger one."""
    (x, x_log2), (y, y_log2) = a, b
    top = max(x_log2 if x.any() else y_log2, y_log2 if y.any() else x_log2)
    return _times(x, x_log2 - top) + _times(y, y_log2 - top), top


def _share(of_step: tuple[Array, int], total: tuple[Array, int]) -> float:
    """⟨G_t, G⟩ / ‖G‖²."""
    (part, of_part), (values, log2) = of_step, total
    size = np.linalg.norm(values)
    return float(np.ldexp((part * (values / size)).sum() / size, of_part - log2))


def _checksum(wanted: Array, total: Array, log2: int, norms: Array) -> float:
    """NaN where float64 itself holds the trace's gradient badly or not at all."""
    if not (np.abs(norms[np.isfinite(norms)]) < STORED).all():
        return float("nan")
    error = np.linalg.norm(np.ldexp(total, log2) - wanted)
    return 0.0 if error == 0 else float(error / (10.0**norms).sum())


def _log10(values: Array, log2: int) -> float:
    return float(log10_norm(values.ravel())) + log2 * LOG10_2
