"""What ends a training, in words: what is first not finite, and what was too large before it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnviz.core.layers import outputs
from rnnviz.core.network import Examples, NetworkTrace
from rnnviz.core.numerics import Array
from rnnviz.core.places import NotFinite, first_in, first_not_finite

READOUT = ("W_hy", "b_y")
POWERS = {
    "squared_error": {"output": 2, "target": 2, "mask": 1},
    "softmax_cross_entropy": {"output": 1, "mask": 1},
    "projection": {"output": 1, "target": 1, "mask": 1},
}
"""Loss -> what it is made of, and to which power."""


def bad(what: str, arrays: Mapping[str, Array]) -> str:
    """The first entry that is not finite, put into words; "" if all are."""
    place = first_in(arrays)
    return "" if place is None else f"{what.format(place.name)} is {place.kind} at {place.where}"


def bad_forward(trace: NetworkTrace, batch: Examples, first: bool) -> str:
    """The first thing in the forward pass that is not finite, "" if the loss is finite. first: at
    the first training step."""
    if np.isfinite(trace.loss):
        return ""
    if what := bad("the parameter {}", trace.params):
        return what
    for number, layer in enumerate(trace.layers, 1):
        for record in layer:
            if place := first_not_finite(record):
                return _place(place, number)
    return _large(trace, batch, first)


def _place(place: NotFinite, layer: int) -> str:
    t, row, sequence = place.index
    if place.name == "x":
        return (f"the input of layer {layer} is {place.kind} (time step {t + 1}, "
                f"feature {row + 1}, sequence {sequence + 1})")  # fmt: skip
    return (f"the state {place.name} of layer {layer} is {place.kind} (from time step {t} on; "
            f"first unit {row + 1} of sequence {sequence + 1})")  # fmt: skip


def _large(trace: NetworkTrace, batch: Examples, first: bool) -> str:
    """A loss that is not finite although all states are: something that it is made of is too large.
    first: at the first training step, before which there was no gradient."""
    kind = "NaN" if np.isnan(trace.loss) else "inf"
    early = ", before there is a gradient that could be clipped" if first else ""
    return f"the loss is {kind} ({_largest(trace, batch)}{early})"


def _largest(trace: NetworkTrace, batch: Examples) -> str:
    """What makes the loss so large, at the time step at which it is: outputs, targets or mask."""
    t = _worst_step(trace.loss_by_step)
    asked = (batch.mask[t] > 0) & trace.trace.present[t]
    of_loss = {"output": trace.y, "target": batch.target, "mask": batch.mask}
    size = {name: _log10_peak(of_loss[name][t][..., asked]) for name in POWERS[batch.loss]}
    name = max(size, key=lambda name: POWERS[batch.loss][name] * size[name])
    if name == "output":
        return _largest_of_output(trace, t, asked)
    return f"the {name} reaches 10^{size[name]:.1f} at time step {t + 1}"


def _largest_of_output(trace: NetworkTrace, t: int, asked: Array) -> str:
    """What is largest in W_hy h_t + b_y, over the sequences that are asked."""
    h = outputs(trace.layers[-1], trace.network.readout == "aligned")[t][:, asked]
    state, weight, bias = map(_log10_peak, (h, trace.params["W_hy"], trace.params["b_y"]))
    if bias >= state + weight:
        return f"b_y of the readout reaches 10^{bias:.1f}"
    if weight >= state:
        return f"W_hy of the readout reaches 10^{weight:.1f}"
    number = len(trace.layers)
    said = f"the state h of layer {number} reaches 10^{state:.1f} at time step {t + 1}"
    return _largest_of_state(trace, state) or said


def _largest_of_state(trace: NetworkTrace, state: float) -> str:
    """The input or the parameter that alone makes for half the decades of a state or more; "" where
    it has grown over time."""
    size = {name: _log10_peak(p) for name, p in trace.params.items() if name not in READOUT}
    name = max(size, key=lambda name: size[name])
    x = np.where(trace.trace.present[:, None], trace.trace.x, 0)
    given = _log10_peak(x)
    if max(given, size[name]) < state / 2:
        return ""
    if size[name] > given:
        return f"the parameter {name} reaches 10^{size[name]:.1f}"
    t = int(np.abs(x).max(axis=(1, 2)).argmax())
    return f"the input of layer 1 reaches 10^{given:.1f} at time step {t + 1}"


def _worst_step(loss_by_step: Array) -> int:
    """The first whose loss is not finite; the one of the largest loss if their sum alone is not."""
    broken = ~np.isfinite(loss_by_step)
    return int(broken.argmax() if broken.any() else np.abs(loss_by_step).argmax())


def _log10_peak(values: Array) -> float:
    """log10 of the largest size; −inf of zeros, inf of what is beyond the range."""
    with np.errstate(divide="ignore"):
        peak = float(np.log10(np.abs(values.astype(np.float64)).max(initial=0.0)))
    return float("inf") if np.isnan(peak) else peak
