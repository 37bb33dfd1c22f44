"""How far a past step still reaches: ‖∂h_t/∂h_{t−k}‖₂ over lags k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.norms import largest_singular_values, log10_spectral_norm, normalise
from rnnviz.analysis.jacobian.sequence import Progress, Steps, check_range, linearize, with_progress
from rnnviz.analysis.rates import LOG10_E, Curve
from rnnviz.analysis.reachability import reached_from
from rnnviz.core import Record, checks
from rnnviz.core.numerics import LOG10_2, Array, Status, status_of

LOW, HIGH = 1e-60, 1e60
"""Squares of norms between which the product is left as it is."""
EDGE = -100
"""Decades below which squares may underflow."""
GONE = 1e-20
"""Share of the largest below which a direction of the product is left out."""
FAINT, FAINT_IN_SUM = 1e-9, 1e-13
"""Share of the largest below which a column does not matter for the norm (its square is added), and
a product of columns does not matter for a sum of them."""


@dataclass(frozen=True, eq=False)
class LagProfile:
    """Norms of products of Jacobians that end at step `end` of one sequence; index k is lag k, from
    0 (the identity) to `end`.

    h: ‖∂h_end/∂h_{end−k}‖₂, ROUNDED where it is lost beside what reaches c and older states;
    state: ‖∂s_end/∂s_{end−k}‖₂ of the whole state, the same without a cell state or a skip. Curves
    of log10 with a status; lags that were not asked for are NOT_RECORDED.
    steps: of the whole sequence.
    """

    label: str
    end: int
    h: Curve
    state: Curve
    steps: int


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

    The norms are `largest_singular_values` of the columns of the product that matter, few once
    much is forgotten. THEORY C4.
    Raises ValueError for wrong options and above the limits of `limits`.

    Examples
    --------
    >>> profile = analysis.lag_profile(rnn, "RNN")
    >>> bool(profile.state.log10[20] < profile.state.log10[1])  # more is lost over 20 steps
    True
    """
    _, end = check_range(record, sequence, 0, end)
    step = checks.size("every", every)
    limits.check("The lag profile", limits.lags_cost(record.cell, end, record.batch_size))
    linear = with_progress(linearize(record, sequence, 0, end), progress)
    with np.errstate(all="ignore"):
        log10 = _product(linear, record.cell.hidden_size, end, step).log10
    missing = (np.arange(end + 1) % step != 0) & (np.arange(end + 1) != end)
    has_zero = bool(np.isneginf(log10).any())
    open_h, open_state = _open(record, sequence, end) if has_zero else (None, None)
    state, h = (
        _curve(v, some, missing) for v, some in zip(log10, (open_state, open_h), strict=True)
    )
    return LagProfile(label, end, h, state, record.steps_of(sequence))


def finite_time_exponent(
    record: Record, sequence: int = 0, progress: Progress | None = None
) -> tuple[float, Status]:
    """ln ‖∂s_T/∂s_0‖₂ / T of one sequence, in nats a step: λ₁ over its T steps. Of the product
    itself: no vector is chosen to start from, and its sign says whether anything grows.

    Where nothing is left (−∞) the status says whether that is exact. Raises ValueError for a wrong
    sequence and above the limits of `limits`.
    """
    _, end = check_range(record, sequence, 0, None)
    cost = limits.exponent_cost(record.cell, end, record.batch_size)
    limits.check("The finite-time exponent", cost)
    linear = with_progress(linearize(record, sequence, 0, end), progress)
    with np.errstate(all="ignore"):
        log10 = _product(linear, record.cell.hidden_size, end, end).log10[0, end]
    status = status_of(log10)
    if status == Status.ZERO:
        status = status_of(log10, _open(record, sequence, end)[1][end])
    known = np.isfinite(log10)
    return float(log10 / (end * LOG10_E)), Status.FINITE if known else Status(int(status))


def _product(steps: Steps, H: int, end: int, every: int) -> _Product:
    """All the way back, with its norms at the lags every, 2·every, ... and `end`."""
    product, turn_at = _Product(steps, H, end), limits.FIRST_TURN
    for lag in range(1, end + 1):
        product.grow(end - lag)
        if lag % every == 0 or lag == end:
            product.remember(lag)
        if lag == turn_at:
            product.turn()
            turn_at *= 2
    product.measure()
    return product


