"""What an answer listens to: the derivative of one output by every input of its sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.rates import Curve
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.slopes import layers_with_true_slopes
from rnnviz.core import Trace
from rnnviz.core.network import NetworkTrace, backward_network, forward_network
from rnnviz.core.numerics import Array, log10_norm, status_of


@dataclass(frozen=True, eq=False)
class Saliency:
    """∂y_s/∂x_t of one output of one sequence, at the steps t = 1 to T.

    size: ‖∂y_s/∂x_t‖₂, at index t − 1. signed (T,): Σ_d ∂y_s/∂x_td · x_td, by how much the output
    would fall, to first order, if x_t became 0: of a symbol its own derivative.
    step, output: s, and which output.
    """

    label: str
    step: int
    output: int
    size: Curve
    signed: Array

    @property
    def seq_len(self) -> int:
        return len(self.signed)


def saliency(
    trace: NetworkTrace, label: str, step: int, output: int = 0, sequence: int = 0
) -> Saliency:
    """By one backward pass from y_s alone, with true slopes where units saturate. Later steps have
    0, unless a direction reads from the end.

    step: s, from 1 to the steps of the sequence. Raises ValueError for a step, an output or a
    sequence that the trace does not have.

    Examples
    --------
    >>> found = analysis.saliency(run["lstm"], "LSTM", step=20)
    >>> found.seq_len, bool(found.signed.any())
    (20, True)
    """
    first = trace.layers[0][0]
    if not 0 <= sequence < first.batch_size:
        raise ValueError(f"sequence must be 0 to {first.batch_size - 1}, got {sequence}")
    steps = first.steps_of(sequence)
    if not 1 <= step <= steps:
        raise ValueError(f"step must be 1 to {steps}, got {step}")
    outputs = trace.y.shape[1]
    if not 0 <= output < outputs:
        raise ValueError(f"output must be 0 to {outputs - 1}, got {output}")
    one = slice(sequence, sequence + 1)
    x = first.x[:steps, :, one]
    context = None if trace.context is None else trace.context[:, one]
    h0, c0 = _start(trace, one)
    record = forward_network(trace.network, trace.params, x, h0, c0, context=context)
    d_y = np.zeros_like(record.y)
    d_y[step - 1, output] = 1
    layers = layers_with_true_slopes(backward_network(record, d_y).layers, to_inputs=True)
    d_x, log2 = _of_input(layers[0])
    log10 = log10_norm(d_x, 1, log2)[:, 0]
    with np.errstate(all="ignore"):
        signed = np.ldexp((d_x.astype(np.float64) * x), log2).sum(axis=1)[:, 0]
    size = Curve(log10, status_of(log10, _reached(layers[0])))
    return Saliency(label, step, output, size, signed)


def _start(trace: NetworkTrace, one: slice) -> tuple[list[Array | None], list[Array | None]]:
    """The first states of the sequence, h and c of each layer and direction. A context makes those
    of the first layer."""
    h0: list[Array | None] = []
    c0: list[Array | None] = []
    for depth, layer in enumerate(trace.layers):
        for each in layer:
            made = depth == 0 and trace.context is not None
            h0.append(None if made else each.h[0][:, one])
            c0.append(None if made or each.c is None else each.c[0][:, one])
    return h0, c0


def _reached(first: Sequence[Trace]) -> Array:
    """(T,): at which steps the error reaches an input in exact arithmetic. Of a unit that closes,
    as a ReLU does, a zero is not one of rounding."""
    found = np.zeros(first[0].seq_len, bool)
    for direction, layer in enumerate(first):
        cell = layer.cell
        gates = [cell.activation_of(gate) for gate in cell.trainable_gates]
        if not cell.closes and not any(function.kinks for function in gates):
            open_ = np.logical_or.reduce(reachable(layer).h[1:], axis=(1, 2))
            found |= layer.params["W_xh"].any() & open_[:: -1 if direction else 1]
    return found


def _of_input(first: Sequence[Trace]) -> tuple[Array, Array]:
    """∂y_s/∂x (T, D, 1) of both directions of the first layer, and its exponents."""
    parts = []
    for direction, layer in enumerate(first):
        log2 = np.broadcast_to(layer.d_x_log2, layer.d_x.shape)
        order = slice(None, None, -1 if direction else 1)
        parts.append((layer.d_x[order].astype(np.float64), log2[order]))
    if len(parts) == 1:
        return parts[0]
    (forward, up), (backward, down) = parts
    common = np.maximum(up, down)
    total = np.ldexp(forward, up - common) + np.ldexp(backward, down - common)
    return total, common
