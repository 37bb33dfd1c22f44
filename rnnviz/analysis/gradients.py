"""How the error travels into the past: gradient norms through time, their slope, their reach.

Dimensions: T time steps, B batch, H hidden_size. Magnitudes are log10; each point has a `Status`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from rnnviz.analysis.rates import (
    Curve,
    Drop,
    Rate,
    Slope,
    gradient_ratio,
    mean_rate,
    single_drop,
    whole_slope,
)
from rnnviz.analysis.reachability import Reachable, enters_in_truth, reachable
from rnnviz.core import Trace, checks
from rnnviz.core.numerics import Array, Status, log10_hypot, log10_norm, log10_rms, status_of
from rnnviz.core.places import NotFinite, first_not_finite
from rnnviz.core.trace import rms_over_batch, sequences_at, state_log10

Steps = TypeVar("Steps", int, Array)


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """What one model's recorded gradients say. Norms are ‖·‖₂ of each sequence, RMS over the batch,
    at each step over the sequences that have it.

    state: ‖∂L/∂s_t‖, s = h, or s = (h, c) with h and c as independent coordinates.
    h, c: ‖∂L/∂h_t‖ and ‖∂L/∂c_t‖, total gradients as autograd defines them; c None without one.
    direct: ‖∂⁺L/∂h_t‖, through the output of step t alone; not recorded at step 0.
    units, units_status (H, T+1): log10 |∂L/∂h_t| of each unit, RMS over the batch.
    slope: of `state`; None with fewer than two finite points in the window, and where a step of it
    is NaN or infinite.
    reach_log10, reach_status: state at step 1 relative to `reach_from`, the last step that any
    error enters (T unless the loss leaves out the last steps).
    forward_ends: the first step at which a state itself is no longer finite; None if all are.
    own_rate: of sequences of different lengths whose errors enter at their own ends, once each: the
    rate of the steps back from there; the reach is then from these ends, too. None else.
    own_span: the steps back from the nearest of these ends; 0 else.
    not_finite: the parameter, input or state that is the first not to be; None if all are.
    fed: whether a layer below makes its input, which may have exploded there.
    window: of a truncated pass (`Trace.window`), else 0. Its gradients are not those of the product
    of all steps: there is no slope, rate or reach.
    direction: 1 of a layer that reads from the end. Its curves stay in its own order of
    processing; step t of its own has just read x at step `real_step(t)`.
    """

    label: str
    kind: str
    state: Curve
    h: Curve
    c: Curve | None
    direct: Curve
    units: Array
    units_status: Array
    slope: Slope | None
    reach_log10: float
    reach_status: Status
    reach_from: int
    forward_ends: int | None = None
    not_finite: NotFinite | None = None
    direction: int = 0
    own_rate: Rate | None = None
    own_span: int = 0
    window: int = 0
    fed: bool = False

    @property
    def seq_len(self) -> int:
        return len(self.state.log10) - 1

    def real_step(self, step: Steps) -> Steps:
        """The input's step that belongs to a step (from 1 on) of the curves; an array of many."""
        return step if self.direction == 0 else self.seq_len + 1 - step

    @property
    def rate(self) -> Rate | None:
        """The rate that verdicts state, see `mean_rate`."""
        return None if self.window else self.own_rate or mean_rate(self.state)

    @property
    def span(self) -> int:
        """Steps back that the error of every sequence travels at least, on its way to step 1."""
        return self.own_span or self.reach_from - 1

    @property
    def drop(self) -> Drop | None:
        """The one step that loses most of the error, if one does."""
        return None if self.enters_on_the_way or self.window else single_drop(self.state)

    @property
    def empty(self) -> bool:
        """Whether no step has any error: none arrives from the loss or the layer above."""
        return bool(np.isin(self.state.status[1:], (Status.ZERO, Status.ROUNDED)).all())

    @property
    def enters_on_the_way(self) -> bool:
        """Whether error enters the curve at more than one step, be it each sequence's own end."""
        return self.refilled or self.own_rate is not None

    @property
    def refilled(self) -> bool:
        """Whether error also enters before `reach_from`: then a level total gradient is no proof
        of memory, for what was lost is replaced on the way."""
        return self.own_rate is None and bool(
            np.any(self.direct.status[1 : self.reach_from] != Status.ZERO)
        )


def gradient_flow(trace: Trace, label: str, scale: float = 1.0, direction: int = 0) -> GradientFlow:
    """The gradient norms of `trace` through time.

    ‖∂L/∂s_t‖² = ‖d_h[t]‖² + ‖f_{t+1} ∘ d_c[t+1]‖² for an LSTM (the second term, the carry, is 0
    at t = T), ‖d_h[t]‖² for the others. Source: THEORY E9: h_t and c_t independent.
    scale multiplies every gradient: the batch size turns gradients of a loss that is a mean over
    the batch into those of each sequence's own loss. direction: 1 if the layer reads from the
    end. Steps at which all sequences are padded are left out.
    Raises ValueError if scale is not positive and finite.

    Examples
    --------
    >>> flow = analysis.gradient_flow(rnn, "RNN")
    >>> flow.state.log10.shape  # ‖∂L/∂s_t‖ at t = 0 to 20
    (21,)
    >>> round(flow.reach_log10, 1)  # decades from step 20 back to step 1
    -5.8
    """
    shift = float(np.log10(checks.number("scale", scale, checks.ABOVE_0)))
    h = log10_norm(trace.d_h, 1, trace.d_log2)
    parts = {
        "h": h,
        "state": state_log10(trace, h),
        "direct": _direct_log10(trace),
    }
    if trace.d_c is not None:
        parts["c"] = log10_norm(trace.d_c, 1, trace.d_c_log2)
    norms = {name: rms_over_batch(trace, values) + shift for name, values in parts.items()}
    units = _unit_log10(trace) + shift
    hidden = (norms[name] for name in norms if name != "direct")
    has_zero = any(np.isneginf(v).any() for v in (*hidden, units))
    stop = trace.longest + 1
    norms = {name: values[:stop] for name, values in norms.items()}
    open_ = reachable(trace) if has_zero else None
    flow = _assemble(trace, label, norms, units[:, :stop], open_, direction)
    own = None if trace.window else from_own_ends(trace, parts["state"])
    if own is None:
        return flow
    return replace(flow, reach_log10=own.reach_log10, own_rate=own.rate, own_span=own.span)


