"""What is left of each direction of the state after k steps: all singular values of ∂s_T/∂s_{T−k}.

The product of Jacobians is never formed: vectors go back through the steps and are made
orthonormal on the way (`jacobian.qr`), and what the product is, seen in them, is a triangle whose
rows fall in size from the first to the last. The singular values of such a matrix are known to a
small part of each, not of the largest alone (Demmel, Veselić 1992, SIAM J. Matrix Anal. Appl. 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.norms import log_determinants
from rnnviz.analysis.jacobian.qr import products_at, qr_pass
from rnnviz.analysis.jacobian.sequence import (
    Progress,
    Steps,
    check_range,
    linearize,
    with_progress,
)
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.rates import LOG10_E
from rnnviz.core import Record
from rnnviz.core.numerics import Array, status_of

MOST_LAGS = 30
WIDE = 600.0
"""Nats between the largest and the smallest that float64 holds at once."""
NEAR = 150.0
"""Nats from which on one singular value does not touch another."""


@dataclass(frozen=True, eq=False)
class LagSpectrum:
    """Singular values of the Jacobian of the state s_end with respect to s_{end−k} of one sequence.

    lags (n,): the k, ascending, from 0 (the identity) to `end`. log10 (n, S): their logarithms,
    descending; status (n, S), int8 of `Status`: ZERO where a step on the way is singular, ROUNDED
    where float64 lost a direction that no step is known to kill, NAN where a state was not finite.
    """

    label: str
    end: int
    lags: Array
    log10: Array
    status: Array

    @property
    def size(self) -> int:
        """S, how many singular values there are at each lag."""
        return self.log10.shape[1]


def lag_spectrum(
    record: Record,
    label: str,
    sequence: int = 0,
    end: int | None = None,
    most: int = MOST_LAGS,
    progress: Progress | None = None,
) -> LagSpectrum:
    """All singular values of ∂s_end/∂s_{end−k} at up to `most` lags k from 1 to `end` (the
    sequence's last step unless given), right where the product is far beyond float64's range.

    The state is the whole one, h and c of an LSTM; of a cell with a skip the older h, too.
    Raises ValueError for a sequence or a step that the record does not have and above the limits of
    `limits`.

    Examples
    --------
    >>> found = analysis.lag_spectrum(lstm, "LSTM")
    >>> found.lags[-1], found.size  # of h and c together
    (np.int64(20), 16)
    >>> bool(found.log10[1, 0] > found.log10[1, 15])
    True
    """
    _, end = check_range(record, sequence, 0, end)
    lags = lags_of(end, most)
    cost = limits.lag_spectra_cost(record.cell, end, len(lags))
    limits.check("The singular values over the lags", cost)
    size = state_size(record.cell)
    log10 = np.full((len(lags) + 1, size), -np.inf)
    log10[0] = 0
    steps = linearize(record, sequence, 0, end)
    start = _last_directions(with_progress(steps, progress, 0, 0.4))
    if start is None:
        log10[1:] = np.nan
    else:
        back = products_at(with_progress(steps, progress, 0.4, 1), start, lags.tolist())
        for k, (logs, shape) in enumerate(back, 1):
            log10[k, : len(logs)] = LOG10_E * singular_logs(logs, shape)
    status = _status(record, sequence, end, steps, np.append(0, lags), log10)
    return LagSpectrum(label, end, np.append(0, lags), log10, status)


def lags_of(end: int, most: int = MOST_LAGS) -> Array:
    """Up to `most` lags from 1 to `end`, evenly apart."""
    return np.unique(np.linspace(1, end, min(end, most)).round().astype(int))


def _last_directions(steps: Steps) -> Array | None:
    """An orthonormal basis of the last state, in the order in which the steps stretch: what goes
    back from it is soon in order, too. None where a step is not finite."""
    there = qr_pass(steps, np.eye(steps.size))
    alive = there.logs[there.dead_at < 0]
    if np.isnan(alive).any():
        return None
    frame = there.frame[:, np.argsort(-alive, kind="stable")]
    return np.linalg.qr(frame, "complete")[0] if frame.size else np.eye(steps.size)


def singular_logs(logs: Array, shape: Array) -> Array:
    """ln of the singular values of diag(e^logs) · shape, descending; shape (r, m) upper triangular
    with rows of about length 1, logs descending but for neighbours. Where float64 cannot hold them
    all at once, some at a time, each with those around it."""
    if not len(logs) or not np.ptp(logs) >= WIDE or not np.isfinite(shape).all():
        return _by_svd(logs, shape)
    R = np.linalg.qr(shape.T, "r")  # leaves of what is far from the diagonal e^(−distance)
    rows, apart = R / np.diagonal(R)[:, None], logs[None, :] - logs[:, None]
    shape = np.triu(rows * np.exp(np.minimum(apart, NEAR)))
    logs = logs + np.log(np.abs(np.diagonal(R)))
    order, found, done = -np.minimum.accumulate(logs), np.empty(len(logs)), 0
    while done < len(logs):
        ends = order[done] + NEAR * np.array([-1, 1, 2])
        first, stop, last = np.searchsorted(order, ends).tolist()
        near = _by_svd(logs[first:last], shape[first:last, first:last])
        found[done:stop] = near[done - first : stop - first]
        done = stop
    return found


def _by_svd(logs: Array, shape: Array) -> Array:
    if not (len(logs) and np.isfinite(logs).all() and np.isfinite(shape).all()):
        return np.full(len(logs), np.nan)
    top = logs.max()
    with np.errstate(divide="ignore", under="ignore"):
        return top + np.log(np.linalg.svd(np.exp(logs - top)[:, None] * shape, compute_uv=False))


def _status(
    record: Record, sequence: int, end: int, steps: Steps, lags: Array, log10: Array
) -> Array:
    """Zeros are exact if a step on the way has a determinant of exactly 0."""
    if not np.isneginf(log10).any():
        return status_of(log10)
    singular = log_determinants(record, sequence, 0, end, steps).singular[::-1]
    met = np.append(False, np.logical_or.accumulate(singular))[lags]
    return status_of(log10, np.broadcast_to(~met[:, None], log10.shape))
