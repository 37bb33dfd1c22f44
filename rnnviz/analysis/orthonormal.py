"""Frames of orthonormal vectors sent through many steps: the logarithms of what each is stretched.

Q R = J_t Q, Σ ln |R_ii|: the vectors stay apart however far the products are beyond float64's
range. Source: Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15, 9-30.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.linear import Steps

Array = np.ndarray

APART = float(np.log(1e6))
"""How far vectors may be stretched apart, in nats, before they are made orthonormal again: what is
lost is 10^−16 of the largest, 10^−10 of the smallest."""
RANGE = 250.0
"""Nats that any vector may grow or shrink meanwhile."""
MOST = 16
"""Steps meanwhile at most."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A frame after its way through all steps.

    logs (m,): ln of what each vector was stretched beyond those before it; −inf for one that a
    step sent to zero: exactly, or to less than rounding leaves of the others. died (m,): at which
    step (its index k), −1 for one that lives. frame (S, r): the r that live, orthonormal.
    shape (r, r), upper triangular: the product is frame · diag(e^logs) · shape · startᵀ on those.
    """

    logs: Array
    died: Array
    frame: Array
    shape: Array


def sweep(steps: Steps, start: Array, back: bool = False) -> Sweep:
    """Send the orthonormal columns of `start` (S, m) through all steps, forward in time by J or
    back by Jᵀ. They are made orthonormal again as often as their stretching apart demands."""
    order = list(range(len(steps)))[:: -1 if back else 1]
    moving = _Moving(start, steps.pull if back else steps.push)
    done, every = 0, 1
    with np.errstate(all="ignore"):
        while done < len(order) and moving.frame.size:
            group = order[done : done + every]
            every = _interval(*moving.advance(group))
            done += len(group)
    return Sweep(moving.logs, moving.died, moving.frame, moving.shape)


def _interval(stretched: Array, steps: int) -> int:
    """How many steps may pass until the next orthonormalization, from the last one's |R_ii|."""
    if not (stretched.size and np.isfinite(stretched).all()):
        return 1
    logs = np.log(stretched) / steps
    allowed = min(APART / max(np.ptp(logs), 1e-9), RANGE / max(np.abs(logs).max(), 1e-9))
    return int(np.clip(allowed, 1, MOST))


class _Moving:
    """The state of a sweep: vectors under way and what they have been stretched so far."""

    def __init__(self, start: Array, apply: Callable[[int, Array], Array]) -> None:
        m = start.shape[1]
        self.frame, self.logs, self.died = start, np.zeros(m), np.full(m, -1)
        self.shape = np.eye(m)
        self._living, self._apply = np.arange(m), apply

    def advance(self, group: list[int]) -> tuple[Array, int]:
        """Take these steps, then make the frame orthonormal; (|R_ii| of the vectors that live on,
        of how many steps). One step at a time if together they stretch too far."""
        frame = self.frame
        for k in group:
            frame = self._apply(k, frame)
        Q, R, keep = _independent(frame)
        stretched = np.abs(np.diagonal(R))
        too_far = not (keep.all() and stretched.max() < 2 * np.exp(APART) * stretched.min())
        if len(group) > 1 and too_far:
            return [self.advance([k]) for k in group if self.frame.size][-1]
        self.logs[self._living[~keep]], self.died[self._living[~keep]] = -np.inf, group[-1]
        self._living = self._living[keep]
        self.shape = self.shape[np.ix_(keep, keep)]
        self._grow(R / stretched[:, None])
        self.logs[self._living] += np.log(stretched)
        self.frame = Q
        return stretched, len(group)

    def _grow(self, rows: Array) -> None:
        """shape <- the row-scaled R · diag(e^logs) · shape."""
        logs = self.logs[self._living]
        apart = np.minimum(logs[None, :] - logs[:, None], RANGE)
        self.shape = np.triu(rows * np.exp(apart)) @ self.shape


def _independent(columns: Array) -> tuple[Array, Array, Array]:
    """(Q, R) of the columns that are not combinations of those before them to rounding, and which
    these are (m,). One column is left out at a time: what QR puts in its place is no direction of
    its own, and must not be taken from those that follow."""
    keep = columns.any(axis=0) | ~np.isfinite(columns).all(axis=0)
    while True:
        some = columns if keep.all() else columns[:, keep]
        Q, R = np.linalg.qr(some)
        stretched = np.abs(np.diagonal(R))
        limit = len(columns) * np.finfo(float).eps * stretched.max(initial=0)
        lost = np.flatnonzero(stretched <= limit)
        if not lost.size:
            return Q, R, keep
        keep[np.flatnonzero(keep)[lost[0]]] = False
