"""How much of one error is left so many steps back: of the last loss of each sequence alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.one_loss import Entries, entries, last_entry, sent_alone
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.slopes import loses_slopes, true_record
from rnnviz.core import Trace
from rnnviz.core.layers import Traces
from rnnviz.core.network import NetworkTrace
from rnnviz.core.numerics import Array, log10_rms
from rnnviz.core.trace import state_log10
from rnnviz.models.diagnosis.finding import E_FOLD_LOG10


@dataclass(frozen=True, eq=False)
class Decay:
    """Of one layer and direction, in its own order, counted from the step of the loss.

    trace: the pass back of these losses alone, with true slopes. log10 (lags,): ‖∂ℓ/∂s_{T−k}‖ /
    ‖∂ℓ/∂s_T‖ at k = 0, 1, ..., T − 1, in decades, RMS over the sequences that have so many steps.
    rounded (lags,): whether it is only by rounding that nothing is left. own: log10 ‖∂ℓ/∂s_T‖, RMS
    over the sequences. format: the number format of the run.
    """

    layer: int
    direction: int
    trace: Trace
    log10: Array
    rounded: Array
    own: float
    format: str

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


def decays(network: NetworkTrace) -> list[Decay]:
    """How the last loss of each sequence travels through every layer and direction that it enters,
    the input's layer first.

    The last of a direction is the one that enters last in its own order: where there are losses at
    many steps, that of the other direction is another one.
    """
    outside = entries(network.layers)
    directions = range(len(network.layers[0]))
    ends = [last_entry(outside, d) for d in directions]
    asked = [_steps_of(network, ends, d) for d in directions]
    alike = all(np.array_equal(*pair) for pair in zip(asked[0], asked[-1], strict=True))
    found: list[Decay] = []
    for some in [directions] if alike else [[d] for d in directions]:
        passed = _sent_back(network.layers, outside, asked[some[0]])
        found += _of_pass(passed, network, ends, some)
    return sorted(found, key=lambda one: (one.layer, one.direction))


def _steps_of(network: NetworkTrace, ends: Sequence[Array], direction: int) -> list[Array]:
    """At which steps of each direction, (T, B) of bool, the last loss of one direction enters: one
    that reads the outputs of a step reads those of both there."""
    last, trace = ends[direction], network.layers[0][direction]
    lengths = trace.seq_len if trace.lengths is None else trace.lengths
    turned = network.network.readout == "aligned" and network.d_y.any()
    other = np.where(last > 0, lengths + 1 - last, 0) if turned else last
    steps = np.arange(1, trace.seq_len + 1)[:, None]
    return [steps == (last if d == direction else other) for d in range(len(ends))]


def _sent_back(layers: Traces, outside: Entries, at: Sequence[Array]) -> Traces:
    """With the slopes of pre-activations where those of recorded values have lost their digits."""
    passed = sent_alone(layers, outside, at)
    if not any(loses_slopes(t, k > 0) for k, layer in enumerate(passed) for t in layer):
        return passed
    del passed  # the two are never in memory together
    with np.errstate(all="ignore"):
        true = [[true_record(trace) for trace in layer] for layer in layers]
        return sent_alone(layers, outside, at, true)


def _of_pass(
    passed: Traces, network: NetworkTrace, ends: Sequence[Array], directions: Sequence[int]
) -> Iterator[Decay]:
    """Of some directions of a pass, the last layer first."""
    above = False
    for k, layer in reversed(list(enumerate(passed))):
        zeros = [_rounded(trace, above) for trace in layer]
        for d in directions:
            form = network.layers[k][d].h.dtype.name
            if (one := _decay(layer[d], zeros[d], ends[d], (k, d), form)) is not None:
                yield one
        above = above or any(bool(zero.any()) for zero in zeros)


def _decay(
    trace: Trace, rounded: Array, ends: Array, place: tuple[int, int], form: str
) -> Decay | None:
    """None of a layer that no loss enters."""
    state = state_log10(trace)
    nothing = np.isneginf(state[ends, np.arange(len(ends))])
    ends = np.where(nothing, 0, ends)
    if not ends.any():
        return None
    lags, some = range(int(ends.max())), np.flatnonzero(ends)
    left = np.array([_left(state, ends, lag) for lag in lags])
    zero = np.array([np.isneginf(left[lag]) and _any_at(rounded, ends, lag) for lag in lags])
    own = float(log10_rms(state[ends[some], some]))
    return Decay(*place, trace, left, zero, own, form)


def _rounded(trace: Trace, above: bool) -> Array:
    """(T+1, B): where the gradient of a state is 0, and would not be in exact arithmetic. above:
    whether that is so in a layer above, which then sends zeros that may be none."""
    zero = np.isneginf(state_log10(trace))
    if above or not zero.any():
        return zero
    open_ = reachable(trace)
    some = open_.h if open_.carry is None else open_.h | open_.carry
    return np.logical_and(zero, some.any(axis=1))


def _left(state: Array, ends: Array, lag: int) -> float:
    """Decades left at a lag, of the sequences that have it."""
    some = np.flatnonzero(ends > lag)
    with np.errstate(invalid="ignore"):
        back, end = (log10_rms(state[ends[some] - k, some]) for k in (lag, 0))
        return float(back - end)


def _any_at(flags: Array, ends: Array, lag: int) -> bool:
    some = np.flatnonzero(ends > lag)
    return bool(flags[ends[some] - lag, some].any())
