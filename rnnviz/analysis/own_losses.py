"""What single losses send back, each followed by itself, where one enters at many steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.rates import Curve
from rnnviz.core import Trace, backward, checks
from rnnviz.core.numerics import Array, Status

COUNT = 5
MOST_ENTRIES = 4_000_000
"""Gate values of a trace, T · G · B, beyond which no loss is followed: a backward pass for each
would take longer than the picture is worth."""


@dataclass(frozen=True, eq=False)
class OwnLoss:
    """state: ‖∂L_s/∂s_t‖ of the loss L_s at the step s alone, t = 0 to T, RMS over the batch; not
    recorded after s, where it has none."""

    label: str
    step: int
    state: Curve


def own_losses(
    trace: Trace, label: str, count: int = COUNT, scale: float = 1.0
) -> tuple[OwnLoss, ...]:
    """Of so many losses, spread evenly over the steps at which one enters, the last among them.
    Together, all of them would add up to the gradient of the trace. THEORY C2.

    scale multiplies every gradient, as in `gradient_flow`. One backward pass each; none of a trace
    of more than MOST_ENTRIES gate values, and none of a truncated pass, which cuts them off.

    Examples
    --------
    >>> every = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, loss_at="every"))
    >>> [loss.step for loss in analysis.own_losses(every["rnn"].trace, "RNN", count=4)]
    [6, 11, 15, 20]
    """
    if trace.window or trace.gate_values.size > MOST_ENTRIES:
        return ()
    shift = float(np.log10(checks.number("scale", scale, checks.ABOVE_0)))
    entered = np.flatnonzero(trace.enters.any(axis=1)) + 1
    if not len(entered):
        return ()
    places = np.linspace(0, len(entered) - 1, count + 1)[1:].round().astype(int)
    steps = entered[np.unique(places)].tolist()
    return tuple(OwnLoss(label, step, _alone(trace, step, shift)) for step in steps)


def _alone(trace: Trace, step: int, shift: float) -> Curve:
    h, c = trace.d_h_direct, trace.d_c_direct
    of_c = None if c is None else _at(c, step)
    found = state_curve(backward(trace.record, _at(h, step), trace.direct_log2, d_c_direct=of_c))
    after = np.arange(len(found.log10)) > step
    status = np.where(after, Status.NOT_RECORDED, found.status).astype(np.int8)
    return Curve(np.where(after, np.nan, found.log10 + shift), status)


def _at(direct: Array, step: int) -> Array:
    """The direct gradient of one step."""
    alone = np.zeros_like(direct)
    alone[step - 1] = direct[step - 1]
    return alone
