"""How far a past step still reaches: ‖∂h_t/∂h_{t−k}‖₂ over lags k."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobians import log10_spectral_norm, normalise
from rnnviz.analysis.linear import Progress, Steps, check_range, linearize, watched
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.reachability import reachable
from rnnviz.core import Record, backward, checks
from rnnviz.core.numerics import LOG10_2, Status, status_of

Array = np.ndarray

TURN_EVERY = 5
GONE = 1e-20
"""Share of the largest below which a direction of the product is left out."""
FAINT, FAINT_IN_SUM = 1e-9, 1e-13
"""Share of the largest below which a column does not matter for the norm (its square is added), and
a product of columns does not matter for a sum of them."""


@dataclass(frozen=True, eq=False)
class LagProfile:
    """Norms of products of Jacobians that end at step `end` of one sequence; index k is lag k, from
    0 (the identity) to `end`.

    h: ‖∂h_end/∂h_{end−k}‖₂; state: ‖∂s_end/∂s_{end−k}‖₂ of the whole state, the same without a cell
    state or a skip. Curves of log10 with a status; lags that were not asked for are NOT_RECORDED.
    """

    label: str
    end: int
    h: Curve
    state: Curve


def lag_profile(
    record: Record,
    label: str,
    sequence: int = 0,
    end: int | None = None,
    every: int = 1,
    progress: Progress | None = None,
) -> LagProfile:
    """The norms at the lags 0, every, 2·every, ... and `end` (the sequence's last step unless
    given): one product of Jacobians that grows by a step at a time, back from `end`.

    Each norm is the root of the largest eigenvalue of MᵀM over the columns of the product that
    matter, few once much is forgotten; `largest_stretch` finds it by power iteration. THEORY C4.
    Raises ValueError for wrong options and above the limits of `limits`.
    """
    _, end = check_range(record, sequence, 0, end)
    step = checks.size("every", every)
    limits.check("The lag profile", limits.lags_cost(record.cell, end))
    linear = watched(linearize(record, sequence, 0, end), progress)
    H = record.cell.hidden_size
    product, log10 = _Product(linear), np.full((2, end + 1), np.nan)
    with np.errstate(all="ignore"):
        for lag in range(end + 1):
            if lag:
                product.grow(end - lag)
            if lag % TURN_EVERY == 1:
                product.turn()
            if lag % step == 0 or lag == end:
                log10[0, lag] = product.log10_norm()
                log10[1, lag] = log10[0, lag] if linear.size == H else product.log10_norm(H)
    missing = (np.arange(end + 1) % step != 0) & (np.arange(end + 1) != end)
    has_zero = bool(np.isneginf(log10).any())
    open_h, open_state = _open(record, sequence, end) if has_zero else (None, None)
    state, h = (
        _curve(v, some, missing) for v, some in zip(log10, (open_state, open_h), strict=True)
    )
    return LagProfile(label, end, h, state)


def _curve(log10: Array, open_: Array | None, missing: Array) -> Curve:
    status = status_of(log10, open_)
    status[missing] = Status.NOT_RECORDED
    return Curve(log10, status)


class _Product:
    """Φᵀ = values · basisᵀ · 2**log2: values (S, r), basis (S, r) with orthonormal columns.

    Turned now and then so that the columns of `values` fall in size; those that fell below GONE of
    the largest are left out, and the product gets narrower as the past is forgotten.
    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.values, self.basis, self.log2 = np.eye(steps.size), np.eye(steps.size), 0

    def grow(self, k: int) -> None:
        self.values, extra = normalise(self._steps.pull(k, self.values))
        self.log2 += int(extra)

    def turn(self) -> None:
        if not np.isfinite(self.values).all():
            return
        order = np.argsort(-_sizes(self.values), kind="stable")
        Q, R = np.linalg.qr(self.values[:, order].T)
        sizes = _sizes(R.T)
        keep = sizes >= GONE * sizes.max()
        turn = np.empty((len(order), int(keep.sum())))
        turn[order] = Q[:, keep]
        self.values, self.basis = np.ascontiguousarray(R[keep].T), self.basis @ turn

    def log10_norm(self, rows: int | None = None) -> float:
        """log10 ‖Φ‖₂; of its block of the first rows and columns, if given."""
        values, basis = self.values[:rows], self.basis[:rows]
        sizes = _sizes(values) * (1 if rows is None else _sizes(basis))
        some = ~(sizes < (FAINT if rows is None else FAINT_IN_SUM) * sizes.max())
        values, basis = values[:, some], basis[:, some]
        if rows is not None:
            if values.shape[1] < rows:
                _, values = np.linalg.qr(values)
            values = values @ basis.T
        narrow = values if values.shape[1] <= len(values) else values.T
        return float(log10_spectral_norm(narrow[None])[0]) + self.log2 * LOG10_2


def _sizes(columns: Array) -> Array:
    return np.sqrt(np.einsum("ij,ij->j", columns, columns))


def _open(record: Record, sequence: int, end: int) -> tuple[Array, Array]:
    """Per lag whether exact arithmetic can reach h_{end−k} from h_end, and whether it can reach
    any of s_{end−k}; (end+1,) each."""
    direct = np.zeros((record.seq_len, *record.h.shape[1:]), record.h.dtype)
    direct[end - 1] = 1
    plain = Record(**{field.name: getattr(record, field.name) for field in fields(Record)})
    found = reachable(backward(plain, direct))
    h = np.any(found.h[end::-1, :, sequence], axis=1)
    return h, h if found.carry is None else h | np.any(found.carry[end::-1, :, sequence], axis=1)
