"""Sums that must come out: the parts of a run against the totals that it recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnnviz.analysis.jacobian.norms import log_determinants
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.analysis.selfcheck.noise import (
    MAGNIFIED,
    Compared,
    nudged,
    nudged_record,
    precision,
    smallest,
)
from rnnviz.core import Trace, backward
from rnnviz.core.numerics import Array, log10_norm
from rnnviz.core.trace import of_sequences


def weight_sums(trace: Trace, recorded: Mapping[str, Array], rng: np.random.Generator) -> Compared:
    """‖Σ_t G_t u − G u‖ for a random u, G the recorded ∂L/∂W_hh and G_t what step t adds to it,
    relative to ‖u‖ Σ_t ‖∂L/∂a_t‖ ‖h_{t−1}‖; likewise W_xh with x_t. THEORY C3.

    All steps and sequences: G_t u takes two products of vectors where G_t takes a matrix. Nothing
    is said where a term is beyond the range of the dtype.
    """
    eps, tiny = precision(trace.h.dtype), float(np.finfo(trace.h.dtype).tiny)
    names = ("W_xh", "W_hh")
    u: dict[str, Array] = {k: rng.standard_normal((recorded[k].shape[1],)) for k in names}
    with np.errstate(all="ignore"):
        sums = _sums(trace, u["W_xh"], u["W_hh"])
        of_a = log10_norm(trace.d_gate_values, 1, trace.d_gate_log2)
        seen = {"W_xh": trace.x, "W_hh": trace.h[:-1]}
        error = [10 ** log10_norm(sums[k][:, 0] - recorded[k] @ u[k]) for k in seen]
        sizes = np.array([np.linalg.norm(u[k]) for k in seen])
        scale = sizes * [(10 ** (of_a + log10_norm(v, 1))).sum() for v in seen.values()]
        largest = np.log10(np.finfo(trace.h.dtype).max)
        beyond = of_a.max() > largest or np.log10(scale).max() > largest
        scale = np.where(beyond, np.inf, scale)
    noise = sizes * (tiny * trace.seq_len * trace.batch_size)
    return Compared(np.array(error, float), scale, noise, eps)


def _sums(trace: Trace, u_x: Array, u_h: Array) -> dict[str, Array]:
    """Σ_t G_t u of every W, one column each, in the order of the parameters' rows."""
    cell, log2 = trace.cell, trace.d_gate_log2
    d_a = np.ldexp(trace.d_gate_values, log2) if log2.any() else trace.d_gate_values

    def along(a: Array, u: Array, values: Array) -> Array:
        return np.matmul(a, (u @ values)[..., None]).sum(axis=0)

    of_x = along(d_a[:, cell.x_rows], u_x, trace.x)
    of_h = [along(a, u_h, values) for a, values in cell.hidden_terms(trace, d_a)]
    return {"W_xh": cell.stacked(of_x, cell.x_gate_rows), "W_hh": np.concatenate(of_h)}


def pair_sums(trace: Trace, sequence: int, rng: np.random.Generator) -> Compared:
    """‖Σ_s ∂L_s/∂h_k − ∂L/∂h_k‖ at every step k of one sequence, relative to Σ_s ‖∂L_s/∂h_k‖: the
    gradients of all losses, each followed by itself, against the recorded one. THEORY C2.

    Noise: the recorded backward pass once more, with weights and gates moved by one rounding.
    """
    eps = precision(trace.h.dtype)
    one = of_sequences(trace, np.array([sequence]))
    found = pair_matrix(one, "", [0])
    by = MAGNIFIED * eps
    moved_record = replace(
        nudged_record(one.record, rng, by, MAGNIFIED * smallest(trace.h.dtype)),
        params={name: nudged(values, rng, by) for name, values in one.params.items()},
    )
    passes = [
        backward(record, one.d_h_direct, one.direct_log2, d_c_direct=one.d_c_direct)
        for record in (one.record, moved_record)
    ]
    with np.errstate(all="ignore"):
        shift = passes[1].d_log2 - passes[0].d_log2
        apart = passes[0].d_h - np.ldexp(passes[1].d_h, shift)
        moved, size = (log10_norm(v, 1, passes[0].d_log2)[:, 0] for v in (apart, passes[0].d_h))
        noise = found.cancellation * 10 ** (moved - size)[: one.longest + 1] / MAGNIFIED
        scale = np.where(found.cancellation > 0, 1.0, np.nan)
    return Compared(found.checksum, scale, noise, eps)


def determinant_test(trace: Trace, sequence: int, steps: int) -> Compared:
    """ln |det J_t| from the values of the gates against that of J_t itself, formed by the backward
    step and taken apart by LU, at the last so many steps of a sequence; relative to the size of
    the state + |ln |det J_t||. Steps at which J_t is singular say nothing. THEORY E8, E9.

    Both go by the recorded values in float64. Noise: what ln |det J_t| moves by, root mean square,
    if every entry moves by one rounding of the largest in its row (entries are sums).
    """
    stop = trace.steps_of(sequence)
    start, eps = max(0, stop - steps), precision(np.dtype(np.float64))
    wanted = log_determinants(trace, sequence, start, stop).logs
    linear = linearize(trace, sequence, start, stop)
    with np.errstate(all="ignore"):
        matrices = np.stack([linear.matrix(k) for k in range(len(linear))])
        matrices[~np.isfinite(matrices).all(axis=(1, 2))] = 0
        found = np.linalg.slogdet(matrices)[1]
        singular = ~np.isfinite(found)
        matrices[singular] = np.eye(linear.size)
        largest = eps * np.abs(matrices).max(axis=2)
        noise = np.sqrt(((np.linalg.inv(matrices) * largest[:, None]) ** 2).sum(axis=(1, 2)))
        scale = np.where(singular, np.nan, linear.size + np.abs(found))
        return Compared(np.abs(wanted - found), scale, noise, eps)
