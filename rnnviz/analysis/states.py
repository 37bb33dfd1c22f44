"""What each unit holds, and what the loss still hears of it: h and c beside their gradients.

Dimensions: T time steps, B batch, H hidden_size. Magnitudes are log10; each point has a `Status`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gates import memory
from rnnviz.analysis.layers import LayerTrace, in_real_time
from rnnviz.analysis.reachability import reachable
from rnnviz.core import Trace
from rnnviz.core.numerics import Array, log10_norm, status_of


@dataclass(frozen=True, eq=False)
class State:
    """One state, "h" or "c", of one layer: sequence 0, at the steps 1 to T of the input.

    values (H, T): as computed. log10, status (H, T): |∂L/∂h_t| or |∂L/∂c_t| of each unit, total
    gradients as autograd defines them, L the sequence's own loss: the batch's is their mean, and is
    taken for that where it is known by its gradients alone.
    """

    label: str
    kind: str
    name: str
    values: Array
    log10: Array
    status: Array


def layer_states(part: LayerTrace) -> tuple[State, ...]:
    """h and, where the cell has one, c; padding left out.

    Examples
    --------
    >>> part = analysis.layer_traces(run["lstm"], "LSTM")[0]
    >>> [(state.name, state.values.shape) for state in analysis.layer_states(part)]
    [('h', (8, 20)), ('c', (8, 20))]
    """
    trace = part.trace
    gradients = {"h": _log10(trace, trace.d_h, trace.d_log2)}
    values = {"h": trace.h}
    if trace.c is not None and trace.d_c is not None:
        gradients["c"] = _log10(trace, trace.d_c, trace.d_c_log2)
        values["c"] = trace.c
    zero = any(np.isneginf(each).any() for each in gradients.values())
    to = reachable(trace)._asdict() if zero else {}
    return tuple(
        _state(part, name, values[name], log10, to.get(name)) for name, log10 in gradients.items()
    )


def _log10(trace: Trace, gradient: Array, log2: Array) -> Array:
    """Of sequence 0 at steps 1 to T (T, H). The loss of a run is a mean over its batch."""
    exponents = np.broadcast_to(log2, gradient.shape)[1:, :, :1]
    return log10_norm(gradient[1:, :, :1], 2, exponents) + np.log10(trace.batch_size)


def _state(part: LayerTrace, name: str, values: Array, log10: Array, to: Array | None) -> State:
    steps, status = part.trace.steps_of(0), status_of(log10, None if to is None else to[1:, :, 0])

    def of_units(array: Array) -> Array:
        return in_real_time(np.ascontiguousarray(array[:steps].T), part.direction, axis=1)

    kind = type(part.trace.cell).__name__.lower()
    shown = of_units(values[1:, :, 0]), of_units(log10), of_units(status)
    return State(part.label, kind, name, *shown)


def lasting_units(part: LayerTrace) -> Array:
    """Unit indices, those that keep the longest first: by the half-lives of the memory gate or,
    without one, by |∂L/∂h| after the first step that the layer reads, of sequence 0."""
    kept = memory(part.trace, part.label)
    if kept is not None:
        return kept.order[::-1]
    first = _log10(part.trace, part.trace.d_h, part.trace.d_log2)[0]
    return np.argsort(np.where(np.isnan(first), np.inf, -first), kind="stable")
