"""How much of one error is left so many steps back: of the last loss of each sequence alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import Trace, backward
from rnnviz.core.numerics import Array, log10_rms
from rnnviz.core.trace import state_log10
from rnnviz.models.diagnosis.finding import E_FOLD_LOG10


@dataclass(frozen=True, eq=False)
class Decay:
    """Of one layer and direction, counted from each sequence's own last error.

    trace: the pass back of these errors alone. log10 (lags,): ‖∂ℓ/∂s_{T−k}‖ / ‖∂ℓ/∂s_T‖ at k = 0,
    1, ..., T − 1, in decades, RMS over the sequences that have so many steps.
    """

    layer: int
    direction: int
    trace: Trace
    log10: Array

    @property
    def horizon(self) -> int | None:
        """Steps back after which less than 1/e is left for good; None if it never is."""
        above = np.flatnonzero(~(self.log10 < E_FOLD_LOG10))
        last = int(above.max(initial=0))
        return None if last == len(self.log10) - 1 else last + 1

    @property
    def peak(self) -> tuple[int, float]:
        """The lag at which most is left, and how much."""
        lag = int(np.argmax(np.where(np.isnan(self.log10), -np.inf, self.log10)))
        return lag, float(self.log10[lag])


def decay(trace: Trace, layer: int, direction: int) -> Decay | None:
    """How the last error of each sequence travels; None where no error enters at all."""
    enters = trace.enters & trace.present
    steps = np.arange(1, trace.seq_len + 1)[:, None]
    ends = (enters * steps).max(axis=0)
    if not ends.any():
        return None
    alone = _sent_back(trace, (steps == ends)[:, None])
    state = state_log10(alone)
    log10 = np.array([_left(state, ends, lag) for lag in range(int(ends.max()))])
    return Decay(layer, direction, alone, log10)


def _sent_back(trace: Trace, at: Array) -> Trace:
    """The pass back of the direct gradients of some steps alone, from beginning to end."""
    of_c = None if trace.d_c_direct is None else np.where(at, trace.d_c_direct, 0)
    direct = np.where(at, trace.d_h_direct, 0)
    with np.errstate(all="ignore"):
        return backward(trace.record, direct, trace.direct_log2, d_c_direct=of_c)


def _left(state: Array, ends: Array, lag: int) -> float:
    """Decades left at a lag, of the sequences that have it."""
    some = np.flatnonzero(ends > lag)
    with np.errstate(invalid="ignore"):
        back, end = (log10_rms(state[ends[some] - k, some]) for k in (lag, 0))
        return float(back - end)
