"""Frames of orthonormal vectors sent through many steps: the logarithms of what each is stretched.

Q R = J_t Q, Σ ln |R_ii|: the vectors stay apart however far the products are beyond float64's
range. Source: Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15, 9-30. Of such passes come
all singular values of a product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.sequence import Progress, Steps, check_range, linearize, with_progress
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.core import Record
from rnnviz.core.numerics import Array

APART = float(np.log(1e6))
"""How far vectors may be stretched apart, in nats, before they are made orthonormal again: what is
lost is 10^−16 of the largest, 10^−10 of the smallest."""
RANGE = 250.0
"""Nats that any vector may grow or shrink meanwhile."""
MOST = 16
"""Steps meanwhile at most."""


PANEL = 64
"""Columns that are made orthonormal together."""
LEAF = 32
ROUNDINGS = 20
"""Of a column's own size, for each row, above which what is left of it beside the others has its
first digit."""
TINY = 1e-250
"""A square below which rounding is no longer relative."""
SMALL = 7.0
"""Nats that singular values may spread for an ordinary SVD to have them all to 1e-13."""


@dataclass(frozen=True, eq=False)
class QRPass:
    """A frame after its way through all steps.

    logs (m,): ln of what each vector was stretched beyond those before it; −inf for one that a
    step sent to zero: exactly, or to what rounding leaves of the others. dead_at (m,): at
    which step (its index k), −1 for one that lives. frame (S, r): the r that live, orthonormal.
    R (r, m), upper triangular: the product is frame · diag(e^logs) · R · startᵀ, logs those of the
    r; None unless it was asked for.
    """

    logs: Array
    dead_at: Array
    frame: Array
    R: Array | None


def qr_pass(steps: Steps, start: Array, back: bool = False, shaped: bool = False) -> QRPass:
    """Send orthonormal vectors through all steps; how far each one is stretched on the way.

    They are made orthonormal again as often as their stretching apart demands.

    Parameters
    ----------
    steps : n linear maps of states of size S.
    start : (S, m), orthonormal columns.
    back : back in time by Jᵀ, not forward by J.
    shaped : whether R of the whole way is wanted too.
    """
    order = list(range(len(steps)))[:: -1 if back else 1]
    moving = _Moving(start, steps.vjp if back else steps.jvp, shaped)
    done, every = 0, 1
    with np.errstate(all="ignore"):
        while done < len(order) and moving.frame.size:
            group = order[done : done + every]
            every = _interval(*moving.advance(group))
            done += len(group)
        moving.finish()
    return QRPass(moving.logs, moving.dead_at, moving.frame, moving.R)


def products_at(steps: Steps, start: Array, lags: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """(logs (r,), R (r, m)) of the product of the last k steps for each lag k, ascending: that
    product is start · Rᵀ · diag(e^logs) · (orthonormal columns)ᵀ, as in `QRPass`.

    start : (S, m), orthonormal columns, that go back in time by Jᵀ.
    """
    moving, last = _Moving(start, steps.vjp, True), len(steps) - 1
    done, every = 0, 1
    with np.errstate(all="ignore"):
        for lag in lags:
            while done < lag and moving.frame.size:
                group = [last - k for k in range(done, min(done + every, lag))]
                every = _interval(*moving.advance(group))
                done += len(group)
            moving.finish()
            assert moving.R is not None
            yield moving.living_logs, moving.R


def _interval(stretched: Array, steps: int) -> int:
    """How many steps may pass until the next orthonormalization, from the last one's |R_ii|."""
    if not (stretched.size and np.isfinite(stretched).all()):
        return 1
    logs = np.log(stretched) / steps
    allowed = min(APART / max(np.ptp(logs), 1e-9), RANGE / max(np.abs(logs).max(), 1e-9))
    return int(min(max(allowed, 1), MOST))


