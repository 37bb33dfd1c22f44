"""Each step of a run against its own forward equations, many steps and sequences at once.

∂s_t/∂s_{t−1} u comes from the cell's forward step with an imaginary step in u, started from the
recorded state; it shares no line with the backward step. Nothing is followed through time, so
chaos and long sequences do not blur the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobian.structured import BatchedVJP, time_as_batch
from rnnviz.analysis.selfcheck.noise import Compared, nudged_record, precision
from rnnviz.core import Record, Trace
from rnnviz.core.bptt import unroll
from rnnviz.core.numerics import LOWEST, Array, entry_exponents
from rnnviz.core.trace import cell_carry

TINY = 1e-30
"""Imaginary step: no difference is taken, so it can be as small as one likes."""


@dataclass(frozen=True, eq=False)
class Places:
    """Steps t (1 to T) of sequences b: n of them, as the batch of one step."""

    t: Array
    b: Array

    def of(self, values: Array, offset: int = 0) -> Array:
        """values[t + offset, :, b] of an array (T or T+1, F, B), as float64 columns (F, n)."""
        return np.ascontiguousarray(values[self.t + offset, :, self.b].T, np.float64)

    def exponents(self, log2: Array, offset: int = 0) -> Array:
        """The same of exponents (T or T+1, F or 1, B), as integers."""
        return log2[self.t + offset, :, self.b].T


def places(record: Record, most: int) -> Places:
    """At most so many steps of all sequences, evenly spread over time and batch."""
    t, b = np.nonzero(record.present)
    if len(t) > most:
        chosen = np.linspace(0, len(t) - 1, max(1, most)).astype(int)
        t, b = t[chosen], b[chosen]
    return Places(t + 1, b)


def dot_test(trace: Trace, at: Places, rng: np.random.Generator) -> Compared:
    """⟨J_t u, v⟩ against ⟨u, J_tᵀ v⟩ for random u and v, relative to ‖J_t u‖ ‖v‖. THEORY E19."""
    u, v = rng.standard_normal((2, _state_rows(trace), len(at.t)))
    pushed, step = jvp(trace, at, u), time_as_batch(trace, at.t, at.b)
    there, noise = _dot_and_noise(step, u, v, rng, precision(trace.h.dtype))
    with np.errstate(all="ignore"):
        error = np.abs((pushed * v).sum(axis=0) - there)
        return Compared(error, _norm(pushed) * _norm(v), noise, precision(trace.h.dtype))


def adjoint_test(trace: Trace, at: Places, rng: np.random.Generator) -> Compared:
    """The recorded state gradients λ_t = ∂L/∂s_t against the equation that defines them,
    λ_{t−1} = e_{t−1} + J_tᵀ λ_t (+ what a skip brings), each along one random direction u and
    relative to ‖J_t u‖ ‖λ_t‖ + ‖u‖ ‖e_{t−1}‖. s = (h, c) with h and c independent. THEORY C1.

    Of a full backward pass; a truncated one leaves terms out on purpose.
    """
    u = rng.standard_normal((_state_rows(trace), len(at.t)))
    after, before, direct = _adjoints(trace, at)
    pushed, step = jvp(trace, at, u), time_as_batch(trace, at.t, at.b)
    eps = precision(trace.h.dtype)
    _, noise = _dot_and_noise(step, u, after, rng, eps)
    with np.errstate(all="ignore"):
        wanted, scale = (pushed * after).sum(axis=0), _norm(pushed) * _norm(after)
        wanted += (u * direct).sum(axis=0)
        scale += _norm(u) * _norm(direct)
        if trace.cell.skip:
            skipped, size = _skipped(trace, at, u)
            wanted, scale = wanted + skipped, scale + size
        return Compared(np.abs((u * before).sum(axis=0) - wanted), scale, noise, eps)


def _norm(columns: Array) -> Array:
    return np.linalg.norm(columns, axis=0)


def _state_rows(record: Record) -> int:
    return record.cell.hidden_size * (1 + record.cell.HAS_CELL_STATE)


def jvp(record: Record, at: Places, u: Array, skip: bool = False) -> Array:
    """∂s_t/∂s_{t−1} u, or with `skip` ∂s_t/∂h_{t−d} u, by a complex step; columns (S, n)."""
    cell, H = record.cell, record.cell.hidden_size
    h = [at.of(record.h, -1).astype(complex)]
    if record.h_before is not None:
        history = np.concatenate([record.h_before, record.h])
        h = [at.of(history, j - 1).astype(complex) for j in range(cell.skip - 1)] + h
    h[0 if skip else -1] += 1j * TINY * u[:H]
    c = None if record.c is None else at.of(record.c, -1).astype(complex)
    if c is not None and not skip:
        c += 1j * TINY * u[H:]
    params = {name: value.astype(complex) for name, value in record.params.items()}
    x = at.of(record.x, -1)[None].astype(complex)
    done = unroll(cell, params, x, np.stack(h) if cell.skip else h[0], c)
    return np.concatenate([s[1] for s in (done.h, done.c) if s is not None]).imag / TINY


def _pulled(step: Record, v: Array) -> Array:
    """J_tᵀ v by the cell's own backward step; columns (S, n)."""
    H, n = step.cell.hidden_size, v.shape[1]
    at_once = BatchedVJP(step, np.ones(n, int), np.arange(n))
    return np.concatenate(at_once.back(np.ascontiguousarray(v[:H]), v[H:])[1])


