"""Each step of a run against its own forward equations, many steps and sequences at once.

∂s_t/∂s_{t−1} u comes from the cell's forward step with an imaginary step in u, started from the
recorded state; it shares no line with the backward step. Nothing is followed through time, so
chaos and long sequences do not blur the comparison.
"""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.jacobian.structured import BatchedVJP, time_as_batch
from rnnviz.analysis.selfcheck.noise import MAGNIFIED, TINY, Compared, nudged, precision
from rnnviz.analysis.selfcheck.places import Places, crossed, moved_step, term_sizes
from rnnviz.core import Record, Trace
from rnnviz.core.bptt import unroll
from rnnviz.core.numerics import LOWEST, Array, entry_exponents
from rnnviz.core.trace import cell_carry

UNDERFLOW = float(np.finfo(np.float64).tiny) / TINY
"""What is smaller loses digits on its way through a complex step."""


def dot_test(trace: Trace, at: Places, rng: np.random.Generator) -> Compared:
    """⟨J_t u, v⟩ against ⟨u, J_tᵀ v⟩ for random u and v, relative to ‖J_t u‖ ‖v‖. THEORY E19."""
    u, v = rng.standard_normal((2, _state_rows(trace), len(at.t)))
    pushed, there, noise = _moved(trace, at, u, v, rng)
    with np.errstate(all="ignore"):
        error = np.abs((pushed * v).sum(axis=0) - there)
        noise += _underflow(error, v)
        return Compared(error, _norm(pushed) * _norm(v), noise, precision(trace.h.dtype))


def adjoint_test(trace: Trace, at: Places, rng: np.random.Generator) -> Compared:
    """The recorded state gradients λ_t = ∂L/∂s_t against the equation that defines them,
    λ_{t−1} = e_{t−1} + J_tᵀ λ_t (+ what a skip brings), each along one random direction u and
    relative to ‖J_t u‖ ‖λ_t‖ + ‖u‖ ‖e_{t−1}‖. s = (h, c) with h and c independent. THEORY C1.

    Of a full backward pass; a truncated one leaves terms out on purpose.
    """
    u = rng.standard_normal((_state_rows(trace), len(at.t)))
    after, before, direct = _adjoints(trace, at)
    pushed, _, noise = _moved(trace, at, u, after, rng)
    with np.errstate(all="ignore"):
        wanted, scale = (pushed * after).sum(axis=0), _norm(pushed) * _norm(after)
        wanted += (u * direct).sum(axis=0)
        scale += _norm(u) * _norm(direct)
        if trace.cell.skip:
            skipped, size, more = _skipped(trace, at, u, rng)
            wanted, scale, noise = wanted + skipped, scale + size, noise + more
        error = np.abs((u * before).sum(axis=0) - wanted)
        noise += _underflow(error, after)
        return Compared(error, scale, noise, precision(trace.h.dtype))


def _underflow(error: Array, v: Array) -> Array:
    """What `jvp` may lose below the range of float64, along v; nothing where nothing is lost."""
    return np.where(error == 0, 0, UNDERFLOW * _norm(v))


def _norm(columns: Array) -> Array:
    return np.linalg.norm(columns, axis=0)


def _state_rows(record: Record) -> int:
    return record.cell.hidden_size * (1 + record.cell.HAS_CELL_STATE)


def jvp(record: Record, at: Places, u: Array, skip: bool = False) -> Array:
    """∂s_t/∂s_{t−1} u, or with `skip` ∂s_t/∂h_{t−d} u, by a complex step; columns (S, n)."""
    return _along(_stepped(record, at, u, skip))


def _along(done: Record) -> Array:
    return np.concatenate([s[1] for s in (done.h, done.c) if s is not None]).imag / TINY


def _stepped(record: Record, at: Places, u: Array, skip: bool = False) -> Record:
    """Each step made again, from its recorded state with an imaginary step along u."""
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
    return unroll(cell, params, x, np.stack(h) if cell.skip else h[0], c)


