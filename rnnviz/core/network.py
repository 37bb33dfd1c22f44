"""Recurrent layers with a linear readout, run on a batch: loss and every gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnnviz.core import checks
from rnnviz.core.architecture import Network
from rnnviz.core.bptt import Tell
from rnnviz.core.bptt import backward as full_backward
from rnnviz.core.layers import (
    Backward,
    Layers,
    States,
    Traces,
    backward_layers,
    forward_layers,
    key,
    outputs,
)
from rnnviz.core.layouts import check_padding
from rnnviz.core.losses import ERRORS, total, weighted
from rnnviz.core.numerics import Array
from rnnviz.core.trace import Trace

__all__ = [
    "Examples",
    "Network",
    "NetworkRecord",
    "NetworkTrace",
    "backward_network",
    "forward_network",
    "predict",
    "run_network",
]


class Examples(Protocol):
    """What `run_network` reads of a batch: x (T, D, B) or integer tokens (T, B); target and
    mask as the loss of that name in `LOSSES` takes them. It may also have `lengths` (B,), the
    steps that are not padding, and `context` (V, B)."""

    @property
    def x(self) -> Array: ...
    @property
    def target(self) -> Array: ...
    @property
    def mask(self) -> Array: ...
    @property
    def loss(self) -> str: ...


@dataclass(frozen=True, eq=False)
class NetworkRecord:
    """The forward pass of a network: the records of its layers and directions, and y (T, O, B)."""

    network: Network
    params: dict[str, Array]
    layers: Layers
    y: Array
    context: Array | None = None


@dataclass(frozen=True, eq=False)
class NetworkTrace:
    """What is recorded of a network on one batch.

    layers[l][d] are Traces, d = 0 the forward direction; d = 1 is in its own order, each
    sequence reversed by itself. y (T, O, B); loss is the sum over time and the mean over the
    batch, loss_by_step (T,) what each step adds to it; d_y (T, O, B) = ∂L/∂y; context (V, B) or
    None; grads has the keys and shapes of params. All arrays are read-only. loss and loss_by_step
    are NaN where the loss is one's own, of which d_y and direct gradients are known alone.
    """

    network: Network
    params: dict[str, Array]
    layers: Traces
    y: Array
    loss: float
    loss_by_step: Array
    d_y: Array
    context: Array | None = None

    def __post_init__(self) -> None:
        for array in (self.y, self.loss_by_step, self.d_y, self.context, *self.params.values()):
            if array is not None:
                array.flags.writeable = False

    @property
    def own_loss(self) -> bool:
        """Whether the loss is one's own: outputs are known, what they cost is not."""
        return bool(np.isnan(self.loss_by_step).all() and np.isfinite(self.y).all())

    @cached_property
    def grads(self) -> dict[str, Array]:
        """∂L/∂(parameter), the keys and shapes of params; computed when first asked for."""
        grads = _readout_grads(_read(self.network, self.layers), self.d_y)
        if self.context is not None:
            with np.errstate(all="ignore"):
                d_h0 = np.ldexp(self.trace.d_h[0], self.trace.d_log2[0])
                grads["W_vh"] = d_h0 @ self.context.T
        for gradient in grads.values():
            gradient.flags.writeable = False
        for k, layer in enumerate(self.layers):
            for d, trace in enumerate(layer):
                grads |= {key(k, name, d): value for name, value in trace.grads.items()}
        return grads

    @property
    def trace(self) -> Trace:
        """The first layer's forward direction."""
        return self.layers[0][0]


def run_network(
    network: Network,
    params: dict[str, Any],
    batch: Examples,
    backward: Backward = full_backward,
    tell: Tell | None = None,
) -> NetworkTrace:
    """Forward, loss and backward on one batch.

    x_t → layers → y_t → loss; d_y from the loss, W_hyᵀ d_y_t into the last layer, then each
    layer's backpropagation through time and its d_x into the layer below. Padded steps have no
    loss. Runs in the dtype of the parameters. backward: how one layer and direction is sent back,
    such as `functools.partial(truncated_backward, window=20)`. tell: is called all the way
    forward; `backward` may have its own.
    Raises ValueError for a wrong key, shape or dtype, and for NaN or inf in x.
    """
    record = _forward(network, params, batch, tell)
    errors = ERRORS[checks.choice("loss", batch.loss, ERRORS)]
    mask = _asked(batch.mask, record.layers[0][0].lengths)
    with np.errstate(all="ignore"):
        loss_by_step, d_y = weighted(errors, record.y, batch.target, mask)
    trace = _backward(record, d_y, backward)
    return replace(trace, loss=total(loss_by_step), loss_by_step=loss_by_step)


def predict(network: Network, params: dict[str, Any], batch: Examples) -> Array:
    """y (T, O, B) alone, without loss and backward pass. Raises ValueError as `run_network`."""
    return _forward(network, params, batch).y