def _dot_and_noise(
    step: Record, u: Array, v: Array, rng: np.random.Generator, eps: float
) -> tuple[Array, Array]:
    """⟨u, Jᵀ v⟩, and how far one rounding of the gates moves its terms."""
    there, again = _pulled(step, v), _pulled(nudged_record(step, rng, eps), v)
    with np.errstate(all="ignore"):
        return (u * there).sum(axis=0), np.abs(u * (again - there)).sum(axis=0)


def _adjoints(trace: Trace, at: Places) -> tuple[Array, Array, Array]:
    """λ_t, λ_{t−1} and e_{t−1} (0 for the initial state), (S, n) each, in units of `_units`."""
    exponents = _units(trace, at)
    carry = cell_carry(trace)
    first = at.t == 1
    of_direct = Places(np.where(first, 2, at.t), at.b)
    direct = np.where(first, 0, of_direct.of(trace.d_h_direct, -2))
    if trace.direct_log2 is not None:
        direct = np.ldexp(direct, of_direct.exponents(trace.direct_log2, -2) - exponents)
    else:
        direct = np.ldexp(direct, -exponents)
    after = np.ldexp(at.of(trace.d_h), at.exponents(trace.d_log2) - exponents)
    before = np.ldexp(at.of(trace.d_h, -1), at.exponents(trace.d_log2, -1) - exponents)
    if carry is None:
        return after, before, direct
    # What comes back to c_T is its direct gradient alone.
    values, log2 = carry
    last = np.zeros_like(values[:1]) if trace.d_c_direct is None else trace.d_c_direct[-1:]
    of_c = np.concatenate([values, last])
    log2 = np.concatenate([log2, np.zeros_like(log2[:1])])
    carried, carried_before = (
        np.ldexp(at.of(of_c, offset), at.exponents(log2, offset) - exponents) for offset in (0, -1)
    )
    of_e = np.zeros_like(direct)
    if trace.d_c_direct is not None:
        of_e = np.where(first, 0, np.ldexp(of_direct.of(trace.d_c_direct, -2), -exponents))
    pairs = [(after, carried), (before, carried_before), (direct, of_e)]
    after, before, direct = (np.concatenate(pair) for pair in pairs)
    return after, before, direct


def _units(trace: Trace, at: Places) -> Array:
    """The power of two (n,) of what the gradients of each place are measured in."""
    log2 = at.exponents(trace.d_log2)
    if len(log2) == 1:
        return log2[0]
    states = [(trace.d_h, log2)]
    if trace.d_c is not None:
        states.append((trace.d_c, at.exponents(trace.d_c_log2)))
    top = np.concatenate([entry_exponents(at.of(d), e) for d, e in states]).max(axis=0)
    return np.where(top == LOWEST, 0, top)


def _skipped(trace: Trace, at: Places, u: Array) -> tuple[Array, Array]:
    """What a skip of d steps sends to h_{t−1} from h_{t−1+d}, along u, and the size of it; in
    units of `_units`. 0 where the sequence ends before."""
    ends = np.array([trace.steps_of(b) for b in range(trace.batch_size)])[at.b]
    some = at.t - 1 + trace.cell.skip <= ends
    result, size = np.zeros((2, len(at.t)))
    if some.any():
        later = Places(at.t[some] - 1 + trace.cell.skip, at.b[some])
        pushed = jvp(trace, later, u[:, some], skip=True)
        after, _, _ = _adjoints(trace, later)
        log2 = _units(trace, later) - _units(trace, at)[some]
        result[some] = np.ldexp((pushed * after).sum(axis=0), log2)
        size[some] = np.ldexp(_norm(pushed) * _norm(after), log2)
    return result, size
