"""Skips through time: what W_skip acts on in the forward pass, and what it sends back."""

from __future__ import annotations

import numpy as np

from rnnviz.core.cell import Cell, Weights
from rnnviz.core.numerics import Array
from rnnviz.core.scaling import Scaled, by_bands


def delay_arrays(cell: Cell, h: Array, h0: Array | None) -> tuple[Array | None, Array | None]:
    """The states before h[0] (d−1, H, B) and room for h[t+1−d] of every step; None without a
    skip."""
    if not cell.skip:
        return None, None
    before = np.zeros((cell.skip - 1, *h.shape[1:]), h.dtype)
    if h0 is not None and h0.ndim == 3:
        before[:] = h0[:-1]
    return before, np.empty((len(h) - 1, *h.shape[1:]), h.dtype)


def delay(before: Array, h: Array, start: int, out: Array) -> None:
    """Write to out[k] the state d steps before h[start + k + 1]."""
    first = start - len(before)  # h[first] is what the step from h[start] sees
    old = min(max(-first, 0), len(out))
    out[:old] = before[start : start + old]
    out[old:] = h[first + old : first + len(out)]


class Arrivals:
    """What reaches d_h[t] other than from h[t+1]: the direct gradient and, with a skip of d steps,
    W_skipᵀ d_a of the step to h[t+d]."""

    def __init__(self, cell: Cell, w: Weights, direct: Array) -> None:
        self._direct = direct
        self._skip, self._rows, self._weights = cell.skip, cell.x_rows, w.skip
        self._skipped = np.zeros_like(direct) if cell.skip else None

    def after(self, start: int, d_a: Array) -> None:
        """Take the gate gradients (n, ·, B) of the steps from `start` on, once they are final."""
        if self._skipped is not None and self._weights is not None:
            of_x = d_a[:, self._rows]
            np.matmul(self._weights, of_x, out=self._skipped[start : start + len(d_a)])

    def sums(self, start: int, stop: int) -> list[Array | None]:
        """What is added to d_h[t] for t = start .. stop − 1; None for nothing at all."""
        if self._skipped is None:
            return (
                [None, *self._direct[:stop]] if start == 0 else list(self._direct[start - 1 : stop])
            )
        total = np.zeros((stop - start, *self._direct.shape[1:]), self._direct.dtype)
        later = self._skipped[start + self._skip - 1 : stop + self._skip - 1]
        total[: len(later)] += later
        first = 1 if start == 0 else 0
        total[first:] += self._direct[start + first - 1 : stop - 1]
        return list(total)


class ScaledArrivals:
    """`Arrivals` of a pass in which every entry has its exponent."""

    def __init__(
        self, cell: Cell, w: Weights, direct: Array, direct_log2: Array | None = None
    ) -> None:
        self._direct, self._log2 = direct, direct_log2
        self._skip, self._rows, self._weights = cell.skip, cell.x_rows, w.skip
        self._sent: dict[int, Scaled] = {}

    def after(self, step: int, d_a: Scaled) -> None:
        """Take the gate gradients of the step from h[step] on."""
        if self._weights is not None:
            weights, rows = self._weights, self._rows
            (sent,) = by_bands(lambda values: [weights @ values[rows]], d_a)
            self._sent[step + 1 - self._skip] = sent

    def at(self, t: int) -> list[Scaled]:
        """The terms that are added to d_h[t]."""
        terms = [self._sent.pop(t)] if t in self._sent else []
        if t > 0:
            terms.append((self._direct[t - 1], 0 if self._log2 is None else self._log2[t - 1]))
        return terms
