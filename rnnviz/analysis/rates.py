"""Magnitudes through time, and the rates at which they change.

Going back in time: a rate is what one step into the past multiplies the error with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import LOG10_2, Array, Status, status_of

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


def fit_slope(curve: Curve, start: int = 1, stop: int | None = None) -> Slope | None:
    """Least squares of log10 against steps back in time, finite points of start <= t <= stop.

    stop is T − 1 unless given: at T an LSTM's cell state has not yet taken any error.

    Examples
    --------
    >>> curve = analysis.gradient_flow(rnn, "RNN").state
    >>> slope = analysis.fit_slope(curve)
    >>> round(slope.decades_per_step, 2), slope.start, slope.stop
    (-0.31, 1, 19)
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


def whole_slope(curve: Curve) -> Slope | None:
    """`fit_slope` of all steps; None where one of them is no number: the others are not its way."""
    inner = curve.log10[1:-1]
    return None if (np.isnan(inner) | np.isposinf(inner)).any() else fit_slope(curve)


def mean_rate(state: Curve) -> Rate | None:
    """The reach back to step 1 divided by its number of steps, so that rate and reach agree:
    after n steps the error is factor_per_step**n. The slope where the reach is zero; None where a
    step on the way is no number.

    Examples
    --------
    >>> rate = analysis.mean_rate(analysis.gradient_flow(rnn, "RNN").state)
    >>> bool(rate.factor_per_step < 1)  # it falls on its way back
    True
    """
    log10, _, start = gradient_ratio(state)
    if start > 1 and np.isfinite(log10):
        return Rate(log10 / (start - 1))
    return whole_slope(state)


@dataclass(frozen=True)
class Drop:
    """One step back in which most of the error is lost, from `start` to `end`. log10: what is left
    of it, in decades; rest: the rate over all other steps."""

    start: int
    end: int
    log10: float
    rest: Rate


def single_drop(state: Curve) -> Drop | None:
    """The step back that loses more than half of all decades lost, at least one, and ten times as
    many as an average one of the others; None if there is no such step, or more arrives than was
    sent."""
    reach, _, start = gradient_ratio(state)
    if start < 4 or not np.isfinite(reach) or reach > 0:
        return None
    changes = -np.diff(state.log10[1 : start + 1])
    if not np.isfinite(changes).all():
        return None
    most = int(np.argmin(changes))
    lost, rest = float(changes[most]), float(np.delete(changes, most).mean())
    if lost > -1 or lost > 0.5 * reach or abs(lost) < 10 * abs(rest):
        return None
    return Drop(most + 2, most + 1, lost, Rate(rest))


def gradient_ratio(state: Curve) -> tuple[float, Status, int]:
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