class OwnEnds(NamedTuple):
    """`GradientFlow.reach_log10`, `own_rate` and `own_span`, counted from each sequence's own
    end."""

    reach_log10: float
    rate: Rate
    span: int


def from_own_ends(trace: Trace, state: Array) -> OwnEnds | None:
    """Of sequences of different lengths whose error enters at their own ends alone; None of others.
    state: log10 ‖∂L/∂s_t‖ of each sequence, (T+1, B)."""
    if trace.lengths is None or np.ptp(trace.lengths) == 0:
        return None
    entered = trace.enters
    last = len(entered) - np.argmax(entered[::-1], axis=0)
    if (entered.sum(axis=0) != 1).any() or (last < 2).any():
        return None
    ends, first = state[last, np.arange(len(last))], state[1]
    if not (np.isfinite(ends).all() and np.isfinite(first).all()):
        return None
    rate = Rate(float((first - ends).sum() / (last - 1).sum()))
    return OwnEnds(float(log10_rms(first) - log10_rms(ends)), rate, int(last.min()) - 1)


def state_curve(trace: Trace, state: Array | None = None) -> Curve:
    """‖∂L/∂s_t‖ alone, RMS over the batch; zeros are not told apart, and steps at which all
    sequences are padded are left out. state: its log10 of each sequence, (T+1, B), if it is known
    already."""
    every = rms_over_batch(trace, state_log10(trace) if state is None else state)
    log10 = every[: trace.longest + 1]
    return Curve(log10, status_of(log10))


def _direct_log10(trace: Trace) -> Array:
    """log10 ‖∂⁺L/∂s_t‖ of each sequence, (T+1, B); NaN at the initial state, which has none."""
    direct, log2 = trace.d_h_direct, trace.direct_log2
    result = np.full((len(direct) + 1, trace.batch_size), -np.inf)
    result[0] = np.nan
    present = np.flatnonzero(direct.reshape(len(direct), -1).any(axis=1))
    result[present + 1] = log10_norm(direct[present], 1, 0 if log2 is None else log2[present])
    if trace.d_c_direct is not None:
        result[1:] = log10_hypot(result[1:], log10_norm(trace.d_c_direct, 1))
    return result


def _unit_log10(trace: Trace) -> Array:
    """log10 |∂L/∂h_t| of each unit (H, T+1), RMS over the batch."""
    mean = 0.5 * np.log10(sequences_at(trace))[:, None]
    return (log10_norm(trace.d_h, 2, trace.d_log2) - mean).T


def _assemble(
    trace: Trace,
    label: str,
    norms: dict[str, Array],
    units: Array,
    open_: Reachable | None,
    direction: int,
) -> GradientFlow:
    stop = len(norms["h"])
    pattern = {name: steps[:stop] for name, steps in _patterns(open_).items()}
    if trace.direct_reaches is not None:
        direct = enters_in_truth(trace).any(axis=(1, 2))
        pattern["direct"] = np.append(False, direct)[:stop]
    curves = {name: Curve(v, status_of(v, pattern.get(name))) for name, v in norms.items()}
    curves["direct"].status[0] = Status.NOT_RECORDED
    state = curves["state"]
    log10, status, start = gradient_ratio(state)
    forward_ends = _forward_ends(trace)
    return GradientFlow(
        label=label,
        kind=type(trace.cell).__name__.lower(),
        state=state,
        h=curves["h"],
        c=curves.get("c"),
        direct=curves["direct"],
        units=units,
        units_status=status_of(units, None if open_ is None else np.any(open_.h[:stop], axis=2).T),
        slope=None if trace.window else whole_slope(state),
        reach_log10=np.nan if trace.window else log10,
        reach_status=Status.NOT_RECORDED if trace.window else status,
        reach_from=start,
        forward_ends=forward_ends,
        not_finite=None if forward_ends is None else first_not_finite(trace),
        direction=direction,
        window=trace.window,
    )


def _forward_ends(trace: Trace) -> int | None:
    """The first step at which a state is not finite; None if all are."""
    finite = np.isfinite(trace.h).all(axis=(1, 2))
    return None if finite.all() else int(np.argmin(finite))


def _patterns(open_: Reachable | None) -> dict[str, Array]:
    """Which steps of each curve can be other than zero."""
    if open_ is None:
        return {}
    found = {"h": open_.h, "c": open_.c, "carry": open_.carry}
    steps = {name: np.any(p, axis=(1, 2)) for name, p in found.items() if p is not None}
    return {**steps, "state": steps["h"] | steps.get("carry", False)}