def _curve(log10: Array, open_: Array | None, missing: Array) -> Curve:
    status = status_of(log10, open_)
    status[missing] = Status.NOT_RECORDED
    return Curve(log10, status)


class _Product:
    """Φᵀ = values · basisᵀ · 2**log2: values (S, r), basis (S, r) with orthonormal columns.

    Turned now and then so that the columns of `values` fall in size; those that fell below GONE of
    the largest are left out, and the product gets narrower as the past is forgotten.
    log10 (2, end + 1): norms of the whole and of its block of h, NaN where none was asked for. The
    block is a sum over columns: where it is FAINT_IN_SUM of them it is rounding alone, and said to
    be zero.
    """

    def __init__(self, steps: Steps, H: int, end: int) -> None:
        self._steps, self._H, self._pending = steps, H, list[tuple[int, Array, int]]()
        self.values, self.basis, self.log2 = np.eye(steps.size), np.eye(steps.size), 0
        self._turned = False
        self.log10 = np.full((2, end + 1), np.nan)
        self.log10[:, 0] = 0

    def grow(self, k: int) -> None:
        self.values = self._steps.vjp(k, self.values)
        if not LOW < np.vdot(self.values, self.values) < HIGH:
            self.values, extra = normalise(self.values)
            self.log2 += int(extra)

    def turn(self) -> None:
        self.measure()
        if not np.isfinite(self.values).all():
            return
        order = np.argsort(-_sizes(self.values), kind="stable")
        Q, R = np.linalg.qr(self.values[:, order].T)
        sizes = _sizes(R.T)
        keep = sizes >= GONE * sizes.max()
        turn = np.empty((len(order), int(keep.sum())))
        turn[order] = Q[:, keep]
        self.values, self.basis = np.ascontiguousarray(R[keep].T), self.basis @ turn
        self._turned = True

    def remember(self, lag: int) -> None:
        self._pending.append((lag, self.values, self.log2))
        if len(self._pending) == limits.AT_ONCE:
            self.measure()

    def measure(self) -> None:
        """The norms of the products that were remembered."""
        if not self._pending:
            return
        lags, values, log2 = zip(*self._pending, strict=True)
        stack, scale = np.array(values), np.array(log2) * LOG10_2
        self._pending = []
        some = _matter(_sizes(stack), FAINT)
        whole = stack if some.all() else stack[:, :, some]
        self.log10[:, list(lags)] = np.log10(largest_singular_values(whole)) + scale
        if self._steps.size > self._H:
            h, basis = stack[:, : self._H], self.basis[: self._H]
            sizes = _sizes(h)
            some = _matter(sizes * _sizes(basis), FAINT_IN_SUM)
            found = _log10_norms(h[:, :, some] @ basis[:, some].T)
            if self._turned:  # else no column is a sum
                found[found < np.log10(FAINT_IN_SUM * _sizes(sizes.T))] = -np.inf
            self.log10[1, list(lags)] = found + scale


def _log10_norms(blocks: Array) -> Array:
    """With more care where a block is far below the product that it is part of."""
    found = np.log10(largest_singular_values(blocks))
    edge = ~(found > EDGE)
    if edge.any():
        found[edge] = log10_spectral_norm(blocks[edge])
    return found


def _matter(sizes: Array, faint: float) -> Array:
    """Which columns are not below that share of the largest in all of the matrices (n, m)."""
    return ~(sizes < faint * sizes.max(axis=1, keepdims=True)).all(axis=0)


def _sizes(columns: Array) -> Array:
    return np.sqrt(np.einsum("...ij,...ij->...j", columns, columns))


def _open(record: Record, sequence: int, end: int) -> tuple[Array, Array]:
    """Per lag whether exact arithmetic can reach h_{end−k} from h_end, and whether it can reach
    any of s_{end−k}; (end+1,) each."""
    direct = np.zeros((record.seq_len, *record.h.shape[1:]), record.h.dtype)
    direct[end - 1] = 1
    found = reached_from(record, direct)
    h = np.any(found.h[end::-1, :, sequence], axis=1)
    return h, h if found.carry is None else h | np.any(found.carry[end::-1, :, sequence], axis=1)