def forward_network(
    network: Network,
    params: dict[str, Any],
    x: Any,
    h0: Sequence[Any] | None = None,
    c0: Sequence[Any] | None = None,
    lengths: Any = None,
    context: Any = None,
    tell: Tell | None = None,
) -> NetworkRecord:
    """The forward pass over x (T, D, B) or tokens (T, B), from states of one's own.

    h0, c0: one array (H, B), or None for zeros, for each layer and direction, in PyTorch's order:
    layer 0 forward, layer 0 backward, layer 1 forward, ... So a stateful network goes on from
    `[trace.h[-1] for layer in record.layers for trace in layer]`, and c likewise.
    Runs in the dtype of the parameters. Raises ValueError for a wrong key, shape or dtype, for NaN
    or inf in x or a state, and for an h0 of the first layer beside a context.
    """
    weights = checks.params(params, network.param_shapes())
    dtype = np.result_type(*weights.values())
    weights = {name: value.astype(dtype) for name, value in weights.items()}
    given, x = x, checks.inputs(x, network.cells[0].input_size)
    if not np.iscomplexobj(x):  # complex for complex-step derivatives
        x = x.astype(dtype, copy=False)
    known = checks.lengths(lengths, len(x), x.shape[2])
    check_padding(given, known)
    states = [_states(network, name, s, x.shape[2]) for name, s in (("h0", h0), ("c0", c0))]
    context = _context(network, context, x.shape[2], dtype)
    with np.errstate(all="ignore"):
        if context is not None:
            if states[0][0][0] is not None:
                raise ValueError("h0[0] must be None where a context makes the first state")
            states[0][0] = (weights["W_vh"] @ context, *states[0][0][1:])
        layers = forward_layers(
            network.cells, weights, x, network.directions, states[0], known, tell, states[1]
        )
        y = np.matmul(weights["W_hy"], _read(network, layers)) + weights["b_y"][:, None]
    return NetworkRecord(network, weights, layers, y, context)


def backward_network(
    record: NetworkRecord,
    d_y: Any = None,
    d_h: Sequence[Any] | None = None,
    d_c: Sequence[Any] | None = None,
    backward: Backward = full_backward,
) -> NetworkTrace:
    """Every gradient of a loss of one's own, from its direct gradients.

    d_y (T, O, B) = ∂L/∂y; d_h, d_c: for each layer and direction, in `forward_network`'s order,
    (T, H, B) or None: what reaches its h and c otherwise than through layers and readout, each in
    its own order of processing. What is not given is 0. Those of the first states are
    `trace.layers[l][d].d_h[0]` and `d_c[0]`.
    Raises ValueError for a wrong shape, and for a d_c of cells that have no cell state.
    """
    if d_y is None:
        d_y = np.zeros_like(record.y)
    d_y = checks.cast("d_y", checks.array("d_y", d_y, record.y.shape, finite=False), record.y.dtype)
    seq_len, _, batch_size = record.y.shape
    of_h, of_c = (
        _states(record.network, name, s, batch_size, (seq_len,))
        for name, s in (("d_h", d_h), ("d_c", d_c))
    )
    return _backward(record, d_y, backward, of_h, of_c)


def _backward(
    record: NetworkRecord,
    d_y: Array,
    backward: Backward,
    d_h: States | None = None,
    d_c: States | None = None,
) -> NetworkTrace:
    with np.errstate(all="ignore"):
        direct = np.matmul(record.params["W_hy"].T, d_y)
    aligned = record.network.readout == "aligned"
    traces = backward_layers(record.layers, direct, aligned, backward, d_h, d_c)
    return NetworkTrace(record.network, record.params, traces, record.y, np.nan,
                        np.full(len(d_y), np.nan), d_y, record.context)  # fmt: skip


def _forward(
    network: Network, params: dict[str, Any], batch: Examples, tell: Tell | None = None
) -> NetworkRecord:
    lengths, context = (getattr(batch, name, None) for name in ("lengths", "context"))
    return forward_network(network, params, batch.x, None, None, lengths, context, tell)


def _states(
    network: Network,
    name: str,
    given: Sequence[Any] | None,
    batch_size: int,
    steps: tuple[int, ...] = (),
) -> list[tuple[Array | None, ...]]:
    """Checked arrays (steps, H, batch) of each layer and direction; None where there is none."""
    directions, cells = network.directions, network.cells
    count = len(cells) * directions
    arrays = [None] * count if given is None else list(given)
    if len(arrays) != count:
        raise ValueError(f"{name} must hold an array or None for each of {len(cells)} layers and "
                         f"{directions} directions, {count} in all, got {len(arrays)}")  # fmt: skip
    found: list[Array | None] = []
    for k, value in enumerate(arrays):
        cell = cells[k // directions]
        if value is not None and name[-2:] in ("c0", "_c") and not cell.HAS_CELL_STATE:
            raise ValueError(f"{name}[{k}] must be None for {type(cell).__name__}, which has no "
                             "cell state")  # fmt: skip
        shape = (*steps, cell.hidden_size, batch_size)
        found.append(
            None if value is None else checks.array(f"{name}[{k}]", value, shape, finite=not steps)
        )
    return [tuple(found[k : k + directions]) for k in range(0, count, directions)]


def _context(network: Network, given: Any, batch_size: int, dtype: np.dtype) -> Array | None:
    """A copy of what makes the first state; None if the network does not read it."""
    if not network.context_size:
        return None
    shape = (network.context_size, batch_size)
    if given is None:
        raise ValueError(f"context must have shape {shape}, got None")
    return checks.array("context", given, shape).astype(dtype)


def _read(network: Network, layers: Layers | Traces) -> Array:
    """What the readout reads, (T, H·directions, B)."""
    return outputs(layers[-1], network.readout == "aligned")


def _asked(mask: Array, lengths: Array | None) -> Array:
    """The mask, 0 where a sequence is padded."""
    if lengths is None or np.ndim(mask) != 2:
        return mask
    return np.where(np.arange(len(mask))[:, None] < lengths, mask, 0)


def _readout_grads(h: Array, d_y: Array) -> dict[str, Array]:
    """d_W_hy = Σ_t d_y_t h_tᵀ and d_b_y = Σ_t d_y_t, over the steps that have a loss."""
    asked = d_y.any(axis=(1, 2))
    with np.errstate(all="ignore"):
        d_W_hy = np.matmul(d_y[asked], h[asked].transpose(0, 2, 1)).sum(axis=0)
    return {"W_hy": d_W_hy, "b_y": d_y.sum(axis=(0, 2))}