def _pulled(step: Record, v: Array, skip: bool) -> Array:
    """J_tᵀ v by the cell's own backward step; columns (S, n), or (H, n) of a skip."""
    H, n = step.cell.hidden_size, v.shape[1]
    at_once = BatchedVJP(step, np.ones(n, int), np.arange(n))
    d_a, states = at_once.back(np.ascontiguousarray(v[:H]), v[H:])
    if not skip:
        return np.concatenate(states)
    assert at_once.weights.skip is not None
    return at_once.weights.skip @ d_a[step.cell.x_rows]


def _moved(
    record: Record, at: Places, u: Array, v: Array, rng: np.random.Generator, skip: bool = False
) -> tuple[Array, Array, Array]:
    """J u as `jvp` has it, ⟨u, Jᵀ v⟩, and how far one rounding of all that goes in moves its terms;
    +inf where rounding alone puts a unit on the other side of a kink."""
    done, sizes = _stepped(record, at, u, skip), term_sizes(record, at)
    step = time_as_batch(record, at.t, at.b)
    there = _pulled(step, v, skip)
    with np.errstate(all="ignore"):
        moved = moved_step(step, sizes, rng, record.h.dtype)
        eps = precision(record.h.dtype)
        again = _pulled(moved, nudged(v, rng, MAGNIFIED * eps), skip)
        u = u[: len(there)]
        noise = np.abs(u * (again - there)).sum(axis=0) / MAGNIFIED
        noise[crossed(record, at, done, sizes)] = np.inf
        return _along(done), (u * there).sum(axis=0), noise


def _adjoints(trace: Trace, at: Places) -> tuple[Array, Array, Array]:
    """λ_t, λ_{t−1} and e_{t−1} (0 for the initial state), (S, n) each, in units of `_units`."""
    exponents, carry = _units(trace, at), cell_carry(trace)
    with np.errstate(all="ignore"):
        after, before = (_scaled(trace.d_h, trace.d_log2, at, k, exponents) for k in (0, -1))
        direct = _entering(trace.d_h_direct, trace.direct_log2, at, exponents)
        if carry is None:
            return after, before, direct
        # What comes back to c_T is its direct gradient alone.
        values, log2 = carry
        last = np.zeros_like(values[:1]) if trace.d_c_direct is None else trace.d_c_direct[-1:]
        of_c = np.concatenate([values, last])
        log2 = np.concatenate([log2, np.zeros_like(log2[:1])])
        carried, carried_before = (_scaled(of_c, log2, at, k, exponents) for k in (0, -1))
        of_e = np.zeros_like(direct)
        if trace.d_c_direct is not None:
            of_e = _entering(trace.d_c_direct, None, at, exponents)
        pairs = [(after, carried), (before, carried_before), (direct, of_e)]
        after, before, direct = (np.concatenate(pair) for pair in pairs)
        return after, before, direct


def _scaled(values: Array, log2: Array, at: Places, offset: int, exponents: Array) -> Array:
    """values · 2**log2 at these places, in units of 2**exponents."""
    return np.ldexp(at.of(values, offset), at.exponents(log2, offset) - exponents)


def _entering(direct: Array, log2: Array | None, at: Places, exponents: Array) -> Array:
    """What enters at the step before; nothing at the initial state."""
    first = at.t == 1
    places = Places(np.where(first, 2, at.t), at.b)
    own = 0 if log2 is None else places.exponents(log2, -2)
    return np.ldexp(np.where(first, 0, places.of(direct, -2)), own - exponents)


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


def _skipped(
    trace: Trace, at: Places, u: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """What a skip of d steps sends to h_{t−1} from h_{t−1+d}, along u, the size of it and its
    noise; in units of `_units`. 0 where the sequence ends before."""
    ends = np.array([trace.steps_of(b) for b in range(trace.batch_size)])[at.b]
    some = at.t - 1 + trace.cell.skip <= ends
    result, size, noise = np.zeros((3, len(at.t)))
    if some.any():
        later, along = Places(at.t[some] - 1 + trace.cell.skip, at.b[some]), u[:, some]
        after, _, _ = _adjoints(trace, later)
        pushed, _, moved = _moved(trace, later, along, after, rng, skip=True)
        log2 = _units(trace, later) - _units(trace, at)[some]
        result[some] = np.ldexp((pushed * after).sum(axis=0), log2)
        size[some] = np.ldexp(_norm(pushed) * _norm(after), log2)
        noise[some] = np.ldexp(moved, log2)
    return result, size, noise
