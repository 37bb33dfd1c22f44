"""How the error travels into the past: gradient norms through time, their slope, their reach.

Dimensions: T time steps, B batch, H hidden_size. Magnitudes are log10; each point has a `Status`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.reachability import Reachable, reachable
from rnnviz.core import Trace, checks
from rnnviz.core.numerics import (
    LOG10_2,
    Status,
    log10_hypot,
    log10_norm,
    log10_rms,
    status_of,
)

Array = np.ndarray

LEVEL = 0.02
"""Decades per step up to which a curve is called level."""
ACCURACY = 1e-9
"""Decades: what the curves are promised to be right to."""
LOG10_E = float(np.log10(np.e))


@dataclass(frozen=True, eq=False)
class Curve:
    """A magnitude at every step: log10 (T+1,) and status (T+1,), int8 of `Status`. Index t is
    step t, 0 the initial state."""

    log10: Array
    status: Array

    def value(self, step: int) -> tuple[float, Status]:
        """(log10, status) at one step."""
        return float(self.log10[step]), Status(self.status[step])


@dataclass(frozen=True)
class Rate:
    """A change per step back in time, in decades."""

    decades_per_step: float

    @property
    def factor_per_step(self) -> float:
        """What one step back multiplies the error with."""
        return float(10.0**self.decades_per_step)

    @property
    def verdict(self) -> str:
        """vanishes, explodes or level (within ±0.02 decades per step)."""
        if abs(self.decades_per_step) <= LEVEL:
            return "level"
        return "vanishes" if self.decades_per_step < 0 else "explodes"

    @property
    def halving_steps(self) -> float | None:
        """Steps in which the error halves (or doubles, if it explodes); None if level."""
        return None if self.verdict == "level" else LOG10_2 / abs(self.decades_per_step)

    @property
    def e_fold_steps(self) -> float | None:
        """The horizon: steps in which the error changes e-fold; None if level."""
        return None if self.verdict == "level" else LOG10_E / abs(self.decades_per_step)


@dataclass(frozen=True)
class Slope(Rate):
    """The least-squares line through log10 ‖∂L/∂s_t‖ for start <= t <= stop.

    r2: its coefficient of determination (1 for a curve that is straight to 1e-9 decades);
    points: how many steps of the window were finite and entered.
    """

    start: int
    stop: int
    r2: float
    points: int


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """What one model's recorded gradients say. Norms are ‖·‖₂ of each sequence, RMS over the batch.

    state: ‖∂L/∂s_t‖, s = h, or s = (h, c) with h and c as independent coordinates.
    h, c: ‖∂L/∂h_t‖ and ‖∂L/∂c_t‖, total gradients as autograd defines them; c None without one.
    direct: ‖∂⁺L/∂h_t‖, through the output of step t alone; not recorded at step 0.
    units, units_status (H, T+1): log10 |∂L/∂h_t| of each unit, RMS over the batch.
    slope: of `state`; None with fewer than two finite points in the window.
    reach_log10, reach_status: state at step 1 relative to `reach_from`, the last step that any
    error enters (T unless the loss leaves out the last steps).
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

    @property
    def seq_len(self) -> int:
        return len(self.state.log10) - 1

    @property
    def rate(self) -> Rate | None:
        """The rate that verdicts state, see `mean_rate`."""
        return mean_rate(self.state)


def gradient_flow(trace: Trace, label: str, scale: float = 1.0) -> GradientFlow:
    """The gradient norms of `trace` through time.

    ‖∂L/∂s_t‖² = ‖d_h[t]‖² + ‖f_{t+1} ∘ d_c[t+1]‖² for an LSTM (the second term, the carry, is 0
    at t = T), ‖d_h[t]‖² for the others. Source: THEORY E9: h_t and c_t independent.
    scale multiplies every gradient: the batch size turns gradients of a loss that is a mean over
    the batch into those of each sequence's own loss.
    Raises ValueError if scale is not positive and finite.
    """
    shift = float(np.log10(checks.number("scale", scale, np.finfo(float).tiny)))
    h = log10_norm(trace.d_h, 1, trace.d_log2)
    parts = {
        "h": h,
        "state": state_log10(trace, h),
        "direct": np.pad(log10_norm(trace.d_h_direct, 1), ((1, 0), (0, 0)), constant_values=np.nan),
    }
    if trace.d_c is not None:
        parts["c"] = log10_norm(trace.d_c, 1, trace.d_log2)
    norms = {name: log10_rms(values) + shift for name, values in parts.items()}
    units = _unit_log10(trace) + shift
    hidden = (norms[name] for name in norms if name != "direct")
    has_zero = any(np.isneginf(v).any() for v in (*hidden, units))
    return _assemble(trace, label, norms, units, reachable(trace) if has_zero else None)


