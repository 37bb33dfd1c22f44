"""How far a past step still reaches: ‖∂h_t/∂h_{t−k}‖₂ over lags k."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobians import log10_spectral_norm, normalise
from rnnviz.analysis.linear import check_range, linearize
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.reachability import reachable
from rnnviz.core import Record, backward, checks
from rnnviz.core.numerics import LOG10_2, Status, status_of

Array = np.ndarray

RESIDUAL = 1e-6
"""At which power iteration stops; the norm is then right to its square."""
ITERATIONS = 40


@dataclass(frozen=True, eq=False)
class LagProfile:
    """Norms of products of Jacobians that end at step `end` of one sequence; index k is lag k, from
    0 (the identity) to `end`.

    h: ‖∂h_end/∂h_{end−k}‖₂; state: ‖∂s_end/∂s_{end−k}‖₂ of the whole state, the same without a cell
    state or a skip. Curves of log10 with a status; lags that were not asked for are NOT_RECORDED.
    h_residual, state_residual (end+1,): ‖MᵀM v − σ²v‖/σ² of the power iteration that found each
    norm (from below, right to the residual's square); 0 where singular values that lie too close
    made an eigenvalue solver take its place.
    """

    label: str
    end: int
    h: Curve
    state: Curve
    h_residual: Array
    state_residual: Array


def lag_profile(
    record: Record, label: str, sequence: int = 0, end: int | None = None, every: int = 1
) -> LagProfile:
    """The norms at the lags 0, every, 2·every, ... and `end` (the sequence's last step unless
    given): one product of Jacobians that grows by a step at a time, back from `end`.

    Each norm is found by power iteration from the last lag's singular vector. THEORY C4.
    Raises ValueError for wrong options and above the limits of `limits`.
    """
    _, end = check_range(record, sequence, 0, end)
    step = checks.size("every", every)
    limits.check("The lag profile", limits.lags_cost(record.cell, end))
    linear, H = linearize(record, sequence, 0, end), record.cell.hidden_size
    norms = {"state": _Norms(end), "h": _Norms(end)}
    product, log2 = np.eye(linear.size), 0
    with np.errstate(all="ignore"):
        for lag in range(end + 1):
            if lag:
                product, extra = normalise(linear.pull(end - lag, product))
                log2 += int(extra)
            if lag % step == 0 or lag == end:
                norms["state"].add(lag, product, log2)
                if linear.size > H:
                    norms["h"].add(lag, product[:H, :H], log2)
    h = norms["h" if linear.size > H else "state"]
    state, has_zero = norms["state"], norms["state"].has_zero or h.has_zero
    open_h, open_state = _open(record, sequence, end) if has_zero else (None, None)
    return LagProfile(
        label=label,
        end=end,
        h=Curve(h.log10, h.status(open_h)),
        state=Curve(state.log10, state.status(open_state)),
        h_residual=h.residual,
        state_residual=state.residual,
    )


class _Norms:
    """Spectral norms of a matrix that changes little from one lag to the next."""

    def __init__(self, end: int) -> None:
        self.log10 = np.full(end + 1, np.nan)
        self.residual = np.full(end + 1, np.nan)
        self._recorded = np.zeros(end + 1, bool)
        self._vector: Array | None = None

    @property
    def has_zero(self) -> bool:
        return bool(np.isneginf(self.log10).any())

    def add(self, lag: int, transposed: Array, log2: int) -> None:
        """transposed: Mᵀ · 2**−log2, columns what is reached, rows what it is reached from."""
        M = np.ascontiguousarray(transposed)
        self._recorded[lag] = True
        sigma, self.residual[lag], self._vector = _largest(M, self._vector)
        if self.residual[lag] > RESIDUAL:
            self.log10[lag] = log10_spectral_norm(M[None])[0] + log2 * LOG10_2
            self.residual[lag] = 0
        else:
            self.log10[lag] = np.log10(sigma) + log2 * LOG10_2

    def status(self, open_: Array | None) -> Array:
        status = status_of(self.log10, open_)
        status[~self._recorded] = Status.NOT_RECORDED
        return status


def _largest(M: Array, start: Array | None) -> tuple[float, float, Array]:
    """(σ_max, residual, right singular vector) by power iteration."""
    known = start is not None and np.isfinite(start).all()
    v: Array = np.asarray(start if known else np.random.default_rng(0).standard_normal(len(M.T)))
    v = v / np.linalg.norm(v)
    sigma, residual = 0.0, np.inf
    for left in reversed(range(ITERATIONS)):
        u = M @ v
        w = u @ M
        square = float(u @ u)
        if not (np.isfinite(square) and square > 0):
            break
        before, residual = residual, float(np.linalg.norm(w / square - v))
        sigma = np.sqrt(square)
        hopeless = residual * min(residual / before, 1) ** left > RESIDUAL
        if residual <= RESIDUAL or (hopeless and left < ITERATIONS - 3):
            break
        v = w / np.linalg.norm(w)
    return sigma, residual, v


def _open(record: Record, sequence: int, end: int) -> tuple[Array, Array]:
    """Per lag whether exact arithmetic can reach h_{end−k} from h_end, and whether it can reach
    any of s_{end−k}; (end+1,) each."""
    direct = np.zeros((record.seq_len, *record.h.shape[1:]), record.h.dtype)
    direct[end - 1] = 1
    plain = Record(**{field.name: getattr(record, field.name) for field in fields(Record)})
    found = reachable(backward(plain, direct))
    h = np.any(found.h[end::-1, :, sequence], axis=1)
    return h, h if found.carry is None else h | np.any(found.carry[end::-1, :, sequence], axis=1)
