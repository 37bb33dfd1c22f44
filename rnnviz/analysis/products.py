"""All singular values of a product of Jacobians, far beyond the range of float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.qr import qr_pass
from rnnviz.analysis.jacobian.sequence import Progress, check_range, linearize, with_progress
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.core import Record
from rnnviz.core.numerics import Array

SMALL = 7.0
"""Nats that singular values may spread for an ordinary SVD to have them all to 1e-13."""


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