class _Moving:
    """The state of a pass: vectors under way and what they have been stretched so far.

    Between the steps the vectors are orthonormal to 1e-4 at worst, which is enough to stay apart:
    each R is exact for the vectors that there are, and `finish` takes what is left.
    """

    def __init__(self, start: Array, apply: Callable[[int, Array], Array], shaped: bool) -> None:
        m = start.shape[1]
        self.frame, self.logs, self.dead_at = start, np.zeros(m), np.full(m, -1)
        self.R = np.eye(m) if shaped else None
        self._living, self._apply, self._at = np.arange(m), apply, -1

    def advance(self, group: list[int]) -> tuple[Array, int]:
        """Take these steps, then make the frame orthonormal; (|R_ii| of the vectors that live on,
        of how many steps). Half of the steps at a time if together they stretch too far."""
        frame = self.frame
        for k in group:
            frame = self._apply(k, frame)
        quick = cholesky_qr(frame)
        if quick is None and len(group) > 1:
            halves = group[: len(group) // 2], group[len(group) // 2 :]
            return [self.advance(half) for half in halves if self.frame.size][-1]
        self._at = group[-1]
        return self._take(*(quick or _independent(frame))), len(group)

    @property
    def living_logs(self) -> Array:
        """Those of the vectors that have not died, in their order."""
        return self.logs[self._living]

    def finish(self) -> None:
        if self.frame.size:
            self._take(*_independent(self.frame))

    def _take(self, Q: Array, R: Array, keep: Array) -> Array:
        stretched = np.abs(np.diagonal(R if keep.all() else R[:, keep]))
        if self.R is not None:
            self.R = self._grown(R / stretched[:, None], keep) @ self.R
        if not keep.all():
            self.logs[self._living[~keep]], self.dead_at[self._living[~keep]] = -np.inf, self._at
            self._living = self._living[keep]
        self.logs[self._living] += np.log(stretched)
        self.frame = Q
        return stretched

    def _grown(self, rows: Array, keep: Array) -> Array:
        """The row-scaled R · diag(e^logs), its rows scaled by e^−logs."""
        logs = self.logs[self._living]
        apart = logs[None, :] - logs[keep, None]
        return np.triu(rows * np.exp(np.minimum(apart, RANGE)))


def cholesky_qr(columns: Array) -> tuple[Array, Array, Array] | None:
    """(Q, R, all of them) by Cholesky's factor of the columns' Gram matrix, faster than by
    Householder's reflections; panel by panel, each without what the ones before it span. None
    where they are stretched apart by more than twice APART, or are not finite."""
    m, done = columns.shape[1], 0
    if m <= PANEL:
        found = _panel(columns)
        return None if found is None or _too_far(found[1]) else (*found, np.ones(m, bool))
    Q, R = np.empty(columns.shape), np.zeros((m, m))
    for done in range(0, m, PANEL):
        new = slice(done, done + PANEL)
        shared = np.matmul(Q[:, :done].T, columns[:, new], out=R[:done, new])
        found = _panel(columns[:, new] - Q[:, :done] @ shared if done else columns[:, new])
        if found is None:
            return None
        Q[:, new], R[new, new] = found
    return None if _too_far(R) else (Q, R, np.ones(m, bool))


def _panel(columns: Array) -> tuple[Array, Array] | None:
    gram = columns.T @ columns
    if not gram.diagonal().min() > TINY:
        return None
    try:
        R = np.linalg.cholesky(gram).T
    except np.linalg.LinAlgError:
        return None
    return columns @ inverse_of_upper(R), R


def _too_far(R: Array) -> bool:
    stretched = R.diagonal()
    return not stretched.max() < 2 * np.exp(APART) * stretched.min()


def inverse_of_upper(R: Array) -> Array:
    """R⁻¹ of an upper triangular matrix, by halves; zeros below its diagonal stay exact."""
    m = len(R)
    if m <= LEAF:
        return np.linalg.inv(R)
    half, result = m // 2, np.zeros(R.shape)
    first, second = inverse_of_upper(R[:half, :half]), inverse_of_upper(R[half:, half:])
    result[:half, :half], result[half:, half:] = first, second
    np.matmul(first, R[:half, half:] @ -second, out=result[:half, half:])
    return result


def _independent(columns: Array) -> tuple[Array, Array, Array]:
    """(Q, R) with Q of the columns that are not combinations of those before them to rounding, R
    (r, m) of them all, and which these are (m,). One column is left out at a time: what QR puts in
    its place is no direction of its own, and must not be taken from those that follow."""
    keep = columns.any(axis=0) | ~np.isfinite(columns).all(axis=0)
    while True:
        some = columns if keep.all() else columns[:, keep]
        Q, R = np.linalg.qr(some)
        stretched = np.abs(np.diagonal(R))
        rounding = len(columns) * np.finfo(float).eps
        own = ROUNDINGS * rounding * np.abs(R).max(axis=0, initial=0)
        lost = np.flatnonzero(stretched <= np.maximum(own, rounding * stretched.max(initial=0)))
        if not lost.size:
            whole = R if keep.all() else Q.T @ columns
            whole[:, keep] = R
            return Q, whole, keep
        keep[np.flatnonzero(keep)[lost[0]]] = False


@dataclass(frozen=True, eq=False)
class ProductSpectrum:
    """Singular values of ∂s_stop/∂s_start.

    logs (S,): natural logarithms, descending; −inf for directions that die on the way. change: the
    largest change of any in the last round, in nats (0 where an SVD finished it): large only if
    two lie closer together than the rounds could tell apart.
    """

    label: str
    start: int
    stop: int
    logs: Array
    change: float

    @property
    def exponents(self) -> Array:
        """ln σ_i / n: finite-time Lyapunov exponents that depend on no starting vectors."""
        return self.logs / (self.stop - self.start)


def product_spectrum(
    record: Record,
    label: str,
    sequence: int = 0,
    start: int = 0,
    stop: int | None = None,
    progress: Progress | None = None,
) -> ProductSpectrum:
    """ln σ_i of ∂s_stop/∂s_start for all i, right where the product itself would be far beyond
    float64's range.

    Vectors go forward through the steps and back again, made orthonormal on the way (QR): the
    product is then orthogonal · diag(e^logs) · triangular · orthogonal, and the singular values of
    the small middle are found by the same iteration on it alone, or by an SVD if they lie close.
    Source: Benettin et al. 1980 for the QR; Golub, Sølna, Van Dooren 2000, SIAM J. Matrix Anal.
    Appl. 22, 1, for singular values of products. Raises ValueError for a range that the record
    does not have and above the limits of `limits`.

    Examples
    --------
    >>> found = analysis.product_spectrum(rnn, "RNN")
    >>> found.logs.shape  # ln σ_i of ∂h_20/∂h_0
    (8,)
    """
    start, stop = check_range(record, sequence, start, stop)
    size = state_size(record.cell)
    limits.check("The singular values", limits.products_cost(record.cell, stop - start))
    steps = linearize(record, sequence, start, stop)
    there = qr_pass(with_progress(steps, progress, 0, 0.5), np.eye(size))
    alive = there.logs[there.dead_at < 0]
    if np.isnan(alive).any():
        return ProductSpectrum(label, start, stop, np.full(size, np.nan), np.nan)
    start_back = there.frame[:, np.argsort(-alive, kind="stable")]
    back = qr_pass(with_progress(steps, progress, 0.5, 1), start_back, back=True, shaped=True)
    assert back.R is not None
    living = back.dead_at < 0
    logs, change = _of_triangle(back.logs[living], back.R)
    dead = np.full(size - len(logs), -np.inf)
    return ProductSpectrum(label, start, stop, np.append(np.sort(logs)[::-1], dead), change)


def _of_triangle(logs: Array, shape: Array) -> tuple[Array, float]:
    """(ln of the singular values of diag(e^logs) · shape, change in the last round); shape upper
    triangular, ones on its diagonal."""
    change = 0.0
    with np.errstate(all="ignore"):
        for _ in range(limits.ROUNDS):
            if not logs.size or np.ptp(logs) < SMALL:
                return _by_svd(logs, shape), 0.0
            R = np.linalg.qr(shape.T, "r")
            stretched = np.abs(np.diagonal(R))
            rows = R / np.diagonal(R)[:, None]
            shape = np.triu(rows * np.exp(np.minimum(logs[None, :] - logs[:, None], SMALL**3)))
            logs, change = logs + np.log(stretched), float(np.abs(np.log(stretched)).max())
            if change < 1e-13:
                break
    return logs, change


def _by_svd(logs: Array, shape: Array) -> Array:
    if not logs.size:
        return logs
    top = logs.max()
    return top + np.log(np.linalg.svd(np.exp(logs - top)[:, None] * shape, compute_uv=False))
