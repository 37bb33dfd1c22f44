"""One run in a few numbers, for tables and diagrams of many runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import from_own_ends, gradient_flow, state_curve
from rnnviz.analysis.lags import finite_time_exponent
from rnnviz.analysis.linear_growth import linear_growth
from rnnviz.analysis.rates import LOG10_E, Curve, gradient_ratio, whole_slope
from rnnviz.analysis.slopes import with_true_slopes
from rnnviz.analysis.truncated import check_whole
from rnnviz.core import Trace
from rnnviz.core.numerics import Array, Status, status_of
from rnnviz.core.places import first_not_finite
from rnnviz.core.trace import state_log10


@dataclass(frozen=True)
class Measures:
    """What one model's state gradient ‖∂L/∂s_t‖ does on its way from step T to step 1.

    slope: decades per step back, the least-squares line over steps 1..T−1, of sequences of
    different lengths from their own ends; r2: how straight the curve is. None with fewer than two
    finite points, and where a step on the way is NaN or infinite.
    horizon: steps back after which 1/e of the error is left by that line; ∞ where it does not
    fall. None without a slope.
    reach_log10, reach_status: log10 of what is left at step 1 of the error at the last step that
    error enters. None where that is no number; `reach_status` says why. Where the states explode on
    the way forward the status is ABOVE, and the size that of `linear_growth`, if there is one.
    final_log10, final_status: log10 ‖∂L/∂s_1‖ itself, as the gradient of each sequence's own loss.
    lambda_1, lambda_1_status: ln ‖∂s_T/∂s_0‖₂ / T of the first sequence, the finite-time exponent
    over T steps, in nats a step; NOT_RECORDED where it would take too long, NAN where a state is
    not finite on which a slope depends.
    """

    slope: float | None
    r2: float | None
    horizon: float | None
    reach_log10: float | None
    reach_status: Status
    final_log10: float | None
    final_status: Status
    lambda_1: float | None
    lambda_1_status: Status


def measures(trace: Trace, scale: float = 1.0) -> Measures:
    """The numbers of one trace, with true slopes. scale multiplies every gradient, as in
    `gradient_flow`. Raises `Truncated` of a truncated pass."""
    check_whole("measures", trace)
    trace = with_true_slopes(trace)
    each = state_log10(trace)
    state, own = _state(trace, each, scale), from_own_ends(trace, each)
    line, (ratio, ratio_status, _) = whole_slope(state), gradient_ratio(state)
    slope = line if own is None else own.rate
    reach = _finite(ratio if own is None else own.reach_log10)
    if np.isnan(ratio) and _explodes(trace):
        reach, ratio_status = linear_growth(trace), Status.ABOVE
    final, final_status = state.value(1)
    exponent, exponent_status = _lambda_1(trace)
    return Measures(
        slope=None if slope is None else slope.decades_per_step,
        r2=None if line is None else line.r2,
        horizon=None if slope is None else horizon(slope.decades_per_step),
        reach_log10=reach,
        reach_status=ratio_status,
        final_log10=_finite(final),
        final_status=final_status,
        lambda_1=_finite(exponent),
        lambda_1_status=exponent_status,
    )


def _explodes(trace: Trace) -> bool:
    """Whether the states end in infinity by themselves."""
    found = None if np.isfinite(trace.h).all() else first_not_finite(trace)
    return found is not None and found.is_state


def _lambda_1(trace: Trace) -> tuple[float, Status]:
    try:
        return finite_time_exponent(trace)
    except ValueError:  # larger than that analysis allows
        return np.nan, Status.NOT_RECORDED


def _state(trace: Trace, each: Array, scale: float) -> Curve:
    """The state gradient; which zeros are exact is found out only where there is one. each: its
    log10 of each sequence."""
    plain = state_curve(trace, each)
    if np.isneginf(plain.log10).any():
        return gradient_flow(trace, "", scale).state
    log10 = plain.log10 + np.log10(scale)
    return Curve(log10, status_of(log10))


def horizon(decades_per_step: float) -> float:
    """Steps back after which 1/e of the error is left; ∞ where it does not fall."""
    return LOG10_E / -decades_per_step if decades_per_step < 0 else np.inf


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