def state_log10(trace: Trace, h: Array | None = None) -> Array:
    """log10 ‖∂L/∂s_t‖ of each sequence, (T+1, B); `h` is log10 ‖d_h[t]‖ if it is known already."""
    h = log10_norm(trace.d_h, 1, trace.d_log2) if h is None else h
    carried = cell_carry(trace)
    if carried is None:
        return h
    result = h.copy()
    result[:-1] = log10_hypot(h[:-1], log10_norm(carried, 1, trace.d_log2[1:]))
    return result


def cell_carry(trace: Trace) -> Array | None:
    """∂L/∂c_t with h_t held fixed, (T, H, B) for t = 0 .. T−1, in units of 2**d_log2[t+1].

    f_{t+1} ∘ d_c[t+1]: what reaches c_t from c_{t+1}. None without a cell state. A cell in
    which c_t feeds more than c_{t+1} (peepholes) adds its paths here.
    """
    if not trace.cell.HAS_CELL_STATE or trace.d_c is None:
        return None
    assert trace.cell.MEMORY_GATE is not None
    with np.errstate(all="ignore"):
        return trace.gates[trace.cell.MEMORY_GATE] * trace.d_c[1:]


def state_curve(trace: Trace) -> Curve:
    """‖∂L/∂s_t‖ alone, RMS over the batch; zeros are not told apart."""
    log10 = log10_rms(state_log10(trace))
    return Curve(log10, status_of(log10))


def fit_slope(curve: Curve, start: int = 1, stop: int | None = None) -> Slope | None:
    """Least squares of log10 against steps back in time, finite points of start <= t <= stop.

    stop is T − 1 unless given: at T an LSTM's cell state has not yet taken any error.
    """
    stop = len(curve.log10) - 2 if stop is None else stop
    steps = np.arange(start, stop + 1)
    steps = steps[np.isfinite(curve.log10[start : stop + 1])]
    if len(steps) < 2:
        return None
    y = curve.log10[steps]
    t, dy = steps - steps.mean(), y - y.mean()
    slope = float(t @ dy / (t @ t))
    residual = dy - slope * t
    straight = np.abs(residual).max() < ACCURACY
    r2 = 1.0 if straight else float(1 - residual @ residual / (dy @ dy))
    return Slope(-slope, start, stop, r2, len(steps))


def mean_rate(state: Curve) -> Rate | None:
    """The reach back to step 1 divided by its number of steps, so that rate and reach agree:
    after n steps the error is factor_per_step**n. The slope where the reach is zero or unknown.
    """
    log10, _, start = _reach(state)
    if start > 1 and np.isfinite(log10):
        return Rate(log10 / (start - 1))
    return fit_slope(state)


def _unit_log10(trace: Trace) -> Array:
    """log10 |∂L/∂h_t| of each unit (H, T+1), RMS over the batch."""
    if not trace.d_log2.any():
        return (log10_norm(trace.d_h, 2) - 0.5 * np.log10(trace.batch_size)).T
    with np.errstate(divide="ignore"):
        each = np.log10(np.abs(trace.d_h)) + trace.d_log2[:, None] * LOG10_2
    return log10_rms(each).T


def _assemble(
    trace: Trace, label: str, norms: dict[str, Array], units: Array, open_: Reachable | None
) -> GradientFlow:
    pattern = _patterns(open_)
    curves = {name: Curve(v, status_of(v, pattern.get(name))) for name, v in norms.items()}
    curves["direct"].status[0] = Status.NOT_RECORDED
    state = curves["state"]
    log10, status, start = _reach(state)
    return GradientFlow(
        label=label,
        kind=type(trace.cell).__name__.lower(),
        state=state,
        h=curves["h"],
        c=curves.get("c"),
        direct=curves["direct"],
        units=units,
        units_status=status_of(units, None if open_ is None else np.any(open_.h, axis=2).T),
        slope=fit_slope(state),
        reach_log10=log10,
        reach_status=status,
        reach_from=start,
    )


def _patterns(open_: Reachable | None) -> dict[str, Array]:
    """Which steps of each curve can be other than zero."""
    if open_ is None:
        return {}
    found = {"h": open_.h, "c": open_.c, "carry": open_.carry}
    steps = {name: np.any(p, axis=(1, 2)) for name, p in found.items() if p is not None}
    return {**steps, "state": steps["h"] | steps.get("carry", False)}


def _reach(state: Curve) -> tuple[float, Status, int]:
    """(log10, status, from which step) of the state at step 1 relative to where error enters."""
    present = np.flatnonzero(~np.isneginf(state.log10))
    start = int(present[-1]) if len(present) and present[-1] > 0 else len(state.log10) - 1
    reference = state.log10[start]
    first, status = state.value(1)
    if not np.isfinite(reference):
        return np.nan, Status.NAN if len(present) else status, start
    ratio = first - reference
    same = status in (Status.ZERO, Status.ROUNDED)
    return float(ratio), status if same else Status(status_of(np.array([ratio]))[0]), start
